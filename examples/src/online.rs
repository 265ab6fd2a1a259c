//! The online store that an example may keep up to date beside its files.

use std::path::Path;
use std::str::FromStr;

use thalweg::connectors::embedded::Embedded;
use thalweg::connectors::online::{OnlineSink, View};
use thalweg::connectors::redis::Redis;

/// Which online store.
#[derive(Clone, Debug)]
pub enum Online {
    /// `online.redb` in the folder of the answers.
    Embedded,
    /// A Redis server, by its URL; it may hold a password and is never printed.
    Redis(Redis),
}

impl FromStr for Online {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "embedded" => Ok(Self::Embedded),
            url if url.starts_with("redis://") => Ok(Self::Redis(Redis::connect(url))),
            _ => Err(
                "the online store is `embedded`, or a server as `redis://host[:port][/database]`"
                    .to_owned(),
            ),
        }
    }
}

impl Online {
    /// A sink that keeps `view` up to date; an embedded store lies in the folder `out`.
    #[must_use]
    pub fn view<D>(&self, out: &Path, view: View<D>) -> OnlineSink<D> {
        match self {
            Self::Embedded => Embedded::view(out.join("online.redb"), view),
            Self::Redis(redis) => redis.clone().view(view),
        }
    }
}
