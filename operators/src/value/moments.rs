//! The five moments of a lane over some events: count, sum, sum of squares, min, max, all exact.

use serde::{Deserialize, Serialize};

use crate::value::{Accumulator, Carried, Lane, NULL, Wide128};

/// Where no extremes are kept, `max` says which totals do not fit their bits.
const SUM_LOST: i64 = 1;
const SQUARES_LOST: i64 = 2;

/// Count, sum, sum of squares, min and max of a lane; means and deviations are read out of them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Moments<L: Lane> {
    sum: Wide128,
    squares: L::Squares,
    /// [`NULL`], which is no number, where no extremes are kept.
    min: i64,
    max: i64,
    count: u32,
    events: u32,
}

/// Which totals of these numbers do not fit their bits, as a row without extremes says it.
#[cold]
pub(crate) fn lost<L: Lane>(numbers: impl Iterator<Item = i64>) -> i64 {
    let mut sum = Carried::<Wide128>::default();
    let mut squares = Carried::<L::Squares>::default();
    for number in numbers.filter(|number| *number != NULL) {
        let unit = L::unit(number);
        sum.add(unit.into());
        squares.add(L::square(unit));
    }
    lost_bits(sum.fitting().is_none(), squares.fitting().is_none())
}

fn lost_bits(sum: bool, squares: bool) -> i64 {
    let bit = |lost: bool, bit: i64| if lost { bit } else { 0 };
    bit(sum, SUM_LOST) | bit(squares, SQUARES_LOST)
}

impl<L: Lane> Default for Moments<L> {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl<L: Lane> Moments<L> {
    /// Nothing.
    pub const EMPTY: Self = Self {
        sum: Wide128::ZERO,
        squares: L::Squares::ZERO,
        min: i64::MAX,
        max: i64::MIN,
        count: 0,
        events: 0,
    };

    /// Moments from running totals, where something else keeps the extremes. `count` of `events` were not null.
    #[inline]
    pub(crate) fn from_parts(
        sum: Wide128,
        squares: L::Squares,
        extremes: (i64, i64),
        count: u32,
        events: u32,
    ) -> Self {
        Self {
            sum,
            squares,
            min: extremes.0,
            max: extremes.1,
            count,
            events,
        }
    }

    /// Moments from running totals of which nobody keeps the extremes; `None` for a total that does not fit its bits.
    pub(crate) fn from_totals(
        sum: Option<Wide128>,
        squares: Option<L::Squares>,
        count: u32,
        events: u32,
    ) -> Self {
        Self {
            sum: sum.unwrap_or_default(),
            squares: squares.unwrap_or_default(),
            min: NULL,
            max: lost_bits(sum.is_none(), squares.is_none()),
            count,
            events,
        }
    }

    /// The same without extremes. `numbers` are what it is of: they are looked at where the totals may not fit.
    #[inline(always)]
    pub(crate) fn without_extremes(self, numbers: impl Iterator<Item = i64>) -> Self {
        let fits = self.count == 0 || {
            let magnitude = L::magnitude(self.min).max(L::magnitude(self.max));
            L::surely_fits(magnitude, self.count)
        };
        Self {
            min: NULL,
            max: if fits { 0 } else { lost::<L>(numbers) },
            ..self
        }
    }

    /// Adds one number (or [`NULL`]).
    #[inline]
    pub(crate) fn add(&mut self, value: i64) {
        self.events += 1;
        if value == NULL {
            return;
        }
        let unit = L::unit(value);
        self.sum.add(unit.into());
        self.squares.add(L::square(unit));
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.count += 1;
    }

    /// How many numbers there are; nulls do not count.
    #[must_use]
    #[inline]
    pub fn count(&self) -> u64 {
        u64::from(self.count)
    }

    /// How many events there are, nulls included.
    #[must_use]
    pub fn events(&self) -> u64 {
        u64::from(self.events)
    }

    /// The share of nulls among the events; `None` without events.
    #[must_use]
    pub fn null_rate(&self) -> Option<f64> {
        (self.events > 0).then(|| 1.0 - f64::from(self.count) / f64::from(self.events))
    }

    /// Σx, rounded once; 0 without numbers, `None` when it may have overflowed.
    #[must_use]
    #[inline]
    pub fn sum(&self) -> Option<f64> {
        if self.count == 0 {
            return Some(0.0);
        }
        L::read_sum(self.sum.get(), self.count(), self.bound(SUM_LOST)?)
    }

    /// How many numbers there are but one of them, and their sum, which is rounded once: the one is taken off the exact
    /// sum. [`NULL`] is none of them. No sum where that of all or that of the others may have overflowed.
    pub(crate) fn without(&self, number: i64) -> (u64, Option<f64>) {
        if number == NULL {
            return (self.count(), self.sum());
        }
        let others = self.count().saturating_sub(1);
        if others == 0 {
            return (0, Some(0.0));
        }
        let sum = self.bound(SUM_LOST).and_then(|bound| {
            let sum = self.sum.get().checked_sub(L::unit(number))?;
            L::read_sum(sum, self.count(), bound)
        });
        (others, sum)
    }

