//! One open window: its keys, each with its aggregates.
//!
//! ```text
//! key ─ index ─▶ handle ─▶ Group { rows, state, touched }
//! ```
//!
//! A window's keys lie together: a window in work stays in the cache however many windows there are.

use thalweg_engine::key::Key;
use thalweg_engine::state::KeyIndex;
use thalweg_engine::time::EventTime;

/// Slots that a window's index begins with.
const SLOTS: usize = 64;

/// A group's state: its rows by count, its aggregates, and whether this epoch has touched it.
pub(super) struct Group<S> {
    pub(super) rows: i64,
    pub(super) touched: bool,
    pub(super) state: S,
}

impl<S: Default> Default for Group<S> {
    fn default() -> Self {
        Self {
            rows: 0,
            touched: false,
            state: S::default(),
        }
    }
}

/// The groups of one window.
pub(super) struct Open<K, S> {
    pub(super) start: EventTime,
    pub(super) index: KeyIndex<K>,
    pub(super) groups: Vec<Group<S>>,
}

impl<K: Key, S: Default> Open<K, S> {
    pub(super) fn new(start: EventTime) -> Self {
        Self {
            start,
            index: KeyIndex::with_slots(SLOTS),
            groups: Vec::new(),
        }
    }

    /// The handle of a key, made at its first call, and whether memory grew for it.
    #[inline]
    pub(super) fn resolve(&mut self, key: &K) -> (u32, bool) {
        let (handle, new) = self.index.resolve(key);
        let mut grown = false;
        if new && handle as usize == self.groups.len() {
            grown = self.groups.len() == self.groups.capacity();
            self.groups.push(Group::default());
        }
        (handle, grown)
    }

    pub(super) fn forget(&mut self, handle: u32) {
        self.groups[handle as usize] = Group::default();
        self.index.remove(handle);
    }

    /// Makes the window one of another time, without groups; its memory stays.
    pub(super) fn begin(&mut self, start: EventTime) {
        self.start = start;
        self.index.clear();
        self.groups.clear();
    }

    pub(super) fn bytes(&self) -> usize {
        self.index.bytes() + self.groups.capacity() * size_of::<Group<S>>()
    }
}
