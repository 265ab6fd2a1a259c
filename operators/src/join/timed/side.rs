//! One side of a join in time: where its rows have their key and their time, and which slots an epoch's rows go to.

use std::rc::Rc;

use thalweg_engine::key::Key;
use thalweg_engine::state::KeyIndex;
use thalweg_engine::time::EventTime;
use thalweg_engine::update::{Data, Updates};

use super::slot::Slot;
use crate::key_by::Timeline;

/// How far ahead of its use a slot of the index is asked for, in rows.
const AHEAD: usize = 16;

/// The key and the time of the rows of one side.
pub(super) struct Side<D, K> {
    pub(super) key: Rc<dyn Fn(&D) -> K>,
    pub(super) at: Rc<dyn Fn(&D) -> EventTime>,
}

impl<D: Data, K: Key> Side<D, K> {
    pub(super) fn of(timeline: &Timeline<'_, D, K>) -> Self {
        Self::new(Rc::clone(&timeline.keyed.key), Rc::clone(&timeline.at))
    }

    pub(super) fn new(key: Rc<dyn Fn(&D) -> K>, at: Rc<dyn Fn(&D) -> EventTime>) -> Self {
        Self { key, at }
    }
}

/// The handles of an epoch's rows of one side, in the order of the rows.
#[derive(Default)]
pub(super) struct Handles {
    pub(super) handles: Vec<u32>,
    /// Whether any row is taken back.
    pub(super) any_retraction: bool,
}

impl Handles {
    /// Resolves the keys of an epoch's rows; keys that are not known get a slot.
    pub(super) fn resolve<K: Key, D, L: Ord, R>(
        &mut self,
        rows: &Updates<D>,
        key: &dyn Fn(&D) -> K,
        index: &mut KeyIndex<K>,
        slots: &mut Vec<Slot<L, R>>,
    ) {
        self.handles.clear();
        self.any_retraction = false;
        for rows in rows.containers() {
            for (place, (row, _, diff)) in rows.iter().enumerate() {
                if let Some(ahead) = rows.get(place + AHEAD) {
                    index.prefetch(key(&ahead.0).tag());
                }
                self.handles.push(slot_of(&key(row), index, slots));
                self.any_retraction |= *diff < 0;
            }
        }
    }
}

/// The handle of a key's slot, made at its first call.
#[inline]
pub(super) fn slot_of<K: Key, L: Ord, R>(
    key: &K,
    index: &mut KeyIndex<K>,
    slots: &mut Vec<Slot<L, R>>,
) -> u32 {
    let (handle, new) = index.resolve(key);
    if new && handle as usize == slots.len() {
        slots.push(Slot::new());
    }
    handle
}
