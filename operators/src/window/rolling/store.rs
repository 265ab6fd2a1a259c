//! The events of all keys of one worker: an index to handles, a slab of lines, a slab of busy keys.
//!
//! ```text
//! key ─ index ─▶ handle ─▶ Line (7 events by time, 128 B) ─ when full ─▶ Busy (ring, sums, stacks)
//! ```
//!
//! A retraction that comes before its event is a debt: it waits, and the event pays it when it comes, or time forgives it.

mod read;

use serde::{Deserialize, Serialize};
use thalweg_engine::key::Key;
use thalweg_engine::keyed::{KeyGroup, StateSize};
use thalweg_engine::state::{KeyIndex, Slab};
use thalweg_engine::time::{EventTime, WATERMARK_NONE};

use crate::array::Array;
use crate::value::Lane;
use crate::window::rolling::busy::Busy;
use crate::window::rolling::debts::Debts;
use crate::window::rolling::event::Windows;
use crate::window::rolling::line::{FIRST_BYTES, INLINE, Line};
use crate::window::rolling::widths::Widths;

/// How far ahead of its use memory is asked for, in rows.
pub(super) const AHEAD: usize = 4;

/// A key's events and debts as they are saved.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub(super) struct SavedKey<K: Key, const N: usize> {
    pub(super) key: K,
    pub(super) events: Vec<(EventTime, Array<i64, N>)>,
    pub(super) debts: Vec<(EventTime, Array<i64, N>, u32)>,
}

/// All keys' events.
pub(super) struct Store<K: Key, L: Lane, const N: usize, const W: usize> {
    pub(super) widths: Widths<W>,
    pub(super) index: KeyIndex<K>,
    pub(super) lines: Slab<Line<N>>,
    busy: Slab<Busy<L, N, W>>,
    busy_free: Vec<usize>,
    debts: Debts<N>,
    /// No row can need an event that is older than the newest event up to here by the widest window.
    pub(super) settled: EventTime,
    events: usize,
    busy_bytes: usize,
}

impl<K: Key, L: Lane, const N: usize, const W: usize> Store<K, L, N, W> {
    pub(super) fn new(widths: Widths<W>) -> Self {
        Self {
            widths,
            index: KeyIndex::new(),
            lines: Slab::new(),
            busy: Slab::new(),
            busy_free: Vec::new(),
            debts: Debts::new(),
            settled: WATERMARK_NONE,
            events: 0,
            busy_bytes: 0,
        }
    }

