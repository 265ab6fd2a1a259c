//! The events of all keys, by moment. What is read of a key's events as of a moment is a view's matter.
//!
//! ```text
//! events of a key  ──x──x────x──x──x──▶      view: which of them are read as of a moment, and which are let go
//! ```

use serde::Serialize;
use serde::de::DeserializeOwned;
use thalweg_engine::key::Key;
use thalweg_engine::keyed::{KeyGroup, StateSize};
use thalweg_engine::state::KeyIndex;
use thalweg_engine::time::{EventTime, WATERMARK_NONE};
use thalweg_engine::update::{Data, Diff};

use crate::window::at::lookback::Lookback;
use crate::window::events::Events;
use crate::window::placed::Placed;

/// So many moments more than at the last look are held before a view looks for old ones again.
pub(in crate::window) const MOMENTS_MORE: usize = if cfg!(test) { 1 } else { 16 };

/// What is read of a key's events as of a moment.
pub trait View<D: Data + Ord>: 'static {
    /// A key's events, with what is known of them.
    type Slot: 'static;
    /// What is known of a key beside its events, as it is saved.
    type Base: Serialize + DeserializeOwned;
    /// What is read.
    type Windows: Data + PartialEq;
    /// What a label is told.
    type Row<K: Key>: Data;

    /// Whether events may be let go of though others are known only later that happened before them. Where not, none is
    /// where that may be.
    const TAKES_LATE: bool = true;

    /// What a label of `at` is told.
    fn row<K: Key>(key: K, at: EventTime, windows: Self::Windows) -> Self::Row<K>;
    /// How far back from a moment the events may be that are read, in µs; `None` where they may be of any age.
    fn widest(&self) -> Option<i64>;
    /// For how long after its newest event a key is asked for, in µs.
    fn lingers(&self) -> i64 {
        self.widest().unwrap_or(0)
    }
    /// No events.
    fn empty(&self) -> Self::Slot;
    /// The events.
    fn events(slot: &Self::Slot) -> &Events<D>;
    /// What is known beside them.
    fn base(slot: &Self::Slot) -> &Self::Base;
    /// Whether nothing is known.
    fn is_empty(slot: &Self::Slot) -> bool {
        Self::events(slot).is_empty()
    }
    /// Adds or retracts `diff` copies of an event.
    fn change(&self, slot: &mut Self::Slot, at: EventTime, row: &D, diff: Diff);
    /// Drops events that are not read as of any moment after `settled`, some of them later than others. Up to there no
    /// event is taken back any more; those that were known late may still come.
    fn let_go(&self, slot: &mut Self::Slot, settled: EventTime);
    /// Drops all of them, once all of an epoch has come.
    fn trim(&self, slot: &mut Self::Slot, settled: EventTime) {
        self.let_go(slot, settled);
    }
    /// Reads as of a moment.
    fn read(&self, slot: &mut Self::Slot, at: EventTime) -> Self::Windows;
    /// A key as it was saved.
    fn restore(&self, _: Self::Base, events: Events<D>) -> Self::Slot {
        let mut slot = self.empty();
        for (at, moment) in &events {
            for (row, diff) in moment {
                self.change(&mut slot, *at, row, *diff);
            }
        }
        slot
    }
}

/// All keys' events.
pub struct Kept<K: Key, D: Data + Ord, V: View<D>> {
    view: V,
    index: KeyIndex<K>,
    slots: Vec<V::Slot>,
    /// Moments held, over all keys.
    moments: usize,
    settled: EventTime,
    /// Whether no event is let go of.
    holds_all: bool,
}

impl<K: Key, D: Data + Ord, V: View<D>> Kept<K, D, V> {
    pub(in crate::window) fn new(view: V) -> Self {
        Self {
            view,
            index: KeyIndex::new(),
            slots: Vec::new(),
            moments: 0,
            settled: WATERMARK_NONE,
            holds_all: false,
        }
    }

