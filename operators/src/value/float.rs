//! Floats, summed in fixed point: each value is rounded once to 2⁻⁶⁴ (exact from 2⁻¹² up), and from there all is exact.

use ethnum::I256;
use serde::{Deserialize, Serialize};

use crate::value::{Lane, NULL, Wide256, bits, nearest};

/// Magnitudes from here on do not fit the sum's 63 integer bits and are null.
const LIMIT: f64 = 4_611_686_018_427_387_904.0; // 2⁶²

/// The lane of `f64` and `f32`. NaN, infinities and magnitudes of 2⁶² and above are null.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Float;

/// A float's bits in numeric order: `a < b` exactly when `lane_of(a) < lane_of(b)`. −0.0 is 0.0.
#[inline]
pub(crate) fn lane_of(number: f64) -> i64 {
    if number.is_nan() || number.abs() >= LIMIT {
        return NULL;
    }
    #[expect(clippy::cast_possible_wrap, reason = "only bits")]
    let bits = (number + 0.0).to_bits() as i64;
    if bits < 0 { bits ^ i64::MAX } else { bits }
}

/// A float in units of [`Float`]'s sum; `None` where its lane is null.
#[inline]
pub(crate) fn unit_of(number: f64) -> Option<i128> {
    (number.abs() < LIMIT).then(|| fixed_of(number))
}

#[inline]
fn float_of(lane: i64) -> f64 {
    let bits = if lane < 0 { lane ^ i64::MAX } else { lane };
    #[expect(clippy::cast_sign_loss, reason = "only bits")]
    let float = f64::from_bits(bits as u64);
    float
}

/// A float in units of 2⁻⁶⁴, halves to even; the caller sees to `|number| < 2⁶²`.
#[inline]
fn fixed_of(number: f64) -> i128 {
    #[expect(clippy::cast_possible_truncation, reason = "compared")]
    let whole = number as i64;
    if whole as f64 == number {
        return i128::from(whole) << 64;
    }
    let bits = number.to_bits();
    let exponent = ((bits >> 52) & 0x7FF) as i32;
    let fraction = bits & ((1 << 52) - 1);
    let (mantissa, exponent) = if exponent == 0 {
        (fraction, 1)
    } else {
        (fraction | 1 << 52, exponent)
    };
    // number = mantissa × 2^(exponent − 1075), so in units of 2⁻⁶⁴ it is mantissa × 2^(exponent − 1011).
    let shift = exponent - 1_011;
    let magnitude = if shift >= 0 {
        i128::from(mantissa) << shift
    } else if shift > -64 {
        let (shift, mantissa) = (-shift, u128::from(mantissa));
        let half = 1_u128 << (shift - 1);
        let odd = (mantissa >> shift) & 1;
        #[expect(clippy::cast_possible_wrap, reason = "53 bits")]
        let rounded = ((mantissa + half - 1 + odd) >> shift) as i128;
        rounded
    } else {
        0
    };
    if number < 0.0 { -magnitude } else { magnitude }
}

const UNIT: f64 = 18_446_744_073_709_551_616.0; // 2⁶⁴

impl Float {
    /// A sum in units of 2⁻⁶⁴, as a float.
    #[expect(clippy::cast_precision_loss, reason = "the result is rounded once")]
    pub(crate) fn read_narrow(sum: i128) -> f64 {
        sum as f64 / UNIT
    }

    /// A sum of more bits than [`Lane::read_sum`] takes, in units of 2⁻⁶⁴, as a float.
    pub(crate) fn read_total(total: I256) -> f64 {
        nearest(total) / UNIT
    }
}

impl Lane for Float {
    type Squares = Wide256;

    #[inline]
    fn unit(value: i64) -> i128 {
        fixed_of(float_of(value))
    }

    fn units() -> f64 {
        UNIT
    }

    #[inline]
    fn square(unit: i128) -> Wide256 {
        let unit = I256::from(unit);
        (unit * unit).into()
    }

    #[inline]
    fn magnitude(value: i64) -> u32 {
        let exponent = (float_of(value).to_bits() >> 52) as u32 & 0x7FF;
        exponent.saturating_sub(1_022)
    }

    /// Sums count units of 2⁻⁶⁴ in 128 bits with a sign. Squares, of 2⁻¹²⁸ in 256, fit where sums do.
    #[inline]
    fn surely_fits(magnitude: u32, count: u32) -> bool {
        magnitude + 64 + bits(count) < i128::BITS
    }

