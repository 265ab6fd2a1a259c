//! Expired rows go a few at a time, in the transactions that write new ones.
//!
//! ```text
//! an epoch of n rows ─▶ one transaction { n writes │ the next max(n, 256) records of the view, expired ones removed }
//!                                                    └─ from where the last one stopped; from the top after the end
//! ```
//!
//! # Invariants
//! 1. A record goes only when it has expired twice over: by the clock, and by the newest event time that this writer has
//!    written. So a backfill keeps what a reader of its own time would ask for, and a single row from the future does
//!    not make all others old.
//! 2. A record goes only when everything that its version would refuse has expired as well; tombstones too.
//!
//! # Cost
//! Every record has been looked at when as many rows were written as the view holds, with small epochs sooner.

use std::sync::Arc;

use redb::{ReadableTable, StorageError, Table};
use thalweg_engine::env::Clock;
use thalweg_engine::time::EventTime;

use crate::embedded::record;
use crate::online::OnlineRow;

/// Records that a transaction looks at, at the least: small epochs come often, and reading on is cheap beside an fsync.
pub(crate) const RECORDS_MIN: usize = 256;

/// Where one writer stands in its view.
pub(crate) struct Sweeper {
    clock: Arc<dyn Clock>,
    newest: EventTime,
    /// The entity to go on from.
    next: String,
}

impl Sweeper {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            newest: EventTime::MIN,
            next: String::new(),
        }
    }

    /// Looks further on in the view that `written` has just gone into.
    ///
    /// # Errors
    /// What the store says; the transaction is then of no use.
    pub(crate) fn step(
        &mut self,
        view: &mut Table<'_, &'static str, &'static [u8]>,
        ttl_us: i64,
        written: &[OnlineRow],
    ) -> Result<(), StorageError> {
        let newest = written.iter().map(|row| row.version.event_time).max();
        self.newest = self.newest.max(newest.unwrap_or(EventTime::MIN));
        let now = self.newest.min(self.clock.wall());
        let from = std::mem::take(&mut self.next);
        let mut left = written.len().max(RECORDS_MIN);
        let mut expired = Vec::new();
        for record in view.range(from.as_str()..)? {
            let (entity, bytes) = record?;
            if left == 0 {
                entity.value().clone_into(&mut self.next);
                break;
            }
            left -= 1;
            if is_over(bytes.value(), now, ttl_us) {
                expired.push(entity.value().to_owned());
            }
        }
        for entity in expired {
            view.remove(entity.as_str())?;
        }
        Ok(())
    }
}

/// Whether neither the record nor anything that it refuses is alive at `now`. A damaged one is left for whoever reads it.
fn is_over(bytes: &[u8], now: EventTime, ttl_us: i64) -> bool {
    record::head_of(bytes).is_some_and(|head| {
        let refused_until = head.version.event_time.saturating_add(ttl_us);
        now >= head.expires_at.max(refused_until)
    })
}
