//! Aggregates of windows that labels ask: what all windows have in common that take any.

use thalweg_engine::key::Key;
use thalweg_engine::table::Table;
use thalweg_engine::update::Data;

use crate::aggregate::{self, Aggregate};
use crate::key_by::Timeline;
use crate::window::at::kept::{Kept, View};
use crate::window::at::{Features, PointInTime, Sealed};
use crate::window::placed::Placed;

/// Windows that labels can ask for any aggregate.
pub trait Windows<'s>: Clone {
    /// A row that they hold.
    type Of: Data + Ord;
    /// What they are by.
    type Key: Key;
    /// What is read of a key's rows as of a moment.
    type View<A: Aggregate<Self::Of>>: View<Self::Of>;

    /// The rows.
    fn timeline(&self) -> &Timeline<'s, Self::Of, Self::Key>;
    /// How rows are read.
    fn view<A: Aggregate<Self::Of>>(&self, aggregate: A) -> Self::View<A>;
}

/// Windows, and the aggregates that labels ask of them.
#[derive(Clone)]
pub struct Asked<W, A> {
    windows: W,
    name: String,
    aggregate: A,
}

impl<W: Clone, A: Clone> Asked<W, A> {
    /// Asks windows for aggregates as of the moments of labels; the name shows in the metrics.
    pub(in crate::window) fn of<'s, B: Data + Ord>(
        windows: &W,
        name: &str,
        aggregate: A,
        labels: &Timeline<'s, B, W::Key>,
    ) -> PointInTime<'s, Self, B>
    where
        W: Windows<'s>,
        A: Aggregate<W::Of>,
    {
        aggregate::check(&windows.timeline().keyed.table, name, &aggregate);
        let asked = Self {
            windows: windows.clone(),
            name: name.to_owned(),
            aggregate,
        };
        PointInTime::new(&asked, labels)
    }
}

impl<'s, W: Windows<'s>, A: Aggregate<W::Of>> Features<'s> for Asked<W, A> {}

impl<'s, W: Windows<'s>, A: Aggregate<W::Of>> Sealed<'s> for Asked<W, A> {
    type Of = W::Of;
    type Row = <W::View<A> as View<W::Of>>::Row<W::Key>;
    type Past = Kept<W::Key, W::Of, W::View<A>>;

    fn name(&self) -> &str {
        &self.name
    }

    fn past(&self) -> Self::Past {
        Kept::new(self.windows.view(self.aggregate.clone()))
    }

    fn events<E: Data>(
        &self,
        see: impl Fn(&W::Of, Placed<W::Key, W::Of>) -> E + 'static,
    ) -> Table<'s, E> {
        self.windows.timeline().seen(&self.name, see)
    }
}
