//! Whole numbers and decimals of a declared scale: `Decimal<2>` counts cents.

use std::fmt;

use ethnum::I256;
use serde::{Deserialize, Serialize};

use crate::value::{Lane, NULL, Wide128, bits, nearest};

/// A decimal number with `S` digits after the point, held as a whole number of 10⁻ˢ.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Decimal<const S: u8>(pub i64);

impl<const S: u8> Decimal<S> {
    /// The decimal nearest to `number`, halves away from zero; `None` for what does not fit, NaN and infinities.
    #[must_use]
    pub fn nearest(number: f64) -> Option<Self> {
        let scaled = (number * scale::<S>()).round();
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the range is checked before"
        )]
        let fits = (scaled.abs() < 9.2e18).then_some(Self(scaled as i64));
        fits.filter(|decimal| decimal.0 != NULL)
    }
}

impl<const S: u8> fmt::Display for Decimal<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if S == 0 {
            return write!(f, "{}", self.0);
        }
        let scale = 10_u64.pow(u32::from(S));
        let (whole, part) = (self.0.unsigned_abs() / scale, self.0.unsigned_abs() % scale);
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(f, "{sign}{whole}.{part:0width$}", width = usize::from(S))
    }
}

fn scale<const S: u8>() -> f64 {
    if S == 0 {
        1.0
    } else {
        10_f64.powi(i32::from(S))
    }
}

/// The lane of [`Decimal<S>`] and, with `S` = 0, of integers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fixed<const S: u8>;

impl<const S: u8> Lane for Fixed<S> {
    type Squares = Wide128;

    #[inline(always)]
    fn unit(value: i64) -> i128 {
        i128::from(value)
    }

    fn units() -> f64 {
        scale::<S>()
    }

    #[inline(always)]
    fn square(unit: i128) -> Wide128 {
        (unit * unit).into()
    }

    #[expect(clippy::cast_precision_loss, reason = "the result is rounded once")]
    fn read(value: i64) -> f64 {
        value as f64 / scale::<S>()
    }

    #[inline(always)]
    fn magnitude(value: i64) -> u32 {
        u64::BITS - value.unsigned_abs().leading_zeros()
    }

    /// Squares below 2²ᵐ, in 128 bits with a sign.
    #[inline(always)]
    fn surely_fits(magnitude: u32, count: u32) -> bool {
        2 * magnitude + bits(count) < i128::BITS
    }

    #[inline(always)]
    fn narrow(value: i64) -> Option<i32> {
        if value == NULL {
            return Some(i32::MIN);
        }
        i32::try_from(value).ok().filter(|value| *value != i32::MIN)
    }

    #[inline(always)]
    fn widen(value: i32) -> i64 {
        if value == i32::MIN {
            NULL
        } else {
            i64::from(value)
        }
    }

    #[inline]
    fn read_sum(sum: i128, _: u64, _: i64) -> Option<f64> {
        // 2⁶⁴ numbers of 2⁶³ fit 128 bits: a sum of integers cannot overflow.
        Some(whole(sum) / scale::<S>())
    }

    #[inline]
    fn read_spread(sum: i128, squares: Wide128, count: u64, largest: i64) -> Option<f64> {
        let squares = squares.get();
        let most = largest.unsigned_abs().checked_mul(count);
        if most.is_some_and(|most| most < 1 << 63) {
            // In all but unheard-of cases two multiplications are all there is to do.
            if let (Ok(sum), Ok(squares)) = (i64::try_from(sum), i64::try_from(squares)) {
                let product = |a: i64, b: i64| i128::from(a) * i128::from(b);
                return Some(whole(
                    product(count.cast_signed(), squares) - product(sum, sum),
                ));
            }
            if fits_128_bits(sum, squares, count) {
                return Some(whole(i128::from(count) * squares - sum * sum));
            }
        }
        spread_in_256_bits(sum, squares, count, largest)
    }
}

/// The spread where its products may not fit 128 bits.
#[cold]
fn spread_in_256_bits(sum: i128, squares: i128, count: u64, largest: i64) -> Option<f64> {
    let largest = u128::from(largest.unsigned_abs());
    largest
        .checked_mul(largest)?
        .checked_mul(u128::from(count))
        .filter(|most| *most < 1 << 127)?;
    let spread = I256::from(count) * I256::from(squares) - I256::from(sum) * I256::from(sum);
    Some(nearest(spread))
}

/// Whether `count · squares` and `sum²` are below 2¹²⁷. The largest number alone does not say so: totals know none.
#[inline]
fn fits_128_bits(sum: i128, squares: i128, count: u64) -> bool {
    squares.leading_zeros() + count.leading_zeros() >= 65
        && sum.unsigned_abs().leading_zeros() >= 65
}

/// A whole number as a float, rounded once; the processor rounds those of 64 bits by itself.
#[inline]
#[expect(clippy::cast_precision_loss, reason = "the result is rounded once")]
fn whole(number: i128) -> f64 {
    match i64::try_from(number) {
        Ok(number) => number as f64,
        Err(_) => whole_of_many_bits(number),
    }
}

/// The same of a number beyond 64 bits. Not inlined: the compiler rounds every number so, and then throws most away.
#[cold]
#[inline(never)]
#[expect(clippy::cast_precision_loss, reason = "the result is rounded once")]
fn whole_of_many_bits(number: i128) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::Draws;

    #[test]
    fn a_spread_is_the_same_by_64_bits_by_128_and_by_256() {
        let mut draws = Draws::seeded(3);
        for round in 0..20_000_u32 {
            let largest = draws.bits().cast_signed() >> (round % 64);
            let count = i64::from(round % 1_000) + 2;
            let numbers = [largest, largest / 3, -largest / 7].map(i128::from);
            let sum = numbers.iter().sum::<i128>() * i128::from(count / 3);
            let squares = numbers.iter().map(|x| x * x).sum::<i128>();
            let squares = squares.wrapping_mul(i128::from(count / 3));
            let wide = |x: i128| I256::from(x);
            let spread = nearest(I256::from(count) * wide(squares) - wide(sum) * wide(sum));
            let found = Fixed::<2>::read_spread(
                sum,
                squares.into(),
                count.unsigned_abs(),
                largest.max(-i64::MAX),
            );
            assert!(found.is_none_or(|found| found == spread), "round {round}");
        }
    }

    #[test]
    fn a_decimal_prints_its_point() {
        assert_eq!(Decimal::<2>(-5).to_string(), "-0.05");
        assert_eq!(Decimal::<2>(123).to_string(), "1.23");
        assert_eq!(Decimal::<0>(123).to_string(), "123");
    }

    #[test]
    fn the_nearest_decimal_rounds_and_refuses_what_does_not_fit() {
        assert_eq!(Decimal::<2>::nearest(0.1 + 0.2), Some(Decimal(30)));
        assert_eq!(Decimal::<2>::nearest(f64::NAN), None);
        assert_eq!(Decimal::<2>::nearest(1e300), None);
    }
}
