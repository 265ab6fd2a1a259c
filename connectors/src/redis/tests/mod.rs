//! The Redis store against real servers.
//!
//! `THALWEG_TEST_REDIS` names a server (`scripts/services up` starts one); tests that kill or starve a server
//! start one of their own. What is missing is skipped aloud, or fails where `THALWEG_REQUIRE_SERVICES=1`.
//!
//! | file | what it holds |
//! |---|---|
//! | `rows` | the shared laws, what stands in the server, time to live, round trips |
//! | `outages` | what passes: lost scripts, killed, silent and full servers |
//! | `refusals` | what does not: no server, a wrong password, keys of others |
//! | `server` | a server of a test's own |

mod outages;
mod refusals;
mod rows;
mod server;

use redis::Connection;

use crate::online::OnlineRow;
use crate::online::laws::{at, value};
use crate::redis::{RedisConfig, RedisStore};

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where these tests read the environment"
)]
fn env(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn skip<T>(test: &str, why: &str) -> Option<T> {
    assert_ne!(
        env("THALWEG_REQUIRE_SERVICES").as_deref(),
        Some("1"),
        "{test}: {why}"
    );
    eprintln!("skipped: {test}: {why}");
    None
}

/// The shared server, with no views left whose names begin with `prefix`.
fn shared(test: &str, prefix: &str) -> Option<(RedisConfig, RedisStore)> {
    let Some(url) = env("THALWEG_TEST_REDIS") else {
        return skip(test, "THALWEG_TEST_REDIS is not set");
    };
    let config = RedisConfig::new(url);
    let mut raw = raw(&config);
    let keys: Vec<String> = redis::cmd("KEYS")
        .arg(format!("features*:{prefix}.*"))
        .query(&mut raw)
        .unwrap();
    if !keys.is_empty() {
        redis::cmd("UNLINK").arg(keys).exec(&mut raw).unwrap();
    }
    let store = RedisStore::open(&config).unwrap();
    Some((config, store))
}

fn raw(config: &RedisConfig) -> Connection {
    redis::Client::open(config.url.as_str())
        .unwrap()
        .get_connection()
        .unwrap()
}

fn put(entity: &str, epoch: u64, text: &str) -> OnlineRow {
    OnlineRow::put(entity, at(1, epoch), value(text))
}
