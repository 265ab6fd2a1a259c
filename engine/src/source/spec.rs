//! A source as a job binds it: where the event time stands in its rows, and how late they may come.

use std::sync::Arc;
use std::time::Duration;

use crate::source::Source;
use crate::time::{EventTime, micros_of};
use crate::update::Update;

/// The event times of rows, of many at a call, so that the job's closure is compiled into the loop.
pub(crate) trait EventTimes<D>: Send + Sync {
    /// Reads those of some rows into as many places, and returns the earliest and the latest of them: with no rows the
    /// last moment of all and the first.
    fn read(&self, rows: &[Update<D>], into: &mut [EventTime]) -> (EventTime, EventTime);
}

impl<D, F: Fn(&D) -> EventTime + Send + Sync> EventTimes<D> for F {
    fn read(&self, rows: &[Update<D>], into: &mut [EventTime]) -> (EventTime, EventTime) {
        let (mut earliest, mut latest) = (EventTime::MAX, EventTime::MIN);
        for ((row, ..), place) in rows.iter().zip(into) {
            let at = self(row);
            *place = at;
            (earliest, latest) = (earliest.min(at), latest.max(at));
        }
        (earliest, latest)
    }
}

type Stamp<D> = Arc<dyn Fn(&mut D, Option<EventTime>) + Send + Sync>;

/// How far ahead of the clock the event times of a stream may lie before they are quarantined, unless told otherwise.
const MAX_FUTURE_US: i64 = 3_600_000_000;

/// A source with its time: built by [`SourceExt`], given to `Graph::source`.
pub struct SourceSpec<D> {
    pub(crate) source: Arc<dyn Source<Row = D>>,
    pub(crate) event_times: Option<Arc<dyn EventTimes<D>>>,
    pub(crate) lateness_us: Option<i64>,
    /// `None` where rows may lie as far ahead as they like.
    pub(crate) max_future_us: Option<i64>,
    pub(crate) stamp: Option<Stamp<D>>,
}

impl<D> Clone for SourceSpec<D> {
    fn clone(&self) -> Self {
        Self {
            source: Arc::clone(&self.source),
            event_times: self.event_times.clone(),
            lateness_us: self.lateness_us,
            max_future_us: self.max_future_us,
            stamp: self.stamp.clone(),
        }
    }
}

impl<D> SourceSpec<D> {
    /// Rows up to `lateness` behind the newest event time of their partition are ordinary updates;
    /// later ones go to the late output. Without this call a bounded source takes everything.
    #[must_use]
    pub fn lateness(mut self, lateness: Duration) -> Self {
        self.lateness_us = Some(micros_of(lateness));
        self
    }

    /// Rows more than `ahead` ahead of the clock are quarantined: they count as late and never move the watermark.
    /// Without this call that is 1 h for a stream, and no limit for a bounded source: what lies in a file must not
    /// depend on the day on which it is read.
    #[must_use]
    pub fn max_future(mut self, ahead: Duration) -> Self {
        self.max_future_us = Some(micros_of(ahead));
        self
    }

    /// Lets each row note the newest event time seen in its partition just before it (`None` for the first),
    /// so that a job can apply a lateness rule of its own. Runs before the lateness verdict.
    #[must_use]
    pub fn stamp(
        mut self,
        stamp: impl Fn(&mut D, Option<EventTime>) + Send + Sync + 'static,
    ) -> Self {
        self.stamp = Some(Arc::new(stamp));
        self
    }
}

/// Turns any [`Source`] into a [`SourceSpec`].
pub trait SourceExt: Source + Sized {
    /// Says where the event time stands: µs since 1970 UTC.
    fn event_time(
        self,
        event_time: impl Fn(&Self::Row) -> EventTime + Send + Sync + 'static,
    ) -> SourceSpec<Self::Row> {
        let mut spec = self.untimed();
        spec.event_times = Some(Arc::new(event_time));
        spec
    }

    /// A source without event time: a dimension. Bounded ones are read whole before any timed source begins,
    /// so that what is looked up in them does not depend on who was read first.
    fn untimed(self) -> SourceSpec<Self::Row> {
        SourceSpec {
            event_times: None,
            lateness_us: None,
            max_future_us: (!self.bounded()).then_some(MAX_FUTURE_US),
            stamp: None,
            source: Arc::new(self),
        }
    }
}

impl<S: Source> SourceExt for S {}
