//! One key's rows that the watermark has not passed, and its sums over those that it has.
//!
//! ```text
//! passed: one running sum │ open: rows by time, and two sums for each of their half-lives
//! ```

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use thalweg_engine::time::EventTime;
use thalweg_engine::update::{Data, Diff};

use crate::value::{Lane, NULL};
use crate::window::decayed::fading::{ByHalfLife, HalfLives, Running};
use crate::window::decayed::settled::{Numbered, Settled};

/// A row that the watermark has not passed, with its number's lane.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Open<D> {
    pub(super) at: EventTime,
    pub(super) row: Numbered<D>,
    /// How often it is there, above 0; in a change, how many come or go.
    pub(super) copies: Diff,
}

impl<D: Ord> Open<D> {
    pub(super) fn order(&self) -> (EventTime, &Numbered<D>) {
        (self.at, &self.row)
    }
}

/// One key.
pub(super) struct Slot<D> {
    pub(super) passed: Settled,
    /// In order.
    pub(super) open: VecDeque<Open<D>>,
    /// The sums of the open rows, by half-life.
    pub(super) sums: ByHalfLife,
    /// When the timer of the first open row is due; the end of time while none stands.
    pub(super) due: EventTime,
}

impl<D: Data + Ord> Slot<D> {
    pub(super) fn new() -> Self {
        Self {
            passed: Settled::default(),
            open: VecDeque::new(),
            sums: ByHalfLife::default(),
            due: EventTime::MAX,
        }
    }

    /// Rows and half-lives that are held.
    pub(super) fn len(&self) -> usize {
        self.open.len() + self.sums.len()
    }

    /// How often a row is there.
    pub(super) fn copies(&self, at: EventTime, row: &Numbered<D>) -> Diff {
        let found = self
            .open
            .binary_search_by(|open| open.order().cmp(&(at, row)));
        found.map_or(0, |place| self.open[place].copies)
    }

    /// The sums up to some open rows, which are all from a moment on.
    pub(super) fn before<'a, L: Lane>(
        &self,
        lives: &HalfLives,
        from: EventTime,
        rows: impl Iterator<Item = &'a Open<D>>,
    ) -> Running
    where
        D: 'a,
    {
        let number = lives.number(from);
        let of_last = rows.take_while(|open| lives.number(open.at) == number);
        let numbers = of_last.filter(|open| open.row.1 != NULL);
        let less = numbers.map(|open| lives.sums::<L>(open.at, open.row.1, open.copies).1);
        self.sums.until(self.passed.running, number, less)
    }

    /// Moves what the watermark has passed into the running sums.
    pub(super) fn pass<L: Lane>(&mut self, lives: &HalfLives, watermark: EventTime) {
        while self.open.front().is_some_and(|open| open.at < watermark)
            && let Some(open) = self.open.pop_front()
        {
            let lane = open.row.1;
            self.passed.add::<L>(lives, open.at, lane, open.copies);
            if lane != NULL {
                self.sums.take(lives.sums::<L>(open.at, lane, open.copies));
            }
        }
    }
}
