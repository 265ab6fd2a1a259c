//! Imputation: what stands where a value is missing.
//!
//! ```text
//! values    3   –   NaN   5   5   ∞        gaps: None, and a float that is NaN
//! fitted    3           5   5              5: neither gaps nor infinite numbers count
//! applied   3   5   5   5   5   ∞
//! ```

use std::any::Any;

use serde::{Deserialize, Serialize};
use thalweg_engine::update::Data;

use crate::transform::Transform;
use crate::value::Real;

/// What fills gaps: a constant, or the mean, the median or the most frequent value of what it was fitted to.
///
/// Of equally frequent values it is the least, as in scikit-learn's `SimpleImputer`. A gap is `None`, and a float
/// (a [`Real`], an `f64`, an `f32`) that is NaN.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Impute<V> {
    /// What fills gaps.
    pub fill: V,
}

impl<V: Clone + 'static> Impute<V> {
    /// Fills gaps with a constant. One that is a gap itself fills nothing, and is refused by [`Transform::check`].
    #[must_use]
    pub fn constant(fill: V) -> Self {
        Self { fill }
    }

    /// The value, or what fills its place.
    #[must_use]
    pub fn apply(&self, value: Option<V>) -> V {
        let there = value.filter(|value| !is_nan(value));
        there.unwrap_or_else(|| self.fill.clone())
    }
}

impl Impute<Real> {
    /// The number, or what fills its place; NaN is a gap.
    #[must_use]
    pub fn apply_number(&self, number: Option<f64>) -> f64 {
        self.apply(number.map(Real)).0
    }
}

/// The number that a value is, if it is a float.
fn float(value: &dyn Any) -> Option<f64> {
    let real = value.downcast_ref::<Real>().map(|number| number.0);
    real.or_else(|| value.downcast_ref::<f64>().copied())
        .or_else(|| value.downcast_ref::<f32>().copied().map(f64::from))
}

fn is_nan<V: 'static>(value: &V) -> bool {
    float(value).is_some_and(f64::is_nan)
}

/// Whether a value may fill gaps: numbers that are none, and infinite ones, may not.
pub(super) fn can_fill<V: 'static>(value: &V) -> bool {
    float(value).is_none_or(f64::is_finite)
}

impl<V: Data + PartialEq> Transform for Impute<V> {
    const KIND: &'static str = "impute";

    /// That what fills gaps can be kept in a file: it is written as JSON, which has no NaN and no infinities, and must
    /// come back as it was.
    fn check(&self) -> Result<(), String> {
        if let Some(number) = float(&self.fill).filter(|number| !number.is_finite()) {
            return Err(format!("{number} fills no gap"));
        }
        let written = serde_json::to_value(&self.fill)
            .map_err(|error| format!("what fills gaps cannot be written as JSON: {error}"))?;
        let text = written.to_string();
        let lost = || format!("what fills gaps is written as {text}, which reads as another value");
        match serde_json::from_value::<V>(written) {
            Ok(read) if read == self.fill => Ok(()),
            Ok(_) => Err(lost()),
            Err(error) => Err(format!("{}: {error}", lost())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_none_or_a_float_that_is_nan() {
        let impute = Impute::constant(Real(5.0));
        assert_eq!(impute.apply(None), Real(5.0));
        for nan in [f64::NAN, -f64::NAN] {
            assert_eq!(impute.apply(Some(Real(nan))), Real(5.0));
            assert_eq!(impute.apply_number(Some(nan)), 5.0);
        }
        assert_eq!(impute.apply_number(Some(f64::INFINITY)), f64::INFINITY);
        assert_eq!(Impute::constant(5.0_f64).apply(Some(f64::NAN)), 5.0);
        assert_eq!(Impute::constant(7_i64).apply(Some(3)), 3);
    }

    #[test]
    fn what_json_cannot_hold_is_refused_with_the_reason() {
        let why = |checked: Result<(), String>| checked.unwrap_err();
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let refused = why(Impute::constant(Real(number)).check());
            assert_eq!(refused, format!("{number} fills no gap"));
        }
        assert_eq!(why(Impute::constant(f64::NAN).check()), "NaN fills no gap");
        assert_eq!(
            why(Impute::constant(f32::INFINITY).check()),
            "inf fills no gap"
        );
        let refused = why(Impute::constant((7, f64::NAN)).check());
        assert!(
            refused.starts_with(
                "what fills gaps is written as [7,null], which reads as another value: "
            ),
            "{refused}"
        );
        let refused = why(Impute::constant(Some(Real(f64::NAN))).check());
        assert_eq!(
            refused,
            "what fills gaps is written as null, which reads as another value"
        );
        let by_pair = std::collections::BTreeMap::from([((1, 2), 3)]);
        let refused = why(Impute::constant(by_pair).check());
        assert!(
            refused.starts_with("what fills gaps cannot be written as JSON: "),
            "{refused}"
        );
        assert_eq!(Impute::constant(Real(-0.0)).check(), Ok(()));
        assert_eq!(Impute::constant("none".to_owned()).check(), Ok(()));
        assert_eq!(Impute::constant(None::<i64>).check(), Ok(()));
        assert_eq!(Impute::constant(i64::MIN).check(), Ok(()));
    }
}