    /// Σx/n; `None` without numbers.
    #[must_use]
    #[inline]
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum().map(|sum| sum / f64::from(self.count)))?
    }

    /// The smallest number; `None` without numbers, and where extremes are not kept.
    #[must_use]
    #[inline]
    pub fn min(&self) -> Option<f64> {
        (self.count > 0 && self.min != NULL).then(|| L::read(self.min))
    }

    /// The greatest number; `None` without numbers, and where extremes are not kept.
    #[must_use]
    #[inline]
    pub fn max(&self) -> Option<f64> {
        (self.count > 0 && self.min != NULL).then(|| L::read(self.max))
    }

    /// The population variance, Σ(x − mean)²/n; `None` without numbers, and when it may have overflowed.
    #[must_use]
    #[inline]
    pub fn variance(&self) -> Option<f64> {
        let n = f64::from(self.count);
        (self.count > 0).then(|| self.spread_over(n * n))?
    }

    /// The sample variance, Σ(x − mean)²/(n − 1); `None` for fewer than two numbers.
    #[must_use]
    #[inline]
    pub fn variance_sample(&self) -> Option<f64> {
        let n = f64::from(self.count);
        (self.count > 1).then(|| self.spread_over(n * (n - 1.0)))?
    }

    /// `n·Σx² − (Σx)²` over a divisor: one division, so that the last bit is all that can be wrong.
    #[inline]
    fn spread_over(&self, divisor: f64) -> Option<f64> {
        let bound = self.bound(SUM_LOST | SQUARES_LOST)?;
        let spread = L::read_spread(self.sum.get(), self.squares, self.count(), bound)?;
        Some(spread / (divisor * (L::units() * L::units())))
    }

    /// The population standard deviation; `None` without numbers.
    #[must_use]
    #[inline]
    pub fn stddev(&self) -> Option<f64> {
        self.variance().map(f64::sqrt)
    }

    /// The sample standard deviation (n − 1, as SQL's `stddev_samp`); `None` for fewer than two numbers.
    #[must_use]
    #[inline]
    pub fn stddev_sample(&self) -> Option<f64> {
        self.variance_sample().map(f64::sqrt)
    }

    /// From what an overflow is judged: the number of the greatest magnitude. Without extremes it is known whether the
    /// totals fit: 0 where those do that `totals` names, since nothing is left to judge, else `None`.
    #[inline]
    fn bound(&self, totals: i64) -> Option<i64> {
        if self.min == NULL {
            return (self.max & totals == 0).then_some(0);
        }
        let min_is_larger = L::read(self.min).abs() > L::read(self.max).abs();
        Some(if min_is_larger { self.min } else { self.max })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Fixed, Float, IntoLane};

    fn moments<V: IntoLane + Copy>(numbers: &[V]) -> Moments<V::Lane> {
        let mut moments = Moments::EMPTY;
        numbers.iter().for_each(|n| moments.add(n.into_lane()));
        moments
    }

    /// The own number was taken off the rounded sum: 1e16 + 1 is 1e16, and 1e16 − 1e16 is not 1.
    #[test]
    fn a_number_is_left_out_of_the_exact_sum() {
        let mixed = [1e16, 1.0, 0.5, f64::NAN];
        let of = |number: f64| moments::<f64>(&mixed).without(number.into_lane());
        assert_eq!(of(1e16), (2, Some(1.5)));
        assert_eq!(of(1.0), (2, Some(1e16)));
        // Halves to even: 1e16 and 1e16 + 2 are neighbours.
        assert_eq!(of(0.5), (2, Some(1e16)));
        assert_eq!(of(f64::NAN), (3, Some(1e16 + 2.0)));
        assert_eq!(moments(&[7_i64]).without(7), (0, Some(0.0)));
        assert_eq!(moments::<i64>(&[]).without(NULL), (0, Some(0.0)));
    }

    #[test]
    fn there_is_no_sum_where_one_of_the_two_does_not_fit() {
        let large = 4e18_f64;
        let numbers = [large, large, large];
        assert_eq!(moments(&numbers).without(large.into_lane()), (2, None));
        // Here all numbers fit, and those left do not.
        let (mut sum, lane) = (0_i128, |number: f64| Float::unit(number.into_lane()));
        for number in [large, large, large, -large] {
            sum = sum.wrapping_add(lane(number));
        }
        let fits = Moments::<Float>::from_totals(Some(sum.into()), Some(Default::default()), 4, 4);
        assert_eq!(fits.sum(), Some(2.0 * large));
        assert_eq!(fits.without((-large).into_lane()), (3, None));
        assert_eq!(fits.without(large.into_lane()), (3, Some(large)));
        let extremes = [i64::MAX, i64::MAX, -5];
        let whole: Moments<Fixed<0>> = moments(&extremes);
        assert_eq!(whole.without(-5), (2, Some(2.0 * i64::MAX as f64)));
    }
}
