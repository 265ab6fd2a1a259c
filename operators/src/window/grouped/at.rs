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
use thalweg_engine::table::Table;
use thalweg_engine::update::Data;

use crate::aggregate::{self, Aggregate};
use crate::key_by::Timeline;
use crate::window::at::kept::Kept;
use crate::window::at::{Features, PointInTime, Sealed};
use crate::window::grouped::Grouped;
use crate::window::grouped::view::{UpTo, WindowsAt};
use crate::window::placed::Placed;

/// The windows, and what labels ask of them.
#[derive(Clone)]
pub struct AskedWindows<'s, D: Data + Ord, K: Key, A: Aggregate<D>> {
    windows: Grouped<'s, D, K>,
    name: String,
    aggregate: A,
}

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
    ) -> PointInTime<'s, AskedWindows<'s, D, K, A>, B> {
        let table = &self.timeline.keyed.table;
        aggregate::check(table, name, &aggregate);
        if !self.has_times {
            let text = format!(
                "window '{name}': labels ask for a lifetime up to their moments, and its rows have none; \
                 call event_time before lifetime"
            );
            table.graph().refuse(JobError::Wrong(text));
        }
        let asked = AskedWindows {
            windows: self.clone(),
            name: name.to_owned(),
            aggregate,
        };
        PointInTime::new(&asked, labels)
    }
}

impl<'s, D: Data + Ord, K: Key, A: Aggregate<D>> Features<'s> for AskedWindows<'s, D, K, A> {}

impl<'s, D: Data + Ord, K: Key, A: Aggregate<D>> Sealed<'s> for AskedWindows<'s, D, K, A> {
    type Of = D;
    type Row = WindowsAt<K, A::Output>;
    type Past = Kept<K, D, UpTo<A>>;

    fn name(&self) -> &str {
        &self.name
    }

    fn past(&self) -> Self::Past {
        Kept::new(UpTo::new(self.aggregate.clone(), self.windows.span.clone()))
    }

    fn events<E: Data>(&self, see: impl Fn(&D, Placed<K, D>) -> E + 'static) -> Table<'s, E> {
        self.windows.timeline.seen(&self.name, see)
    }
}
