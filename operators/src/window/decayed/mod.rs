//! Sums that fade: what a row adds halves with every half-life that has passed since.
//!
//! ```text
//! weight  1 ─────────────────────────────────●  the newest row, or the moment that the sum is as of
//!                                     ●  ╱
//!        ½ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─●  ╱  ╱           2^−(at − t) ÷ half-life
//!        0 ──●──────●───────────────────────▶ event time t
//!                        at − half-life     at
//! ```
//!
//! # Exact under any order
//! A sum of floats would depend on the order of its rows. So a row's factor is taken relative to the beginning of the
//! half-life that it lies in, `2^(t mod half-life ÷ half-life)` from 1 to 2, as a whole number of 2⁻⁶², computed in
//! integers; its product with the row's number, itself exact in 128 bits, is added up in 256 bits, one sum for each
//! half-life. That is a group: order never matters, and −x undoes +x to the bit. Reading goes from the oldest
//! half-life to the newest, halving what it has (`sum >> 1`) with each step, and halving at once what the watermark has
//! passed gives the same bits.
//!
//! Error: a row's factor is within 2⁻⁵² of the true one, relative to it; halving cuts off less than 2⁻⁶⁰ of a unit of
//! the number's lane (2⁻⁶⁴, or the last decimal); the result is rounded three times, as floats are.
//!
//! # Modes
//! | mode | rows | as of |
//! |---|---|---|
//! | [`latest`](Decayed::latest) | one per key | the key's newest number, or later if [`refreshed`](Decayed::refreshed) |
//! | [`finals`](Decayed::finals) | one per row once the watermark has passed it, never changed again | the row |
//! | [`corrections`](Decayed::corrections) | one per row at once, repaired until the watermark has passed it | the row |
//! | [`at`](Decayed::at) | one per label of another table | the label's moment |
//!
//! A row's sums are over all numbers of its key at or before it, those of the same moment included:
//!
//! ```text
//!   ──●─────●────●●────●──▶ event time
//!     ╰─────┴────┴╯              both rows of this moment: not the one after it
//! ```
//!
//! A row without a number adds nothing, and has a row all the same in `finals` and `corrections`, as in rolling windows:
//! the sums of the others as of it, 0 and 0 where there are none. In `latest` it is left out.
//!
//! What `finals` writes for a key's newest number is to the bit what `latest` has for the key.
//!
//! # Invariants
//! 1. After every epoch the accumulated output is, per key with numbers or per row, the same bits for any order of its
//!    rows.
//! 2. A key or row that did not change emits nothing.
//! 3. A retraction that comes before its row takes nothing away until then; the watermark lets it be forgotten. In
//!    `latest` it takes back any row of its key that has the same moment and number.
//!
//! # Cost
//! Per row two products of integers, in `corrections` for each later row of its key as well that the watermark has not
//! passed: a late number is in all of them. State in `latest`: per key two sums for each half-life that the watermark has
//! not passed, its numbers in them with their moments (for a key without rows, of when it last had one), and two sums for
//! all before; in `finals` two sums, and the rows that wait;
//! in `corrections` two sums for each half-life that is open, the open rows, and two sums for all before. A key with a
//! number is never forgotten.

pub(in crate::window) mod at;
mod corrections;
mod factor;
mod fading;
mod finals;
mod latest;
mod open;
mod repair;
mod settled;
#[cfg(test)]
mod tests;

use std::rc::Rc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thalweg_engine::error::JobError;
use thalweg_engine::key::Key;
use thalweg_engine::table::Table;
use thalweg_engine::time::EventTime;
use thalweg_engine::update::Data;

use crate::key_by::{Timeline, micros};
use crate::value::IntoLane;
use crate::window::finals::Finals;
use crate::window::placed::Placed;

pub use at::AskedDecayed;

/// Fading windows that wait to be told what to add up.
#[derive(Clone)]
pub struct Decayed<'s, D: Data, K: Key> {
    timeline: Timeline<'s, D, K>,
    half_life_us: i64,
    refresh_us: Option<i64>,
}

