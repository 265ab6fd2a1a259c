//! The keyed state of last rows: each key's rows by time, and the aggregates of those at the end.
//!
//! ```text
//! rows   oldest ─────── [ the last n ] newest        one aggregate state
//!        dropped as the watermark passes
//! ```

use std::collections::VecDeque;
use std::rc::Rc;

use thalweg_engine::key::Key;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, KeyedState, StateError, StateSize};
use thalweg_engine::state::KeyIndex;
use thalweg_engine::time::{EventTime, WATERMARK_NONE};
use thalweg_engine::update::{Data, Diff, Updates};

use crate::aggregate::Aggregate;
use crate::codec;
use crate::window::last_rows::LastRow;
use crate::window::owed::Owed;
use crate::window::rolling::timers::Timers;

/// One key.
struct Slot<D, S> {
    /// In order, copies one by one.
    rows: VecDeque<(EventTime, D)>,
    /// The aggregates of the last of them.
    state: S,
    touched: bool,
    /// When the timer of the key's first row that may be dropped is due; the end of time while none stands.
    due: EventTime,
}

impl<D: Data + Ord, S: Default + PartialEq> Slot<D, S> {
    fn new() -> Self {
        Self {
            rows: VecDeque::new(),
            state: S::default(),
            touched: false,
            due: EventTime::MAX,
        }
    }

    /// The place of the first row from which on rows are at or after this one.
    #[inline]
    fn place(&self, at: EventTime, row: &D) -> usize {
        let is_newest = self
            .rows
            .back()
            .is_none_or(|last| (last.0, &last.1) < (at, row));
        if is_newest {
            self.rows.len()
        } else {
            self.rows.partition_point(|(a, r)| (*a, r) < (at, row))
        }
    }

    fn insert<A: Aggregate<D, State = S>>(
        &mut self,
        aggregate: &A,
        last: usize,
        at: EventTime,
        row: D,
    ) {
        let place = self.place(at, &row);
        let first_inside = (self.rows.len() + 1).saturating_sub(last);
        if place >= first_inside {
            aggregate.update(&mut self.state, &row, 1);
            if let Some(left) = first_inside.checked_sub(1) {
                // What stands there now is the oldest one inside: the new row comes after it.
                aggregate.update(&mut self.state, &self.rows[left].1, -1);
            }
        }
        self.rows.insert(place, (at, row));
    }

    /// Takes a copy out; whether it was there.
    fn remove<A: Aggregate<D, State = S>>(
        &mut self,
        aggregate: &A,
        last: usize,
        at: EventTime,
        row: &D,
    ) -> bool {
        let place = self.place(at, row);
        if self
            .rows
            .get(place)
            .is_none_or(|(a, r)| (*a, r) != (at, row))
        {
            return false;
        }
        let first_inside = self.rows.len().saturating_sub(last);
        if place >= first_inside {
            aggregate.update(&mut self.state, row, -1);
            if let Some(entered) = first_inside.checked_sub(1) {
                aggregate.update(&mut self.state, &self.rows[entered].1, 1);
            }
        }
        self.rows.remove(place);
        true
    }
}

/// A key that the epoch has touched, with its row before.
type Touched<K, O> = (u32, Option<LastRow<K, O>>);

/// The keyed state of last rows.
pub(super) struct State<D, K: Key, A: Aggregate<D>> {
    key: Rc<dyn Fn(&D) -> K>,
    at: Rc<dyn Fn(&D) -> EventTime>,
    last: usize,
    aggregate: A,
    index: KeyIndex<K>,
    slots: Vec<Slot<D, A::State>>,
    owed: Owed<D>,
    timers: Timers,
    watermark: EventTime,
    touched: Vec<Touched<K, A::Output>>,
    rows: usize,
}

impl<D: Data + Ord, K: Key, A: Aggregate<D>> State<D, K, A> {
    pub(super) fn new(
        key: Rc<dyn Fn(&D) -> K>,
        at: Rc<dyn Fn(&D) -> EventTime>,
        last: usize,
        aggregate: A,
    ) -> Self {
        Self {
            key,
            at,
            last,
            aggregate,
            index: KeyIndex::new(),
            slots: Vec::new(),
            owed: Owed::new(),
            timers: Timers::new(),
            watermark: WATERMARK_NONE,
            touched: Vec::new(),
            rows: 0,
        }
    }

