//! Last rows, one row per row at once, repaired as rows come late and are taken back.
//!
//! ```text
//! n = 3        ● ● ● ● ● ● ●         a key's rows, in order
//!                  ▲   ╰─┴───▶ as before: the last 3 up to them are the same
//!                  ╰ +1        changed: itself, and the 2 after it
//! ```
//!
//! What an epoch changes of a key is cut into runs: a run ends where `n` − 1 rows have followed its last change, unless
//! the next change is of a row whose copies it has read. Each is read as it was, changed, and read anew.
//!
//! # Invariants
//! 1. After every epoch the accumulated output is, per row that is there, its aggregates by brute force.
//! 2. A row that did not change is not written; an epoch's changes are net.
//! 3. A retraction of what is not there is a debt: the row pays it when it comes, or the watermark forgives it.
//! 4. A row that the watermark has passed is final, and what `finals` would have written. One that comes from behind the
//!    watermark is written once, over what is kept; a retraction from there is of nothing.
//!
//! # Cost
//! Per row in order as in `latest`. Per late row or retraction about 6·n updates of the aggregate and 2·n readings,
//! however many rows the key has; beside that a search among them, and the move that makes room.

use thalweg_engine::key::Key;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, KeyedState, StateError, StateSize};
use thalweg_engine::time::EventTime;
use thalweg_engine::update::{Data, Diff, Updates};

use crate::aggregate::Aggregate;
use crate::codec;
use crate::window::last_rows::LastRow;
use crate::window::last_rows::keys::Keys;
use crate::window::last_rows::rows::Rows;
use crate::window::placed::{Placed, changes_by_key};

/// A change as it came.
type Came<K, D> = (K, EventTime, D, Diff);

/// Copies of a row that come, or that are there and go.
struct Change<D> {
    at: EventTime,
    row: D,
    copies: Diff,
}

impl<D: Data + Ord> Change<D> {
    fn added(&self) -> usize {
        usize::try_from(self.copies).unwrap_or(0)
    }

    fn taken(&self) -> usize {
        usize::try_from(-self.copies).unwrap_or(0)
    }

    /// The place of the first row that the change reaches, and the one after the last.
    fn reach<S: Default + PartialEq>(&self, rows: &Rows<D, S>, last: usize) -> (usize, usize) {
        let through = rows.through(self.at, &self.row);
        let until = through.saturating_add(last - 1).min(rows.len());
        (through - self.taken(), until)
    }

    fn apply<S: Default + PartialEq>(&self, rows: &mut Rows<D, S>) {
        let through = rows.through(self.at, &self.row);
        rows.rows.drain(through - self.taken()..through);
        for _ in 0..self.added() {
            rows.rows.insert(through, (self.at, self.row.clone()));
        }
    }
}

/// A row with what was read at it.
struct Read<D, O> {
    at: EventTime,
    row: D,
    value: O,
}

/// The keyed state of last rows in mode `corrections`.
pub(super) struct Corrections<D, K: Key, A: Aggregate<D>> {
    keys: Keys<D, K, A>,
    changes: Vec<Change<D>>,
    old: Vec<Read<D, A::Output>>,
    new: Vec<Read<D, A::Output>>,
}

impl<D: Data + Ord, K: Key, A: Aggregate<D>> Corrections<D, K, A> {
    pub(super) fn new(rows: usize, aggregate: A) -> Self {
        Self {
            keys: Keys::new(rows, aggregate),
            changes: Vec::new(),
            old: Vec::new(),
            new: Vec::new(),
        }
    }

    /// Notes what there is to change, given what came of a key in order. `passed` is the watermark before the epoch.
    fn take(&mut self, handle: u32, came: &[Came<K, D>], passed: EventTime) {
        self.changes.clear();
        for copies in came.chunk_by(|a, b| (a.1, &a.2) == (b.1, &b.2)) {
            let (at, row) = (copies[0].1, &copies[0].2);
            let diff: Diff = copies.iter().map(|copy| copy.3).sum();
            let rows = &self.keys.slots[handle as usize].rows;
            let there = || {
                let there = rows.through(at, row) - rows.before(at, row);
                Diff::try_from(there).unwrap_or(Diff::MAX)
            };
            let place = (handle, at, row);
            let copies = self.keys.owed.change(place, diff, passed, there);
            if copies != 0 {
                let row = row.clone();
                self.changes.push(Change { at, row, copies });
            }
        }
    }

    /// Applies the changes of a key, a run after the other.
    fn repair(
        &mut self,
        handle: u32,
        key: &K,
        passed: EventTime,
        out: &mut Emitter<'_, (D, LastRow<K, A::Output>)>,
    ) {
        let changes = std::mem::take(&mut self.changes);
        let mut left = changes.as_slice();
        while let Some(first) = left.first() {
            let (rows, last) = (self.keys.rows(handle), self.keys.last.rows);
            let (from, mut until) = first.reach(rows, last);
            let mut changes = 1;
            while let Some(next) = left.get(changes) {
                let (next_from, next_until) = next.reach(rows, last);
                // The copies of a row are read in one run, for they may change into each other.
                if next_from > until && rows.before(next.at, &next.row) >= until {
                    break;
                }
                until = next_until;
                changes += 1;
            }
            let (run, later) = left.split_at(changes);
            self.repair_run(handle, run, (from, until));
            self.write(key, run, passed, out);
            left = later;
        }
        self.changes = changes;
    }

