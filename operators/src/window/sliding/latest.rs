//! Rolling aggregates, one row per key.

use thalweg_engine::key::Key;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, KeyedState, StateError, StateSize};
use thalweg_engine::state::KeyIndex;
use thalweg_engine::time::{EventTime, WATERMARK_END, WATERMARK_NONE};
use thalweg_engine::update::{Data, Diff, Updates};

use crate::aggregate::Aggregate;
use crate::codec;
use crate::window::events::Events;
use crate::window::placed::Placed;
use crate::window::rolling::Expiry;
use crate::window::rolling::timers::Timers;
use crate::window::rolling::widths::Widths;
use crate::window::sliding::SlidingRow;
use crate::window::sliding::windows::Windows;

/// One key.
struct Slot<D: Ord, A: Aggregate<D>, const W: usize> {
    windows: Windows<D, A, W>,
    touched: bool,
    /// When the key's timer is due; the end of time while none stands.
    due: EventTime,
}

/// The keyed state of rolling aggregates in mode `latest`.
pub(super) struct Latest<K: Key, D: Ord, A: Aggregate<D>, const W: usize> {
    aggregate: A,
    widths: Widths<W>,
    expiry: Expiry,
    index: KeyIndex<K>,
    slots: Vec<Slot<D, A, W>>,
    /// Moments held, over all keys.
    moments: usize,
    timers: Timers,
    as_of: EventTime,
    settled: EventTime,
    touched: Vec<(u32, Option<SlidingRow<K, A::Output, W>>)>,
}

impl<K: Key, D: Data + Ord, A: Aggregate<D>, const W: usize> Latest<K, D, A, W> {
    pub(super) fn new(aggregate: A, widths: Widths<W>, expiry: Expiry) -> Self {
        Self {
            aggregate,
            widths,
            expiry,
            index: KeyIndex::new(),
            slots: Vec::new(),
            moments: 0,
            timers: Timers::new(),
            as_of: WATERMARK_NONE,
            settled: WATERMARK_NONE,
            touched: Vec::new(),
        }
    }

    fn resolve(&mut self, key: &K) -> u32 {
        let (handle, new) = self.index.resolve(key);
        if new {
            let slot = Slot {
                windows: Windows::new(),
                touched: false,
                due: EventTime::MAX,
            };
            if handle as usize == self.slots.len() {
                self.slots.push(slot);
            } else {
                self.slots[handle as usize] = slot;
            }
        }
        handle
    }

    fn row(&mut self, handle: u32, as_of: EventTime) -> Option<SlidingRow<K, A::Output, W>> {
        let windows = &mut self.slots[handle as usize].windows;
        let newest = windows.newest(EventTime::MAX);
        let end = newest.map_or(as_of, |at| at.max(as_of));
        windows.slide(&self.aggregate, end, &self.widths);
        let at = newest?;
        if at < end.saturating_sub(self.widths.widest()) {
            return None;
        }
        let key = self.index.key(handle)?.clone();
        Some(SlidingRow {
            key,
            at,
            windows: windows.read(&self.aggregate),
        })
    }

    fn touch(&mut self, handle: u32) {
        if !self.slots[handle as usize].touched {
            self.slots[handle as usize].touched = true;
            let old = self.row(handle, self.as_of);
            self.touched.push((handle, old));
        }
    }

    fn apply(&mut self, handle: u32, at: EventTime, row: &D, diff: Diff) {
        let windows = &mut self.slots[handle as usize].windows;
        self.moments -= windows.events.len();
        windows.change(&self.aggregate, at, row, diff);
        self.moments += windows.events.len();
    }

    fn rest(&mut self, handle: u32, has_row: bool) {
        let slot = &mut self.slots[handle as usize];
        slot.touched = false;
        self.moments -= slot.windows.events.len();
        if self.settled != WATERMARK_NONE {
            let newest = slot.windows.newest(self.settled);
            let safe = newest.map_or(EventTime::MIN, |at| at.saturating_sub(self.widths.widest()));
            slot.windows.evict(safe);
        }
        if !has_row {
            slot.windows
                .evict(self.as_of.saturating_sub(self.widths.widest()));
        }
        self.moments += slot.windows.events.len();
        if !has_row {
            if slot.windows.events.is_empty() {
                self.index.remove(handle);
            }
        } else if self.expiry == Expiry::AtWatermark && self.as_of != WATERMARK_NONE {
            let after = slot
                .windows
                .next_expiry(&self.widths)
                .filter(|after| *after < slot.due);
            if let Some(after) = after {
                slot.due = after;
                self.timers.set(handle, after);
            }
        }
    }

    /// Touches the keys whose rows may change as time passes to `as_of`: at the first watermark all of them, since no
    /// timer was set before it.
    fn touch_due(&mut self, as_of: EventTime) {
        let mut due = Vec::new();
        if self.as_of == WATERMARK_NONE {
            due.extend(self.index.iter().map(|(handle, _)| handle));
        } else {
            self.timers.take_due(as_of, &mut due);
            due.retain(|handle| self.slots[*handle as usize].due < as_of);
        }
        for handle in due {
            self.slots[handle as usize].due = EventTime::MAX;
            self.touch(handle);
        }
    }
}

impl<K: Key, D: Data + Ord, A: Aggregate<D>, const W: usize> KeyedState for Latest<K, D, A, W> {
    type In = Placed<K, D>;
    type Out = SlidingRow<K, A::Output, W>;
    const FORMAT: u32 = 1;

    fn epoch(
        &mut self,
        time: &EpochTime,
        rows: Updates<Self::In>,
        out: &mut Emitter<'_, Self::Out>,
    ) {
        for (placed, _, diff) in rows {
            let handle = self.resolve(&placed.key);
            self.touch(handle);
            self.apply(handle, placed.at, &placed.row, diff);
        }
        let ended = time.watermark == WATERMARK_END;
        let as_of = match self.expiry {
            Expiry::AtWatermark => time.as_of,
            Expiry::AtNextEvent => self.as_of,
        };
        if as_of > self.as_of {
            self.touch_due(as_of);
        }
        self.as_of = as_of;
        for (handle, old) in std::mem::take(&mut self.touched) {
            let new = self.row(handle, as_of);
            let has_row = new.is_some();
            out.replace(old, new);
            self.rest(handle, has_row);
        }
        if !ended {
            self.settled = time.watermark.saturating_sub(1);
        }
    }

    fn save(&self, group: KeyGroup, into: &mut Vec<u8>) -> Result<(), StateError> {
        let ours = self.index.iter().filter(|(_, key)| group.holds(key.tag()));
        let keys: Vec<_> = ours
            .map(|(handle, key)| (key, &self.slots[handle as usize].windows.events))
            .collect();
        codec::encode(&(self.as_of, self.settled, keys), into)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        let (as_of, settled, keys): (EventTime, EventTime, Vec<(K, Events<D>)>) =
            codec::decode(bytes)?;
        self.as_of = self.as_of.max(as_of);
        self.settled = self.settled.max(settled);
        for (key, events) in keys {
            let handle = self.resolve(&key);
            for (at, moment) in &events {
                moment
                    .iter()
                    .for_each(|(row, diff)| self.apply(handle, *at, row, *diff));
            }
            let has_row = self.row(handle, self.as_of).is_some();
            self.rest(handle, has_row);
        }
        Ok(())
    }

    fn size(&self) -> StateSize {
        let events = self.moments;
        let bytes = self.index.bytes()
            + self.slots.capacity() * size_of::<Slot<D, A, W>>()
            + events * (size_of::<D>() + 64);
        StateSize {
            keys: self.index.len(),
            events,
            bytes,
        }
    }
}
