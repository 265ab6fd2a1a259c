//! Where the server is and how long to wait for it.

use std::fmt;
use std::time::Duration;

use redis::{ConnectionInfo, IntoConnectionInfo};
use serde::Deserialize;

use crate::online::OnlineError;

/// The settings of a Redis store. The URL may hold a password; it is never shown.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedisConfig {
    /// `redis://[user:password@]host[:port][/database]`.
    pub url: String,
    /// How long one attempt to connect may take, ms. Too short: a busy server looks dead.
    #[serde(default = "connect_timeout_ms")]
    pub connect_timeout_ms: u64,
    /// How long an answer may take, ms. Too short: a slow server is asked the same again and slows further.
    #[serde(default = "reply_timeout_ms")]
    pub reply_timeout_ms: u64,
    /// How long a server is waited for when a sink or store is opened, ms.
    #[serde(default = "start_total_ms")]
    pub start_total_ms: u64,
    /// How long a write is retried through an outage before the job ends, ms. The sources pause meanwhile.
    #[serde(default = "retry_total_ms")]
    pub retry_total_ms: u64,
    /// How long a read is retried, ms. A caller waits for it.
    #[serde(default = "read_total_ms")]
    pub read_total_ms: u64,
    /// How long a deleted entity's version stays to block older writes, s. Less than the lateness of the job plus
    /// the longest restart: a replayed write may bring a deleted entity back for a while.
    #[serde(default = "tombstone_ttl_s")]
    pub tombstone_ttl_s: u64,
}

fn connect_timeout_ms() -> u64 {
    2_000
}
fn reply_timeout_ms() -> u64 {
    5_000
}
fn start_total_ms() -> u64 {
    5_000
}
fn retry_total_ms() -> u64 {
    30_000
}
fn read_total_ms() -> u64 {
    2_000
}
fn tombstone_ttl_s() -> u64 {
    7 * 86_400
}

impl RedisConfig {
    /// The defaults: connect 2 s, reply 5 s, start 5 s, writes retried for 30 s, reads for 2 s, tombstones kept 7 days.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            connect_timeout_ms: connect_timeout_ms(),
            reply_timeout_ms: reply_timeout_ms(),
            start_total_ms: start_total_ms(),
            retry_total_ms: retry_total_ms(),
            read_total_ms: read_total_ms(),
            tombstone_ttl_s: tombstone_ttl_s(),
        }
    }

    /// The URL as it may be shown: without user, password and query.
    #[must_use]
    pub fn address(&self) -> String {
        let Some((scheme, rest)) = self.url.split_once("://") else {
            return "(not a URL)".to_owned();
        };
        // A password may hold any character: everything up to the last '@' is taken for it.
        let (secret, place) = rest
            .rsplit_once('@')
            .map_or((false, rest), |(_, place)| (true, place));
        let place = place.split(['?', '#']).next().unwrap_or_default();
        format!("{scheme}://{}{place}", if secret { "***@" } else { "" })
    }

    pub(crate) fn connection(&self) -> Result<ConnectionInfo, OnlineError> {
        for (name, value) in [
            ("connect_timeout_ms", self.connect_timeout_ms),
            ("reply_timeout_ms", self.reply_timeout_ms),
            ("tombstone_ttl_s", self.tombstone_ttl_s),
        ] {
            if value == 0 {
                return Err(OnlineError::Wrong(format!(
                    "{name} is 0; it must be at least 1"
                )));
            }
        }
        // The parser's own message may quote the URL: it is not passed on.
        self.url.as_str().into_connection_info().map_err(|_| {
            OnlineError::Wrong(format!(
                "{} is no Redis URL that can be used here; write redis://[user:password@]host[:port][/database], with \
                 '@', '/' and ':' of a password percent-encoded (TLS is not supported)",
                self.address()
            ))
        })
    }

    pub(crate) fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.connect_timeout_ms)
    }

    pub(crate) fn reply_timeout(&self) -> Duration {
        Duration::from_millis(self.reply_timeout_ms)
    }
}

impl fmt::Debug for RedisConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisConfig")
            .field("url", &self.address())
            .field("connect_timeout_ms", &self.connect_timeout_ms)
            .field("reply_timeout_ms", &self.reply_timeout_ms)
            .field("start_total_ms", &self.start_total_ms)
            .field("retry_total_ms", &self.retry_total_ms)
            .field("read_total_ms", &self.read_total_ms)
            .field("tombstone_ttl_s", &self.tombstone_ttl_s)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        for (url, shown) in [
            ("redis://127.0.0.1:6379/2", "redis://127.0.0.1:6379/2"),
            ("redis://user:hunter2@host:1/0", "redis://***@host:1/0"),
            ("redis://:hun@ter2/@host", "redis://***@host"),
            ("redis://host?pass=hunter2", "redis://host"),
            ("redis:hunter2@host", "(not a URL)"),
            ("hunter2", "(not a URL)"),
        ] {
            let config = RedisConfig::new(url);
            assert_eq!(config.address(), shown);
            let debug = format!("{config:?}{:?}", crate::redis::Redis::connect(url));
            assert!(!debug.contains("hun"), "{debug}");
            let text = config
                .connection()
                .err()
                .map(|error| error.to_string())
                .unwrap_or_default();
            assert!(!text.contains("hun"), "{text}");
        }
    }

    #[test]
    fn an_unknown_setting_is_refused() {
        let read = serde_json::from_str::<RedisConfig>;
        assert_eq!(
            read(r#"{"url": "redis://h"}"#).unwrap().retry_total_ms,
            30_000
        );
        let error = read(r#"{"url": "redis://h", "retry_ms": 1}"#)
            .unwrap_err()
            .to_string();
        assert!(error.contains("retry_ms"), "{error}");
    }
}