    /// Those floats that are floats of 32 bits as well: whole numbers to 2²⁴, halves, quarters.
    #[inline]
    fn narrow(value: i64) -> Option<i32> {
        if value == NULL {
            return Some(i32::MIN);
        }
        let number = float_of(value);
        #[expect(clippy::cast_possible_truncation, reason = "compared")]
        let short = number as f32;
        let bits = short.to_bits().cast_signed();
        let ordered = if bits < 0 { bits ^ i32::MAX } else { bits };
        (f64::from(short).to_bits() == number.to_bits()).then_some(ordered)
    }

    #[inline]
    fn widen(value: i32) -> i64 {
        if value == i32::MIN {
            return NULL;
        }
        let bits = if value < 0 { value ^ i32::MAX } else { value };
        lane_of(f64::from(f32::from_bits(bits.cast_unsigned())))
    }

    fn read(value: i64) -> f64 {
        float_of(value)
    }

    #[expect(clippy::cast_precision_loss, reason = "the result is rounded once")]
    fn read_sum(sum: i128, count: u64, largest: i64) -> Option<f64> {
        fits(count, largest).then(|| sum as f64 / UNIT)
    }

    fn read_spread(sum: i128, squares: Wide256, count: u64, largest: i64) -> Option<f64> {
        if !fits(count, largest) {
            return None;
        }
        let (n, squares, sum) = (I256::from(count), squares.get(), I256::from(sum));
        // Asking a product whether it fits divides it again.
        let bits_cut = count.leading_zeros() + squares.leading_zeros();
        Some(if bits_cut > 64 {
            nearest(n * squares - sum * sum)
        } else {
            spread_of_many_bits(n, squares, sum)
        })
    }
}

/// The spread where `n·Σx²` may not fit: if it does not, both terms lose the same low bits first.
#[cold]
fn spread_of_many_bits(n: I256, squares: I256, sum: I256) -> f64 {
    match n.checked_mul(squares) {
        Some(product) => nearest(product - sum * sum),
        None => {
            let scaled: I256 = (squares >> 32_u32) * n - ((sum * sum) >> 32_u32);
            nearest(scaled) * 4_294_967_296.0
        }
    }
}

/// Whether `count` numbers within `±largest` surely fit the sum: together below 2⁶³.
#[expect(clippy::cast_precision_loss, reason = "a bound")]
fn fits(count: u64, largest: i64) -> bool {
    float_of(largest).abs() * (count as f64) < 2.0 * LIMIT
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::Draws;

    #[test]
    fn lanes_keep_the_order_of_floats_and_their_values() {
        let ordered = [-1e18, -2.5, -1e-300, 0.0, 1e-300, 0.03, 1.0, 1.3e7, 4e18];
        for pair in ordered.windows(2) {
            assert!(lane_of(pair[0]) < lane_of(pair[1]));
        }
        for number in ordered {
            assert_eq!(float_of(lane_of(number)), number);
        }
        assert_eq!(lane_of(-0.0), lane_of(0.0));
        for none in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 5e18] {
            assert_eq!(lane_of(none), NULL);
        }
    }

    #[test]
    fn fixed_point_is_exact_where_it_can_be_and_rounds_to_even_elsewhere() {
        assert_eq!(fixed_of(1.0), 1 << 64);
        assert_eq!(fixed_of(-0.5), -(1 << 63));
        assert_eq!(fixed_of(1.3e7), 13_000_000 << 64);
        assert_eq!(fixed_of(2_f64.powi(-64)), 1);
        assert_eq!(fixed_of(2_f64.powi(-65)), 0);
        assert_eq!(fixed_of(3.0 * 2_f64.powi(-65)), 2);
        assert_eq!(fixed_of(1e-300), 0);
        for number in [0.1, 0.03, 12_345.678_9, 1e6 / 3.0] {
            assert_eq!(fixed_of(number) as f64 / UNIT, number);
        }
    }

    #[test]
    fn a_spread_is_that_of_all_its_bits_whether_these_surely_fit_or_not() {
        let mut draws = Draws::seeded(11);
        let mut tried = 0;
        for _ in 0..20_000 {
            let count = draws.bits() >> 1 >> draws.below(63);
            let squares = I256::from_words(draws.below(1 << 31).into(), draws.bits().into());
            let squares = squares << 63_u32 >> draws.below(255) as u32;
            let sum = i128::from(draws.bits() >> 1) >> draws.below(63);
            let Some(found) = Float::read_spread(sum, squares.into(), count, 0) else {
                continue;
            };
            let expected = spread_of_many_bits(count.into(), squares, sum.into());
            assert_eq!(found, expected, "{count} {squares} {sum}");
            tried += 1;
        }
        assert!(tried > 10_000, "{tried}");
    }
}
