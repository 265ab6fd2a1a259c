//! Where an online store is, said on the command line, and how it is opened to be read.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use thalweg_connectors::embedded::EmbeddedStore;
use thalweg_connectors::online::{OnlineError, OnlineStore};

/// The file of an embedded store in its folder.
const FILE: &str = "online.redb";

/// Rows that are looked at for the fields of a view: a field is only missed where it is null in all of them.
const SAMPLE_ROWS: usize = 1_000;

/// Which online store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The embedded one, in the folder that is named beside.
    Embedded,
    /// Redis, at this URL.
    Redis(String),
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "embedded" => Ok(Self::Embedded),
            url if url.starts_with("redis://") => Ok(Self::Redis(url.to_owned())),
            _ => Err("say `embedded`, or `redis://[user:password@]host[:port][/database]`".into()),
        }
    }
}

/// Why a store could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Nothing was ever written there.
    #[error(
        "there is no online store in {} (looked for {}): run `thalweg demo` first, or name the folder with --dir",
        dir.display(),
        dir.join(FILE).display()
    )]
    Missing {
        /// The folder that was looked in.
        dir: PathBuf,
    },
    /// The demo in that folder wrote elsewhere.
    #[error("the demo in {} keeps its online store at {address}: say --store {address}", dir.display())]
    Elsewhere {
        /// The folder that was looked in.
        dir: PathBuf,
        /// The store, without its password.
        address: String,
    },
    /// It holds other views.
    #[error(
        "there is no view {view:?} in {}: it holds {}",
        path.display(),
        if views.is_empty() { "none".to_owned() } else { views.join(", ") }
    )]
    NoView {
        /// The view that was asked for.
        view: String,
        /// The store's file.
        path: PathBuf,
        /// The views that it holds.
        views: Vec<String>,
    },
    /// It holds rows that are not ours to touch.
    #[error(
        "{address} already holds rows of a view {view:?}, and their versions would stand above the demo's; \
         choose another database (redis://host:port/1), or wait: a demo's own rows expire after an hour"
    )]
    Taken {
        /// The store, without its password.
        address: String,
        /// The view.
        view: String,
    },
    /// Redis was asked for, and is not compiled in.
    #[error("this thalweg was built without the feature `redis`")]
    NoRedis,
    /// The store itself said no.
    #[error(transparent)]
    Online(#[from] OnlineError),
}

impl Place {
    /// Opens the store for reading; the embedded one lies in `dir`.
    ///
    /// # Errors
    /// [`StoreError`] when there is none, or it cannot be read.
    pub fn open(&self, dir: &Path) -> Result<Box<dyn OnlineStore>, StoreError> {
        match self {
            Self::Embedded if !dir.join(FILE).is_file() => Err(StoreError::Missing {
                dir: dir.to_owned(),
            }),
            Self::Embedded => Ok(Box::new(EmbeddedStore::open_read_only(dir)?)),
            #[cfg(feature = "redis")]
            Self::Redis(url) => {
                let config = thalweg_connectors::redis::RedisConfig::new(url);
                let store = thalweg_connectors::redis::RedisStore::open(&config)?;
                Ok(Box::new(store))
            }
            #[cfg(not(feature = "redis"))]
            Self::Redis(_) => Err(StoreError::NoRedis),
        }
    }

    /// Refuses a view that an embedded store does not hold; a Redis keeps no list of its views.
    ///
    /// # Errors
    /// [`StoreError::NoView`], which names those that it holds.
    pub fn check_view(&self, dir: &Path, view: &str) -> Result<(), StoreError> {
        let Self::Embedded = self else {
            return Ok(());
        };
        let views = EmbeddedStore::open_read_only(dir)?.views()?;
        if views.iter().any(|held| held == view) {
            return Ok(());
        }
        Err(StoreError::NoView {
            view: view.to_owned(),
            path: dir.join(FILE),
            views,
        })
    }

    /// The fields of a view, as far as some of its rows tell; none where the store cannot be listed.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub fn field_names(&self, dir: &Path, view: &str) -> Result<Vec<String>, StoreError> {
        match self {
            Self::Embedded => {
                let store = EmbeddedStore::open_read_only(dir)?;
                Ok(store.field_names(view, SAMPLE_ROWS)?)
            }
            Self::Redis(_) => Ok(Vec::new()),
        }
    }
}

/// The store as it may be shown: without a password.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded => f.write_str("embedded"),
            #[cfg(feature = "redis")]
            Self::Redis(url) => {
                f.write_str(&thalweg_connectors::redis::RedisConfig::new(url).address())
            }
            #[cfg(not(feature = "redis"))]
            Self::Redis(_) => f.write_str("redis"),
        }
    }
}
