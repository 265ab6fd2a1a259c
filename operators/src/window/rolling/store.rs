//! The events of all keys of one worker: an index to handles, a slab of lines, a slab of busy keys with
//! their rings in blocks.
//!
//! ```text
//! key ─ index ─▶ handle ─▶ Lines (7 events by time, 64 B or twice) ─ when full ─▶ Busy (ring, sums, stacks)
//!                                                        ─ where one does not fit its form ─▶ the same, wide
//! ```
//!
//! A retraction that comes before its event is a debt: it waits, and the event pays it when it comes, or time forgives it.

mod busies;
mod read;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use thalweg_engine::key::Key;
use thalweg_engine::keyed::{KeyGroup, StateSize};
use thalweg_engine::state::{KeyIndex, Slab};
use thalweg_engine::time::{EventTime, WATERMARK_NONE};
use thalweg_engine::update::Updates;

use crate::array::Array;
use crate::value::{Lane, Moments};
use crate::window::rolling::debts::Debts;
use crate::window::rolling::event::{Event, Windows};
use crate::window::rolling::form::Form;
use crate::window::rolling::lines::{Lines, UNARMED};
use crate::window::rolling::widths::Widths;
use busies::Busies;

/// How far ahead of its use memory is asked for, in rows.
pub(in crate::window) const AHEAD: usize = 4;

/// A key's events and debts as they are saved.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub struct SavedKey<K: Key, const N: usize> {
    pub(super) key: K,
    pub(super) events: Vec<(EventTime, Array<i64, N>)>,
    pub(super) debts: Vec<(EventTime, Array<i64, N>, u32)>,
}

/// All keys' events.
pub struct Store<K: Key, L: Lane, const N: usize, const W: usize, F: Form> {
    pub(super) widths: Widths<W>,
    pub(super) index: KeyIndex<K>,
    pub(super) lines: Lines<L, N, F>,
    busy: Busies<L, N, W, F>,
    /// When the keys' timers are due, in a form whose lines have no room for it.
    dues: Slab<EventTime>,
    debts: Debts<N>,
    /// No row can need an event that is older than the newest event up to here by the widest window.
    pub(super) settled: EventTime,
    events: usize,
}

impl<K: Key, L: Lane, const N: usize, const W: usize, F: Form> Store<K, L, N, W, F> {
    pub(in crate::window) fn new(widths: Widths<W>) -> Self {
        Self {
            widths,
            index: KeyIndex::packed(),
            lines: Lines::new(),
            busy: Busies::new(),
            dues: Slab::new(),
            debts: Debts::new(),
            settled: WATERMARK_NONE,
            events: 0,
        }
    }

    /// The windows of a key without events.
    pub(super) fn no_windows() -> Windows<L, N, W> {
        let none = if F::KEEPS_EXTREMES {
            Moments::EMPTY
        } else {
            Moments::EMPTY.without_extremes(std::iter::empty())
        };
        Array([Array([none; N]); W])
    }

    /// The handle of a key, made at its first call.
    #[inline(always)]
    pub(super) fn resolve(&mut self, key: &K) -> u32 {
        let (handle, new) = self.index.resolve(key);
        // A handle that is used again was left empty.
        if new && handle as usize == self.lines.handles() {
            self.lines.add();
        }
        handle
    }

    /// Appends the handles of the events' keys.
    pub(super) fn resolve_all<P>(
        &mut self,
        events: &Updates<Event<K, N, P>>,
        handles: &mut Vec<u32>,
    ) {
        for events in events.containers() {
            for (i, (event, ..)) in events.iter().enumerate() {
                if let Some((ahead, ..)) = events.get(i + 4 * AHEAD) {
                    self.index.prefetch(ahead.key.tag());
                }
                handles.push(self.resolve(&event.key));
            }
        }
    }

    /// When a key's timer is due; [`UNARMED`] while none stands.
    #[inline(always)]
    pub(super) fn due(&self, handle: u32) -> EventTime {
        self.lines.due(handle).unwrap_or_else(|| {
            let is_there = (handle as usize) < self.dues.len();
            if is_there {
                self.dues[handle as usize]
            } else {
                UNARMED
            }
        })
    }

    #[inline(always)]
    pub(super) fn set_due(&mut self, handle: u32, at: EventTime) {
        if !self.lines.set_due(handle, at) {
            while self.dues.len() <= handle as usize && at != UNARMED {
                self.dues.push(UNARMED);
            }
            if (handle as usize) < self.dues.len() {
                self.dues[handle as usize] = at;
            }
        }
    }

