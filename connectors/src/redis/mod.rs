//! Redis (and Valkey) as the online store: one hash per entity and view, readable by any client.
//!
//! ```text
//! features:{view}:{entity}    field → text …, __event_time µs, __epoch
//!                             __row_time µs   only after a correction, where it lies before __event_time
//!                             __deleted 1     only in a tombstone: version fields and nothing else
//! features.runs:{view}        started, generation: how many runs have written the view
//! ```
//!
//! # How a batch is written
//! Versions are compared and rows set inside Redis, by one Lua script (`upsert.lua`), so that no other writer comes
//! between. A batch of up to 10,000 entities is one round trip: it goes out as a pipeline of `EVALSHA` calls of
//! 200 entities each, because Redis serves nobody else while a script runs (about 1 ms each).
//!
//! # What an acknowledged epoch means
//! Redis has answered. Whether it survives a power cut is Redis' own setting (`appendonly`, `appendfsync`); what an
//! emptied or failed-over Redis lost must be written again from the offline store.
//!
//! # Time to live
//! The view's TTL is Redis' own: it counts from the last accepted write, by Redis' wall clock (`PEXPIRE`), and with
//! the row its version goes too. A backfill of old rows thus lives for a whole TTL. The embedded store counts
//! from the event time instead.
//!
//! # Outages
//! A write that fails on the way, is not answered in time, or meets a server that is loading, read-only or out of
//! memory is repeated with growing pauses until `retry_total_ms` has passed. An unknown outcome needs no
//! looking up: under the version rule a repeated write changes nothing.
//!
//! Absent on purpose: Cluster, Sentinel and TLS. A batch's keys lie on one node.

mod config;
mod link;
mod script;
mod store;
#[cfg(test)]
mod tests;

pub use config::RedisConfig;
pub use store::RedisStore;

use crate::online::{OnlineSink, OnlineStore, View};

/// A Redis server to write views to. Nothing is reached before a sink is opened.
#[derive(Clone, Debug)]
pub struct Redis {
    config: RedisConfig,
}

impl Redis {
    /// The server at `redis://[user:password@]host[:port][/database]`, with the defaults of [`RedisConfig`].
    #[must_use]
    pub fn connect(url: impl Into<String>) -> Self {
        Self {
            config: RedisConfig::new(url),
        }
    }

    /// A server with limits of one's own.
    #[must_use]
    pub fn with(config: RedisConfig) -> Self {
        Self { config }
    }

    /// Writes a view to this server; each worker has a connection of its own.
    #[must_use]
    pub fn view<D>(self, view: View<D>) -> OnlineSink<D> {
        OnlineSink::new(view, move |_| {
            RedisStore::open(&self.config).map(|store| Box::new(store) as Box<dyn OnlineStore>)
        })
    }
}
