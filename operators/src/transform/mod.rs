//! Transforms: from what a feature is to what a model takes.
//!
//! ```text
//! training rows ── fit ──▶ fitted (parameters) ── freeze ──▶ JSON file ── load ──▶ apply to a value, anywhere
//! table ─ key_by ─ fit ──▶ fitted (a maintained view: −old +new as rows come and go) ── looked up by rows ──▶ table
//! ```
//!
//! n rows of a key, d distinct values of them, c categories, k buckets or edges.
//!
//! | transform | fitted on rows by | state per key; insert or retract | applied as | cost |
//! |---|---|---|---|---|
//! | [`Standard`] | [`standard`] | 64 B, floats 80 B; O(1) | number → number | O(1) |
//! | [`MinMax`] | [`min_max`] | d numbers, twice; O(1), sorted at reads | number → number | O(1) |
//! | [`Robust`] | [`robust`] | d numbers; O(log d), a move | number → number | O(1) |
//! | [`Impute`] | [`impute_mean`] | 32 B; O(1) | gap → value | O(1) |
//! | | [`impute_median`] | d numbers; O(log d), a move | gap → value | O(1) |
//! | | [`impute_most_frequent`] | d values, twice; O(log d) | gap → value | O(1) |
//! | [`Categories`] | [`categories`] | c names, twice; O(log c), reads O(c) | category → ordinal | O(log c) |
//! | | | | category → one-hot vector | O(c) |
//! | [`hashed`], [`crossed`], [`cross`] | nothing to fit | none | category → bucket | O(its bytes) |
//! | [`Targets`] | [`targets`] | 80 B per category; O(log c), reads O(c) | category → mean label, smoothed | O(log c) |
//! | `target_encoded` | its own past | the rows of the width; O(1), late ones O(log n) | row → the same as of its time, its own label left out | |
//! | [`Buckets`] | [`quantile_buckets`] | d numbers; O(log d), a move, reads O(k log d) | number → bucket | O(log k) |
//! | | edges as given | none | | |
//! | [`clip`], [`log`], [`ratio`] | nothing to fit | none | number → number | O(1) |
//!
//! `transformed_by` puts a lookup per row on top, O(1). A view writes a row per key and epoch in which its parameters
//! change, and clones them whole: many categories that change in every epoch cost their number each time.
//!
//! Definitions are scikit-learn's wherever it has one. A null is `None`: it goes through every number's transform as
//! `None`, and only [`Impute`] fills it. NaN is a null, in what is fitted as in what is applied; so is a result that is
//! no finite number. Nothing is fitted to infinite numbers.
//!
//! Whatever is fitted is an aggregate, so it is maintained over a lifetime, a tumbling or a rolling window alike, and a
//! row that is taken back leaves no trace in it. [`Frozen`] keeps one in a file. A row that went *through* a view's
//! parameters and is then taken back goes through those of its later epoch: see `transformed_by`.

mod buckets;
mod category;
mod fit;
mod frozen;
mod impute;
mod number;
mod scale;
mod target;
#[cfg(test)]
mod tests;

pub use buckets::Buckets;
pub use category::{Categories, UnknownCategory, cross, crossed, hashed};
pub use fit::{
    Fit, Fitted, TargetsRead, categories, impute_mean, impute_median, impute_most_frequent,
    min_max, quantile_buckets, robust, standard, targets,
};
pub use frozen::{Frozen, FrozenError};
pub use impute::Impute;
pub use number::{clip, log, ratio};
pub use scale::{MinMax, Robust, Standard};
pub use target::{Labels, Smoothing, Targets};

use serde::Serialize;
use serde::de::DeserializeOwned;
use thalweg_engine::error::JobError;

/// What is fitted to rows and then applied to values.
pub trait Transform: Serialize + DeserializeOwned {
    /// What it is called in a file.
    const KIND: &'static str;

    /// Whether it can be applied.
    ///
    /// # Errors
    /// What is wrong with it, where a file was edited by hand or built from numbers that are none.
    fn check(&self) -> Result<(), String>;
}

/// A number that is there, and finite.
fn finite(number: f64) -> Option<f64> {
    number.is_finite().then_some(number)
}

/// That all parameters are finite numbers.
fn all_finite(numbers: impl IntoIterator<Item = f64>) -> Result<(), String> {
    match numbers.into_iter().find(|number| !number.is_finite()) {
        Some(number) => Err(format!("{number} is no parameter")),
        None => Ok(()),
    }
}

fn wrong(what: String) -> JobError {
    JobError::Wrong(what)
}
