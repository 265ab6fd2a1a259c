//! Rolling aggregates as of any moment.
//!
//! ```text
//! events of a key  ──x──x──[ window as of the last moment ]──x──x──▶     the next moment moves its ends, by the events
//!                             [ window as of the next one ]              between the old and the new ones
//! ```

use thalweg_engine::key::Key;
use thalweg_engine::time::EventTime;
use thalweg_engine::update::{Data, Diff};

use crate::aggregate::Aggregate;
use crate::array::Array;
use crate::window::at::kept::View;
use crate::window::events::Events;
use crate::window::rolling::widths::Widths;
use crate::window::sliding::SlidingRow;
use crate::window::sliding::windows::Windows;

/// The windows of these widths, and what is read of them.
pub struct Trailing<A, const W: usize> {
    aggregate: A,
    widths: Widths<W>,
}

impl<A, const W: usize> Trailing<A, W> {
    pub(in crate::window) fn new(aggregate: A, widths: Widths<W>) -> Self {
        Self { aggregate, widths }
    }
}

impl<D: Data + Ord, A: Aggregate<D>, const W: usize> View<D> for Trailing<A, W> {
    type Slot = Windows<D, A, W>;
    type Base = ();
    type Windows = Array<A::Output, W>;
    type Row<K: Key> = SlidingRow<K, A::Output, W>;

    fn row<K: Key>(key: K, at: EventTime, windows: Self::Windows) -> Self::Row<K> {
        SlidingRow { key, at, windows }
    }

    fn widest(&self) -> Option<i64> {
        Some(self.widths.widest())
    }

    fn empty(&self) -> Self::Slot {
        Windows::closed()
    }

    fn events(slot: &Self::Slot) -> &Events<D> {
        &slot.events
    }

    fn base(_: &Self::Slot) -> &() {
        &()
    }

    fn change(&self, slot: &mut Self::Slot, at: EventTime, row: &D, diff: Diff) {
        slot.change(&self.aggregate, at, row, diff);
    }

    fn let_go(&self, slot: &mut Self::Slot, settled: EventTime) {
        let first = settled.saturating_add(1);
        slot.let_go(&self.aggregate, first.saturating_sub(self.widths.widest()));
    }

    fn read(&self, slot: &mut Self::Slot, at: EventTime) -> Self::Windows {
        slot.look(&self.aggregate, at, &self.widths);
        slot.read(&self.aggregate)
    }
}
