//! A key's rows of one side: sorted by time, then by row, each with how often it is there.
//!
//! ```text
//! (at, row, count)  oldest ─────── newest     looked into from its ends: rows come nearly in order
//! ```

use serde::{Deserialize, Serialize};
use smallvec::{Array, SmallVec};
use thalweg_engine::time::EventTime;
use thalweg_engine::update::Diff;

/// How many of the newest rows are looked at one by one before the rest is halved.
const NEAR: usize = 8;

/// How many of the oldest rows are looked at before those.
const OLDEST: usize = 3;

/// A row with its time, and how often it is there: below zero where it was taken back before it came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::join) struct Held<D> {
    pub(in crate::join) at: EventTime,
    pub(in crate::join) row: D,
    pub(in crate::join) count: Diff,
}

impl<D> Held<D> {
    #[inline(always)]
    pub(in crate::join) fn is_present(&self) -> bool {
        self.count > 0
    }
}

/// How many of the oldest rows have a time that `belongs`: it must hold up to some moment, and not from there on.
#[inline(always)]
pub(in crate::join) fn prefix<D>(run: &[Held<D>], belongs: impl Fn(EventTime) -> bool) -> usize {
    if run.last().is_none_or(|newest| belongs(newest.at)) {
        return run.len();
    }
    // A history reaches into the future, and what is spent has been dropped: there the oldest row is often the one.
    if let Some(place) = run.iter().take(OLDEST).position(|held| !belongs(held.at)) {
        return place;
    }
    let near = run.len().saturating_sub(NEAR);
    match run[near..].iter().rposition(|held| belongs(held.at)) {
        Some(place) => near + place + 1,
        None => run[..near].partition_point(|held| belongs(held.at)),
    }
}

/// A run that grows in its own way.
pub(in crate::join) trait Run<D>: std::ops::DerefMut<Target = [Held<D>]> {
    fn push(&mut self, held: Held<D>);
    fn insert(&mut self, place: usize, held: Held<D>);
    fn remove(&mut self, place: usize);
}

impl<D> Run<D> for Vec<Held<D>> {
    fn push(&mut self, held: Held<D>) {
        self.push(held);
    }

    fn insert(&mut self, place: usize, held: Held<D>) {
        self.insert(place, held);
    }

    fn remove(&mut self, place: usize) {
        self.remove(place);
    }
}

impl<D, A: Array<Item = Held<D>>> Run<D> for SmallVec<A> {
    #[inline(always)]
    fn push(&mut self, held: Held<D>) {
        self.push(held);
    }

    fn insert(&mut self, place: usize, held: Held<D>) {
        self.insert(place, held);
    }

    fn remove(&mut self, place: usize) {
        self.remove(place);
    }
}

/// Adds `diff` copies of a row; how often it was there before and is there after.
#[inline(always)]
pub(in crate::join) fn change<D: Ord>(
    run: &mut impl Run<D>,
    at: EventTime,
    row: D,
    diff: Diff,
) -> (Diff, Diff) {
    if run.last().is_none_or(|newest| newest.at < at) {
        let count = diff;
        run.push(Held { at, row, count });
        return (0, diff);
    }
    change_within(run, at, row, diff)
}

/// The same of a row that is not newer than all others.
#[inline(never)]
fn change_within<D: Ord>(run: &mut impl Run<D>, at: EventTime, row: D, diff: Diff) -> (Diff, Diff) {
    let until = prefix(run, |time| time <= at);
    let mut place = until;
    if until > 0 && run[until - 1].at == at {
        let first = run[..until].partition_point(|held| held.at < at);
        match run[first..until].binary_search_by(|held| held.row.cmp(&row)) {
            Ok(known) => return change_known(run, first + known, diff),
            Err(free) => place = first + free,
        }
    }
    let count = diff;
    run.insert(place, Held { at, row, count });
    (0, diff)
}

fn change_known<D>(run: &mut impl Run<D>, place: usize, diff: Diff) -> (Diff, Diff) {
    let before = run[place].count;
    run[place].count += diff;
    if before + diff == 0 {
        run.remove(place);
    }
    (before, before + diff)
}
