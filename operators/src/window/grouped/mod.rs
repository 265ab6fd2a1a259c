//! Windows that start at fixed moments: tumbling, hopping, by calendar and lifetime, with any aggregates.
//!
//! ```text
//! (row, epoch, ±n) ─▶ windows that hold it ─▶ key's aggregates ─▶ −old +new per changed group         (latest)
//!                                                              └▶ one row when its end has passed     (finals)
//! ```
//!
//! ```text
//!        ├───── width ─────┤
//!   ─────[═════════════════)─────▶ event time
//!      start              end     a row at the start is inside, one at the end is not
//! ```
//!
//! Windows are `[start, start + width)`, aligned to 1970-01-01T00:00Z; those of a [`Calendar`] run from one of its
//! dates to the next; a lifetime window never ends. [`Grouped::at`] tells labels of another table what the windows that
//! hold their moments had come to by then.
//!
//! # Invariants
//! 1. After every epoch the accumulated `latest` output is, per group with rows, the aggregates by brute force.
//! 2. A group whose aggregates did not change emits nothing; a group without rows has no row.
//! 3. `finals` emits each group once, when the watermark has reached its end, and never changes it: what comes for a
//!    window that has ended, as from a join that is repaired, counts only in windows that have not.
//! 4. What changes nothing because its windows are over is counted ([`OperatorMetrics::forgotten`]).
//! 5. Groups hold no rows: a retraction counts whether its row has come or not.
//! 6. When a row is counted changes nothing: in `finals`, plain rows may wait until their window has ended.
//!
//! [`OperatorMetrics::forgotten`]: thalweg_engine::metrics::OperatorMetrics::forgotten
//!
//! # Cost
//! Per update and window that holds it: one lookup in that window and the aggregate's update; per changed group and
//! epoch two updates. State: one aggregate state per group, freed when the group has no rows, in `finals` when its window
//! has ended, and in `latest` so long after that as [`Grouped::kept_for`] says, if it is called.
//!
//! In `finals`, rows of at most 64 bytes that own nothing are copied to those of their window first, and counted once it
//! has ended or as many wait as may: 32, and up to 2,048 where few are of a key that is there already. The operator's
//! size has each of them as a key.
//!
//! Overlapping windows in `finals`, a whole number of steps wide, of aggregates that add up: one lookup and update per
//! update, and three more per group of a step, and no row waits; state: one per group of a step, and of one window.

mod at;
mod calendar;
mod count;
mod open;
mod overlap;
mod panes;
mod span;
mod state;
pub(crate) mod testing;
#[cfg(test)]
mod tests;
pub(in crate::window) mod view;
mod waiting;
mod windows;

use std::rc::Rc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thalweg_engine::column::Column;
use thalweg_engine::error::JobError;
use thalweg_engine::key::Key;
use thalweg_engine::table::Table;
use thalweg_engine::time::{EventTime, micros_of};
use thalweg_engine::update::Data;

use crate::aggregate::{self, Aggregate};
use crate::key_by::{Keyed, Timeline, micros};

pub use calendar::Calendar;
pub(crate) use calendar::Local;
pub(crate) use span::Span;
use state::{Groups, Mode};
pub use view::{OpenWindow, WindowsAt};

/// More windows than this per row are a mistake: a rolling window is what was meant.
const WINDOWS_PER_ROW_MAX: i64 = 10_000;

/// Windows that wait to be told what to compute.
#[derive(Clone)]
pub struct Grouped<'s, D: Data, K: Key> {
    timeline: Timeline<'s, D, K>,
    /// Whether the rows have an event time: those of a lifetime need none.
    has_times: bool,
    span: Span,
    kept_us: Option<i64>,
}

/// The aggregates of one group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupRow<K, O> {
    /// The key.
    pub key: K,
    /// The window's first moment; 0 for a lifetime window.
    pub start: EventTime,
    /// What the aggregates read.
    pub value: O,
}

impl<'s, D: Data, K: Key> Keyed<'s, D, K> {
    /// One window per key that never closes.
    #[must_use]
    pub fn lifetime(&self) -> Grouped<'s, D, K> {
        let timeline = Timeline {
            keyed: self.clone(),
            at: Rc::new(|_| 0),
            times: Column::new(|_| 0),
        };
        Grouped {
            has_times: false,
            ..timeline.in_windows(Span::Lifetime)
        }
    }
}

