//! Integers of 128 and 256 bits that lie in words of eight bytes: rows of moments stay free of padding.

use ethnum::I256;
use serde::{Deserialize, Serialize};

use crate::value::Accumulator;

/// 128 bits, aligned to 8 bytes.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Wide128 {
    high: i64,
    low: u64,
}

impl Wide128 {
    /// The number.
    #[inline]
    #[must_use]
    pub fn get(self) -> i128 {
        (i128::from(self.high) << 64) | i128::from(self.low)
    }
}

impl From<i128> for Wide128 {
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the two halves"
    )]
    fn from(number: i128) -> Self {
        Self {
            high: (number >> 64) as i64,
            low: number as u64,
        }
    }
}

impl Accumulator for Wide128 {
    const ZERO: Self = Self { high: 0, low: 0 };

    #[inline]
    fn add(&mut self, other: Self) {
        *self = self.get().wrapping_add(other.get()).into();
    }

    #[inline]
    fn sub(&mut self, other: Self) {
        *self = self.get().wrapping_sub(other.get()).into();
    }

    #[inline]
    fn add_overflowing(&mut self, other: Self) -> bool {
        let (sum, wrapped) = self.get().overflowing_add(other.get());
        *self = sum.into();
        wrapped
    }

    #[inline]
    fn sub_overflowing(&mut self, other: Self) -> bool {
        let (difference, wrapped) = self.get().overflowing_sub(other.get());
        *self = difference.into();
        wrapped
    }

    #[inline]
    fn is_negative(&self) -> bool {
        self.high < 0
    }
}

/// 256 bits, aligned to 8 bytes.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Wide256 {
    high: Wide128,
    low: Wide128,
}

impl Wide256 {
    /// The number.
    #[inline]
    #[must_use]
    pub fn get(self) -> I256 {
        I256::from_words(self.high.get(), self.low.get())
    }
}

impl From<I256> for Wide256 {
    #[inline]
    fn from(number: I256) -> Self {
        let (high, low) = number.into_words();
        Self {
            high: high.into(),
            low: low.into(),
        }
    }
}

impl Accumulator for Wide256 {
    const ZERO: Self = Self {
        high: Wide128::ZERO,
        low: Wide128::ZERO,
    };

    #[inline]
    fn add(&mut self, other: Self) {
        *self = self.get().wrapping_add(other.get()).into();
    }

    #[inline]
    fn sub(&mut self, other: Self) {
        *self = self.get().wrapping_sub(other.get()).into();
    }

    #[inline]
    fn add_overflowing(&mut self, other: Self) -> bool {
        let (sum, wrapped) = self.get().overflowing_add(other.get());
        *self = sum.into();
        wrapped
    }

    #[inline]
    fn sub_overflowing(&mut self, other: Self) -> bool {
        let (difference, wrapped) = self.get().overflowing_sub(other.get());
        *self = difference.into();
        wrapped
    }

    #[inline]
    fn is_negative(&self) -> bool {
        self.high.is_negative()
    }
}

/// The float nearest to `number`, ties to even. The conversion of `ethnum` rounds each half of the number by itself.
#[expect(
    clippy::cast_precision_loss,
    reason = "this is where the result is rounded, once"
)]
pub(crate) fn nearest(number: I256) -> f64 {
    let magnitude = number.unsigned_abs();
    let bits = 256 - magnitude.leading_zeros();
    let float = if bits <= 64 {
        magnitude.as_u64() as f64
    } else {
        // The top 64 bits, the last of which also stands for all that is cut off: 11 of them decide the rounding.
        let cut = bits - 64;
        let rest = magnitude << (256 - cut);
        let top = (magnitude >> cut).as_u64() | u64::from(rest != 0);
        // 2 to the power of what was cut, which is below 192: written down, for `powi` multiplies its way there.
        top as f64 * f64::from_bits(u64::from(1_023 + cut) << 52)
    };
    if number < 0 { -float } else { float }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::Draws;

    /// Law tests found variances that were off by up to two units in the last place: `ethnum` adds the two rounded
    /// halves. The parser of the standard library rounds correctly, and is the oracle.
    #[test]
    fn the_nearest_float_is_rounded_once() {
        let mut draws = Draws::seeded(1);
        let mut draw = || i128::from(draws.bits().cast_signed()) << 64 | i128::from(draws.bits());
        let mut numbers = vec![
            I256::ZERO,
            I256::ONE,
            I256::MIN,
            I256::MAX,
            I256::from(1_i64 << 53),
        ];
        for shift in 0..255_u32 {
            numbers.push(I256::from_words(draw(), draw()) >> shift);
            // Ties, and a bit to either side of them.
            let tie = I256::from((1_i64 << 53) + i64::from(shift % 4)) << (shift % 200 + 1);
            let half = I256::ONE << (shift % 200);
            numbers.extend([tie + half, tie + half + 1, tie + half - 1, -(tie + half)]);
        }
        for number in numbers {
            assert_eq!(
                nearest(number),
                number.to_string().parse::<f64>().unwrap(),
                "{number}"
            );
        }
    }
}
