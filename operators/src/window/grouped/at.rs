//! Windows that start at fixed moments as of the moments of labels: what a label's window had come to by then.
//!
//! ```text
//! tumbling, by calendar   [───●──●──▲     )──▶ event time      from the window's start up to the label's moment ▲,
//!                                 label                        that moment itself included
//! hopping            [────────●──●──▲  )
//!                         [───●──●──▲      )                   all windows that hold the moment, the newest first
//! lifetime      ──●────●──────●──●──▲                          all up to the moment
//! ```

use thalweg_engine::error::JobError;
use thalweg_engine::key::Key;
use thalweg_engine::update::Data;

use crate::aggregate::Aggregate;
use crate::key_by::Timeline;
use crate::window::at::PointInTime;
use crate::window::at::asked::{Asked, Windows};
use crate::window::grouped::Grouped;
use crate::window::grouped::view::UpTo;

impl<'s, D: Data + Ord, K: Key> Grouped<'s, D, K> {
    /// The windows that hold the moments of labels, another table by the same key, as of these: the rows from a window's
    /// start up to the label's moment, those at that moment among them. A label whose key has no row there reads the
    /// aggregates of none. A lifetime window wants rows with an event time, and there a row that the watermark and the
    /// [history](PointInTime::history) have passed stands for good: a table that is repaired behind them is not followed.
    /// [`Grouped::kept_for`] says nothing here, and what a calendar has beyond 7,000 years from 1970, in one window at
    /// either end, is asked no further back than a window of its is long.
    #[must_use]
    pub fn at<B: Data + Ord, A: Aggregate<D>>(
        &self,
        name: &str,
        aggregate: A,
        labels: &Timeline<'s, B, K>,
    ) -> PointInTime<'s, Asked<Self, A>, B> {
        if !self.has_times {
            let text = format!(
                "window '{name}': labels ask for a lifetime up to their moments, and its rows have none; \
                 call event_time before lifetime"
            );
            let graph = self.timeline.keyed.table.graph();
            graph.refuse(JobError::Wrong(text));
        }
        Asked::of(self, name, aggregate, labels)
    }
}

impl<'s, D: Data + Ord, K: Key> Windows<'s> for Grouped<'s, D, K> {
    type Of = D;
    type Key = K;
    type View<A: Aggregate<D>> = UpTo<A>;

    fn timeline(&self) -> &Timeline<'s, D, K> {
        &self.timeline
    }

    fn view<A: Aggregate<D>>(&self, aggregate: A) -> UpTo<A> {
        UpTo::new(aggregate, self.span.clone())
    }
}
