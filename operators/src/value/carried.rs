//! A wrapping sum that counts how often it has wrapped: an overflow is found exactly, with no extremes beside it.
//!
//! ```text
//! total = low + wraps · 2ᵇ        low in [−2ᵇ⁻¹, 2ᵇ⁻¹), b bits
//! ```
//!
//! Every total has one such pair, so that this is a group as its low part is: order does not matter, −x undoes +x.

use ethnum::I256;
use serde::{Deserialize, Serialize};

use crate::value::{Accumulator, Wide128};

/// The low bits of a total, and how often they have wrapped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub(crate) struct Carried<A: Accumulator> {
    low: A,
    wraps: i64,
}

impl<A: Accumulator> Carried<A> {
    #[inline]
    pub(crate) fn add(&mut self, other: A) {
        if self.low.add_overflowing(other) {
            self.wraps += if other.is_negative() { -1 } else { 1 };
        }
    }

    #[inline]
    pub(crate) fn sub(&mut self, other: A) {
        if self.low.sub_overflowing(other) {
            self.wraps += if other.is_negative() { 1 } else { -1 };
        }
    }

    /// Adds another total.
    #[inline]
    pub(crate) fn merge(&mut self, other: Self) {
        self.add(other.low);
        self.wraps += other.wraps;
    }

    /// Takes another total away.
    #[inline]
    pub(crate) fn part(&mut self, other: Self) {
        self.sub(other.low);
        self.wraps -= other.wraps;
    }

    /// The total, wrapped.
    pub(crate) fn low(self) -> A {
        self.low
    }

    /// The total, where it fits.
    pub(crate) fn fitting(self) -> Option<A> {
        (self.wraps == 0).then_some(self.low)
    }
}

impl Carried<Wide128> {
    /// Adds a number as often as `copies` says, or takes it away.
    #[inline]
    pub(crate) fn add_copies(&mut self, number: i128, copies: i64) {
        match copies {
            1 => self.add(number.into()),
            -1 => self.sub(number.into()),
            _ => self.add_product(number, copies),
        }
    }

    #[cold]
    fn add_product(&mut self, number: i128, copies: i64) {
        let (high, low) = (I256::from(number) * I256::from(copies)).into_words();
        #[expect(
            clippy::cast_possible_truncation,
            reason = "127 + 63 bits leave 62 above the low 128"
        )]
        let high = high as i64;
        self.wraps += high + i64::from(low < 0);
        self.add(low.into());
    }

    /// The total.
    pub(crate) fn get(self) -> I256 {
        (I256::from(self.wraps) << 128_u32) + I256::from(self.low.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::Draws;

    /// Numbers around the ends of 128 bits, and small ones.
    fn numbers() -> Vec<i128> {
        let mut draws = Draws::seeded(7);
        let mut draw = || i128::from(draws.bits().cast_signed()) << 64 | i128::from(draws.bits());
        let mut numbers: Vec<i128> = (0..200_u32).map(|n| draw() >> (n % 100)).collect();
        numbers.extend([i128::MAX, i128::MAX, i128::MIN, i128::MIN, -1, 0, 1]);
        numbers
    }

    #[test]
    fn the_total_is_that_of_256_bits_however_often_it_wraps() {
        let (mut carried, mut total) = (Carried::default(), I256::ZERO);
        for (n, number) in numbers().into_iter().cycle().take(2_000).enumerate() {
            let copies = [1, -1, 3, -2, 1, 1_000_000, i64::MIN / 2, 0][n % 8];
            carried.add_copies(number, copies);
            total += I256::from(number) * I256::from(copies);
            assert_eq!(carried.get(), total, "after {n}");
            let fits = i128::try_from(total).ok();
            assert_eq!(carried.fitting().map(Wide128::get), fits, "after {n}");
        }
    }

    #[test]
    fn what_is_added_and_taken_away_leaves_no_trace_in_any_order() {
        let (mut carried, mut merged) = (Carried::default(), Carried::default());
        for number in numbers() {
            carried.add_copies(number, 2);
            let mut one = Carried::default();
            one.add_copies(number, 2);
            merged.merge(one);
        }
        assert!(carried == merged);
        for number in numbers().into_iter().rev() {
            (0..2).for_each(|_| carried.sub(number.into()));
        }
        assert!(carried == Carried::default());
    }
}