    /// Applies a run of changes, and reads the rows that it reaches before and after.
    fn repair_run(&mut self, handle: u32, run: &[Change<D>], (from, until): (usize, usize)) {
        self.old.clear();
        self.new.clear();
        let (old, new) = (&mut self.old, &mut self.new);
        self.keys.change(handle, |last, rows| {
            let end = rows.len();
            if from < until {
                let mut state = rows.state_before(last, from);
                let mut places = rows.rows.range(from..until);
                Rows::sweep(&rows.rows, last, &mut state, from..until, |value| {
                    if let Some((at, row)) = places.next().cloned() {
                        old.push(Read { at, row, value });
                    }
                });
            }
            run.iter().for_each(|change| change.apply(rows));
            let after = end - until;
            let range = from..rows.len() - after;
            let mut places = rows.rows.range(range.clone());
            let read = |value| {
                if let Some((at, row)) = places.next().cloned() {
                    new.push(Read { at, row, value });
                }
            };
            if from == end {
                // All that came is newer: the standing state goes on.
                Rows::sweep(&rows.rows, last, &mut rows.state, range, read);
                return;
            }
            let mut state = rows.state_before(last, from);
            Rows::sweep(&rows.rows, last, &mut state, range, read);
            if after == 0 {
                rows.state = state;
            }
        });
    }

    /// Writes the rows of a run that are different.
    fn write(
        &self,
        key: &K,
        run: &[Change<D>],
        passed: EventTime,
        out: &mut Emitter<'_, (D, LastRow<K, A::Output>)>,
    ) {
        let (mut old, mut new) = (self.old.as_slice(), self.new.as_slice());
        loop {
            let first = match (old.first(), new.first()) {
                (Some(o), Some(n)) if (o.at, &o.row) < (n.at, &n.row) => o,
                (_, Some(n)) => n,
                (Some(o), None) => o,
                (None, None) => return,
            };
            let (at, row) = (first.at, &first.row);
            let before = take_copies(&mut old, at, row);
            let mut after = take_copies(&mut new, at, row);
            let mut emit = |read: &Read<D, A::Output>, diff| {
                let value = read.value.clone();
                let key = key.clone();
                out.emit((row.clone(), LastRow { key, at, value }), diff);
            };
            if at < passed {
                // Final: what was there stays as it was written, what has come is written once.
                let came = run
                    .iter()
                    .find(|change| (change.at, &change.row) == (at, row));
                let came = came.map_or(0, Change::added);
                after = &after[after.len().saturating_sub(came)..];
                after.iter().for_each(|read| emit(read, 1));
            } else {
                replace(before, after, emit);
            }
        }
    }
}

/// Splits the copies of a row off the beginning of a list.
fn take_copies<'a, D: Ord, O>(
    list: &mut &'a [Read<D, O>],
    at: EventTime,
    row: &D,
) -> &'a [Read<D, O>] {
    let is_copy = |read: &&Read<D, O>| (read.at, &read.row) == (at, row);
    let copies = list.iter().take_while(is_copy).count();
    let (copies, rest) = list.split_at(copies);
    *list = rest;
    copies
}

/// Writes what turns the readings of a row's copies into others: those in both stay.
fn replace<D, O: PartialEq>(
    mut old: &[Read<D, O>],
    mut new: &[Read<D, O>],
    mut emit: impl FnMut(&Read<D, O>, Diff),
) {
    while let ([o, old_rest @ ..], [n, new_rest @ ..]) = (old, new)
        && o.value == n.value
    {
        (old, new) = (old_rest, new_rest);
    }
    while let ([old_rest @ .., o], [new_rest @ .., n]) = (old, new)
        && o.value == n.value
    {
        (old, new) = (old_rest, new_rest);
    }
    let mut new: Vec<_> = new.iter().collect();
    for o in old {
        match new.iter().position(|n| n.value == o.value) {
            Some(same) => {
                new.swap_remove(same);
            }
            None => emit(o, -1),
        }
    }
    new.into_iter().for_each(|n| emit(n, 1));
}

impl<D: Data + Ord, K: Key, A: Aggregate<D>> KeyedState for Corrections<D, K, A> {
    type In = Placed<K, D>;
    type Out = (D, LastRow<K, A::Output>);
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
            let handle = self.keys.resolve(key);
            self.take(handle, came, time.watermark_before);
            self.repair(handle, key, time.watermark_before, out);
            self.keys.rest(handle);
        }
        self.keys.pass_time(time.watermark);
    }

    fn save(&self, group: KeyGroup, into: &mut Vec<u8>) -> Result<(), StateError> {
        codec::encode(&self.keys.saved(group), into)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        self.keys.restore(codec::decode(bytes)?);
        Ok(())
    }

    fn size(&self) -> StateSize {
        self.keys.size()
    }
}
