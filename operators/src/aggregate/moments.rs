//! The exact moments of a number: with its extremes ([`moments`]) or, cheaper, without ([`totals`]).

use std::marker::PhantomData;
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use thalweg_engine::update::Diff;

use crate::aggregate::Aggregate;
use crate::aggregate::extremes::Extremes;
use crate::value::{Accumulator, IntoLane, Lane, Moments, NULL, Wide128};

/// Exact totals without extremes. Counts are signed: a retraction may come first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Totals<L: Lane> {
    sum: Wide128,
    squares: L::Squares,
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

    fn read(&self, extremes: (i64, i64)) -> Moments<L> {
        let count = u32::try_from(self.count).unwrap_or(0);
        let events = u32::try_from(self.events).unwrap_or(0);
        Moments::from_parts(self.sum, self.squares, extremes, count, events)
    }
}

/// Moments with extremes; made by [`moments`].
pub struct MomentsOf<D, L> {
    value: Rc<dyn Fn(&D) -> i64>,
    lane: PhantomData<L>,
}

/// Moments without extremes; made by [`totals`].
pub struct TotalsOf<D, L> {
    value: Rc<dyn Fn(&D) -> i64>,
    lane: PhantomData<L>,
}

impl<D, L> Clone for MomentsOf<D, L> {
    fn clone(&self) -> Self {
        Self {
            value: Rc::clone(&self.value),
            lane: PhantomData,
        }
    }
}

impl<D, L> Clone for TotalsOf<D, L> {
    fn clone(&self) -> Self {
        Self {
            value: Rc::clone(&self.value),
            lane: PhantomData,
        }
    }
}

/// Count, sum, mean, min, max, variance and stddev of a number; nulls are counted apart.
/// The distinct numbers are kept, since the extreme may be retracted.
#[must_use]
pub fn moments<D, V: IntoLane>(value: impl Fn(&D) -> V + 'static) -> MomentsOf<D, V::Lane> {
    MomentsOf {
        value: Rc::new(move |row| value(row).into_lane()),
        lane: PhantomData,
    }
}

/// The same without min and max, in constant space.
#[must_use]
pub fn totals<D, V: IntoLane>(value: impl Fn(&D) -> V + 'static) -> TotalsOf<D, V::Lane> {
    TotalsOf {
        value: Rc::new(move |row| value(row).into_lane()),
        lane: PhantomData,
    }
}

impl<D: 'static, L: Lane> Aggregate<D> for MomentsOf<D, L> {
    type State = (Totals<L>, Extremes<i64>);
    type Output = Moments<L>;

    fn update(&self, state: &mut Self::State, row: &D, diff: Diff) {
        let value = (self.value)(row);
        state.0.update(value, diff);
        if value != NULL {
            state.1.update(value, diff);
        }
    }

    fn read(&self, state: &Self::State) -> Moments<L> {
        let least = state.1.least().unwrap_or(i64::MAX);
        let greatest = state.1.greatest().unwrap_or(i64::MIN);
        state.0.read((least, greatest))
    }
}

impl<D: 'static, L: Lane> Aggregate<D> for TotalsOf<D, L> {
    type State = Totals<L>;
    type Output = Moments<L>;

    fn update(&self, state: &mut Self::State, row: &D, diff: Diff) {
        state.update((self.value)(row), diff);
    }

    fn read(&self, state: &Self::State) -> Moments<L> {
        state.read((0, 0))
    }
}
