//! Repairing the rows of one key: what stood before a change is read, the change is made, and the difference written.
//!
//! ```text
//! rows   ─────[ from ══════════ until ]─────▶ event time      begin: taken out, changes merged in, old windows read
//!               late event  ▲                                 end:   new windows read, −old +new, put back
//! ```
//!
//! A change at `e` reaches the rows in `[e, e + widest width]`, or where rows count by number all from `e` on. Nothing that
//! was written is stored: it is computed again.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use thalweg_engine::time::EventTime;
use thalweg_engine::update::Diff;

use crate::window::at::lookback::Lookback;

/// A row that may still change: its moment, what it is of, and how often it is there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(in crate::window) struct Open<Q> {
    pub(in crate::window) at: EventTime,
    pub(in crate::window) of: Q,
    pub(in crate::window) count: Diff,
}

/// A row in repair, with how often it was there before.
pub(in crate::window) struct Changed<Q> {
    pub(in crate::window) at: EventTime,
    pub(in crate::window) of: Q,
    pub(in crate::window) old: Diff,
    pub(in crate::window) new: Diff,
}

/// Windows at some moments, which ascend.
struct Reading<X> {
    ends: Vec<EventTime>,
    windows: Vec<X>,
}

impl<X> Reading<X> {
    fn take<M: Lookback<Windows = X>>(
        &mut self,
        store: &mut M,
        handle: u32,
        ends: impl Iterator<Item = EventTime>,
    ) {
        self.ends.clear();
        self.ends.extend(ends);
        self.ends.dedup();
        self.windows.clear();
        store.read_all(handle, &self.ends, &mut self.windows);
    }

    /// The windows at a moment, looked for from place `from` on.
    fn at(&self, at: EventTime, from: &mut usize) -> Option<&X> {
        while self.ends.get(*from).is_some_and(|end| *end < at) {
            *from += 1;
        }
        self.windows.get(*from).filter(|_| self.ends[*from] == at)
    }
}

/// Repairs keys, one after another; the memory is used again.
pub(in crate::window) struct Repair<Q, X> {
    rows: Vec<Changed<Q>>,
    place: usize,
    old: Reading<X>,
    new: Reading<X>,
    present: fn(Diff) -> Diff,
    is_same_row: fn(&Q, &Q) -> bool,
}

impl<Q: Ord + Clone, X: PartialEq> Repair<Q, X> {
    /// `present` says how many rows a count stands for, `is_same_row` what cannot be told apart in the output.
    pub(in crate::window) fn new(
        present: fn(Diff) -> Diff,
        is_same_row: fn(&Q, &Q) -> bool,
    ) -> Self {
        let reading = || Reading {
            ends: Vec::new(),
            windows: Vec::new(),
        };
        Self {
            rows: Vec::new(),
            place: 0,
            old: reading(),
            new: reading(),
            present,
            is_same_row,
        }
    }

    /// Takes the rows of a span of time out, both ends inside, reads their windows as they stand, and merges changes
    /// in, which ascend and lie in the span.
    pub(in crate::window) fn begin<M: Lookback<Windows = X>>(
        &mut self,
        store: &mut M,
        handle: u32,
        rows: &mut VecDeque<Open<Q>>,
        (from, until): (EventTime, EventTime),
        changes: &[Open<Q>],
    ) {
        self.place = rows.partition_point(|row| row.at < from);
        let after = rows.partition_point(|row| row.at <= until);
        self.rows.clear();
        let mut known = rows.drain(self.place..after).peekable();
        for change in changes {
            let is_earlier = |row: &Open<Q>| (row.at, &row.of) <= (change.at, &change.of);
            while let Some(row) = known.next_if(is_earlier) {
                self.rows.push(unchanged(row));
            }
            match self.rows.last_mut() {
                Some(row) if row.at == change.at && row.of == change.of => row.new += change.count,
                _ => self.rows.push(Changed {
                    at: change.at,
                    of: change.of.clone(),
                    old: 0,
                    new: change.count,
                }),
            }
        }
        self.rows.extend(known.map(unchanged));
        let there = self.rows.iter().filter(|row| (self.present)(row.old) != 0);
        self.old.take(store, handle, there.map(|row| row.at));
    }

    /// The rows in repair.
    pub(in crate::window) fn rows(&self) -> &[Changed<Q>] {
        &self.rows
    }

    /// Reads the windows anew, hands on what is different, and puts the rows back.
    pub(in crate::window) fn end<M: Lookback<Windows = X>>(
        &mut self,
        store: &mut M,
        handle: u32,
        rows: &mut VecDeque<Open<Q>>,
        mut emit: impl FnMut(&Q, EventTime, &X, Diff),
    ) {
        let there = self.rows.iter().filter(|row| (self.present)(row.new) != 0);
        self.new.take(store, handle, there.map(|row| row.at));
        let (mut in_old, mut in_new) = (0, 0);
        let is_same =
            |a: &Changed<Q>, b: &Changed<Q>| a.at == b.at && (self.is_same_row)(&a.of, &b.of);
        for copies in self.rows.chunk_by(is_same) {
            let Changed { at, of, .. } = &copies[0];
            let old: Diff = copies.iter().map(|row| (self.present)(row.old)).sum();
            let new: Diff = copies.iter().map(|row| (self.present)(row.new)).sum();
            let before = self.old.at(*at, &mut in_old).filter(|_| old != 0);
            let after = self.new.at(*at, &mut in_new).filter(|_| new != 0);
            match (before, after) {
                (Some(before), Some(after)) if before == after => {
                    if new != old {
                        emit(of, *at, after, new - old);
                    }
                }
                (before, after) => {
                    before.into_iter().for_each(|w| emit(of, *at, w, -old));
                    after.into_iter().for_each(|w| emit(of, *at, w, new));
                }
            }
        }
        let later = (self.place < rows.len()).then(|| rows.split_off(self.place));
        let kept = self.rows.drain(..).filter(|row| row.new != 0);
        rows.extend(kept.map(|row| Open {
            at: row.at,
            of: row.of,
            count: row.new,
        }));
        rows.extend(later.into_iter().flatten());
    }
}

fn unchanged<Q>(row: Open<Q>) -> Changed<Q> {
    Changed {
        at: row.at,
        of: row.of,
        old: row.count,
        new: row.count,
    }
}
