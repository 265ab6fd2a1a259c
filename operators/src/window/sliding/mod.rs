//! Rolling windows of any aggregates: the same windows as [`crate::window::rolling`], of whatever can be retracted.
//!
//! ```text
//! events by time   ─ oldest ───────────────────────── newest
//! window w            [ end − width ═══════════ end ]        one aggregate state per window; an event is added when
//!                                                            the window reaches it and retracted when it leaves
//! ```
//!
//! For moments take `rolling(…).moments(…)`: it is many times faster.
//!
//! # Invariants
//! As [`crate::window::rolling`]'s: `latest` and `corrections` equal brute force after every epoch, `finals` yields each
//! event once.
//!
//! # Cost
//! Per event and window two updates of the aggregate, once in and once out. State: the events of the widest window.

mod at;
mod corrections;
mod finals;
mod latest;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
pub(in crate::window) mod view;
mod windows;

use serde::{Deserialize, Serialize};
use thalweg_engine::key::Key;
use thalweg_engine::table::Table;
use thalweg_engine::time::EventTime;
use thalweg_engine::update::Data;

use crate::aggregate::{self, Aggregate};
use crate::array::Array;
use crate::key_by::Timeline;
use crate::window::finals::Finals;
use crate::window::placed::Placed;
use crate::window::rolling::Expiry;
use crate::window::rolling::widths::Widths;

/// A key's aggregates over `W` rolling windows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound(
    serialize = "O: Serialize",
    deserialize = "O: serde::de::DeserializeOwned"
))]
pub struct SlidingRow<K: Key, O, const W: usize> {
    /// The key.
    pub key: K,
    /// The event time of the key's newest event.
    pub at: EventTime,
    /// What the aggregates read, windows in the order in which the job named them.
    pub windows: Array<O, W>,
}

/// Rolling aggregates, declared but not yet running: choose a mode.
#[derive(Clone)]
pub struct Sliding<'s, D: Data + Ord, K: Key, A: Aggregate<D>, const W: usize> {
    pub(crate) timeline: Timeline<'s, D, K>,
    pub(crate) widths: Widths<W>,
    pub(crate) aggregate: A,
    pub(crate) name: String,
    pub(crate) expiry: Expiry,
}

impl<'s, D: Data + Ord, K: Key, A: Aggregate<D>, const W: usize> Sliding<'s, D, K, A, W> {
    /// Whether rows of [`Sliding::latest`] fall as time passes; they do unless told otherwise.
    #[must_use]
    pub fn expiry(mut self, expiry: Expiry) -> Self {
        self.expiry = expiry;
        self
    }

    /// One row per key, replaced as events come, change and expire.
    #[must_use]
    pub fn latest(&self) -> Table<'s, SlidingRow<K, A::Output, W>> {
        let state = latest::Latest::new(self.aggregate.clone(), self.widths, self.expiry);
        self.placed()
            .keyed(&format!("{} latest", self.name), Placed::tags(), state)
    }

    /// One row per event once the watermark has passed it, with the event itself, never changed again.
    #[must_use]
    pub fn finals(&self) -> Table<'s, (D, SlidingRow<K, A::Output, W>)> {
        let state = Finals::of(finals::Settled::new(self.aggregate.clone(), self.widths));
        self.placed()
            .keyed(&format!("{} final", self.name), Placed::tags(), state)
    }

    /// One row per event at once, with the event itself, over what is known so far, and repaired as events come late or
    /// are taken back, until the watermark has passed it.
    #[must_use]
    pub fn corrections(&self) -> Table<'s, (D, SlidingRow<K, A::Output, W>)> {
        let state = corrections::Corrections::new(self.aggregate.clone(), self.widths);
        self.placed()
            .keyed(&format!("{} corrections", self.name), Placed::tags(), state)
    }

    fn placed(&self) -> Table<'s, Placed<K, D>> {
        aggregate::check(&self.timeline.keyed.table, &self.name, &self.aggregate);
        self.timeline.placed(|row| row)
    }
}
