//! A key's rows of one side: sorted by time, then by row, each with how often it is there.
//!
//! ```text
//! (at, row, count)  oldest ─────── newest     looked into from the newest end: rows come nearly in order
//! ```

use serde::{Deserialize, Serialize};
use smallvec::{Array, SmallVec};
use thalweg_engine::time::EventTime;
use thalweg_engine::update::Diff;

/// How many of the newest rows are looked at one by one before the rest is halved.
const NEAR: usize = 8;

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
    let near = run.len().saturating_sub(NEAR);
    match run[near..].iter().rposition(|held| belongs(held.at)) {
        Some(place) => near + place + 1,
        None => run[..near].partition_point(|held| belongs(held.at)),
    }
}

/// Adds `diff` copies of a row; how often it was there before and is there after.
#[inline]
pub(super) fn change<D: Ord, A: Array<Item = Held<D>>>(
    run: &mut SmallVec<A>,
    at: EventTime,
    row: D,
    diff: Diff,
) -> (Diff, Diff) {
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

fn change_known<D, A: Array<Item = Held<D>>>(
    run: &mut SmallVec<A>,
    place: usize,
    diff: Diff,
) -> (Diff, Diff) {
    let before = run[place].count;
    run[place].count += diff;
    if before + diff == 0 {
        run.remove(place);
    }
    (before, before + diff)
}
