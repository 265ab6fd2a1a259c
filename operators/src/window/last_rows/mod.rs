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
//! | mode | rows |
//! |---|---|
//! | [`latest`](LastRows::latest) | one per key, replaced as its last rows change |
//! | [`finals`](LastRows::finals) | one per row once the watermark has passed it, never changed again |
//! | [`corrections`](LastRows::corrections) | one per row at once, repaired until the watermark has passed it |
//! | [`at`](LastRows::at) | one per label of another table, over the last rows up to the label's moment |
//!
//! A row of `finals` and `corrections` is over the last `n` rows up to it, itself included, in that same order:
//!
//! ```text
//! n = 3, two rows at one moment     a ≺ b      SQL's ROWS BETWEEN 2 PRECEDING AND CURRENT ROW
//!
//!   ──●───●────────●──────{a, b}──▶ event time
//!     ╰───┼────────┼───────╯ │      the row of a: not b, which comes after it
//!         ╰────────┼─────────╯      the row of b, and the key's row in `latest`
//! ```
//!
//! So rows of one moment are no peers here, as they are in a rolling window: a window by number holds so many rows and
//! no more. At any moment a key's row in `latest` is what `finals` writes for its newest row if no other comes before it:
//! what was served online is what is trained on.
//!
//! # Invariants
//! 1. After every epoch the accumulated output of `latest` is, per key with rows, the aggregates of its last `n` by brute
//!    force; that of `corrections`, per row that is there, the aggregates of the last `n` up to it. Of these, `finals`
//!    has those that the watermark has passed.
//! 2. A key whose last rows read the same emits nothing, nor does a row whose do.
//! 3. A retraction that comes before its row takes nothing away until then; the watermark lets it be forgotten.
//!
//! # Cost
//! Per row a search among the key's rows, which is short at their end, and up to two updates of the aggregate; in
//! `corrections` a late row or a retraction repairs itself and the `n` − 1 rows after it, whatever the key holds. State:
//! the key's newest `n` rows that the watermark has passed, and all that it has not; without a watermark, as over
//! files, all of them. A key is never forgotten, for its last rows may be of any age. A label reads `n` rows.

pub(in crate::window) mod at;
mod corrections;
mod finals;
mod keys;
mod latest;
mod rows;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use serde::{Deserialize, Serialize};
use thalweg_engine::error::JobError;
use thalweg_engine::key::Key;
use thalweg_engine::table::Table;
use thalweg_engine::time::EventTime;
use thalweg_engine::update::Data;

use crate::aggregate::{self, Aggregate};
use crate::key_by::Timeline;
use crate::window::finals::Finals;
use crate::window::placed::Placed;

/// The last rows of each key, which wait to be told what to compute.
#[derive(Clone)]
pub struct LastRows<'s, D: Data + Ord, K: Key> {
    timeline: Timeline<'s, D, K>,
    rows: usize,
}

/// The aggregates of a key's last rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LastRow<K, O> {
    /// The key.
    pub key: K,
    /// The event time of its newest row; for a row of `finals` and `corrections`, of that row; for a label, the label's.
    pub at: EventTime,
    /// What the aggregates read.
    pub value: O,
}

impl<'s, D: Data, K: Key> Timeline<'s, D, K> {
    /// The newest `rows` of each key, by event time, then by the row, however long ago they were.
    ///
    /// # Errors
    /// [`JobError::Wrong`] when `rows` is 0.
    pub fn last_rows(&self, rows: usize) -> Result<LastRows<'s, D, K>, JobError>
    where
        D: Ord,
    {
        if rows == 0 {
            let text = "the last rows of a key are at least 1: got 0";
            return Err(JobError::Wrong(text.to_owned()));
        }
        Ok(LastRows {
            timeline: self.clone(),
            rows,
        })
    }
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
        let state = latest::Latest::new(key, at, self.rows, aggregate);
        keyed
            .table
            .keyed(&format!("{name} latest"), keyed.tags.clone(), state)
    }

    /// One row per row once the watermark has passed it, with the row itself, never changed again: the aggregates of its
    /// key's last rows up to it. A row that is taken back before then has none.
    #[must_use]
    pub fn finals<A: Aggregate<D>>(
        &self,
        name: &str,
        aggregate: A,
    ) -> Table<'s, (D, LastRow<K, A::Output>)> {
        aggregate::check(&self.timeline.keyed.table, name, &aggregate);
        let state = Finals::of(finals::Settled::new(self.rows, aggregate));
        let placed = self.timeline.placed(|row| row);
        placed.keyed(&format!("{name} final"), Placed::tags(), state)
    }

    /// One row per row at once, with the row itself, over what is known so far, and repaired as rows come late or are
    /// taken back, until the watermark has passed it. In the end these are the rows of [`LastRows::finals`].
    #[must_use]
    pub fn corrections<A: Aggregate<D>>(
        &self,
        name: &str,
        aggregate: A,
    ) -> Table<'s, (D, LastRow<K, A::Output>)> {
        aggregate::check(&self.timeline.keyed.table, name, &aggregate);
        let state = corrections::Corrections::new(self.rows, aggregate);
        let placed = self.timeline.placed(|row| row);
        placed.keyed(&format!("{name} corrections"), Placed::tags(), state)
    }
}
