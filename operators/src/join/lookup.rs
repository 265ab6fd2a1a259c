//! Lookup: each row with the dimension's row for its key, as of the row's epoch.
//!
//! ```text
//! (fact, epoch, ±n) ──┐
//!                     ├─ by key ─▶ the dimension's row as of the epoch ─▶ (fact, Option<dimension>, ±n)
//! (row, epoch, ±n) ───┘
//! ```
//!
//! Within an epoch the dimension's changes come first. What was looked up is not repaired when the dimension changes
//! later: that is `join` on the differential island. Untimed bounded dimensions are read whole before any timed source
//! begins, so over them the result does not depend on timing at all.
//!
//! # Invariants
//! 1. A fact meets the dimension's row of the greatest value among those present for its key as of its epoch, or none.
//! 2. Each fact yields exactly one row, with its own sign.
//!
//! # Cost
//! Per fact one hash lookup; state: the dimension's rows by key.

use std::rc::Rc;

use thalweg_engine::key::Key;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, PairedState, StateError, StateSize};
use thalweg_engine::state::KeyIndex;
use thalweg_engine::table::Table;
use thalweg_engine::update::{Data, Diff, Updates};

use crate::codec;
use crate::key_by::Keyed;

impl<'s, F: Data, K: Key> Keyed<'s, F, K> {
    /// Looks each row's key up in a dimension: `None` where the dimension has no row for it.
    #[must_use]
    pub fn lookup<D: Data + Ord>(
        &self,
        name: &str,
        dimension: &Keyed<'s, D, K>,
    ) -> Table<'s, (F, Option<D>)> {
        let (fact_key, row_key) = (Rc::clone(&self.key), Rc::clone(&dimension.key));
        let state = Lookup::new(Rc::clone(&self.key), Rc::clone(&dimension.key));
        self.table.keyed_with(
            name,
            move |fact| fact_key(fact).tag(),
            &dimension.table,
            move |row| row_key(row).tag(),
            state,
        )
    }
}

type KeyOf<D, K> = Rc<dyn Fn(&D) -> K>;

/// The dimension's rows by key; several per key while a change is under way, or by mistake.
struct Lookup<K: Key, F, D> {
    fact_key: KeyOf<F, K>,
    row_key: KeyOf<D, K>,
    index: KeyIndex<K>,
    rows: Vec<Vec<(D, Diff)>>,
}

/// How far ahead of its use a slot of the index is asked for, in facts.
const AHEAD: usize = 16;

impl<K: Key, F, D: Ord + Clone> Lookup<K, F, D> {
    fn new(fact_key: KeyOf<F, K>, row_key: KeyOf<D, K>) -> Self {
        Self {
            fact_key,
            row_key,
            index: KeyIndex::new(),
            rows: Vec::new(),
        }
    }

    fn change(&mut self, row: D, diff: Diff) {
        let (handle, new) = self.index.resolve(&(self.row_key)(&row));
        if new && handle as usize == self.rows.len() {
            self.rows.push(Vec::new());
        }
        let rows = &mut self.rows[handle as usize];
        match rows.binary_search_by(|known| known.0.cmp(&row)) {
            Ok(place) => {
                rows[place].1 += diff;
                if rows[place].1 == 0 {
                    rows.remove(place);
                }
            }
            Err(place) => rows.insert(place, (row, diff)),
        }
        if rows.is_empty() {
            self.index.remove(handle);
        }
    }

    #[inline]
    fn find(&self, key: &K) -> Option<&D> {
        let handle = self.index.find(key)?;
        let newest_first = self.rows[handle as usize].iter().rev();
        newest_first
            .filter(|(_, count)| *count > 0)
            .map(|(row, _)| row)
            .next()
    }
}

impl<K: Key, F: Data, D: Data + Ord> PairedState for Lookup<K, F, D> {
    type Left = F;
    type Right = D;
    type Out = (F, Option<D>);
    const FORMAT: u32 = 1;

    fn epoch(
        &mut self,
        _: &EpochTime,
        facts: Updates<F>,
        rows: Updates<D>,
        out: &mut Emitter<'_, Self::Out>,
    ) {
        for (row, _, diff) in rows {
            self.change(row, diff);
        }
        for facts in facts.into_containers() {
            let mut facts = facts.into_iter();
            while let Some((fact, _, diff)) = facts.next() {
                if let Some((ahead, _, _)) = facts.as_slice().get(AHEAD) {
                    self.index.prefetch((self.fact_key)(ahead).tag());
                }
                let row = self.find(&(self.fact_key)(&fact));
                out.emit_with(|| (fact, row.cloned()), diff);
            }
        }
    }

    fn save(&self, group: KeyGroup, into: &mut Vec<u8>) -> Result<(), StateError> {
        let ours = self.index.iter().filter(|(_, key)| group.holds(key.tag()));
        let rows: Vec<_> = ours
            .flat_map(|(handle, _)| &self.rows[handle as usize])
            .collect();
        codec::encode(&rows, into)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        let rows: Vec<(D, Diff)> = codec::decode(bytes)?;
        rows.into_iter()
            .for_each(|(row, diff)| self.change(row, diff));
        Ok(())
    }

    fn size(&self) -> StateSize {
        let rows: usize = self.rows.iter().map(Vec::capacity).sum();
        StateSize {
            keys: self.index.len(),
            events: self.index.len(),
            bytes: self.index.bytes() + rows * size_of::<(D, Diff)>() + self.rows.capacity() * 24,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::{Row, Side, Sided, assert_continues, log, side_tag};

    #[test]
    fn a_saved_dimension_continues_as_if_never_interrupted() {
        for seed in 0..40 {
            let epochs = log(seed, 1, |row| match row.id % 3 {
                0 => Side::Right(row.key.tag(), row),
                _ => Side::Left(row.key.tag(), row),
            });
            let empty = || {
                let key = || Rc::new(|row: &Row| row.key);
                Sided(Lookup::new(key(), key()))
            };
            assert_continues(empty, side_tag, &epochs);
        }
    }
}
