//! Integers of any number of 64-bit limbs, in two's complement: what sums of cubes and fourth powers fit in.

use std::ops::{Add, Mul, Not, Sub};

use serde::{Deserialize, Serialize};

use crate::array::Array;

/// An integer of 64·`N` bits, the least limb first. Addition, subtraction and multiplication wrap, and so are exact
/// wherever the result fits, whatever lay between. `N` is at least 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Limbs<const N: usize>(Array<u64, N>);

impl<const N: usize> Default for Limbs<N> {
    fn default() -> Self {
        Self(Array([0; N]))
    }
}

impl<const N: usize> From<i128> for Limbs<N> {
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the two halves, and then the sign"
    )]
    fn from(number: i128) -> Self {
        Self(Array(std::array::from_fn(|limb| {
            (number >> (64 * limb).min(127)) as u64
        })))
    }
}

impl<const N: usize> Add for Limbs<N> {
    type Output = Self;

    #[inline]
    fn add(self, other: Self) -> Self {
        self.plus(other.0.0, 0)
    }
}

impl<const N: usize> Sub for Limbs<N> {
    type Output = Self;

    /// In two's complement, −x is the complement of x and one more.
    #[inline]
    fn sub(self, other: Self) -> Self {
        self.plus(other.0.0.map(u64::not), 1)
    }
}

impl<const N: usize> Mul for Limbs<N> {
    type Output = Self;

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the low half")]
    fn mul(self, other: Self) -> Self {
        let mut product = [0_u64; N];
        for (place, limb) in self.0.0.into_iter().enumerate() {
            let mut carry = 0_u128;
            for (into, by) in product.iter_mut().skip(place).zip(other.0.0) {
                carry += u128::from(limb) * u128::from(by) + u128::from(*into);
                *into = carry as u64;
                carry >>= 64;
            }
        }
        Self(Array(product))
    }
}

impl<const N: usize> Limbs<N> {
    /// Adds limbs and a carry.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the low half")]
    fn plus(mut self, other: [u64; N], carry: u64) -> Self {
        let mut carry = u128::from(carry);
        for (limb, more) in self.0.0.iter_mut().zip(other) {
            carry += u128::from(*limb) + u128::from(more);
            *limb = carry as u64;
            carry >>= 64;
        }
        self
    }

    /// Adds another number as often as `copies` says, or takes it away.
    #[inline]
    pub fn add_copies(&mut self, other: Self, copies: i64) {
        *self = match copies {
            1 => *self + other,
            -1 => *self - other,
            _ => *self + other * Self::from(i128::from(copies)),
        };
    }

    /// The same number in more limbs.
    #[must_use]
    pub fn widen<const M: usize>(self) -> Limbs<M> {
        let sign = if self.is_negative() { u64::MAX } else { 0 };
        Limbs(Array(std::array::from_fn(|limb| {
            self.0.get(limb).copied().unwrap_or(sign)
        })))
    }

    /// Whether it is below zero.
    #[must_use]
    pub fn is_negative(self) -> bool {
        self.0.last().is_some_and(|top| top >> 63 == 1)
    }

    /// Whether it is zero.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self == Self::default()
    }

    /// The float nearest to it, ties to even.
    #[must_use]
    #[inline]
    #[expect(
        clippy::cast_possible_wrap,
        clippy::cast_precision_loss,
        reason = "the sign is what the limbs above say; this is where the result is rounded, once"
    )]
    pub fn nearest(self) -> f64 {
        let [low, above @ ..] = &self.0.0[..] else {
            return 0.0;
        };
        let low = *low as i64;
        if above.iter().all(|limb| *limb as i64 == low >> 63) {
            return low as f64;
        }
        self.nearest_of_many()
    }

    /// The same of a number that one limb does not hold.
    #[inline(never)]
    fn nearest_of_many(self) -> f64 {
        if self.is_negative() {
            let magnitude = Self::default() - self;
            return -magnitude.nearest_magnitude();
        }
        self.nearest_magnitude()
    }

    /// The same, of limbs without a sign.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "this is where the result is rounded, once"
    )]
    fn nearest_magnitude(self) -> f64 {
        let limbs = &self.0.0;
        let Some(top) = limbs.iter().rposition(|limb| *limb != 0) else {
            return 0.0;
        };
        if top == 0 {
            return limbs[0] as f64;
        }
        // The top 64 bits, the last of which also stands for all that is cut off: 11 of them decide the rounding.
        let empty = limbs[top].leading_zeros();
        let pair = (u128::from(limbs[top]) << 64 | u128::from(limbs[top - 1])) << empty;
        let (bits, rest) = ((pair >> 64) as u64, pair as u64);
        let sticky = rest != 0 || limbs[..top - 1].iter().any(|limb| *limb != 0);
        let cut = 64 * top - empty as usize;
        (bits | u64::from(sticky)) as f64 * 2_f64.powi(i32::try_from(cut).unwrap_or(i32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use ethnum::I256;

    use super::*;
    use crate::laws::Draws;
    use crate::value::nearest;

    /// Numbers of all magnitudes.
    fn draws() -> impl FnMut() -> i128 {
        let mut draws = Draws::seeded(1);
        move || {
            let number = i128::from(draws.bits().cast_signed()) << 64 | i128::from(draws.bits());
            number >> draws.below(127)
        }
    }

    /// The four limbs of a number of 256 bits.
    fn limbs_of(number: I256) -> Limbs<4> {
        let (high, low) = number.into_words();
        let low_limbs = Limbs::<2>::from(low).0.0;
        let high_limbs = Limbs::<2>::from(high).0.0;
        Limbs(Array([
            low_limbs[0],
            low_limbs[1],
            high_limbs[0],
            high_limbs[1],
        ]))
    }

    #[test]
    fn four_limbs_count_as_256_bits_do() {
        let mut draw = draws();
        for _ in 0..20_000 {
            let (a, b) = (
                I256::from_words(draw(), draw()),
                I256::from_words(draw(), draw()),
            );
            let (x, y) = (limbs_of(a), limbs_of(b));
            assert_eq!(x + y, limbs_of(a.wrapping_add(b)));
            assert_eq!(x - y, limbs_of(a.wrapping_sub(b)));
            assert_eq!(x * y, limbs_of(a.wrapping_mul(b)));
            assert_eq!(x.nearest(), nearest(a), "{a}");
            assert_eq!(x.is_negative(), a < 0);
            assert_eq!(x.widen::<9>().nearest(), nearest(a));
        }
        for edge in [I256::ZERO, I256::ONE, I256::MIN, I256::MAX, I256::MINUS_ONE] {
            assert_eq!(limbs_of(edge).nearest(), nearest(edge));
        }
    }

    #[test]
    fn the_fourth_power_of_the_greatest_number_fits_nine_limbs() {
        let greatest = Limbs::<9>::from(-(1_i128 << 126));
        let square = greatest * greatest;
        let fourth = square * square;
        assert_eq!(
            (fourth * Limbs::from(i128::from(i64::MAX))).nearest(),
            2_f64.powi(567)
        );
        assert!((fourth - square * square).is_zero());
    }
}
