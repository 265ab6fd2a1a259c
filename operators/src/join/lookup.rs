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

use std::marker::PhantomData;
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use thalweg_engine::key::Key;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, KeyedState, StateError, StateSize};
use thalweg_engine::state::KeyIndex;
use thalweg_engine::table::Table;
use thalweg_engine::update::{Data, Diff, Update};

use crate::codec;
use crate::key_by::Keyed;
use crate::table_ops::TableOps;

/// A row on its way to the lookup, from either side.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound(
    serialize = "F: Serialize, D: Serialize",
    deserialize = "F: serde::de::DeserializeOwned, D: serde::de::DeserializeOwned"
))]
enum Side<K: Key, F, D> {
    Fact(K, F),
    Dimension(K, D),
}

impl<'s, F: Data, K: Key> Keyed<'s, F, K> {
    /// Looks each row's key up in a dimension: `None` where the dimension has no row for it.
    #[must_use]
    pub fn lookup<D: Data + Ord>(
        &self,
        name: &str,
        dimension: &Keyed<'s, D, K>,
    ) -> Table<'s, (F, Option<D>)> {
        let (fact_key, dimension_key) = (Rc::clone(&self.key), Rc::clone(&dimension.key));
        let facts = self.table.map(move |row| Side::Fact(fact_key(&row), row));
        let rows = dimension
            .table
            .map(move |row| Side::Dimension(dimension_key(&row), row));
        facts.union(&rows).keyed(
            name,
            Lookup {
                index: KeyIndex::new(),
                rows: Vec::new(),
                fact: PhantomData,
            },
        )
    }
}

/// The dimension's rows by key; several per key while a change is under way, or by mistake.
struct Lookup<K: Key, F, D> {
    index: KeyIndex<K>,
    rows: Vec<Vec<(D, Diff)>>,
    fact: PhantomData<F>,
}

impl<K: Key, F, D: Ord + Clone> Lookup<K, F, D> {
    fn change(&mut self, key: &K, row: D, diff: Diff) {
        let (handle, new) = self.index.resolve(key);
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
    fn find(&self, key: &K) -> Option<D> {
        let handle = self.index.find(key)?;
        let present = self.rows[handle as usize]
            .iter()
            .rev()
            .find(|(_, count)| *count > 0);
        present.map(|(row, _)| row.clone())
    }
}

impl<K: Key, F: Data, D: Data + Ord> KeyedState for Lookup<K, F, D> {
    type In = Side<K, F, D>;
    type Out = (F, Option<D>);
    const FORMAT: u32 = 1;

    #[inline(always)]
    fn tag(row: &Self::In) -> u64 {
        match row {
            Side::Fact(key, _) | Side::Dimension(key, _) => key.tag(),
        }
    }

    fn epoch(
        &mut self,
        _: &EpochTime,
        rows: &mut Vec<Update<Self::In>>,
        out: &mut Emitter<'_, Self::Out>,
    ) {
        for (side, _, diff) in rows.iter() {
            if let Side::Dimension(key, row) = side {
                self.change(key, row.clone(), *diff);
            }
        }
        for (side, _, diff) in rows.drain(..) {
            if let Side::Fact(key, fact) = side {
                let row = self.find(&key);
                out.emit((fact, row), diff);
            }
        }
    }

    fn save(&self, group: KeyGroup, into: &mut Vec<u8>) -> Result<(), StateError> {
        let ours = self.index.iter().filter(|(_, key)| group.holds(key.tag()));
        let keys: Vec<_> = ours
            .map(|(handle, key)| (key, &self.rows[handle as usize]))
            .collect();
        codec::encode(&keys, into)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        let keys: Vec<(K, Vec<(D, Diff)>)> = codec::decode(bytes)?;
        for (key, rows) in keys {
            rows.into_iter()
                .for_each(|(row, diff)| self.change(&key, row, diff));
        }
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
    use crate::laws::{assert_continues, log};

    #[test]
    fn a_saved_dimension_continues_as_if_never_interrupted() {
        for seed in 0..40 {
            let epochs = log(seed, 1, |row| match row.id % 3 {
                0 => Side::Dimension(row.key, row.value),
                _ => Side::Fact(row.key, row.id),
            });
            let empty = || Lookup {
                index: KeyIndex::new(),
                rows: Vec::new(),
                fact: PhantomData,
            };
            assert_continues(empty, &epochs);
        }
    }
}
