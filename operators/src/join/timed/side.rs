//! One side of a join in time: where its rows have their key and their time, and which slots an epoch's rows go to.

use std::rc::Rc;

use thalweg_engine::column::Column;
use thalweg_engine::key::Key;
use thalweg_engine::state::KeyIndex;
use thalweg_engine::time::EventTime;
use thalweg_engine::update::{Data, Updates};

use super::slot::Slot;
use crate::key_by::Timeline;

/// How far ahead of its use a slot of the index is asked for, in rows.
const AHEAD: usize = 16;

/// The key and the time of the rows of one side.
pub(in crate::join) struct Side<D, K> {
    pub(in crate::join) key: Rc<dyn Fn(&D) -> K>,
    pub(in crate::join) tags: Column<D, u64>,
    pub(in crate::join) times: Column<D, EventTime>,
}

impl<D: Data, K: Key> Side<D, K> {
    pub(in crate::join) fn of(timeline: &Timeline<'_, D, K>) -> Self {
        Self {
            key: Rc::clone(&timeline.keyed.key),
            tags: timeline.keyed.tags.clone(),
            times: timeline.times.clone(),
        }
    }

    /// The key of a row, where its tag does not tell it apart.
    #[inline(always)]
    pub(in crate::join) fn key_to_tell(&self, row: &D) -> Option<K> {
        (!K::EXACT).then(|| (self.key)(row))
    }

    /// Whether a row with the tag of a key is of that key.
    #[inline(always)]
    pub(in crate::join) fn is_of(&self, row: &D, key: &Option<K>) -> bool {
        key.as_ref().is_none_or(|key| (self.key)(row) == *key)
    }

    #[cfg(test)]
    pub(in crate::join) fn new(key: fn(&D) -> K, at: fn(&D) -> EventTime) -> Self {
        Self {
            key: Rc::new(key),
            tags: Column::new(move |row| key(row).tag()),
            times: Column::new(at),
        }
    }
}

/// The slots and the times of an epoch's rows of one side, in the order of the rows.
#[derive(Default)]
pub(super) struct Places {
    pub(super) handles: Vec<u32>,
    pub(super) times: Vec<EventTime>,
    tags: Vec<u64>,
    /// Whether any row is taken back.
    pub(super) any_retraction: bool,
}

impl Places {
    /// Resolves the keys of an epoch's rows; keys that are not known get a slot.
    pub(super) fn resolve<K: Key, D: Data, R>(
        &mut self,
        rows: &Updates<D>,
        side: &Side<D, K>,
        index: &mut KeyIndex<K>,
        slots: &mut Vec<Slot<R>>,
    ) {
        self.handles.clear();
        self.times.clear();
        self.any_retraction = false;
        for rows in rows.containers() {
            side.times.append(rows, &mut self.times);
            side.tags.of(rows, &mut self.tags);
            for (place, (tag, (row, _, diff))) in self.tags.iter().zip(rows).enumerate() {
                if let Some(ahead) = self.tags.get(place + AHEAD) {
                    index.prefetch(*ahead);
                }
                let handle = slot_of(*tag, || (side.key)(row), index, slots);
                self.handles.push(handle);
                self.any_retraction |= *diff < 0;
            }
        }
    }
}

/// The handle of a key's slot, made at its first call.
#[inline(always)]
pub(super) fn slot_of<K: Key, R>(
    tag: u64,
    key: impl Fn() -> K,
    index: &mut KeyIndex<K>,
    slots: &mut Vec<Slot<R>>,
) -> u32 {
    let (handle, new) = index.resolve_with(tag, key);
    if new && handle as usize == slots.len() {
        slots.push(Slot::new());
    }
    handle
}
