//! Exact sums of the first powers of a number: what mean, variance, skew and kurtosis are read from.
//!
//! For numbers x₁ … xₙ in units of their lane (|x| ≤ 2¹²⁶), Sₚ = Σxᵖ, and mₚ = Σ(x − S₁/n)ᵖ/n the central moments:
//!
//! ```text
//! n²·m₂ = n·S₂ − S₁²
//! n³·m₃ = n²·S₃ − 3n·S₁·S₂ + 2S₁³
//! n⁴·m₄ = n³·S₄ − 4n²·S₁·S₃ + 6n·S₁²·S₂ − 3S₁⁴
//! ```
//!
//! The right sides are whole numbers, computed without any rounding, so that nothing cancels: not for numbers far from
//! zero, nor for numbers that are all but equal.

use serde::{Deserialize, Serialize};
use thalweg_engine::update::Diff;

use crate::aggregate::Additive;
use crate::array::Array;
use crate::value::{Lane, Limbs};

/// Limbs that hold n⁴·m₄ of any numbers: 4·(63 bits of count + 126 of number) and 3 more for the factor.
const WIDE: usize = 12;

/// A whole number of up to 768 bits.
pub type Wide = Limbs<WIDE>;

/// How many numbers there are, and Σxᵖ for p from 1 to `P`, in `N` = 2`P` + 1 limbs: 126·`P` bits of power and 63 of
/// count fit, so that a sum never wraps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Powers<const P: usize, const N: usize> {
    count: i64,
    sums: Array<Limbs<N>, P>,
}

impl<const P: usize, const N: usize> Default for Powers<P, N> {
    fn default() -> Self {
        const { assert!(N == 2 * P + 1, "the limbs that hold the powers") };
        Self {
            count: 0,
            sums: Array([Limbs::default(); P]),
        }
    }
}

impl<const P: usize, const N: usize> Powers<P, N> {
    /// Adds `diff` copies of a lane's number, which is not null.
    #[inline]
    pub fn update<L: Lane>(&mut self, number: i64, diff: Diff) {
        self.count += diff;
        let unit = Limbs::from(L::unit(number));
        let mut term = match diff {
            1 => unit,
            _ => unit * Limbs::from(i128::from(diff)),
        };
        for (power, sum) in self.sums.0.iter_mut().enumerate() {
            if power > 0 {
                term = term * unit;
            }
            *sum = *sum + term;
        }
    }

    /// How many numbers there are; `None` for none, and while retractions wait for what they retract.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a divisor")]
    pub fn count(&self) -> Option<f64> {
        (self.count > 0).then_some(self.count as f64)
    }

    /// Σx, rounded once; 0 without numbers.
    #[must_use]
    #[inline]
    pub fn sum<L: Lane>(&self) -> f64 {
        let sum = self.sums.first().copied().unwrap_or_default();
        sum.nearest() / L::units()
    }

    /// The population variance m₂; `None` without numbers.
    #[must_use]
    pub fn variance<L: Lane>(&self) -> Option<f64> {
        let n = self.count()?;
        Some(self.second().nearest() / (n * n) / L::units() / L::units())
    }

    /// n²·m₂, in units.
    #[must_use]
    pub fn second(&self) -> Wide {
        let (n, s1) = (Wide::from(i128::from(self.count)), self.power(1));
        n * self.power(2) - s1 * s1
    }

    /// n³·m₃, in units.
    #[must_use]
    pub fn third(&self) -> Wide {
        let (n, s1) = (Wide::from(i128::from(self.count)), self.power(1));
        n * n * self.power(3) - Wide::from(3) * n * s1 * self.power(2)
            + Wide::from(2) * s1 * s1 * s1
    }

    /// n⁴·m₄, in units.
    #[must_use]
    pub fn fourth(&self) -> Wide {
        let (n, s1) = (Wide::from(i128::from(self.count)), self.power(1));
        n * n * n * self.power(4) - Wide::from(4) * n * n * s1 * self.power(3)
            + Wide::from(6) * n * s1 * s1 * self.power(2)
            - Wide::from(3) * s1 * s1 * s1 * s1
    }

    /// Σxᵖ, in units; 0 for a power that is not kept.
    fn power(&self, p: usize) -> Wide {
        let kept = p.checked_sub(1).and_then(|place| self.sums.get(place));
        kept.copied().unwrap_or_default().widen()
    }
}

impl<const P: usize, const N: usize> Additive for Powers<P, N> {
    #[inline]
    fn add(&mut self, other: &Self, times: Diff) {
        self.count += other.count * times;
        for (sum, theirs) in self.sums.0.iter_mut().zip(other.sums.0) {
            sum.add_copies(theirs, times);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Fixed, IntoLane};

    fn powers(numbers: &[i64]) -> Powers<4, 9> {
        let mut powers = Powers::default();
        for number in numbers {
            powers.update::<Fixed<0>>(number.into_lane(), 1);
        }
        powers
    }

    #[test]
    fn central_moments_do_not_care_where_zero_is() {
        let near = powers(&[1, 2, 4, 8]);
        let far = powers(&[1, 2, 4, 8].map(|number| number - i64::MAX / 2));
        assert_eq!(near.second(), far.second());
        assert_eq!(near.third(), far.third());
        assert_eq!(near.fourth(), far.fourth());
        // n = 4, mean 15/4: deviations −11, −7, 1, 17 fourths, so n³·m₃ = Σd³ and n⁴·m₄ = 4·Σd⁴/4.
        assert_eq!(near.second(), Wide::from(115));
        assert_eq!(near.third(), Wide::from((-1_331 - 343 + 1 + 4_913) / 4));
        assert_eq!(near.fourth(), Wide::from((14_641 + 2_401 + 1 + 83_521) / 4));
    }

    #[test]
    fn the_extremes_of_i64_do_not_wrap() {
        let powers = powers(&[i64::MAX, -i64::MAX]);
        let expected = (i64::MAX as f64).powi(2);
        assert_eq!(powers.sum::<Fixed<0>>(), 0.0);
        assert_eq!(powers.variance::<Fixed<0>>(), Some(expected));
        assert!(powers.third().is_zero());
    }
}
