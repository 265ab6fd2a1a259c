//! Rolling aggregates, one row per event once the watermark has passed it.

use serde::{Deserialize, Serialize};
use thalweg_engine::key::Key;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, KeyedState, StateError, StateSize};
use thalweg_engine::state::KeyIndex;
use thalweg_engine::time::EventTime;
use thalweg_engine::update::{Data, Diff, Updates};

use crate::aggregate::Aggregate;
use crate::codec;
use crate::window::rolling::calendar::{Calendar, Waiting};
use crate::window::rolling::timers::Timers;
use crate::window::rolling::widths::Widths;
use crate::window::sliding::windows::Windows;
use crate::window::sliding::{Placed, SlidingRow};

/// An event that waits, with its sign.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(bound(
    serialize = "D: Serialize",
    deserialize = "D: serde::de::DeserializeOwned"
))]
struct Pending<K: Key, D> {
    placed: Placed<K, D>,
    diff: Diff,
}

impl<K: Key, D: Ord> Waiting for Pending<K, D> {
    fn at(&self) -> EventTime {
        self.placed.at
    }
}

/// The keyed state of rolling aggregates in mode `final`.
pub(super) struct Finals<K: Key, D: Ord, A: Aggregate<D>, const W: usize> {
    aggregate: A,
    widths: Widths<W>,
    index: KeyIndex<K>,
    slots: Vec<Windows<D, A, W>>,
    /// Moments held, over all keys.
    moments: usize,
    /// For each key, when its events have left every window that can still be asked for.
    silences: Timers,
    calendar: Calendar<Pending<K, D>>,
    released: Vec<Pending<K, D>>,
}

impl<K: Key, D: Data + Ord, A: Aggregate<D>, const W: usize> Finals<K, D, A, W> {
    pub(super) fn new(aggregate: A, widths: Widths<W>) -> Self {
        Self {
            aggregate,
            widths,
            index: KeyIndex::new(),
            slots: Vec::new(),
            moments: 0,
            silences: Timers::new(),
            calendar: Calendar::new(),
            released: Vec::new(),
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

    /// Applies the events of one key at one moment, then emits a row for each that is left.
    fn settle(
        &mut self,
        moment: &[Pending<K, D>],
        out: &mut Emitter<'_, (D, SlidingRow<K, A::Output, W>)>,
    ) {
        let (key, at) = (&moment[0].placed.key, moment[0].placed.at);
        let handle = self.resolve(key, at);
        let windows = &mut self.slots[handle];
        self.moments -= windows.events.len();
        let copies = || moment.chunk_by(|a, b| a.placed.row == b.placed.row);
        let count = |copies: &[Pending<K, D>]| copies.iter().map(|copy| copy.diff).sum::<Diff>();
        windows.slide(&self.aggregate, at, &self.widths);
        windows.evict(at.saturating_sub(self.widths.widest()));
        // A retraction of what has not come by now is of nothing: its event would be late.
        for copies in copies().filter(|copies| count(copies) > 0) {
            windows.change(&self.aggregate, at, &copies[0].placed.row, count(copies));
        }
        self.moments += windows.events.len();
        for copies in copies() {
            let count = count(copies);
            if count > 0 {
                let row = SlidingRow {
                    key: key.clone(),
                    at,
                    windows: windows.read(&self.aggregate),
                };
                out.emit((copies[0].placed.row.clone(), row), count);
            }
        }
    }
}

impl<K: Key, D: Data + Ord, A: Aggregate<D>, const W: usize> KeyedState for Finals<K, D, A, W> {
    type In = Placed<K, D>;
    type Out = (D, SlidingRow<K, A::Output, W>);
    const FORMAT: u32 = 1;

    fn epoch(
        &mut self,
        time: &EpochTime,
        rows: Updates<Self::In>,
        out: &mut Emitter<'_, Self::Out>,
    ) {
        rows.into_iter()
            .for_each(|(placed, _, diff)| self.calendar.push(Pending { placed, diff }));
        if !time.has_risen() {
            return;
        }
        let mut released = std::mem::take(&mut self.released);
        self.calendar.release(time.watermark, &mut released);
        released.sort_unstable();
        let same_moment = |a: &Pending<K, D>, b: &Pending<K, D>| {
            a.placed.at == b.placed.at && a.placed.key == b.placed.key
        };
        for moment in released.chunk_by(same_moment) {
            self.settle(moment, out);
        }
        released.clear();
        self.released = released;
        self.forget_silent(time.as_of);
    }

    fn save(&self, group: KeyGroup, into: &mut Vec<u8>) -> Result<(), StateError> {
        let waiting: Vec<_> = self
            .calendar
            .iter()
            .filter(|row| group.holds(row.placed.key.tag()))
            .collect();
        let ours = self.index.iter().filter(|(_, key)| group.holds(key.tag()));
        let keys: Vec<_> = ours
            .map(|(handle, key)| (key, &self.slots[handle as usize].events))
            .collect();
        codec::encode(&(keys, waiting), into)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        type Events<D> = std::collections::BTreeMap<EventTime, std::collections::BTreeMap<D, Diff>>;
        let (keys, waiting): (Vec<(K, Events<D>)>, Vec<Pending<K, D>>) = codec::decode(bytes)?;
        for (key, events) in keys {
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
        waiting.into_iter().for_each(|row| self.calendar.push(row));
        Ok(())
    }

    fn size(&self) -> StateSize {
        let events = self.moments + self.calendar.len();
        StateSize {
            keys: self.index.len(),
            events,
            bytes: self.index.bytes() + events * (size_of::<Pending<K, D>>() + 64),
        }
    }
}
