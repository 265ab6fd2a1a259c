//! Last rows, one row per row once the watermark has passed it.
//!
//! ```text
//! kept of a key   [ ● ● ● ● ]◀─ ●  the next in order     the oldest goes, the aggregates are written as they stand
//! ```
//!
//! A row from behind the watermark is written once as well, over what is kept of its last `n`; those after it stay.

use serde::Serialize;
use thalweg_engine::key::Key;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, StateSize};
use thalweg_engine::time::EventTime;
use thalweg_engine::update::{Data, Diff};

use crate::aggregate::Aggregate;
use crate::window::finals::Settle;
use crate::window::last_rows::LastRow;
use crate::window::last_rows::keys::{Keys, Saved};

/// The last rows of each key that the watermark has passed.
pub(super) struct Settled<D, K: Key, A: Aggregate<D>> {
    keys: Keys<D, K, A>,
    /// Keys that may hold more than their last rows.
    long: Vec<u32>,
}

impl<D: Data + Ord, K: Key, A: Aggregate<D>> Settled<D, K, A> {
    pub(super) fn new(rows: usize, aggregate: A) -> Self {
        Self {
            keys: Keys::new(rows, aggregate),
            long: Vec::new(),
        }
    }

    /// Puts a row in its place, and reads the aggregates up to it.
    fn insert(&mut self, handle: u32, at: EventTime, row: D) -> A::Output {
        let (value, is_newest) = self.keys.change(handle, |last, rows| {
            let place = rows.insert(last, at, row);
            if place + 1 == rows.len() {
                return (last.aggregate.read(&rows.state), true);
            }
            let up_to = rows.state_before(last, place + 1);
            (last.aggregate.read(&up_to), false)
        });
        if is_newest {
            // All that the epoch still has of this key comes after it.
            self.keys.trim(handle);
        } else {
            self.long.push(handle);
        }
        value
    }
}

impl<D: Data + Ord, K: Key, A: Aggregate<D>> Settle for Settled<D, K, A> {
    type Key = K;
    type Row = D;
    type Out = (D, LastRow<K, A::Output>);
    type Saved = Saved<D, K>;
    const FORMAT: u32 = 1;

    fn settle(
        &mut self,
        key: &K,
        at: EventTime,
        rows: &[(&D, Diff)],
        out: &mut Emitter<'_, Self::Out>,
    ) {
        let handle = self.keys.resolve(key);
        for (row, copies) in rows {
            for _ in 0..*copies {
                let last = LastRow {
                    key: key.clone(),
                    at,
                    value: self.insert(handle, at, (*row).clone()),
                };
                out.emit(((*row).clone(), last), 1);
            }
        }
    }

    fn let_go(&mut self, _: &EpochTime) {
        for handle in std::mem::take(&mut self.long) {
            self.keys.trim(handle);
        }
    }

    fn saved(&self, group: KeyGroup) -> impl Serialize {
        self.keys.saved(group)
    }

    fn restore(&mut self, saved: Self::Saved) {
        self.keys.restore(saved);
    }

    fn size(&self) -> StateSize {
        self.keys.size()
    }
}
