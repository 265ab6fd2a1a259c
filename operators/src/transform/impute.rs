//! Imputation: what stands where a value is missing.

use serde::{Deserialize, Serialize};
use thalweg_engine::update::Data;

use crate::transform::Transform;
use crate::value::Real;

/// What fills gaps: a constant, or the mean, the median or the most frequent value of what it was fitted to.
///
/// Of equally frequent values it is the least, as in scikit-learn's `SimpleImputer`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Impute<V> {
    /// What fills gaps.
    pub fill: V,
}

impl<V: Clone> Impute<V> {
    /// Fills gaps with a constant.
    #[must_use]
    pub fn constant(fill: V) -> Self {
        Self { fill }
    }

    /// The value, or what fills its place.
    #[must_use]
    pub fn apply(&self, value: Option<V>) -> V {
        value.unwrap_or_else(|| self.fill.clone())
    }
}

impl Impute<Real> {
    /// The number, or what fills its place; NaN is a gap.
    #[must_use]
    pub fn apply_number(&self, number: Option<f64>) -> f64 {
        let there = number.filter(|number| !number.is_nan());
        there.unwrap_or(self.fill.0)
    }
}

impl<V: Data> Transform for Impute<V> {
    const KIND: &'static str = "impute";

    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}
