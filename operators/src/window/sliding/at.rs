//! Rolling aggregates as of the moments of labels.

use thalweg_engine::key::Key;
use thalweg_engine::table::Table;
use thalweg_engine::update::Data;

use crate::aggregate::{self, Aggregate};
use crate::key_by::Timeline;
use crate::window::at::kept::Kept;
use crate::window::at::{Features, PointInTime, Sealed};
use crate::window::placed::Placed;
use crate::window::sliding::view::Trailing;
use crate::window::sliding::{Sliding, SlidingRow};

impl<'s, D: Data + Ord, K: Key, A: Aggregate<D>, const W: usize> Sliding<'s, D, K, A, W> {
    /// The windows as of the moments of labels, another table by the same key: what a model is trained on. A row's `at` is
    /// the label's moment.
    #[must_use]
    pub fn at<B: Data + Ord>(&self, labels: &Timeline<'s, B, K>) -> PointInTime<'s, Self, B> {
        aggregate::check(&self.timeline.keyed.table, &self.name, &self.aggregate);
        PointInTime::new(self, labels)
    }
}

impl<'s, D: Data + Ord, K: Key, A: Aggregate<D>, const W: usize> Features<'s>
    for Sliding<'s, D, K, A, W>
{
}

impl<'s, D: Data + Ord, K: Key, A: Aggregate<D>, const W: usize> Sealed<'s>
    for Sliding<'s, D, K, A, W>
{
    type Of = D;
    type Row = SlidingRow<K, A::Output, W>;
    type Past = Kept<K, D, Trailing<A, W>>;

    fn name(&self) -> &str {
        &self.name
    }

    fn past(&self) -> Self::Past {
        Kept::new(Trailing::new(self.aggregate.clone(), self.widths))
    }

    fn events<E: Data>(&self, see: impl Fn(&D, Placed<K, D>) -> E + 'static) -> Table<'s, E> {
        self.timeline.seen(&self.name, see)
    }
}
