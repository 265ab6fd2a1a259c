//! The rows of all keys, and which of them the watermark lets go.
//!
//! ```text
//! a key's rows   oldest ──x──x──[ newest n that the watermark has passed ]── not passed ── newest
//!                         dropped: as many come after it, and no one can take them back
//! ```

use std::collections::VecDeque;

use serde::Serialize;
use serde::de::DeserializeOwned;
use thalweg_engine::key::Key;
use thalweg_engine::keyed::{KeyGroup, StateSize};
use thalweg_engine::state::KeyIndex;
use thalweg_engine::time::{EventTime, WATERMARK_NONE};
use thalweg_engine::update::{Data, Diff};

use crate::aggregate::Aggregate;
use crate::window::last_rows::rows::{Last, Rows};
use crate::window::owed::Owed;
use crate::window::rolling::timers::Timers;

/// One key.
pub(super) struct Slot<D, S> {
    pub(super) rows: Rows<D, S>,
    /// Whether the epoch has touched it.
    pub(super) is_touched: bool,
    /// When the timer of the key's first row that may be dropped is due; the end of time while none stands.
    due: EventTime,
}

impl<D: Data + Ord, S: Default + PartialEq> Slot<D, S> {
    fn new() -> Self {
        Self {
            rows: Rows::new(),
            is_touched: false,
            due: EventTime::MAX,
        }
    }
}

/// A key as it is saved: its rows, and what it owes.
type SavedKey<D, K> = (K, VecDeque<(EventTime, D)>, Vec<(EventTime, D, Diff)>);

/// Keys as they are saved, with the watermark.
pub(super) type Saved<D, K> = (EventTime, Vec<SavedKey<D, K>>);

/// All keys.
pub(super) struct Keys<D, K: Key, A: Aggregate<D>> {
    pub(super) last: Last<A>,
    pub(super) index: KeyIndex<K>,
    pub(super) slots: Vec<Slot<D, A::State>>,
    /// Retractions that came before their rows.
    pub(super) owed: Owed<D>,
    timers: Timers,
    watermark: EventTime,
    /// Rows held, over all keys.
    held: usize,
}

impl<D: Data + Ord, K: Key, A: Aggregate<D>> Keys<D, K, A> {
    pub(super) fn new(rows: usize, aggregate: A) -> Self {
        Self {
            last: Last { rows, aggregate },
            index: KeyIndex::new(),
            slots: Vec::new(),
            owed: Owed::new(),
            timers: Timers::new(),
            watermark: WATERMARK_NONE,
            held: 0,
        }
    }

    pub(super) fn resolve(&mut self, key: &K) -> u32 {
        let (handle, new) = self.index.resolve(key);
        if new && handle as usize == self.slots.len() {
            self.slots.push(Slot::new());
        }
        handle
    }

    pub(super) fn rows(&self, handle: u32) -> &Rows<D, A::State> {
        &self.slots[handle as usize].rows
    }

    /// Changes a key's rows.
    #[inline]
    pub(super) fn change<T>(
        &mut self,
        handle: u32,
        change: impl FnOnce(&Last<A>, &mut Rows<D, A::State>) -> T,
    ) -> T {
        let rows = &mut self.slots[handle as usize].rows;
        self.held -= rows.len();
        let result = change(&self.last, rows);
        self.held += rows.len();
        result
    }

    /// Drops all but the last rows of a key whose rows the watermark has passed.
    pub(super) fn trim(&mut self, handle: u32) {
        self.change(handle, |last, rows| {
            let outside = rows.len().saturating_sub(last.rows);
            rows.rows.drain(..outside);
        });
    }

    /// Drops what can never be among a key's last rows again: rows before as many that no one can take back any more.
    pub(super) fn rest(&mut self, handle: u32) {
        let watermark = self.watermark;
        self.slots[handle as usize].is_touched = false;
        self.change(handle, |last, rows| {
            while rows
                .rows
                .get(last.rows)
                .is_some_and(|row| row.0 < watermark)
            {
                rows.rows.pop_front();
            }
        });
        let slot = &mut self.slots[handle as usize];
        if slot.rows.rows.is_empty() && !self.owed.has(handle) {
            slot.rows.state = A::State::default();
            self.index.remove(handle);
        } else if let Some((after, _)) = slot.rows.rows.get(self.last.rows)
            && self.watermark != WATERMARK_NONE
            && *after < slot.due
        {
            slot.due = *after;
            self.timers.set(handle, *after);
        }
    }

    /// Lets time pass, where it does.
    pub(super) fn pass_time(&mut self, watermark: EventTime) {
        if watermark <= self.watermark {
            return;
        }
        let mut due = Vec::new();
        if self.watermark == WATERMARK_NONE {
            due.extend(self.index.iter().map(|(handle, _)| handle));
        } else {
            self.timers.take_due(watermark, &mut due);
            due.retain(|handle| self.slots[*handle as usize].due < watermark);
        }
        self.watermark = watermark;
        due.extend(self.owed.forgive(watermark));
        due.sort_unstable();
        due.dedup();
        for handle in due {
            self.slots[handle as usize].due = EventTime::MAX;
            self.rest(handle);
        }
    }

    pub(super) fn saved(&self, group: KeyGroup) -> impl Serialize {
        let ours = self.index.iter().filter(|(_, key)| group.holds(key.tag()));
        let keys: Vec<_> = ours
            .map(|(handle, key)| (key, &self.rows(handle).rows, self.owed.of(handle)))
            .collect();
        (self.watermark, keys)
    }

    pub(super) fn restore(&mut self, (watermark, keys): Saved<D, K>)
    where
        K: DeserializeOwned,
    {
        self.watermark = self.watermark.max(watermark);
        for (key, rows, owed) in keys {
            let handle = self.resolve(&key);
            self.change(handle, |last, restored| {
                for (at, row) in rows {
                    restored.insert(last, at, row);
                }
            });
            for (at, row, copies) in owed {
                self.owed.owe(handle, at, row, copies);
            }
            self.rest(handle);
        }
    }

    pub(super) fn size(&self) -> StateSize {
        let bytes = self.index.bytes()
            + self.slots.capacity() * size_of::<Slot<D, A::State>>()
            + self.held * size_of::<(EventTime, D)>();
        StateSize {
            keys: self.index.len(),
            events: self.held,
            bytes,
        }
    }
}