    /// Adds or retracts `diff` copies of an event.
    #[inline(always)]
    pub(super) fn apply(&mut self, handle: u32, at: EventTime, lanes: &Array<i64, N>, diff: i64) {
        if diff == 1 && self.debts.is_empty() {
            self.insert(handle, at, lanes);
        } else {
            self.apply_slowly(handle, at, lanes, diff);
        }
    }

    #[inline(never)]
    fn apply_slowly(&mut self, handle: u32, at: EventTime, lanes: &Array<i64, N>, diff: i64) {
        for _ in 0..diff {
            if !self.debts.pay(handle, at, lanes) {
                self.insert(handle, at, lanes);
            }
        }
        for _ in diff..0 {
            let removed = match self.lines.busy(handle) {
                Some(busy) => self.busy.remove(busy, at, lanes),
                None => self.lines.remove(handle, at, lanes),
            };
            if removed {
                self.events -= 1;
            } else {
                self.debts.owe(handle, at, lanes, 1);
            }
        }
    }

    #[inline(always)]
    fn insert(&mut self, handle: u32, at: EventTime, lanes: &Array<i64, N>) {
        self.events += 1;
        let fits = match self.lines.busy(handle) {
            None => self.lines.push(handle, at, lanes),
            Some(busy) => {
                let event = (at, lanes);
                let (fits, gone) = self.busy.insert(busy, event, self.settled, &self.widths);
                self.events -= gone;
                fits
            }
        };
        if !fits {
            self.make_room(handle, at, lanes);
        }
    }

    /// The key's place cannot take the event: drops what has expired, and moves the key where that does not help.
    #[inline(never)]
    fn make_room(&mut self, handle: u32, at: EventTime, lanes: &Array<i64, N>) {
        if let Some(newest) = self.newest_until(handle, self.settled) {
            self.drop_before(handle, newest.saturating_sub(self.widths.widest()));
        }
        let busy = self.lines.busy(handle);
        if busy.is_none() && self.lines.push(handle, at, lanes) {
            return;
        }
        let mut events = self.events_of(handle);
        events.insert(events.partition_point(|event| event.0 <= at), (at, *lanes));
        if let Some(busy) = busy {
            self.busy.forget(busy);
        }
        // From another anchor, the events may fit yet.
        if !self.lines.take(handle, &events) {
            let busy = self.busy.make(&events);
            self.lines.set_busy(handle, busy);
        }
    }

    /// A key's events, by time.
    fn events_of(&self, handle: u32) -> Vec<(EventTime, Array<i64, N>)> {
        match self.lines.busy(handle) {
            Some(busy) => self.busy.events(busy),
            None => self.lines.held(handle).events().collect(),
        }
    }

    /// Drops a key's events before `cut`.
    fn drop_before(&mut self, handle: u32, cut: EventTime) {
        self.events -= match self.lines.busy(handle) {
            Some(busy) => self.busy.evict(busy, cut),
            None => self.lines.prune(handle, cut),
        };
    }

    /// The key's windows, which end at its newest event or at `as_of` if that is later. Returns the newest event time;
    /// `None`, with `windows` untouched, when the key has no event in any window.
    #[inline(always)]
    pub(super) fn fill(
        &mut self,
        handle: u32,
        as_of: EventTime,
        windows: &mut Windows<L, N, W>,
    ) -> Option<EventTime> {
        if let Some(busy) = self.lines.busy(handle) {
            let newest = self.busy.newest(busy, EventTime::MAX)?;
            let end = newest.max(as_of);
            if newest < end.saturating_sub(self.widths.widest()) {
                return None;
            }
            self.busy.fill(busy, end, &self.widths, windows);
            return Some(newest);
        }
        let held = self.lines.held(handle);
        let newest = held.newest(EventTime::MAX)?;
        let end = newest.max(as_of);
        if newest < end.saturating_sub(self.widths.widest()) {
            return None;
        }
        held.fill(end, &self.widths, windows);
        Some(newest)
    }

    /// The newest event time of the key's row, where it has one as of `as_of`.
    #[inline(always)]
    pub(super) fn row_at(&self, handle: u32, as_of: EventTime) -> Option<EventTime> {
        let newest = self.newest(handle)?;
        let start = newest.max(as_of).saturating_sub(self.widths.widest());
        (newest >= start).then_some(newest)
    }

    /// The key's newest event time.
    #[inline(always)]
    pub(super) fn newest(&self, handle: u32) -> Option<EventTime> {
        self.newest_until(handle, EventTime::MAX)
    }

    /// The key's newest event time up to `limit`.
    #[inline(always)]
    fn newest_until(&self, handle: u32, limit: EventTime) -> Option<EventTime> {
        match self.lines.busy(handle) {
            Some(busy) => self.busy.newest(busy, limit),
            None => self.lines.held(handle).newest(limit),
        }
    }

