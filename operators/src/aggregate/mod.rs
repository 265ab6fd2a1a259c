//! Aggregates that take everything back: each is a state, how a row changes it, and how it is read.
//!
//! n rows of a group, d distinct values of them; where it says «sorted at reads», up to 1,024 updates, or d, may wait
//! beside what is sorted, and a read costs O(log d) for each of them. What has no rows, or no numbers, reads `None`, 0
//! where it counts or adds, or an empty list.
//!
//! Numbers are read as `f64`, however exact they are inside: sums and extremes are rounded once. `i64::MIN`, NaN, ±∞
//! and floats of 2⁶² or more are no numbers: they count as rows, and [`moments`] says how many there are. Floats are
//! added in units of 2⁻⁶⁴, so that sums do not depend on order: 1e-30 adds nothing; extremes and quantiles have every
//! bit. The greatest of an `i64` beyond 2⁵³ to the last digit is `last(|row| row.n, |row| row.n)`, the least `first`:
//! rows without a number go out before them by [`only_if`].
//!
//! | aggregate | state per group | insert or retract | reads |
//! |---|---|---|---|
//! | [`count`], [`count_where`] | 8 B | O(1) | rows |
//! | [`moments`] | 128 B and the values | O(copies), sorted at reads | count, sum, mean, min, max, variance, stddev |
//! | [`totals`] | 64 B, floats 80 B | O(copies) | the same without min and max |
//! | [`sum`], [`mean`] | 32 B | O(1) | one of them; never overflows |
//! | [`variance`], [`stddev`], [`variance_sample`], [`stddev_sample`] | 88 B | O(1) | one of them; never overflows |
//! | [`skew`], [`skew_sample`] | 176 B | O(1) | lopsidedness |
//! | [`kurtosis`], [`kurtosis_sample`] | 296 B | O(1) | weight of the tails |
//! | [`covariance`], [`covariance_sample`], [`correlation`] | 176 B | O(1) | how two numbers go together |
//! | [`trend`] | 176 B | O(1) | a number's slope over event time, per second |
//! | [`min`], [`max`] | d numbers | O(1), sorted at reads | one extreme |
//! | [`top_k`], [`bottom_k`] | d numbers | O(1), sorted at reads | k extremes |
//! | [`arg_min`], [`arg_max`] | n rows | O(1), sorted at reads | what stands beside an extreme |
//! | [`first`], [`last`], [`first_k`], [`last_k`] | n rows | O(1), sorted at reads | rows by their order |
//! | [`rate`] | d times | O(1), sorted at reads | rows per second |
//! | [`time_since_last`], [`last_gap`] | d times | O(1), sorted at reads | the last row's time, the gap before it |
//! | [`median`], [`quantile`], [`quantiles`], [`quantile_discrete`] | d numbers | O(log d), a move | exact quantiles |
//! | [`geometric_mean`] | d numbers | O(log d), reads O(d) | the mean of positive numbers that multiply |
//! | [`quantile_approx`], [`quantiles_approx`] | its bins | O(log bins), reads O(bins) | the same within a share |
//! | [`histogram`] | a count per bin | O(log bins) | counts per bin |
//! | [`distinct`] | d values | O(log d) | how many there are |
//! | [`distinct_approx`] | d cells, some 10,000 at most | O(log cells), reads O(cells) | the same with a standard error of 2 %: 95 of 100 answers lie within 4 % |
//! | [`most_frequent`] | d values, twice | O(log d) | the k most frequent values |
//! | [`entropy`] | d values | O(log d), reads O(d) | evenness, in nats |
//! | [`concentration`] | d values | O(log d), reads O(d) | the share that lies on few values |
//! | [`by`] | a state per category | O(log categories) and the aggregate's | an aggregate for each category |
//! | [`only_if`] | the aggregate's | the aggregate's | an aggregate of some rows |
//!
//! Laws, tested for all of them: what is read is what brute force over the rows says; order does not matter; what is
//! inserted and retracted leaves no trace. The states of all of them add up ([`Additive`]).
//! They keep these laws by themselves and in the windows that take them, on hundreds of random logs each; [`laws`] holds
//! one of your own to them in a line. Arguments that make no sense, as `quantile(95.0, …)`, are a [`JobError::Wrong`]
//! before anything runs ([`Aggregate::check`]).
//! Several aggregates in one pass are a tuple: `(count(), distinct(|l| l.customer))`. One of your own is a [`fold`],
//! into a number that adds up, a [`Multiset`], its [`Extremes`] or [`Ranks`], or the sums of [`value`](crate::value).
//!
//! ```
//! use thalweg_operators::aggregate::{Aggregate, by, count, median, only_if};
//!
//! let large = only_if(|n: &i64| *n > 9, median(|n: &i64| *n));
//! let aggregate = (large, by(|n: &i64| n % 10, count()));
//! let mut state = Default::default();
//! for n in [1, 11, 21, 1_000] {
//!     aggregate.update(&mut state, &n, 1);
//! }
//! aggregate.update(&mut state, &1_000, -1);
//! assert_eq!(aggregate.read(&state), (Some(16.0), [(1, 3)].into()));
//! ```

