//! One key's rows in order, and the aggregates of the last of them.
//!
//! ```text
//! rows   oldest ─────── [ the last n ] newest        one aggregate state
//!                 [ n ]─▶ [ n ]                      a sweep: the aggregates up to each row of a range
//! ```

use std::collections::VecDeque;
use std::ops::Range;

use thalweg_engine::time::EventTime;
use thalweg_engine::update::Data;

use crate::aggregate::Aggregate;

/// How many rows are aggregated, and how.
pub(super) struct Last<A> {
    pub(super) rows: usize,
    pub(super) aggregate: A,
}

/// One key's rows.
pub(super) struct Rows<D, S> {
    /// By time, then by the row; copies one by one.
    pub(super) rows: VecDeque<(EventTime, D)>,
    /// The aggregates of the last of them.
    pub(super) state: S,
}

impl<D: Data + Ord, S: Default + PartialEq> Rows<D, S> {
    pub(super) fn new() -> Self {
        Self {
            rows: VecDeque::new(),
            state: S::default(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// How many rows come before this one.
    #[inline]
    pub(super) fn before(&self, at: EventTime, row: &D) -> usize {
        self.count(|a, r| (a, r) < (at, row))
    }

    /// How many rows come before this one or are its copies.
    #[inline]
    pub(super) fn through(&self, at: EventTime, row: &D) -> usize {
        self.count(|a, r| (a, r) <= (at, row))
    }

    /// How many rows are on the first side of a place: all of them where the newest is, which is the rule.
    #[inline]
    fn count(&self, is_first: impl Fn(EventTime, &D) -> bool) -> usize {
        if self
            .rows
            .back()
            .is_none_or(|last| is_first(last.0, &last.1))
        {
            self.rows.len()
        } else {
            self.rows.partition_point(|(a, r)| is_first(*a, r))
        }
    }

    /// Puts a row in its place, after its copies, and returns the place.
    pub(super) fn insert<A: Aggregate<D, State = S>>(
        &mut self,
        last: &Last<A>,
        at: EventTime,
        row: D,
    ) -> usize {
        let place = self.through(at, &row);
        let first_inside = (self.rows.len() + 1).saturating_sub(last.rows);
        if place >= first_inside {
            last.aggregate.update(&mut self.state, &row, 1);
            if let Some(left) = first_inside.checked_sub(1) {
                // What stands there now is the oldest one inside: the new row comes after it.
                last.aggregate
                    .update(&mut self.state, &self.rows[left].1, -1);
            }
        }
        self.rows.insert(place, (at, row));
        place
    }

    /// Takes a copy out; whether it was there.
    pub(super) fn remove<A: Aggregate<D, State = S>>(
        &mut self,
        last: &Last<A>,
        at: EventTime,
        row: &D,
    ) -> bool {
        let place = self.before(at, row);
        if self
            .rows
            .get(place)
            .is_none_or(|(a, r)| (*a, r) != (at, row))
        {
            return false;
        }
        let first_inside = self.rows.len().saturating_sub(last.rows);
        if place >= first_inside {
            last.aggregate.update(&mut self.state, row, -1);
            if let Some(entered) = first_inside.checked_sub(1) {
                last.aggregate
                    .update(&mut self.state, &self.rows[entered].1, 1);
            }
        }
        self.rows.remove(place);
        true
    }

    /// The aggregates up to each row of a range: of the last `n` rows, itself included. The state is that of the `n` rows
    /// before the range, and becomes that of the last `n` in it.
    pub(super) fn sweep<A: Aggregate<D, State = S>>(
        rows: &VecDeque<(EventTime, D)>,
        last: &Last<A>,
        state: &mut S,
        range: Range<usize>,
        mut read: impl FnMut(A::Output),
    ) {
        for place in range {
            last.aggregate.update(state, &rows[place].1, 1);
            if let Some(left) = place.checked_sub(last.rows) {
                last.aggregate.update(state, &rows[left].1, -1);
            }
            read(last.aggregate.read(state));
        }
    }

    /// The state of the `n` rows before a place.
    pub(super) fn state_before<A: Aggregate<D, State = S>>(
        &self,
        last: &Last<A>,
        place: usize,
    ) -> S {
        let mut state = S::default();
        for (_, row) in self.rows.range(place.saturating_sub(last.rows)..place) {
            last.aggregate.update(&mut state, row, 1);
        }
        state
    }
}