    /// Nothing that is still asked for reaches back before this.
    fn cut(&self) -> EventTime {
        let first = self.settled.saturating_add(1);
        let widest = self.view.widest();
        widest.map_or(EventTime::MIN, |widest| first.saturating_sub(widest))
    }

    fn change(&mut self, handle: u32, change: impl FnOnce(&V, &mut V::Slot)) {
        let slot = &mut self.slots[handle as usize];
        self.moments -= V::events(slot).len();
        change(&self.view, slot);
        self.moments += V::events(slot).len();
    }
}

impl<K: Key, D: Data + Ord, V: View<D>> Lookback for Kept<K, D, V> {
    type Key = K;
    type Event = Placed<K, D>;
    type Windows = V::Windows;
    type Row = V::Row<K>;
    type Saved = (K, V::Base, Events<D>);

    fn key_of(event: &Self::Event) -> &K {
        &event.key
    }

    fn row(key: K, at: EventTime, windows: Self::Windows) -> Self::Row {
        V::row(key, at, windows)
    }

    fn widest(&self) -> i64 {
        self.view.widest().unwrap_or(i64::MAX)
    }

    fn held_until(&self, at: EventTime) -> EventTime {
        let widest = self.view.widest();
        widest.map_or(EventTime::MAX, |widest| at.saturating_add(widest))
    }

    fn lingers(&self) -> i64 {
        self.view.lingers()
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
            self.slots.push(self.view.empty());
        }
        handle
    }

    fn apply(&mut self, handle: u32, event: &Self::Event, diff: Diff) {
        if event.at < self.cut() {
            return;
        }
        let (settled, holds_all) = (self.settled, self.holds_all);
        self.change(handle, |view, slot| {
            if !holds_all {
                view.let_go(slot, settled);
            }
            view.change(slot, event.at, &event.row, diff);
        });
    }

    fn read(&mut self, handle: u32, at: EventTime) -> Self::Windows {
        self.view.read(&mut self.slots[handle as usize], at)
    }

    fn read_all(&mut self, handle: u32, ends: &[EventTime], into: &mut Vec<Self::Windows>) {
        into.extend(ends.iter().map(|at| self.read(handle, *at)));
    }

    fn no_windows(&self, at: EventTime) -> Self::Windows {
        self.view.read(&mut self.view.empty(), at)
    }

    /// An event that was taken back before it came is waited for like any other.
    fn newest(&self, handle: u32) -> Option<EventTime> {
        let newest = V::events(&self.slots[handle as usize]).last_key_value()?;
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

    fn rests(&mut self, handle: u32) -> bool {
        let settled = self.settled;
        if !self.holds_all {
            self.change(handle, |view, slot| view.trim(slot, settled));
        }
        self.view.widest().is_none() && !V::is_empty(&self.slots[handle as usize])
    }

    fn forget(&mut self, handle: u32) {
        self.change(handle, |view, slot| *slot = view.empty());
        self.index.remove(handle);
    }

    fn saved(&self, group: KeyGroup) -> Vec<impl Serialize> {
        let ours = self.index.iter().filter(|(_, key)| group.holds(key.tag()));
        let saved = |(handle, key)| {
            let slot = &self.slots[handle as usize];
            (key, V::base(slot), V::events(slot))
        };
        ours.map(saved).collect::<Vec<_>>()
    }

    fn restore(&mut self, (key, base, events): Self::Saved) -> u32 {
        let handle = self.resolve(&key);
        let restored = self.view.restore(base, events);
        self.change(handle, |_, slot| *slot = restored);
        handle
    }

    fn expect_late(&mut self) {
        self.holds_all = !V::TAKES_LATE;
    }

    fn size(&self) -> StateSize {
        StateSize {
            keys: self.index.len(),
            events: self.moments,
            bytes: self.index.bytes()
                + self.slots.capacity() * size_of::<V::Slot>()
                + self.moments * (size_of::<(EventTime, D, Diff)>() + 64),
        }
    }

    fn prefetch_ahead<T>(&self, _: &[T], _: usize, _: impl Fn(&T) -> u32) {}

    fn prefetch_forgotten(&self, _: &[u32], _: usize) {}
}
