//! Fading sums, one row per row at once, repaired as rows come late and are taken back.
//!
//! ```text
//!   passed by the watermark │ not yet: rows by time, and two sums for each of their half-lives
//!   one running sum         │ ──●──●──┊──●──▲──●──●──▶      as it was: ● ● and as it is: ▲ ● ●, read beside each other
//!                           │      ╰ sums of half-lives up to here
//! ```
//!
//! A number fades but never leaves: one that comes late is in the sums of every later row.
//!
//! # Invariants
//! 1. After every epoch the accumulated output is, per row that is there, its key's sums as of it: the bits that `finals`
//!    writes, had the watermark passed it.
//! 2. A row that did not change is not written; an epoch's changes are net.
//! 3. A retraction of what is not there is a debt: the row pays it when it comes, or the watermark forgives it.
//! 4. A row that the watermark has passed is final. One that comes from behind the watermark is written once; a
//!    retraction from there is of nothing.
//!
//! # Cost
//! Per row in order two products, and an addition for each half-life that is open. Per late row or retraction every later
//! row of its key that the watermark has not passed, which are the rows that change: two products and two readings each.

use std::collections::VecDeque;
use std::marker::PhantomData;

use thalweg_engine::key::Key;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, KeyedState, StateError, StateSize};
use thalweg_engine::state::KeyIndex;
use thalweg_engine::time::EventTime;
use thalweg_engine::update::{Data, Diff, Updates};

use crate::codec;
use crate::value::{Lane, NULL};
use crate::window::decayed::fading::{HalfLives, Running};
use crate::window::decayed::open::{Open, Slot};
use crate::window::decayed::repair::{Changed, merged};
use crate::window::decayed::settled::{Numbered, OfRow, Settled};
use crate::window::owed::Owed;
use crate::window::placed::{Placed, changes_by_key};
use crate::window::rolling::timers::Timers;

/// The keyed state of fading sums of a lane in mode `corrections`.
pub(super) struct Corrections<D, K, L> {
    lives: HalfLives,
    index: KeyIndex<K>,
    slots: Vec<Slot<D>>,
    owed: Owed<D>,
    timers: Timers,
    /// Rows and half-lives held, over all keys.
    held: usize,
    of: PhantomData<L>,
}

/// A change as it came.
type Came<K, D> = (K, EventTime, Numbered<D>, Diff);

impl<D: Data + Ord, K: Key, L: Lane> Corrections<D, K, L> {
    pub(super) fn new(half_life_us: i64) -> Self {
        Self {
            lives: HalfLives::new(half_life_us),
            index: KeyIndex::new(),
            slots: Vec::new(),
            owed: Owed::new(),
            timers: Timers::new(),
            held: 0,
            of: PhantomData,
        }
    }

    fn resolve(&mut self, key: &K) -> u32 {
        let (handle, _) = self.index.resolve(key);
        if handle as usize == self.slots.len() {
            self.slots.push(Slot::new());
        }
        handle
    }

    /// What there is to change, given what came of a key in order: what is from behind the watermark, and what is not.
    fn take(
        &mut self,
        handle: u32,
        came: &[Came<K, D>],
        passed: EventTime,
    ) -> (Vec<Open<D>>, Vec<Open<D>>) {
        let (mut belated, mut changes) = (Vec::new(), Vec::new());
        for same in came.chunk_by(|a, b| (a.1, &a.2) == (b.1, &b.2)) {
            let (at, row) = (same[0].1, &same[0].2);
            let diff: Diff = same.iter().map(|copy| copy.3).sum();
            let slot = &self.slots[handle as usize];
            let place = (handle, at, &row.0);
            let copies = self
                .owed
                .change(place, diff, passed, || slot.copies(at, row));
            let into = if at < passed {
                &mut belated
            } else {
                &mut changes
            };
            let row = row.clone();
            into.extend((copies != 0).then_some(Open { at, row, copies }));
        }
        (belated, changes)
    }

