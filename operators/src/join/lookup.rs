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

use smallvec::SmallVec;
use thalweg_engine::key::Key;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, PairedState, StateError, StateSize};
use thalweg_engine::state::{KeyIndex, prefetch};
use thalweg_engine::table::Table;
use thalweg_engine::update::{Data, Diff, Update, Updates};

use crate::codec;
use crate::column::Column;
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
        let state = Lookup::new(
            Rc::clone(&self.key),
            self.tags.clone(),
            Rc::clone(&dimension.key),
        );
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
    fact_tags: Column<F, u64>,
    row_key: KeyOf<D, K>,
    index: KeyIndex<K>,
    rows: Vec<Rows<D>>,
    /// Bytes of rows that do not lie in their place.
    heap_bytes: usize,
    tags: Vec<u64>,
    handles: Vec<u32>,
}

/// A key's rows, from the least to the greatest, each with how often it is there.
type Rows<D> = SmallVec<[(D, Diff); 1]>;

/// How far ahead of its use a slot of the index is asked for, in facts.
const AHEAD_INDEX: usize = 16;
/// The same of a row.
const AHEAD_ROW: usize = 8;
/// Stands for a key that the dimension does not have.
const NONE: u32 = u32::MAX;

impl<K: Key, F, D: Ord + Clone> Lookup<K, F, D> {
    fn new(fact_key: KeyOf<F, K>, fact_tags: Column<F, u64>, row_key: KeyOf<D, K>) -> Self {
        Self {
            fact_key,
            fact_tags,
            row_key,
            index: KeyIndex::new(),
            rows: Vec::new(),
            heap_bytes: 0,
            tags: Vec::new(),
            handles: Vec::new(),
        }
    }

    fn change(&mut self, row: D, diff: Diff) {
        let (handle, new) = self.index.resolve(&(self.row_key)(&row));
        if new && handle as usize == self.rows.len() {
            self.rows.push(Rows::new());
        }
        let rows = &mut self.rows[handle as usize];
        let before = heap_bytes(rows);
        match rows.binary_search_by(|known| known.0.cmp(&row)) {
            Ok(place) => {
                rows[place].1 += diff;
                if rows[place].1 == 0 {
                    rows.remove(place);
                    rows.shrink_to_fit();
                }
            }
            Err(place) => rows.insert(place, (row, diff)),
        }
        self.heap_bytes = self.heap_bytes + heap_bytes(rows) - before;
        if rows.is_empty() {
            self.index.remove(handle);
        }
    }

    /// Finds out where the rows of a container's facts stand.
    #[inline(always)]
    fn find_all(&mut self, facts: &[Update<F>]) {
        self.fact_tags.of(facts, &mut self.tags);
        self.handles.clear();
        let (index, tags, key) = (&self.index, &self.tags, &self.fact_key);
        let found = facts
            .iter()
            .zip(tags)
            .enumerate()
            .map(|(place, (fact, tag))| {
                if let Some(ahead) = tags.get(place + AHEAD_INDEX) {
                    index.prefetch(*ahead);
                }
                index.find_with(*tag, || key(&fact.0)).unwrap_or(NONE)
            });
        self.handles.extend(found);
    }
}

/// The row that stands for a key: the greatest of those that are there.
#[inline(always)]
fn present<D>(rows: &Rows<D>) -> Option<&D> {
    let mut greatest_first = rows.iter().rev();
    let present = greatest_first.find(|(_, count)| *count > 0);
    present.map(|(row, _)| row)
}

fn heap_bytes<D>(rows: &Rows<D>) -> usize {
    let room = if rows.spilled() { rows.capacity() } else { 0 };
    room * size_of::<(D, Diff)>()
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
            self.find_all(&facts);
            for (place, (fact, _, diff)) in facts.into_iter().enumerate() {
                if let Some(ahead) = self.handles.get(place + AHEAD_ROW) {
                    prefetch(&self.rows, *ahead as usize);
                }
                let row = self
                    .rows
                    .get(self.handles[place] as usize)
                    .and_then(present);
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
        StateSize {
            keys: self.index.len(),
            events: self.index.len(),
            bytes: self.index.bytes()
                + self.rows.capacity() * size_of::<Rows<D>>()
                + self.heap_bytes,
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
                Sided(Lookup::new(
                    key(),
                    Column::new(|row: &Row| row.key.tag()),
                    key(),
                ))
            };
            assert_continues(empty, side_tag, &epochs);
        }
    }
}
