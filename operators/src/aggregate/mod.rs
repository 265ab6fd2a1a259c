//! Aggregates that take everything back: each is a state, how a row changes it, and how it is read.
//!
//! | aggregate | state per group | insert or retract | reads |
//! |---|---|---|---|
//! | [`count`], [`count_where`] | 8 B | O(1) | rows |
//! | [`moments`] | 128 B and the values | O(1), sorted at reads | count, sum, mean, min, max, variance, stddev |
//! | [`totals`] | 64 B, floats 80 B | O(1) | the same without min and max |
//! | [`distinct`] | the distinct values | O(log n) | how many there are |
//! | [`latest`] | the rows | O(1), sorted at reads | the row of the greatest order |
//!
//! Laws, tested for all of them: order does not matter; what is inserted and retracted leaves no trace.
//! Several aggregates in one pass are a tuple: `(count(), distinct(|l| l.customer))`.

mod count;
mod distinct;
mod extremes;
mod latest;
mod moments;
pub(crate) mod multiset;
mod tuple;

pub use count::{Count, count, count_where};
pub use distinct::{Distinct, distinct};
pub use latest::{Latest, latest};
pub use moments::{MomentsOf, TotalsOf, moments, totals};

use serde::Serialize;
use serde::de::DeserializeOwned;
use thalweg_engine::update::{Data, Diff};

/// A retractable aggregate over rows of type `D`.
pub trait Aggregate<D>: Clone + 'static {
    /// What is kept per group. Its default is the state of no rows, and retracting all rows leads back to it.
    type State: Default + PartialEq + Serialize + DeserializeOwned + 'static;
    /// What is read out of it.
    type Output: Data + PartialEq;

    /// Adds `diff` copies of a row; negative ones take it back, before or after it was added.
    fn update(&self, state: &mut Self::State, row: &D, diff: Diff);

    /// Reads the state.
    fn read(&self, state: &Self::State) -> Self::Output;
}
