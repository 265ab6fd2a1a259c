//! How long ago the last row was, and the gap before it.
//!
//! An aggregate knows its rows, not the time at which it is read: an answer that falls due as time passes would change
//! without a row. So the last event time is kept, and whoever reads says as of when:
//!
//! ```text
//! ──●─────────●────────┊──▶        last_gap = b − a, time_since_last(c) = c − b
//!   a         b        c
//! ```

use serde::{Deserialize, Serialize};
use thalweg_engine::time::EventTime;

use crate::aggregate::Aggregate;
use crate::aggregate::extremes::Extremes;
use crate::aggregate::fold::fold;

/// The moment of the last row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LastAt(pub EventTime);

impl LastAt {
    /// How long before `as_of` the last row was, in µs; negative for a row that comes after it.
    #[must_use]
    pub fn since_us(self, as_of: EventTime) -> i64 {
        as_of.saturating_sub(self.0)
    }
}

/// When the last row was, for [`LastAt::since_us`]; `None` without rows.
#[must_use]
pub fn time_since_last<D: 'static>(
    at: impl Fn(&D) -> EventTime + 'static,
) -> impl Aggregate<D, State = Extremes<EventTime>, Output = Option<LastAt>> {
    let update = move |times: &mut Extremes<_>, row: &D, diff| times.update(at(row), diff);
    fold(update, |times| times.greatest().map(LastAt)).additive()
}

/// The time between the last row and the one before it, in µs; `None` for fewer than two rows.
#[must_use]
pub fn last_gap<D: 'static>(
    at: impl Fn(&D) -> EventTime + 'static,
) -> impl Aggregate<D, State = Extremes<EventTime>, Output = Option<i64>> {
    let update = move |times: &mut Extremes<_>, row: &D, diff| times.update(at(row), diff);
    fold(update, |times| {
        let times = times.settled();
        let mut from_last = times.descending();
        let (last, before) = (from_last.next()?, from_last.next()?);
        Some(last.saturating_sub(*before))
    })
    .additive()
}