mod additive;
mod arg_max;
mod by;
mod concentration;
mod correlation;
mod count;
mod covariance;
mod distinct;
mod distinct_approx;
mod entropy;
mod extremes;
mod first;
mod fold;
mod geometric_mean;
mod histogram;
mod kurtosis;
mod last;
pub mod laws;
mod mean;
mod min_max;
mod moments;
mod most_frequent;
pub(crate) mod multiset;
mod only_if;
mod pairs;
mod quantile;
mod quantile_approx;
mod ranks;
mod rate;
mod skew;
mod sum;
#[cfg(test)]
mod tests;
mod time_since_last;
mod top_k;
mod trend;
mod tuple;
mod variance;

pub use additive::{Add, Additive};
pub use arg_max::{arg_max, arg_min};
pub use by::by;
pub use concentration::concentration;
pub use correlation::correlation;
pub use count::{count, count_where};
pub use covariance::{covariance, covariance_sample};
pub use distinct::distinct;
pub use distinct_approx::distinct_approx;
pub use entropy::entropy;
pub use extremes::Extremes;
pub use first::{first, first_k};
pub use fold::{Fold, fold, fold_numbers};
pub use geometric_mean::geometric_mean;
pub use histogram::histogram;
pub use kurtosis::{kurtosis, kurtosis_sample};
/// [`last`] by another name.
pub use last::last as latest;
pub use last::{last, last_k};
pub use mean::mean;
pub use min_max::{max, min};
pub use moments::{Totals, moments, totals};
pub use most_frequent::most_frequent;
pub use multiset::Multiset;
pub use only_if::only_if;
pub use quantile::{median, quantile, quantile_discrete, quantiles};
pub use quantile_approx::{quantile_approx, quantiles_approx};
pub use ranks::Ranks;
pub use rate::rate;
pub use skew::{skew, skew_sample};
pub use sum::sum;
pub use time_since_last::{LastAt, last_gap, time_since_last};
pub use top_k::{bottom_k, top_k};
pub use trend::trend;
pub use variance::{stddev, stddev_sample, variance, variance_sample};

use serde::Serialize;
use serde::de::DeserializeOwned;
use thalweg_engine::error::JobError;
use thalweg_engine::table::Table;
use thalweg_engine::update::{Data, Diff};

/// A retractable aggregate over rows of type `D`.
pub trait Aggregate<D>: Clone + 'static {
    /// What is kept per group. Its default is the state of no rows, and retracting all rows leads back to it.
    type State: Default + PartialEq + Serialize + DeserializeOwned + 'static;
    /// What is read out of it.
    type Output: Data + PartialEq;

    /// How states add up, if they do: hopping windows are then put together of the parts that they share.
    const ADD: Option<Add<Self::State>> = None;

    /// Whether what the aggregate was made with makes sense. A window asks before anything runs.
    ///
    /// # Errors
    /// [`JobError::Wrong`] with what was given, and what is wanted.
    fn check(&self) -> Result<(), JobError> {
        Ok(())
    }

    /// Adds `diff` copies of a row; negative ones take it back, before or after it was added.
    fn update(&self, state: &mut Self::State, row: &D, diff: Diff);

    /// Reads the state.
    fn read(&self, state: &Self::State) -> Self::Output;
}

/// Lets a job end before it runs where a window over the table has an aggregate that was made with what makes no sense.
pub(crate) fn check<D: Data, A: Aggregate<D>>(table: &Table<'_, D>, name: &str, aggregate: &A) {
    if let Err(error) = aggregate.check() {
        let text = format!("window '{name}': {error}");
        table.graph().refuse(JobError::Wrong(text));
    }
}