    /// The moment after which the row changes with no new event, as the row stands after [`Store::fill`].
    pub(super) fn next_expiry(&self, handle: u32, as_of: EventTime) -> Option<EventTime> {
        if let Some(busy) = self.lines.busy(handle) {
            return self.busy.next_expiry(busy, &self.widths);
        }
        let held = self.lines.held(handle);
        held.next_expiry(held.newest(EventTime::MAX)?.max(as_of), &self.widths)
    }

    /// Drops the events that have left every window as of `as_of`.
    pub(super) fn prune(&mut self, handle: u32, as_of: EventTime) {
        self.drop_before(handle, as_of.saturating_sub(self.widths.widest()));
    }

    /// Forgets a key that holds neither events nor debts.
    pub(super) fn forget_if_empty(&mut self, handle: u32) {
        let busy = self.lines.busy(handle);
        let events = busy.map_or(self.lines.len(handle), |busy| self.busy.len(busy));
        if events > 0 || self.debts.has(handle) {
            return;
        }
        if let Some(busy) = busy {
            self.busy.forget(busy);
        }
        self.lines.clear(handle);
        self.set_due(handle, UNARMED);
        self.index.remove(handle);
    }

    /// Forgives the debts that only a late event could pay, and forgets the keys that held nothing else.
    pub(super) fn forgive_debts(&mut self, watermark: EventTime) {
        if !self.debts.is_empty() {
            for handle in self.debts.forgive(watermark) {
                self.forget_if_empty(handle);
            }
        }
    }

    /// Asks for the memory of the keys a few places ahead in a list: lines first, then what hangs on them.
    #[inline(always)]
    pub(super) fn prefetch_ahead<T>(&self, list: &[T], i: usize, handle: impl Fn(&T) -> u32) {
        if let Some(far) = list.get(i + 3 * AHEAD) {
            self.lines.prefetch(handle(far));
            self.prefetch_rest(handle(&list[i + 2 * AHEAD]));
            self.prefetch_ring(handle(&list[i + AHEAD]));
        }
    }

    /// Asks for the key of a handle a few places ahead in a list.
    #[inline(always)]
    pub(super) fn prefetch_key_ahead<T>(&self, list: &[T], i: usize, handle: impl Fn(&T) -> u32) {
        if let Some(far) = list.get(i + 3 * AHEAD) {
            self.index.prefetch_key(handle(far));
        }
    }

    /// The same as [`Store::prefetch_ahead`] for keys that are about to be forgotten: lines, keys and slots.
    #[inline(always)]
    pub(super) fn prefetch_forgotten(&self, list: &[u32], i: usize) {
        if let Some(far) = list.get(i + 3 * AHEAD) {
            self.lines.prefetch(*far);
            self.index.prefetch_key(*far);
            self.lines.prefetch_rest(list[i + 2 * AHEAD]);
            if let Some(key) = self.index.key(list[i + AHEAD]) {
                self.index.prefetch(key.tag());
            }
        }
    }

    /// Asks for the rest of a line, or for the busy state, of a handle whose line has begun to come.
    #[inline(always)]
    fn prefetch_rest(&self, handle: u32) {
        match self.lines.busy(handle) {
            Some(busy) => self.busy.prefetch(busy),
            None => self.lines.prefetch_rest(handle),
        }
    }

    /// Asks for the first events of the windows and the ends of the stacks of a handle, whose busy state is there already.
    #[inline(always)]
    fn prefetch_ring(&self, handle: u32) {
        if let Some(busy) = self.lines.busy(handle) {
            self.busy.prefetch_ends(busy);
        }
    }

    pub(super) fn size(&self) -> StateSize {
        StateSize {
            keys: self.index.len(),
            events: self.events,
            bytes: self.index.bytes() + self.lines.bytes() + self.dues.bytes() + self.busy.bytes(),
        }
    }

    /// The keys of a group with their events and debts.
    pub(super) fn saved(&self, group: KeyGroup) -> Vec<SavedKey<K, N>> {
        let ours = self.index.iter().filter(|(_, key)| group.holds(key.tag()));
        ours.map(|(handle, key)| SavedKey {
            key: key.clone(),
            events: self.events_of(handle),
            debts: self.debts.of(handle),
        })
        .collect()
    }

    /// Takes a saved key over, and returns its handle.
    pub(super) fn restore(&mut self, saved: SavedKey<K, N>) -> u32 {
        let handle = self.resolve(&saved.key);
        for (at, lanes) in &saved.events {
            self.insert(handle, *at, lanes);
        }
        for (at, lanes, owed) in saved.debts {
            self.debts.owe(handle, at, &lanes, owed);
        }
        handle
    }
}
