//! The exact moments of a number: with its extremes ([`moments`]) or, cheaper, without ([`totals`]).

use serde::{Deserialize, Serialize};
use thalweg_engine::update::Diff;

use crate::aggregate::extremes::Extremes;
use crate::aggregate::fold::fold;
use crate::aggregate::{Additive, Aggregate};
use crate::value::{Carried, IntoLane, Lane, Moments, NULL, Wide128};

/// Exact totals without extremes, which know whether they fit. Counts are signed: a retraction may come first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Totals<L: Lane> {
    sum: Carried<Wide128>,
    squares: Carried<L::Squares>,
    count: i64,
    events: i64,
}

impl<L: Lane> Totals<L> {
    fn update(&mut self, value: i64, diff: Diff) {
        self.events += diff;
        if value == NULL {
            return;
        }
        let unit = L::unit(value);
        let squares = L::square(unit);
        self.count += diff;
        for _ in 0..diff {
            self.sum.add(unit.into());
            self.squares.add(squares);
        }
        for _ in diff..0 {
            self.sum.sub(unit.into());
            self.squares.sub(squares);
        }
    }

    /// Without extremes where there are more events than a row of moments can count: its totals are then lost.
    fn read(&self, extremes: Option<(i64, i64)>) -> Moments<L> {
        let counted = |count: i64| u32::try_from(count.max(0)).unwrap_or(u32::MAX);
        let (count, events) = (counted(self.count), counted(self.events));
        let (mut sum, mut squares) = (self.sum.fitting(), self.squares.fitting());
        if self.count.max(self.events) > i64::from(u32::MAX) {
            (sum, squares) = (None, None);
        } else if let Some(extremes) = extremes {
            let (sum, squares) = (self.sum.low(), self.squares.low());
            return Moments::from_parts(sum, squares, extremes, count, events);
        }
        Moments::from_totals(sum, squares, count, events)
    }
}

impl<L: Lane> Additive for Totals<L> {
    fn add(&mut self, other: &Self, times: Diff) {
        self.count += other.count * times;
        self.events += other.events * times;
        for _ in 0..times {
            self.sum.merge(other.sum);
            self.squares.merge(other.squares);
        }
        for _ in times..0 {
            self.sum.part(other.sum);
            self.squares.part(other.squares);
        }
    }
}

/// Count, sum, mean, min, max, variance and stddev of a number; nulls are counted apart.
/// The distinct numbers are kept, since the extreme may be retracted.
#[must_use]
pub fn moments<D: 'static, V: IntoLane>(
    value: impl Fn(&D) -> V + 'static,
) -> impl Aggregate<D, State = (Totals<V::Lane>, Extremes<i64>), Output = Moments<V::Lane>> {
    let update = move |state: &mut (Totals<V::Lane>, Extremes<i64>), row: &D, diff| {
        let value = value(row).into_lane();
        state.0.update(value, diff);
        if value != NULL {
            state.1.update(value, diff);
        }
    };
    fold(update, |state| {
        let least = state.1.least().unwrap_or(i64::MAX);
        let greatest = state.1.greatest().unwrap_or(i64::MIN);
        state.0.read(Some((least, greatest)))
    })
    .additive()
}

/// The same without min and max, which read `None`, in constant space. What does not fit its bits reads `None`.
#[must_use]
pub fn totals<D: 'static, V: IntoLane>(
    value: impl Fn(&D) -> V + 'static,
) -> impl Aggregate<D, State = Totals<V::Lane>, Output = Moments<V::Lane>> {
    let update = move |state: &mut Totals<V::Lane>, row: &D, diff| {
        state.update(value(row).into_lane(), diff);
    };
    fold(update, |state| state.read(None)).additive()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an aggregate reads of signed numbers.
    fn read<V: Copy, A: Aggregate<V>>(aggregate: &A, numbers: &[(V, Diff)]) -> A::Output {
        let mut state = A::State::default();
        for (number, diff) in numbers {
            aggregate.update(&mut state, number, *diff);
        }
        aggregate.read(&state)
    }

    /// The extremes of totals were taken to be 0, so that no overflow was ever found, and min and max read 0.
    #[test]
    fn totals_have_no_extremes_and_all_else_as_moments() {
        let numbers = [(-3_i64, 2), (7, 1), (5, 3), (5, -1), (NULL, 1)];
        let (whole, least) = (
            read(&moments(|n: &i64| *n), &numbers),
            read(&totals(|n: &i64| *n), &numbers),
        );
        assert_eq!((whole.min(), whole.max()), (Some(-3.0), Some(7.0)));
        assert_eq!((least.min(), least.max()), (None, None));
        assert_eq!((least.count(), least.events()), (5, 6));
        assert_eq!(
            (least.sum(), least.mean(), least.stddev()),
            (whole.sum(), whole.mean(), whole.stddev())
        );
    }

    #[test]
    fn totals_of_nothing_are_those_of_moments() {
        for numbers in [vec![], vec![(NULL, 1)], vec![(3_i64, 1), (3, -1)]] {
            let (whole, least) = (
                read(&moments(|n: &i64| *n), &numbers),
                read(&totals(|n: &i64| *n), &numbers),
            );
            assert_eq!((least.sum(), least.mean()), (Some(0.0), None));
            assert_eq!(
                (least.sum(), least.variance()),
                (whole.sum(), whole.variance())
            );
        }
    }

    #[test]
    fn squares_of_whole_numbers_that_overflow_have_no_variance_until_they_fit_again() {
        let large = 1_i64 << 62;
        let of = totals(|n: &i64| *n);
        // Σx² is below 2¹²⁷ for seven of them and reaches it with the eighth.
        let seven = read(&of, &[(large, 7)]);
        assert_eq!(
            (seven.mean(), seven.variance()),
            (Some(large as f64), Some(0.0))
        );
        let eight = read(&of, &[(large, 8)]);
        assert_eq!((eight.mean(), eight.variance()), (Some(large as f64), None));
        let back = read(&of, &[(large, 8), (large, -7)]);
        assert_eq!(back.variance(), Some(0.0));
        assert_eq!(read(&of, &[(large, -8), (large, 9)]).variance(), Some(0.0));
    }

    #[test]
    fn a_sum_of_floats_that_overflows_is_none_until_it_fits_again() {
        let large = 4e18_f64;
        let of = totals(|n: &f64| *n);
        let two = read(&of, &[(large, 2)]);
        assert_eq!(two.sum(), Some(8e18));
        let three = read(&of, &[(large, 3)]);
        assert_eq!(
            (three.sum(), three.mean(), three.variance()),
            (None, None, None)
        );
        assert_eq!(read(&of, &[(large, 3), (-large, 2)]).sum(), Some(large));
        assert_eq!(
            read(&of, &[(large, 3), (1.0, 1), (large, -3)]).sum(),
            Some(1.0)
        );
    }

    #[test]
    fn more_numbers_than_a_row_can_count_have_no_totals() {
        let mut state = Totals::<crate::value::Fixed<0>>::default();
        state.update(1, 1);
        (state.count, state.events) = (1 << 32, 1 << 32);
        for extremes in [None, Some((1, 1))] {
            let read = state.read(extremes);
            assert_eq!(
                (read.sum(), read.mean(), read.variance()),
                (None, None, None)
            );
            assert_eq!((read.min(), read.count()), (None, u64::from(u32::MAX)));
        }
    }
}
