//! How fast a number rises over event time: the slope of the line of least squares.
//!
//! slope = cov(t, y)/var(t) for event times t in seconds, in the number's unit per second; SQL's `regr_slope(y, t)`.

use thalweg_engine::time::EventTime;

use crate::aggregate::Aggregate;
use crate::aggregate::pairs::{Pairs, fold_pairs};
use crate::value::{IntoLane, Lane};

/// Event times are in µs.
const MICROS_PER_SECOND: f64 = 1e6;

/// The slope of `number` over the event time `at`, per second; `None` where there are not two times with a number.
#[must_use]
pub fn trend<D: 'static, V: IntoLane>(
    at: impl Fn(&D) -> EventTime + 'static,
    number: impl Fn(&D) -> V + 'static,
) -> impl Aggregate<D, State = Pairs, Output = Option<f64>> {
    fold_pairs(at, number, read::<V::Lane>)
}

fn read<L: Lane>(pairs: &Pairs) -> Option<f64> {
    pairs.count()?;
    let times = pairs.xx();
    (times > 0.0).then(|| pairs.xy() / times / L::units() * MICROS_PER_SECOND)
}
