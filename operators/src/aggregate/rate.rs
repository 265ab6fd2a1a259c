//! How many rows come per second.
//!
//! For n rows between the first event time and the last: rate = (n − 1)/(last − first), in rows per second, which is
//! one over the mean gap. The first row only starts the clock: four rows a second apart make 1 per second, not 4/3.
//! Rows per second of a window's own width are `count()` over that width.

use serde::{Deserialize, Serialize};
use thalweg_engine::time::EventTime;
use thalweg_engine::update::Diff;

use crate::aggregate::extremes::Extremes;
use crate::aggregate::fold::fold;
use crate::aggregate::{Additive, Aggregate};

/// How many rows there are, and when.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Arrivals {
    rows: Diff,
    times: Extremes<EventTime>,
}

impl Additive for Arrivals {
    fn add(&mut self, other: &Self, times: Diff) {
        self.rows += other.rows * times;
        self.times.add(&other.times, times);
    }
}

/// Rows per second between the first and the last; `None` for fewer than two rows, and where all have one time.
#[must_use]
pub fn rate<D: 'static>(
    at: impl Fn(&D) -> EventTime + 'static,
) -> impl Aggregate<D, State = Arrivals, Output = Option<f64>> {
    let update = move |arrivals: &mut Arrivals, row: &D, diff| {
        arrivals.rows += diff;
        arrivals.times.update(at(row), diff);
    };
    fold(update, read).additive()
}

#[expect(clippy::cast_precision_loss, reason = "the result is rounded")]
fn read(arrivals: &Arrivals) -> Option<f64> {
    let span_us = arrivals.times.greatest()?.abs_diff(arrivals.times.least()?);
    let gaps = arrivals.rows - 1;
    (gaps > 0 && span_us > 0).then(|| gaps as f64 * 1e6 / span_us as f64)
}