impl<'s, D: Data, K: Key> Timeline<'s, D, K> {
    /// One window per key that never closes, of which labels can ask as of their moments.
    #[must_use]
    pub fn lifetime(&self) -> Grouped<'s, D, K> {
        self.in_windows(Span::Lifetime)
    }

    /// Windows `[start, start + width)`, aligned to 1970-01-01T00:00Z, one after another.
    ///
    /// # Errors
    /// [`JobError::Wrong`] when the width is zero.
    pub fn tumbling(&self, width: Duration) -> Result<Grouped<'s, D, K>, JobError> {
        let width_us = micros("a tumbling window's width", width)?;
        let step_us = width_us;
        Ok(self.in_windows(Span::Every { width_us, step_us }))
    }

    /// Windows `[start, start + width)` that start every `step`, aligned to 1970-01-01T00:00Z: a row is in all that
    /// hold it. With a step beyond the width there are gaps between windows, and rows in a gap are in none.
    ///
    /// # Errors
    /// [`JobError::Wrong`] when the width or the step is zero, or a row would be in more than 10,000 windows.
    pub fn hopping(&self, width: Duration, step: Duration) -> Result<Grouped<'s, D, K>, JobError> {
        let width_us = micros("a hopping window's width", width)?;
        let step_us = micros("the step between hopping windows", step)?;
        // As many as there are steps in a width, one that is cut off included.
        let windows = (width_us - 1) / step_us + 1;
        if windows > WINDOWS_PER_ROW_MAX {
            return Err(JobError::Wrong(format!(
                "at most {WINDOWS_PER_ROW_MAX} hopping windows hold one row: got {windows}, {width:?} wide every {step:?}; \
                 take longer steps, or rolling windows"
            )));
        }
        Ok(self.in_windows(Span::Every { width_us, step_us }))
    }

    fn in_windows(&self, span: Span) -> Grouped<'s, D, K> {
        Grouped {
            timeline: self.clone(),
            has_times: true,
            span,
            kept_us: None,
        }
    }

    /// Days, weeks or months as the clocks of a time zone show them, such as `"Europe/London"`: `[start, end)`. Days have
    /// 23 or 25 hours where the clocks change; weeks begin on Monday.
    ///
    /// # Errors
    /// [`JobError::Wrong`] when the IANA database has no zone of that name.
    pub fn calendar(&self, calendar: Calendar, zone: &str) -> Result<Grouped<'s, D, K>, JobError> {
        let local = Local::new(calendar, zone)?;
        Ok(self.in_windows(Span::Calendar(Rc::new(local))))
    }
}

impl<'s, D: Data, K: Key> Grouped<'s, D, K> {
    /// How long [`Grouped::latest`] keeps a window after the watermark has reached its end: after that its state is freed,
    /// its rows stand as they are, and what still comes for it is counted in the operator's metrics and changes nothing.
    /// Without this call windows are kept for ever, so that a table that is repaired far behind the watermark, as by a
    /// join, is followed to the bit; over a stream the state then grows with every window. Zero is right for rows whose
    /// event time is their source's: none comes behind the watermark.
    #[must_use]
    pub fn kept_for(mut self, after_end: Duration) -> Self {
        self.kept_us = Some(micros_of(after_end));
        self
    }

    /// One row per group, replaced as its rows come and go, late ones too: what other windows call `corrections` is here
    /// the same table. See [`Grouped::kept_for`] for a stream.
    #[must_use]
    pub fn latest<A: Aggregate<D>>(
        &self,
        name: &str,
        aggregate: A,
    ) -> Table<'s, GroupRow<K, A::Output>> {
        let kept_us = self.kept_us;
        let mode = Mode::Latest { kept_us };
        self.run(&format!("{name} latest"), mode, aggregate)
    }

    /// One row per group once the watermark has reached its end, never changed again.
    /// A lifetime window ends when its sources end.
    #[must_use]
    pub fn finals<A: Aggregate<D>>(
        &self,
        name: &str,
        aggregate: A,
    ) -> Table<'s, GroupRow<K, A::Output>> {
        self.run(&format!("{name} final"), Mode::Final, aggregate)
    }

    fn run<A: Aggregate<D>>(
        &self,
        name: &str,
        mode: Mode,
        aggregate: A,
    ) -> Table<'s, GroupRow<K, A::Output>> {
        let keyed = &self.timeline.keyed;
        aggregate::check(&keyed.table, name, &aggregate);
        let state = Groups::new(
            keyed.keys.clone(),
            self.timeline.times.clone(),
            self.span.clone(),
            mode,
            aggregate,
        );
        keyed.table.keyed(name, keyed.tags.clone(), state)
    }
}