/// What a key's numbers have come to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DecayedRow<K> {
    /// The key.
    pub key: K,
    /// The moment that the sums are as of: the key's newest row, or the watermark where that is asked for and later. For a
    /// label, the label's moment; for a row of `finals` and `corrections`, that row's; where the row comes from behind the watermark and a later number is
    /// final already, that number's.
    pub at: EventTime,
    /// The numbers' weights, added up: each between 0 and 1.
    pub count: f64,
    /// The numbers, each times its weight, added up.
    pub sum: f64,
}

impl<K> DecayedRow<K> {
    /// The weighted mean, in the unit of the numbers; `None` where all weight has faded.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0.0).then(|| self.sum / self.count)
    }
}

impl<'s, D: Data, K: Key> Timeline<'s, D, K> {
    /// Sums that fade: what a row adds halves with every `half_life` that has passed since.
    ///
    /// # Errors
    /// [`JobError::Wrong`] when the half-life is shorter than 1 µs.
    pub fn decayed(&self, half_life: Duration) -> Result<Decayed<'s, D, K>, JobError> {
        Ok(Decayed {
            timeline: self.clone(),
            half_life_us: micros("the half-life of decayed sums", half_life)?,
            refresh_us: None,
        })
    }
}

impl<'s, D: Data, K: Key> Decayed<'s, D, K> {
    /// Writes every key anew, as of the watermark, whenever that has come to another multiple of `every`. Without this
    /// call a key's row is as of its newest row, and changes with its rows alone. `finals` and `corrections` are as of each
    /// row either way.
    ///
    /// # Errors
    /// [`JobError::Wrong`] when `every` is shorter than 1 µs.
    pub fn refreshed(mut self, every: Duration) -> Result<Self, JobError> {
        self.refresh_us = Some(micros("the time until decayed sums are refreshed", every)?);
        Ok(self)
    }

    /// Count, sum and mean of one number per row, replaced as rows come and go; rows without a number are left out. The
    /// name shows in the metrics.
    #[must_use]
    pub fn latest<V: IntoLane>(
        &self,
        name: &str,
        number: impl Fn(&D) -> V + 'static,
    ) -> Table<'s, DecayedRow<K>> {
        let keyed = &self.timeline.keyed;
        let (key, at) = (Rc::clone(&keyed.key), Rc::clone(&self.timeline.at));
        let lane = Rc::new(move |row: &D| number(row).into_lane());
        let times = (self.half_life_us, self.refresh_us);
        let state = latest::Latest::<D, K, V::Lane>::new(key, at, lane, times);
        keyed
            .table
            .keyed(&format!("{name} latest"), keyed.tags.clone(), state)
    }
}

impl<'s, D: Data + Ord, K: Key> Decayed<'s, D, K> {
    /// One row per row once the watermark has passed it, with the row itself, never changed again: count, sum and mean of
    /// the numbers up to it, as of it. A row that is taken back before then has none.
    #[must_use]
    pub fn finals<V: IntoLane>(
        &self,
        name: &str,
        number: impl Fn(&D) -> V + 'static,
    ) -> Table<'s, (D, DecayedRow<K>)> {
        let state = Finals::of(finals::Passed::<D, K, V::Lane>::new(self.half_life_us));
        self.numbered(number)
            .keyed(&format!("{name} final"), Placed::tags(), state)
    }

    /// One row per row at once, with the row itself, over what is known so far, and repaired as rows come late or are
    /// taken back, until the watermark has passed it. In the end these are the rows of [`Decayed::finals`].
    #[must_use]
    pub fn corrections<V: IntoLane>(
        &self,
        name: &str,
        number: impl Fn(&D) -> V + 'static,
    ) -> Table<'s, (D, DecayedRow<K>)> {
        let state = corrections::Corrections::<D, K, V::Lane>::new(self.half_life_us);
        self.numbered(number)
            .keyed(&format!("{name} corrections"), Placed::tags(), state)
    }

    fn numbered<V: IntoLane>(
        &self,
        number: impl Fn(&D) -> V + 'static,
    ) -> Table<'s, Placed<K, settled::Numbered<D>>> {
        self.timeline.placed(move |row| {
            let lane = number(&row).into_lane();
            (row, lane)
        })
    }
}
