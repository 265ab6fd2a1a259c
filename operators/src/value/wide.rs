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
}
