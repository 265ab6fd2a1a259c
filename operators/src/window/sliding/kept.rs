//! The events of all keys, of which each key's windows are read as of any moment: what labels look back upon.
//!
//! ```text
//! events of a key  ──x──x──[ window as of the last label ]──x──x──▶      the next label moves its ends, by the events
//!                             [ window as of the next label ]            between the old and the new ones
//! ```

use std::collections::BTreeMap;

use thalweg_engine::key::Key;
use thalweg_engine::keyed::{KeyGroup, StateSize};
use thalweg_engine::state::KeyIndex;
use thalweg_engine::time::{EventTime, WATERMARK_NONE};
use thalweg_engine::update::{Data, Diff};

use crate::aggregate::Aggregate;
use crate::array::Array;
use crate::window::at::Lookback;
use crate::window::placed::Placed;
use crate::window::rolling::widths::Widths;
use crate::window::sliding::SlidingRow;
use crate::window::sliding::windows::Windows;

/// A key with its events as they are saved.
type Saved<K, D> = (K, BTreeMap<EventTime, BTreeMap<D, Diff>>);

/// All keys' events, and their windows as they were last looked at.
pub struct Kept<K: Key, D: Ord, A: Aggregate<D>, const W: usize> {
    aggregate: A,
    widths: Widths<W>,
    index: KeyIndex<K>,
    slots: Vec<Windows<D, A, W>>,
    /// Moments held, over all keys.
    moments: usize,
    settled: EventTime,
}

impl<K: Key, D: Data + Ord, A: Aggregate<D>, const W: usize> Kept<K, D, A, W> {
    pub(in crate::window) fn new(aggregate: A, widths: Widths<W>) -> Self {
        Self {
            aggregate,
            widths,
            index: KeyIndex::new(),
            slots: Vec::new(),
            moments: 0,
            settled: WATERMARK_NONE,
        }
    }

    /// No window that is still asked for reaches back before this.
    fn cut(&self) -> EventTime {
        let first = self.settled.saturating_add(1);
        first.saturating_sub(self.widths.widest())
    }

    fn change(&mut self, handle: u32, at: EventTime, row: &D, diff: Diff) {
        let windows = &mut self.slots[handle as usize];
        self.moments -= windows.events.len();
        windows.change(&self.aggregate, at, row, diff);
        self.moments += windows.events.len();
    }
}

impl<K: Key, D: Data + Ord, A: Aggregate<D>, const W: usize> Lookback for Kept<K, D, A, W> {
    type Key = K;
    type Event = Placed<K, D>;
    type Windows = Array<A::Output, W>;
    type Row = SlidingRow<K, A::Output, W>;
    type Saved = Saved<K, D>;

    fn key_of(event: &Self::Event) -> &K {
        &event.key
    }

    fn row(key: K, at: EventTime, windows: Self::Windows) -> Self::Row {
        SlidingRow { key, at, windows }
    }

    fn widest(&self) -> i64 {
        self.widths.widest()
    }

    fn index(&self) -> &KeyIndex<K> {
        &self.index
    }

    fn handles(&self) -> usize {
        self.slots.len()
    }

    fn resolve(&mut self, key: &K) -> u32 {
        let (handle, new) = self.index.resolve(key);
        // A handle that is used again was left empty.
        if new && handle as usize == self.slots.len() {
            self.slots.push(Windows::closed());
        }
        handle
    }

    fn apply(&mut self, handle: u32, event: &Self::Event, diff: Diff) {
        let cut = self.cut();
        if event.at < cut {
            return;
        }
        let windows = &mut self.slots[handle as usize];
        self.moments -= windows.events.len();
        windows.let_go(&self.aggregate, cut);
        self.moments += windows.events.len();
        self.change(handle, event.at, &event.row, diff);
    }

    fn read(&mut self, handle: u32, at: EventTime) -> Self::Windows {
        let windows = &mut self.slots[handle as usize];
        windows.look(&self.aggregate, at, &self.widths);
        windows.read(&self.aggregate)
    }

    fn read_all(&mut self, handle: u32, ends: &[EventTime], into: &mut Vec<Self::Windows>) {
        into.extend(ends.iter().map(|at| self.read(handle, *at)));
    }

    fn no_windows(&self) -> Self::Windows {
        Windows::<D, A, W>::closed().read(&self.aggregate)
    }

    /// An event that was taken back before it came is waited for like any other.
    fn newest(&self, handle: u32) -> Option<EventTime> {
        let newest = self.slots[handle as usize].events.last_key_value()?;
        Some(*newest.0)
    }

    fn settled(&self) -> EventTime {
        self.settled
    }

    fn settle(&mut self, until: EventTime) {
        self.settled = until;
    }

    /// What is owed stands beside the events, and goes with those of its moment.
    fn forgive_unless(&mut self, _: EventTime, _: impl Fn(u32) -> bool) {}

    fn forget(&mut self, handle: u32) {
        self.moments -= self.slots[handle as usize].events.len();
        self.slots[handle as usize] = Windows::closed();
        self.index.remove(handle);
    }

    fn saved(&self, group: KeyGroup) -> Vec<Self::Saved> {
        let ours = self.index.iter().filter(|(_, key)| group.holds(key.tag()));
        ours.map(|(handle, key)| (key.clone(), self.slots[handle as usize].events.clone()))
            .collect()
    }

    fn restore(&mut self, (key, events): Self::Saved) -> u32 {
        let handle = self.resolve(&key);
        for (at, moment) in &events {
            for (row, diff) in moment {
                self.change(handle, *at, row, *diff);
            }
        }
        handle
    }

    fn size(&self) -> StateSize {
        StateSize {
            keys: self.index.len(),
            events: self.moments,
            bytes: self.index.bytes()
                + self.slots.capacity() * size_of::<Windows<D, A, W>>()
                + self.moments * (size_of::<(EventTime, D, Diff)>() + 64),
        }
    }

    fn prefetch_ahead<T>(&self, _: &[T], _: usize, _: impl Fn(&T) -> u32) {}

    fn prefetch_forgotten(&self, _: &[u32], _: usize) {}
}
