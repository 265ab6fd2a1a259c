//! Numbers from numbers, with nothing to fit.

use crate::transform::finite;

/// The number, or the nearer of two bounds where it lies outside; `None` for nulls and for bounds that cross.
#[must_use]
pub fn clip(number: Option<f64>, low: f64, high: f64) -> Option<f64> {
    let number = number.filter(|number| !number.is_nan() && low <= high)?;
    Some(number.clamp(low, high))
}

/// sign(x) · ln(1 + |x|): 0 for 0, odd, and defined for all numbers; `None` for nulls.
#[must_use]
pub fn log(number: Option<f64>) -> Option<f64> {
    number.and_then(finite).map(|x| x.abs().ln_1p().copysign(x))
}

/// `part / whole`; `None` where either is null, the whole is 0, or the result is no finite number.
#[must_use]
pub fn ratio(part: Option<f64>, whole: Option<f64>) -> Option<f64> {
    let (part, whole) = (part?, whole.filter(|whole| *whole != 0.0)?);
    finite(part / whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_outside_of_bounds_become_the_nearer_one() {
        assert_eq!(clip(Some(-3.0), 0.0, 2.0), Some(0.0));
        assert_eq!(clip(Some(1.5), 0.0, 2.0), Some(1.5));
        assert_eq!(clip(Some(f64::INFINITY), 0.0, 2.0), Some(2.0));
        assert_eq!(clip(Some(f64::NAN), 0.0, 2.0), None);
        assert_eq!(clip(Some(1.0), 2.0, 0.0), None);
        assert_eq!(clip(None, 0.0, 2.0), None);
    }

    /// numpy.log1p(8.0) = 2.1972245773362196, numpy.log1p(1e-10) = 9.999999999500001e-11.
    #[test]
    fn the_logarithm_is_odd_and_exact_near_zero() {
        assert_eq!(log(Some(8.0)), Some(2.197_224_577_336_219_6));
        assert_eq!(log(Some(-8.0)), Some(-2.197_224_577_336_219_6));
        assert_eq!(log(Some(1e-10)), Some(9.999_999_999_500_001e-11));
        assert_eq!(log(Some(0.0)), Some(0.0));
        assert_eq!(log(Some(f64::INFINITY)), None);
    }

    #[test]
    fn a_ratio_to_nothing_is_null() {
        assert_eq!(ratio(Some(1.0), Some(4.0)), Some(0.25));
        for (part, whole) in [(Some(1.0), Some(0.0)), (None, Some(1.0)), (Some(1.0), None)] {
            assert_eq!(ratio(part, whole), None);
        }
        assert_eq!(ratio(Some(1e308), Some(1e-308)), None);
    }
}
