//! Last rows, one row per key.

use std::rc::Rc;

use thalweg_engine::key::Key;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, KeyedState, StateError, StateSize};
use thalweg_engine::time::EventTime;
use thalweg_engine::update::{Data, Diff, Updates};

use crate::aggregate::Aggregate;
use crate::codec;
use crate::window::last_rows::LastRow;
use crate::window::last_rows::keys::Keys;

/// A key that the epoch has touched, with its row before.
type Touched<K, O> = (u32, Option<LastRow<K, O>>);

/// The keyed state of last rows in mode `latest`.
pub(super) struct Latest<D, K: Key, A: Aggregate<D>> {
    key: Rc<dyn Fn(&D) -> K>,
    at: Rc<dyn Fn(&D) -> EventTime>,
    keys: Keys<D, K, A>,
    touched: Vec<Touched<K, A::Output>>,
}

impl<D: Data + Ord, K: Key, A: Aggregate<D>> Latest<D, K, A> {
    pub(super) fn new(
        key: Rc<dyn Fn(&D) -> K>,
        at: Rc<dyn Fn(&D) -> EventTime>,
        rows: usize,
        aggregate: A,
    ) -> Self {
        Self {
            key,
            at,
            keys: Keys::new(rows, aggregate),
            touched: Vec::new(),
        }
    }

    fn row(&self, handle: u32) -> Option<LastRow<K, A::Output>> {
        let rows = self.keys.rows(handle);
        Some(LastRow {
            at: rows.rows.back()?.0,
            key: self.keys.index.key(handle)?.clone(),
            value: self.keys.last.aggregate.read(&rows.state),
        })
    }

    fn touch(&mut self, handle: u32) {
        if !self.keys.slots[handle as usize].is_touched {
            self.keys.slots[handle as usize].is_touched = true;
            let old = self.row(handle);
            self.touched.push((handle, old));
        }
    }

    fn apply(&mut self, handle: u32, at: EventTime, row: D, diff: Diff) {
        let copies = if diff > 0 {
            self.keys.owed.pay(handle, at, &row, diff)
        } else {
            diff
        };
        let not_there = self.keys.change(handle, |last, rows| {
            for _ in 0..copies {
                rows.insert(last, at, row.clone());
            }
            // Counted from the left over: the range runs from −copies up to −1.
            let mut left = (copies..0).map(|taken| -taken);
            left.find(|_| !rows.remove(last, at, &row))
        });
        if let Some(left) = not_there {
            self.keys.owed.owe(handle, at, row, left);
        }
    }
}

impl<D: Data + Ord, K: Key, A: Aggregate<D>> KeyedState for Latest<D, K, A> {
    type In = D;
    type Out = LastRow<K, A::Output>;
    const FORMAT: u32 = 1;

    fn epoch(&mut self, time: &EpochTime, rows: Updates<D>, out: &mut Emitter<'_, Self::Out>) {
        for (row, _, diff) in rows {
            let handle = self.keys.resolve(&(self.key)(&row));
            self.touch(handle);
            let at = (self.at)(&row);
            self.apply(handle, at, row, diff);
        }
        for (handle, old) in std::mem::take(&mut self.touched) {
            out.replace(old, self.row(handle));
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
