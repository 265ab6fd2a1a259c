//! Transforms: from what a feature is to what a model takes.
//!
//! ```text
//! training rows ── fit ──▶ fitted (parameters) ── freeze ──▶ JSON file ── load ──▶ apply to a value, anywhere
//! table ─ key_by ─ fit ──▶ fitted (a maintained view: −old +new as rows come and go) ── looked up by rows ──▶ table
//! ```
//!
//! | transform | fitted on rows by | applied as |
//! |---|---|---|
//! | [`Standard`], [`MinMax`], [`Robust`] | [`standard`], [`min_max`], [`robust`] | number → number |
//! | [`Impute`] | [`impute_mean`], [`impute_median`], [`impute_most_frequent`] | gap → value |
//! | [`Categories`] | [`categories`] | category → one-hot vector, or ordinal |
//! | [`hashed`], [`crossed`], [`cross`] | nothing to fit | category → bucket |
//! | [`Targets`] | [`targets`] | category → mean label, smoothed |
//! | `target_encoded` | its own past | row → the same as of its time, its own label left out |
//! | [`Buckets`] | [`quantile_buckets`], or edges as given | number → bucket |
//! | [`clip`], [`log`], [`ratio`] | nothing to fit | number → number |
//!
//! Definitions are scikit-learn's wherever it has one. A null is `None`: it goes through every number's transform as
//! `None`, and only [`Impute`] fills it. NaN is a null; so is a result that is no finite number.
//!
//! Whatever is fitted is an aggregate, so it is maintained over a lifetime, a tumbling or a rolling window alike, and a
//! row that is taken back leaves no trace in it. [`Frozen`] keeps one in a file.

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
