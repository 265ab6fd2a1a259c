//! A key's rows in repair: how often each was there and is, and what is written of it.

use std::collections::VecDeque;

use thalweg_engine::key::Key;
use thalweg_engine::time::EventTime;
use thalweg_engine::update::{Data, Diff};

use crate::window::decayed::DecayedRow;
use crate::window::decayed::open::Open;
use crate::window::decayed::settled::{Numbered, OfRow};

/// A row in repair: how often it was there, and is.
pub(super) struct Changed<D> {
    pub(super) at: EventTime,
    pub(super) row: Numbered<D>,
    pub(super) old: Diff,
    pub(super) new: Diff,
}

/// Weight and sum at a moment before and after a repair; `None` where no row was or is there.
pub(super) type Read = (Option<(f64, f64)>, Option<(f64, f64)>);

impl<D: Data> Changed<D> {
    /// Writes the row's changes.
    pub(super) fn write<K: Key>(
        &self,
        key: &K,
        (before, after): Read,
        mut emit: impl FnMut(OfRow<D, K>, Diff),
    ) {
        let mut emit = |(count, sum), diff| {
            if diff != 0 {
                let (key, at) = (key.clone(), self.at);
                let faded = DecayedRow {
                    key,
                    at,
                    count,
                    sum,
                };
                emit((self.row.0.clone(), faded), diff);
            }
        };
        if let (Some(before), Some(after)) = (before, after)
            && before == after
        {
            return emit(after, self.new - self.old);
        }
        before.into_iter().for_each(|read| emit(read, -self.old));
        after.into_iter().for_each(|read| emit(read, self.new));
    }
}

/// The rows from a change on and the changes, both in order, as one list.
pub(super) fn merged<D: Ord>(rows: VecDeque<Open<D>>, changes: Vec<Open<D>>) -> Vec<Changed<D>> {
    let mut merged = Vec::with_capacity(rows.len() + changes.len());
    let (mut rows, mut changes) = (rows.into_iter().peekable(), changes.into_iter().peekable());
    loop {
        let order = match (rows.peek(), changes.peek()) {
            (Some(row), Some(change)) => row.order().cmp(&change.order()),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (None, None) => return merged,
        };
        let row = if order.is_le() { rows.next() } else { None };
        let change = if order.is_ge() { changes.next() } else { None };
        let (old, more) = (
            row.as_ref().map_or(0, |row| row.copies),
            change.as_ref().map_or(0, |change| change.copies),
        );
        merged.extend(row.or(change).map(|Open { at, row, .. }| Changed {
            at,
            row,
            old,
            new: old + more,
        }));
    }
}
