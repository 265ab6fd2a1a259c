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
//! 3. So a fact that is taken back meets the dimension as of the epoch in which it is: the two rows cancel only if the
//!    dimension's row stood still. Where facts are taken back and the dimension changes, take `asof` over its history,
//!    or `left_join`.
//!
//! # Cost
//! Per fact one hash lookup; state: the dimension's rows by key.

use std::rc::Rc;

use thalweg_engine::column::Column;
use thalweg_engine::key::Key;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, PairedState, StateError, StateSize};
use thalweg_engine::state::{KeyIndex, prefetch};
use thalweg_engine::table::Table;
use thalweg_engine::update::{Data, Diff, Update, Updates};

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
        let state = Lookup::new(
            Rc::clone(&self.key),
            self.tags.clone(),
            Rc::clone(&dimension.key),
        );
        self.table.keyed_with(
            name,
            self.tags.clone(),
            &dimension.table,
            dimension.tags.clone(),
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
    rows: Vec<Known<D>>,
    /// Bytes of rows that do not lie in their place.
    heap_bytes: usize,
    tags: Vec<u64>,
    handles: Vec<u32>,
}

/// What is known of a key.
enum Known<D> {
    /// One row, once: mostly.
    One(D),
    /// No row, or several, from the least to the greatest, each with how often it is there.
    Rows(Vec<(D, Diff)>),
}

impl<D: Ord> Known<D> {
    fn change(&mut self, row: D, diff: Diff) {
        match self {
            Self::Rows(rows) if rows.is_empty() && diff == 1 => *self = Self::One(row),
            Self::One(known) if *known == row && diff == -1 => *self = Self::Rows(Vec::new()),
            _ => self.change_list(row, diff),
        }
    }

    /// The same by way of a list.
    fn change_list(&mut self, row: D, diff: Diff) {
        let mut rows = match std::mem::replace(self, Self::Rows(Vec::new())) {
            Self::One(known) => vec![(known, 1)],
            Self::Rows(rows) => rows,
        };
        match rows.binary_search_by(|known| known.0.cmp(&row)) {
            Ok(place) => {
                rows[place].1 += diff;
                if rows[place].1 == 0 {
                    rows.remove(place);
                }
            }
            Err(place) => rows.insert(place, (row, diff)),
        }
        *self = match rows.pop() {
            Some((row, 1)) if rows.is_empty() => Self::One(row),
            last => {
                rows.extend(last);
                rows.shrink_to_fit();
                Self::Rows(rows)
            }
        };
    }

    fn is_empty(&self) -> bool {
        matches!(self, Self::Rows(rows) if rows.is_empty())
    }

    /// The row that stands for the key: the greatest of those that are there.
    #[inline(always)]
    fn present(&self) -> Option<&D> {
        match self {
            Self::One(row) => Some(row),
            Self::Rows(rows) => greatest(rows),
        }
    }

    /// All rows, each with how often it is there.
    fn counted(&self) -> impl Iterator<Item = (&D, Diff)> {
        let (one, rows) = match self {
            Self::One(row) => (Some((row, 1)), &[][..]),
            Self::Rows(rows) => (None, &rows[..]),
        };
        let rows = rows.iter().map(|(row, count)| (row, *count));
        one.into_iter().chain(rows)
    }

    fn heap_bytes(&self) -> usize {
        match self {
            Self::One(_) => 0,
            Self::Rows(rows) => rows.capacity() * size_of::<(D, Diff)>(),
        }
    }
}

#[cold]
fn greatest<D>(rows: &[(D, Diff)]) -> Option<&D> {
    let mut greatest_first = rows.iter().rev();
    let present = greatest_first.find(|(_, count)| *count > 0);
    present.map(|(row, _)| row)
}

/// Facts that are worked on together: enough to hide the way to memory, few enough to stay in the nearest cache.
const TOGETHER: usize = 64;

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
            self.rows.push(Known::Rows(Vec::new()));
        }
        let known = &mut self.rows[handle as usize];
        let before = known.heap_bytes();
        known.change(row, diff);
        self.heap_bytes = self.heap_bytes + known.heap_bytes() - before;
        if known.is_empty() {
            self.index.remove(handle);
        }
    }

    /// Finds out where the rows of some facts stand, and asks for them.
    #[inline(always)]
    fn find_all(&mut self, facts: &[Update<F>]) {
        self.fact_tags.of(facts, &mut self.tags);
        for tag in &self.tags {
            self.index.prefetch(*tag);
        }
        self.handles.clear();
        let (index, rows, key) = (&self.index, &self.rows, &self.fact_key);
        let found = facts.iter().zip(&self.tags).map(|(fact, tag)| {
            let handle = index.find_with(*tag, || key(&fact.0)).unwrap_or(NONE);
            prefetch(rows, handle as usize);
            handle
        });
        self.handles.extend(found);
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
            while !facts.as_slice().is_empty() {
                let together = facts.as_slice().len().min(TOGETHER);
                self.find_all(&facts.as_slice()[..together]);
                // What was found first: a fact that is read last goes straight to its place.
                let found = self.handles.iter().map(|handle| {
                    let known = self.rows.get(*handle as usize);
                    known.and_then(Known::present).cloned()
                });
                let joined = found.zip(facts.by_ref());
                out.emit_all(joined.map(|(found, (fact, _, diff))| ((fact, found), diff)));
            }
        }
    }

    fn save(&self, group: KeyGroup, into: &mut Vec<u8>) -> Result<(), StateError> {
        let ours = self.index.iter().filter(|(_, key)| group.holds(key.tag()));
        let rows: Vec<_> = ours
            .flat_map(|(handle, _)| self.rows[handle as usize].counted())
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
                + self.rows.capacity() * size_of::<Known<D>>()
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
