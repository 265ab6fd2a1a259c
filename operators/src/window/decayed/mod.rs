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
//! the number's lane (2⁻⁶⁴, or the last decimal); the result is rounded three times, as floats are. While a retraction
//! waits for a row later than all others, these lose a place for every half-life that lies between.
//!
//! # Invariants
//! 1. After every epoch the accumulated output is, per key with numbers, the same bits for any order of its rows.
//! 2. A key whose row did not change emits nothing.
//!
//! # Cost
//! Per row two products of integers. State: per key two sums for each half-life that the watermark has not passed, the
//! times of its rows in them, and two sums for all before.

mod factor;
mod fading;
mod state;
#[cfg(test)]
mod tests;

use std::rc::Rc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thalweg_engine::error::JobError;
use thalweg_engine::key::Key;
use thalweg_engine::table::Table;
use thalweg_engine::time::{EventTime, micros_of};
use thalweg_engine::update::Data;

use crate::key_by::Timeline;
use crate::value::IntoLane;
use state::State;

/// Fading windows that wait to be told what to add up.
#[derive(Clone)]
pub struct Decayed<'s, D: Data, K: Key> {
    pub(crate) timeline: Timeline<'s, D, K>,
    pub(crate) half_life_us: i64,
    pub(crate) refresh_us: Option<i64>,
}

/// What a key's numbers have come to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DecayedRow<K> {
    /// The key.
    pub key: K,
    /// The moment that the sums are as of: the key's newest row, or the watermark where that is asked for and later.
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

impl<'s, D: Data, K: Key> Decayed<'s, D, K> {
    /// Writes every key anew, as of the watermark, whenever that has come to another multiple of `every`. Without this
    /// call a key's row is as of its newest row, and changes with its rows alone.
    ///
    /// # Errors
    /// [`JobError::Wrong`] when `every` is shorter than 1 µs.
    pub fn refreshed(mut self, every: Duration) -> Result<Self, JobError> {
        self.refresh_us = Some(micros_of(every));
        if every.as_micros() == 0 {
            return Err(JobError::Wrong(format!(
                "fading sums are written anew every 1 µs at most: got {every:?}"
            )));
        }
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
        let state = State::<D, K, V::Lane>::new(key, at, lane, times);
        keyed
            .table
            .keyed(&format!("{name} latest"), keyed.tags.clone(), state)
    }
}
