//! Rolling aggregates, one row per event once the watermark has passed it.

use serde::Serialize;
use thalweg_engine::key::Key;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, StateSize};
use thalweg_engine::state::KeyIndex;
use thalweg_engine::time::EventTime;
use thalweg_engine::update::{Data, Diff};

use crate::aggregate::Aggregate;
use crate::window::events::Events;
use crate::window::finals::Settle;
use crate::window::rolling::timers::Timers;
use crate::window::rolling::widths::Widths;
use crate::window::sliding::SlidingRow;
use crate::window::sliding::windows::Windows;

/// The keys' windows, as of the newest moment that was settled of each.
pub(super) struct Settled<K: Key, D: Ord, A: Aggregate<D>, const W: usize> {
    aggregate: A,
    widths: Widths<W>,
    index: KeyIndex<K>,
    slots: Vec<Windows<D, A, W>>,
    /// Moments held, over all keys.
    moments: usize,
    /// For each key, when its events have left every window that can still be asked for.
    silences: Timers,
}

impl<K: Key, D: Data + Ord, A: Aggregate<D>, const W: usize> Settled<K, D, A, W> {
    pub(super) fn new(aggregate: A, widths: Widths<W>) -> Self {
        Self {
            aggregate,
            widths,
            index: KeyIndex::new(),
            slots: Vec::new(),
            moments: 0,
            silences: Timers::new(),
        }
    }

    /// The handle of a key, which is looked at again when the event at `at` has left the widest window.
    fn resolve(&mut self, key: &K, at: EventTime) -> usize {
        let (handle, new) = self.index.resolve(key);
        if new {
            if handle as usize == self.slots.len() {
                self.slots.push(Windows::new());
            } else {
                self.slots[handle as usize] = Windows::new();
            }
            let after = at.saturating_add(self.widths.widest());
            self.silences.set(handle, after);
        }
        handle as usize
    }

    /// Forgets the keys that no row can need any more.
    fn forget_silent(&mut self, watermark: EventTime) {
        let mut silent = Vec::new();
        self.silences.take_due(watermark, &mut silent);
        for handle in silent {
            let windows = &mut self.slots[handle as usize];
            let newest = windows.newest(EventTime::MAX);
            let after = newest.map(|at| at.saturating_add(self.widths.widest()));
            match after.filter(|after| *after >= watermark) {
                Some(after) => self.silences.set(handle, after),
                None => {
                    self.moments -= windows.events.len();
                    *windows = Windows::new();
                    self.index.remove(handle);
                }
            }
        }
    }
}

impl<K: Key, D: Data + Ord, A: Aggregate<D>, const W: usize> Settle for Settled<K, D, A, W> {
    type Key = K;
    type Row = D;
    type Out = (D, SlidingRow<K, A::Output, W>);
    type Saved = Vec<(K, Events<D>)>;
    const FORMAT: u32 = 1;

    fn settle(
        &mut self,
        key: &K,
        at: EventTime,
        rows: &[(&D, Diff)],
        out: &mut Emitter<'_, Self::Out>,
    ) {
        let handle = self.resolve(key, at);
        let windows = &mut self.slots[handle];
        self.moments -= windows.events.len();
        let newest = windows.newest(EventTime::MAX).unwrap_or(at).max(at);
        let is_behind = newest > at;
        if !is_behind {
            windows.slide(&self.aggregate, at, &self.widths);
        }
        windows.evict(newest.saturating_sub(self.widths.widest()));
        for (row, copies) in rows {
            windows.change(&self.aggregate, at, row, *copies);
        }
        self.moments += windows.events.len();
        let read = if is_behind {
            windows.read_back(&self.aggregate, at, &self.widths)
        } else {
            windows.read(&self.aggregate)
        };
        for (row, copies) in rows {
            let windows = SlidingRow {
                key: key.clone(),
                at,
                windows: read.clone(),
            };
            out.emit(((*row).clone(), windows), *copies);
        }
    }

    fn let_go(&mut self, time: &EpochTime) {
        if time.has_risen() {
            self.forget_silent(time.as_of);
        }
    }

    fn saved(&self, group: KeyGroup) -> impl Serialize {
        let ours = self.index.iter().filter(|(_, key)| group.holds(key.tag()));
        ours.map(|(handle, key)| (key, &self.slots[handle as usize].events))
            .collect::<Vec<_>>()
    }

    fn restore(&mut self, saved: Self::Saved) {
        for (key, events) in saved {
            let newest = events
                .last_key_value()
                .map_or(EventTime::MIN, |last| *last.0);
            let handle = self.resolve(&key, newest);
            for (at, moment) in &events {
                for (row, diff) in moment {
                    self.slots[handle].change(&self.aggregate, *at, row, *diff);
                }
            }
            self.moments += self.slots[handle].events.len();
        }
    }

    fn size(&self) -> StateSize {
        StateSize {
            keys: self.index.len(),
            events: self.moments,
            bytes: self.index.bytes() + self.moments * (size_of::<(EventTime, D, Diff)>() + 64),
        }
    }
}