    /// The handle of a key, made at its first call.
    #[inline(always)]
    pub(super) fn resolve(&mut self, key: &K) -> u32 {
        let (handle, new) = self.index.resolve(key);
        if new {
            if handle as usize == self.lines.len() {
                self.lines.push(Line::EMPTY);
            } else {
                self.lines[handle as usize] = Line::EMPTY;
            }
        }
        handle
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
            let line = &mut self.lines[handle as usize];
            let removed = match line.busy() {
                Some(busy) => self.busy[busy].remove(at, lanes),
                None => line.remove(at, lanes),
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
        let line = &mut self.lines[handle as usize];
        if let Some(busy) = line.busy() {
            let busy = &mut self.busy[busy];
            if busy.is_full() {
                let length = busy.len();
                if let Some(newest) = busy.newest(self.settled) {
                    busy.evict(newest.saturating_sub(self.widths.widest()));
                }
                self.events -= length - busy.len();
                busy.insert(at, lanes);
                self.busy_bytes -= busy.bytes_noted;
                busy.bytes_noted = busy.bytes();
                self.busy_bytes += busy.bytes_noted;
                return;
            }
            busy.insert(at, lanes);
        } else if !line.push(at, lanes) {
            self.make_room(handle, at, lanes);
        }
    }

    /// The line is full: drops what has expired, or moves the key to the busy tier.
    #[inline(never)]
    fn make_room(&mut self, handle: u32, at: EventTime, lanes: &Array<i64, N>) {
        let line = &mut self.lines[handle as usize];
        if let Some(newest) = line.newest(self.settled) {
            line.prune(newest.saturating_sub(self.widths.widest()));
            self.events -= INLINE - line.len();
        }
        if line.push(at, lanes) {
            return;
        }
        let mut events: Vec<_> = line.events().collect();
        events.push((at, *lanes));
        let mut busy = Busy::new(events);
        busy.bytes_noted = busy.bytes();
        self.busy_bytes += busy.bytes_noted;
        let place = match self.busy_free.pop() {
            Some(place) => {
                self.busy[place] = busy;
                place
            }
            None => {
                self.busy.push(busy);
                self.busy.len() - 1
            }
        };
        self.lines[handle as usize].set_busy(place);
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
        let line = &self.lines[handle as usize];
        if let Some(busy) = line.busy() {
            let busy = &mut self.busy[busy];
            let newest = busy.newest(EventTime::MAX)?;
            let end = newest.max(as_of);
            if newest < end.saturating_sub(self.widths.widest()) {
                return None;
            }
            busy.fill(end, &self.widths, windows);
            return Some(newest);
        }
        let newest = line.newest(EventTime::MAX)?;
        let end = newest.max(as_of);
        if newest < end.saturating_sub(self.widths.widest()) {
            return None;
        }
        line.fill(end, &self.widths, windows);
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
    pub(super) fn newest(&self, handle: u32) -> Option<EventTime> {
        let line = &self.lines[handle as usize];
        match line.busy() {
            Some(busy) => self.busy[busy].newest(EventTime::MAX),
            None => line.newest(EventTime::MAX),
        }
    }

    /// The moment after which the row changes with no new event, as the row stands after [`Store::fill`].
    pub(super) fn next_expiry(&self, handle: u32, as_of: EventTime) -> Option<EventTime> {
        let line = &self.lines[handle as usize];
        match line.busy() {
            Some(busy) => self.busy[busy].next_expiry(&self.widths),
            None => line.next_expiry(line.newest(EventTime::MAX)?.max(as_of), &self.widths),
        }
    }

    /// Drops the events that have left every window as of `as_of`.
    pub(super) fn prune(&mut self, handle: u32, as_of: EventTime) {
        let cut = as_of.saturating_sub(self.widths.widest());
        let line = &mut self.lines[handle as usize];
        if let Some(busy) = line.busy() {
            let busy = &mut self.busy[busy];
            let before = busy.len();
            busy.evict(cut);
            self.events -= before - busy.len();
        } else {
            let before = line.len();
            line.prune(cut);
            self.events -= before - line.len();
        }
    }

    /// Forgets a key that holds neither events nor debts.
    pub(super) fn forget_if_empty(&mut self, handle: u32) {
        let line = &self.lines[handle as usize];
        let events = line.busy().map_or(line.len(), |busy| self.busy[busy].len());
        if events > 0 || self.debts.has(handle) {
            return;
        }
        if let Some(place) = line.busy() {
            // Not what it holds now: its stacks grow between two notes.
            self.busy_bytes -= self.busy[place].bytes_noted;
            self.busy[place] = Busy::new(Vec::new());
            self.busy_free.push(place);
        }
        self.lines[handle as usize] = Line::EMPTY;
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
            self.lines
                .prefetch_part(handle(far) as usize, 0..FIRST_BYTES);
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
            self.lines.prefetch_part(*far as usize, 0..FIRST_BYTES);
            self.index.prefetch_key(*far);
            if let Some(key) = self.index.key(list[i + AHEAD]) {
                self.index.prefetch(key.tag());
            }
        }
    }

    /// Asks for the rest of a line, or for the busy state, of a handle whose line has begun to come.
    #[inline(always)]
    fn prefetch_rest(&self, handle: u32) {
        let line = &self.lines[handle as usize];
        if let Some(busy) = line.busy() {
            self.busy.prefetch(busy);
        } else if line.is_long() {
            let rest = FIRST_BYTES..size_of::<Line<N>>();
            self.lines.prefetch_part(handle as usize, rest);
        }
    }

    /// Asks for the ends of the ring and stacks of a handle, whose busy state is there already.
    #[inline(always)]
    fn prefetch_ring(&self, handle: u32) {
        if let Some(busy) = self.lines[handle as usize].busy() {
            self.busy[busy].prefetch();
        }
    }

    pub(super) fn size(&self) -> StateSize {
        StateSize {
            keys: self.index.len(),
            events: self.events,
            bytes: self.index.bytes() + self.lines.bytes() + self.busy.bytes() + self.busy_bytes,
        }
    }

    /// The keys of a group with their events and debts.
    pub(super) fn saved(&self, group: KeyGroup) -> Vec<SavedKey<K, N>> {
        let ours = self.index.iter().filter(|(_, key)| group.holds(key.tag()));
        ours.map(|(handle, key)| {
            let line = &self.lines[handle as usize];
            let events = match line.busy() {
                Some(busy) => self.busy[busy].events().collect(),
                None => line.events().collect(),
            };
            SavedKey {
                key: key.clone(),
                events,
                debts: self.debts.of(handle),
            }
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
