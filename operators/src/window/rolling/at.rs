//! Rolling moments as of the moments of labels.

use serde::Serialize;
use thalweg_engine::key::Key;
use thalweg_engine::keyed::{KeyGroup, StateSize};
use thalweg_engine::state::KeyIndex;
use thalweg_engine::table::Table;
use thalweg_engine::time::EventTime;
use thalweg_engine::update::{Data, Diff};

use crate::array::Array;
use crate::key_by::Timeline;
use crate::value::{Lane, Moments};
use crate::window::at::lookback::Lookback;
use crate::window::at::{Features, PointInTime, Sealed};
use crate::window::rolling::Rolling;
use crate::window::rolling::event::{Event, Rolled, Windows};
use crate::window::rolling::form::Form;
use crate::window::rolling::store::{SavedKey, Store};

impl<'s, D: Data, K: Key, L: Lane, const N: usize, const W: usize, F: Form>
    Rolling<'s, D, K, L, N, W, F>
{
    /// The windows as of the moments of labels, another table by the same key: what a model is trained on.
    #[must_use]
    pub fn at<B: Data + Ord>(&self, labels: &Timeline<'s, B, K>) -> PointInTime<'s, Self, B> {
        PointInTime::new(self, labels)
    }
}

impl<'s, D: Data, K: Key, L: Lane, const N: usize, const W: usize, F: Form> Features<'s>
    for Rolling<'s, D, K, L, N, W, F>
{
}

impl<'s, D: Data, K: Key, L: Lane, const N: usize, const W: usize, F: Form> Sealed<'s>
    for Rolling<'s, D, K, L, N, W, F>
{
    type Of = D;
    type Row = Rolled<K, L, N, W>;
    type Past = Store<K, L, N, W, F>;

    fn name(&self) -> &str {
        &self.name
    }

    fn past(&self) -> Self::Past {
        Store::new(self.widths)
    }

    fn events<E: Data>(&self, see: impl Fn(&D, Event<K, N, ()>) -> E + 'static) -> Table<'s, E> {
        self.project(see)
    }
}

impl<K: Key, L: Lane, const N: usize, const W: usize, F: Form> Lookback for Store<K, L, N, W, F> {
    type Key = K;
    type Event = Event<K, N, ()>;
    type Windows = Windows<L, N, W>;
    type Row = Rolled<K, L, N, W>;
    type Saved = SavedKey<K, N>;

    #[inline(always)]
    fn key_of(event: &Self::Event) -> &K {
        &event.key
    }

    #[inline(always)]
    fn row(key: K, at: EventTime, windows: Self::Windows) -> Self::Row {
        Rolled { key, at, windows }
    }

    #[inline(always)]
    fn widest(&self) -> i64 {
        self.widths.widest()
    }

    #[inline(always)]
    fn index(&self) -> &KeyIndex<K> {
        &self.index
    }

    fn handles(&self) -> usize {
        self.lines.handles()
    }

    #[inline(always)]
    fn resolve(&mut self, key: &K) -> u32 {
        Self::resolve(self, key)
    }

    #[inline(always)]
    fn apply(&mut self, handle: u32, event: &Self::Event, diff: Diff) {
        Self::apply(self, handle, event.at, &event.lanes, diff);
    }

    #[inline(always)]
    fn read(&mut self, handle: u32, at: EventTime) -> Self::Windows {
        let mut windows = [Self::no_windows()];
        Self::read(self, handle, &[at], &mut windows);
        let [windows] = windows;
        windows
    }

    fn read_all(&mut self, handle: u32, ends: &[EventTime], into: &mut Vec<Self::Windows>) {
        let first = into.len();
        into.resize(first + ends.len(), Array([Array([Moments::EMPTY; N]); W]));
        Self::read(self, handle, ends, &mut into[first..]);
    }

    fn no_windows(&self, _: EventTime) -> Self::Windows {
        Self::no_windows()
    }

    #[inline(always)]
    fn newest(&self, handle: u32) -> Option<EventTime> {
        Self::newest(self, handle)
    }

    fn settled(&self) -> EventTime {
        self.settled
    }

    fn settle(&mut self, until: EventTime) {
        self.settled = until;
    }

    fn forgive_unless(&mut self, watermark: EventTime, held: impl Fn(u32) -> bool) {
        Self::forgive_unless(self, watermark, held);
    }

    fn forget(&mut self, handle: u32) {
        self.prune(handle, EventTime::MAX);
        self.forget_if_empty(handle);
    }

    fn saved(&self, group: KeyGroup) -> Vec<impl Serialize> {
        Self::saved(self, group)
    }

    fn restore(&mut self, saved: Self::Saved) -> u32 {
        Self::restore(self, saved)
    }

    fn size(&self) -> StateSize {
        Self::size(self)
    }

    #[inline(always)]
    fn prefetch_ahead<T>(&self, list: &[T], i: usize, handle: impl Fn(&T) -> u32) {
        Self::prefetch_ahead(self, list, i, handle);
    }

    #[inline(always)]
    fn prefetch_forgotten(&self, list: &[u32], i: usize) {
        Self::prefetch_forgotten(self, list, i);
    }
}