    fn resolve(&mut self, key: &K) -> u32 {
        let (handle, new) = self.index.resolve(key);
        if new && handle as usize == self.slots.len() {
            self.slots.push(Slot::new());
        }
        handle
    }

    fn row(&self, handle: u32) -> Option<LastRow<K, A::Output>> {
        let slot = &self.slots[handle as usize];
        Some(LastRow {
            at: slot.rows.back()?.0,
            key: self.index.key(handle)?.clone(),
            value: self.aggregate.read(&slot.state),
        })
    }

    fn touch(&mut self, handle: u32) {
        if !self.slots[handle as usize].touched {
            self.slots[handle as usize].touched = true;
            let old = self.row(handle);
            self.touched.push((handle, old));
        }
    }

    fn apply(&mut self, handle: u32, at: EventTime, row: D, diff: Diff) {
        let copies = if diff > 0 {
            self.owed.pay(handle, at, &row, diff)
        } else {
            diff
        };
        let slot = &mut self.slots[handle as usize];
        for _ in 0..copies {
            slot.insert(&self.aggregate, self.last, at, row.clone());
            self.rows += 1;
        }
        for left in (copies..0).map(|taken| -taken) {
            // Counted from the left over: the range runs from −copies up to −1.
            if !slot.remove(&self.aggregate, self.last, at, &row) {
                return self.owed.owe(handle, at, row, left);
            }
            self.rows -= 1;
        }
    }

    /// Drops what can never be among a key's last rows again: rows before as many that no one can take back any more.
    fn rest(&mut self, handle: u32) {
        let slot = &mut self.slots[handle as usize];
        slot.touched = false;
        while slot
            .rows
            .get(self.last)
            .is_some_and(|row| row.0 < self.watermark)
        {
            slot.rows.pop_front();
            self.rows -= 1;
        }
        if slot.rows.is_empty() && !self.owed.has(handle) {
            slot.state = A::State::default();
            self.index.remove(handle);
        } else if let Some((after, _)) = slot.rows.get(self.last)
            && self.watermark != WATERMARK_NONE
            && *after < slot.due
        {
            slot.due = *after;
            self.timers.set(handle, *after);
        }
    }

    fn pass_time(&mut self, watermark: EventTime) {
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
}

type SavedKey<D, K> = (K, VecDeque<(EventTime, D)>, Vec<(EventTime, D, Diff)>);

impl<D: Data + Ord, K: Key, A: Aggregate<D>> KeyedState for State<D, K, A> {
    type In = D;
    type Out = LastRow<K, A::Output>;
    const FORMAT: u32 = 1;

    fn epoch(&mut self, time: &EpochTime, rows: Updates<D>, out: &mut Emitter<'_, Self::Out>) {
        for (row, _, diff) in rows {
            let handle = self.resolve(&(self.key)(&row));
            self.touch(handle);
            let at = (self.at)(&row);
            self.apply(handle, at, row, diff);
        }
        for (handle, old) in std::mem::take(&mut self.touched) {
            out.replace(old, self.row(handle));
            self.rest(handle);
        }
        if time.watermark > self.watermark {
            self.pass_time(time.watermark);
        }
    }

    fn save(&self, group: KeyGroup, into: &mut Vec<u8>) -> Result<(), StateError> {
        let ours = self.index.iter().filter(|(_, key)| group.holds(key.tag()));
        let keys: Vec<_> = ours
            .map(|(handle, key)| {
                let rows = &self.slots[handle as usize].rows;
                (key, rows, self.owed.of(handle))
            })
            .collect();
        codec::encode(&(self.watermark, keys), into)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        let (watermark, keys): (EventTime, Vec<SavedKey<D, K>>) = codec::decode(bytes)?;
        self.watermark = self.watermark.max(watermark);
        for (key, rows, owed) in keys {
            let handle = self.resolve(&key);
            for (at, row) in rows {
                self.apply(handle, at, row, 1);
            }
            for (at, row, copies) in owed {
                self.owed.owe(handle, at, row, copies);
            }
            self.rest(handle);
        }
        Ok(())
    }

    fn size(&self) -> StateSize {
        let bytes = self.index.bytes()
            + self.slots.capacity() * size_of::<Slot<D, A::State>>()
            + self.rows * size_of::<(EventTime, D)>();
        StateSize {
            keys: self.index.len(),
            events: self.rows,
            bytes,
        }
    }
}