    /// Applies what came of a key, and writes the rows that are different.
    fn repair(
        &mut self,
        handle: u32,
        key: &K,
        (belated, changes): (Vec<Open<D>>, Vec<Open<D>>),
        out: &mut Emitter<'_, OfRow<D, K>>,
    ) {
        let (lives, slot) = (&self.lives, &mut self.slots[handle as usize]);
        self.held -= slot.len();
        let from = match (belated.first(), changes.first()) {
            (Some(_), _) => 0,
            (None, Some(first)) => slot.open.partition_point(|open| open.at < first.at),
            (None, None) => slot.open.len(),
        };
        let rows = slot.open.split_off(from);
        let (mut old, mut new) = (slot.passed.running, slot.passed.running);
        if let Some(first) = changes.first().filter(|_| belated.is_empty()) {
            old = slot.before::<L>(lives, first.at, rows.iter());
            new = old;
        }
        for moment in belated.chunk_by(|a, b| a.at == b.at) {
            let of_moment = moment.iter().map(|open| (&open.row, open.copies));
            let place = (key, moment[0].at);
            slot.passed.settle::<D, K, L>(lives, place, of_moment, out);
            new = slot.passed.running;
        }
        let changed = merged(rows, changes);
        for moment in changed.chunk_by(|a, b| a.at == b.at) {
            let at = moment[0].at;
            for row in moment.iter().filter(|row| row.row.1 != NULL) {
                let sums = |copies| lives.sums::<L>(at, row.row.1, copies);
                let was = sums(row.old);
                old.add(was);
                if row.new == row.old {
                    new.add(was);
                } else {
                    new.add(sums(row.new));
                    slot.sums.add(sums(row.new - row.old));
                }
            }
            let read = |running: &Running, copies: fn(&Changed<D>) -> Diff| {
                let is_any = moment.iter().any(|row| copies(row) != 0);
                is_any.then(|| running.read::<L>(lives, at))
            };
            let read = (read(&old, |row| row.old), read(&new, |row| row.new));
            moment
                .iter()
                .for_each(|row| row.write(key, read, |row, diff| out.emit(row, diff)));
        }
        let there = changed.into_iter().filter(|row| row.new != 0);
        slot.open.extend(there.map(|row| Open {
            at: row.at,
            row: row.row,
            copies: row.new,
        }));
        self.held += slot.len();
    }

    /// Waits for the key's first open row, or forgets the key that has nothing.
    fn rest(&mut self, handle: u32) {
        let slot = &mut self.slots[handle as usize];
        if let Some(first) = slot.open.front() {
            if first.at < slot.due {
                slot.due = first.at;
                self.timers.set(handle, first.at);
            }
        } else if slot.passed.is_empty() && !self.owed.has(handle) {
            self.index.remove(handle);
        }
    }

    fn pass_time(&mut self, watermark: EventTime) {
        let mut due = Vec::new();
        self.timers.take_due(watermark, &mut due);
        due.retain(|handle| self.slots[*handle as usize].due < watermark);
        due.extend(self.owed.forgive(watermark));
        due.sort_unstable();
        due.dedup();
        for handle in due {
            let slot = &mut self.slots[handle as usize];
            self.held -= slot.len();
            slot.pass::<L>(&self.lives, watermark);
            slot.due = EventTime::MAX;
            self.held += slot.len();
            self.rest(handle);
        }
    }
}

/// A key as it is saved: what has passed, what is open, and what it owes.
type SavedKey<D, K> = (K, Settled, VecDeque<Open<D>>, Vec<(EventTime, D, Diff)>);

impl<D: Data + Ord, K: Key, L: Lane> KeyedState for Corrections<D, K, L> {
    type In = Placed<K, Numbered<D>>;
    type Out = OfRow<D, K>;
    const FORMAT: u32 = 1;

    fn epoch(
        &mut self,
        time: &EpochTime,
        rows: Updates<Self::In>,
        out: &mut Emitter<'_, Self::Out>,
    ) {
        let came = changes_by_key(rows);
        for came in came.chunk_by(|a, b| a.0 == b.0) {
            let key = &came[0].0;
            let handle = self.resolve(key);
            let changes = self.take(handle, came, time.watermark_before);
            self.repair(handle, key, changes, out);
            self.rest(handle);
        }
        // Once every source has ended nothing has to be let go any more.
        if time.has_risen() && !time.is_end() {
            self.pass_time(time.watermark);
        }
    }

    fn save(&self, group: KeyGroup, into: &mut Vec<u8>) -> Result<(), StateError> {
        let ours = self.index.iter().filter(|(_, key)| group.holds(key.tag()));
        let keys: Vec<_> = ours
            .map(|(handle, key)| {
                let slot = &self.slots[handle as usize];
                (key, slot.passed, &slot.open, self.owed.of(handle))
            })
            .collect();
        codec::encode(&keys, into)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        let keys: Vec<SavedKey<D, K>> = codec::decode(bytes)?;
        for (key, passed, open, owed) in keys {
            let handle = self.resolve(&key);
            let slot = &mut self.slots[handle as usize];
            slot.passed = passed;
            for row in open.iter().filter(|row| row.row.1 != NULL) {
                let sums = self.lives.sums::<L>(row.at, row.row.1, row.copies);
                slot.sums.add(sums);
            }
            slot.open = open;
            self.held += slot.len();
            for (at, row, copies) in owed {
                self.owed.owe(handle, at, row, copies);
            }
            self.rest(handle);
        }
        Ok(())
    }

    fn size(&self) -> StateSize {
        let bytes = self.index.bytes()
            + self.slots.capacity() * size_of::<Slot<D>>()
            + self.held * size_of::<Open<D>>();
        StateSize {
            keys: self.index.len(),
            events: self.held,
            bytes,
        }
    }
}
