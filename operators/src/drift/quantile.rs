//! The linear quantile of sorted values, to the bit as numpy computes it.
//!
//! For q in [0, 1] and n ascending values x₀ … xₙ₋₁: v = q·(n − 1), i = ⌊v⌋, t = v − i, and the
//! answer lies between xᵢ and xᵢ₊₁ at t (Hyndman & Fan 1996, type 7; `numpy.quantile`'s default).
//! numpy interpolates from the nearer end: xᵢ + d·t for t < ½, xᵢ₊₁ − d·(1 − t) otherwise, with
//! d = xᵢ₊₁ − xᵢ. The rounding is kept on purpose: breakpoints equal data values, so a last bit
//! decides on which side of an edge whole rows fall.

use super::real;

/// The linear quantile of ascending finite values at `q` in [0, 1]; `None` if there are none or `q` is
/// NaN. A `q` outside [0, 1] is taken as the nearer end.
///
/// ```
/// use thalweg_operators::drift::quantile_linear;
/// assert_eq!(quantile_linear(&[1.0, 2.0, 4.0, 8.0], 0.5), Some(3.0));
/// assert_eq!(quantile_linear(&[], 0.5), None);
/// ```
#[must_use]
pub fn quantile_linear(sorted: &[f64], q: f64) -> Option<f64> {
    let nth = |n: u64| sorted.get(usize::try_from(n).ok()?).copied();
    quantile_of(sorted.len() as u64, q, nth)
}

/// The same of `count` ascending values, of which `nth` knows the n-th, from 0 on.
pub(crate) fn quantile_of(count: u64, q: f64, nth: impl Fn(u64) -> Option<f64>) -> Option<f64> {
    let last = count.checked_sub(1).filter(|_| !q.is_nan())?;
    let place = q.clamp(0.0, 1.0) * real(last);
    let below = (place.floor() as u64).min(last);
    let (low, high) = (nth(below)?, nth((below + 1).min(last))?);
    let (gap, t) = (high - low, place - place.floor());
    Some(if t < 0.5 {
        low + gap * t
    } else {
        high - gap * (1.0 - t)
    })
}

/// The eleven decile breakpoints, at `numpy.linspace(0, 1, 11)`: i·0.1 as rounded, and 1.
pub(crate) fn deciles(sorted: &[f64]) -> Option<[f64; 11]> {
    let mut breakpoints = [0.0; 11];
    for (i, breakpoint) in (0_u8..).zip(breakpoints.iter_mut()) {
        *breakpoint = quantile_linear(sorted, f64::from(i) * 0.1)?;
    }
    Some(breakpoints)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `numpy.quantile(values, numpy.linspace(0, 1, 11))`, numpy 2.4.6.
    const NUMPY: [(&[f64], [f64; 11]); 5] = [
        (
            &[0.1, 0.2, 0.4, 0.7, 1.1, 1.6, 2.2],
            [
                0.1,
                0.160_000_000_000_000_03,
                0.240_000_000_000_000_05,
                0.360_000_000_000_000_1,
                0.520_000_000_000_000_1,
                0.7,
                0.940_000_000_000_000_3,
                1.200_000_000_000_000_2,
                1.500_000_000_000_000_4,
                1.840_000_000_000_000_3,
                2.2,
            ],
        ),
        (
            &[-3.5],
            [
                -3.5, -3.5, -3.5, -3.5, -3.5, -3.5, -3.5, -3.5, -3.5, -3.5, -3.5,
            ],
        ),
        (
            &[1.0, 1.0, 1.0, 2.0],
            [
                1.0,
                1.0,
                1.0,
                1.0,
                1.0,
                1.0,
                1.0,
                1.1,
                1.400_000_000_000_000_4,
                1.700_000_000_000_000_2,
                2.0,
            ],
        ),
        (
            &[
                0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0,
            ],
            [
                0.0,
                1.3,
                2.6,
                3.900_000_000_000_000_4,
                5.2,
                6.5,
                7.800_000_000_000_001,
                9.100_000_000_000_001,
                10.4,
                11.700_000_000_000_001,
                13.0,
            ],
        ),
        (
            &[
                0.001,
                0.004,
                0.009_000_000_000_000_001,
                0.016,
                0.025,
                0.036_000_000_000_000_004,
                0.049,
                0.064,
                0.081_000_000_000_000_02,
                0.1,
                0.121,
                0.144_000_000_000_000_02,
                0.169,
                0.196,
                0.224_999_999_999_999_98,
                0.256,
                0.289_000_000_000_000_03,
                0.324_000_000_000_000_07,
                0.361,
                0.4,
                0.441,
                0.484,
                0.529,
            ],
            [
                0.001,
                0.010_400_000_000_000_003,
                0.029_400_000_000_000_006,
                0.058_000_000_000_000_024,
                0.096_200_000_000_000_02,
                0.144_000_000_000_000_02,
                0.201_800_000_000_000_1,
                0.269_200_000_000_000_1,
                0.346_200_000_000_000_06,
                0.432_8,
                0.529,
            ],
        ),
    ];

    #[test]
    fn the_deciles_are_those_of_numpy_to_the_bit() {
        for (values, breakpoints) in NUMPY {
            assert_eq!(deciles(values), Some(breakpoints), "{values:?}");
        }
        assert_eq!(deciles(&[]), None);
    }

    #[test]
    fn half_way_is_reached_from_above() {
        // From below it would be 0.4; numpy 2.4.6 gives the last bit less.
        assert_eq!(
            quantile_linear(&[0.1, 0.7], 0.5),
            Some(0.399_999_999_999_999_97)
        );
    }

    #[test]
    fn a_share_outside_its_range_takes_the_nearer_end() {
        let ends = [-1.0, f64::NAN, 2.0].map(|q| quantile_linear(&[1.0, 2.0], q));
        assert_eq!(ends, [Some(1.0), None, Some(2.0)]);
    }
}
