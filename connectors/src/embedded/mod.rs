//! The embedded online store: one file in a directory, served to any process on the machine, no server.
//!
//! ```text
//! DIR/online.redb    one table per view: entity ─▶ version, row time, expiry, fields (or a tombstone)
//! ```
//!
//! # Why redb
//! A view is read at random and overwritten in place, in batches, by few writers: a B+tree's work. redb is pure
//! Rust (RocksDB and LMDB bring C++ and C to build), has a stable file format and real transactions, and since 4.5
//! lets other *processes* read and write while a job runs, which `thalweg get` and a second worker process need.
//! fjall, an LSM tree, writes batches faster and reads at random slower (redb's own published benchmark); sled has
//! been in beta for years.
//!
//! # What an acknowledged epoch means
//! It is on disk: one epoch is one transaction, committed with an fsync before `write` returns, and it becomes
//! visible whole. A checkpoint lets the sources forget what was acknowledged, so anything less would lose
//! rows in a power cut.
//!
//! Measured on ext4, 2 cores. redb alone, release, 120 bytes a row into 200,000 rows:
//!
//! | entities an epoch | fsync, many processes (ours) | fsync, one process | no fsync (lost if killed) |
//! |---|---|---|---|
//! | 100 | 2.5 ms | 2.2 ms | 0.6 ms |
//! | 10,000 | 87 ms | 80 ms | 40 ms |
//!
//! Through the sink, test profile, 100,000 rows: 1 entity 3.3 ms, 100 5.5 ms, 1,000 14 ms, 10,000 65 ms,
//! 100,000 383 ms. Epochs of 10 ms are kept up with to some hundreds of entities each; beyond that the sources are
//! slowed, and larger epochs serve better. Giving the fsync away would buy 2 ms an epoch and cost the promise.
//!
//! # Time to live
//! A row expires at *its event time* + the view's TTL, so that a backfill of old rows does not make them
//! young. An expired row reads as absent, and its version still blocks older writes until it is swept: a writer
//! looks at a few rows further on with every epoch (`sweep`), so that a view with a TTL does not grow for ever.

mod record;
mod runs;
mod store;
mod sweep;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

pub use store::EmbeddedStore;

use crate::online::{OnlineSink, OnlineStore, View};

/// The embedded online store as a sink.
pub struct Embedded;

impl Embedded {
    /// Writes a view into the store at `path`: a file if it ends with `.redb`, otherwise a directory, which is
    /// made if it is missing. Many views and many processes may share a store.
    pub fn view<D>(path: impl Into<PathBuf>, view: View<D>) -> OnlineSink<D> {
        let path = path.into();
        // The workers of one process share one open database, and with it one cache.
        let shared: Mutex<Option<EmbeddedStore>> = Mutex::new(None);
        OnlineSink::new(view, move |place| {
            let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
            let store = match shared.take() {
                Some(store) => store,
                None => EmbeddedStore::open(&path)?,
            };
            let writer = store.sweeping(Arc::clone(&place.clock));
            *shared = Some(store);
            Ok(Box::new(writer) as Box<dyn OnlineStore>)
        })
    }
}
