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
