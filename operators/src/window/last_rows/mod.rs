//! The last rows of each key, however long ago they were: aggregates over the newest `n`.
//!
//! ```text
//!            older    ├──── the last 4 rows ────┤
//!   ──●───●──●────────●─────●──●────────────────●──▶ event time
//!                                            newest     by event time, then by the row; copies count one by one
//! ```
//!
//! A row that comes pushes the oldest one out; where one is taken back, the one before them comes in again.
//!
//! # Invariants
//! 1. After every epoch the accumulated output is, per key with rows, the aggregates of its last `n` by brute force.
//! 2. A key whose last rows read the same emits nothing.
//! 3. A retraction that comes before its row takes nothing away until then.
//!
//! # Cost
//! Per row a search among the key's rows, which is short at their end, and up to two updates of the aggregate. State:
//! the key's newest `n` rows that the watermark has passed, and all that it has not; without a watermark, as over
//! files, all of them.

mod state;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use serde::{Deserialize, Serialize};
use thalweg_engine::key::Key;
use thalweg_engine::table::Table;
use thalweg_engine::time::EventTime;
use thalweg_engine::update::Data;

use crate::aggregate::{self, Aggregate};
use crate::key_by::Timeline;
use state::State;

/// The last rows of each key, which wait to be told what to compute.
#[derive(Clone)]
pub struct LastRows<'s, D: Data + Ord, K: Key> {
    pub(crate) timeline: Timeline<'s, D, K>,
    pub(crate) rows: usize,
}

/// The aggregates of a key's last rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LastRow<K, O> {
    /// The key.
    pub key: K,
    /// The event time of its newest row.
    pub at: EventTime,
    /// What the aggregates read.
    pub value: O,
}

impl<'s, D: Data + Ord, K: Key> LastRows<'s, D, K> {
    /// One row per key, replaced as its last rows change.
    #[must_use]
    pub fn latest<A: Aggregate<D>>(
        &self,
        name: &str,
        aggregate: A,
    ) -> Table<'s, LastRow<K, A::Output>> {
        let keyed = &self.timeline.keyed;
        aggregate::check(&keyed.table, name, &aggregate);
        let (key, at) = (Rc::clone(&keyed.key), Rc::clone(&self.timeline.at));
        let state = State::new(key, at, self.rows, aggregate);
        keyed
            .table
            .keyed(&format!("{name} latest"), keyed.tags.clone(), state)
    }
}
