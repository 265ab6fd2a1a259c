//! One open window: its keys, each with its aggregates.
//!
//! ```text
//! key ─ tag ─ × golden ratio ─▶ slot { 32 bits of the hash, handle } ─▶ Group { key, rows, state }      load at most 1/2,
//!                                      the first of them choose the slot                               small tables 1/4
//! ```
//!
//! A window's keys lie together, and each beside its aggregates: a window in work stays in the cache however many
//! windows there are.

use thalweg_engine::key::Key;
use thalweg_engine::state::{Place, Places, hash_of, prefetch};
use thalweg_engine::time::EventTime;

/// Slots that a window begins with.
pub(super) const SLOTS: usize = 64;

/// Slots that may well lie in the nearest cache, or the next one: there is room to spare, and a key that stands in its
/// first slot is found without a guess that goes wrong.
const SLOTS_IN_CACHE: usize = 8_192;

/// Slots that stay in the nearest cache where one window after another is counted in the same.
pub(super) const SLOTS_NEAR: usize = 1_024;

/// Slots that are filled in the time in which one is looked for.
const SLOTS_PER_CLEARED: usize = 32;

/// Marks a free slot.
const FREE: u32 = u32::MAX;

#[derive(Clone, Copy)]
struct Slot {
    hash: u32,
    handle: u32,
}

impl Place for Slot {
    const FREE: Self = Self {
        hash: 0,
        handle: FREE,
    };

    #[inline(always)]
    fn is_free(&self) -> bool {
        self.handle == FREE
    }

    #[inline(always)]
    fn hash(&self) -> u64 {
        widened(self.hash)
    }
}

/// The first bits of a hash, as a hash.
#[inline(always)]
fn widened(first_bits: u32) -> u64 {
    u64::from(first_bits) << 32
}

/// The first bits of a key's hash, which choose its slot and tell it apart from most others.
#[inline(always)]
fn first_bits(key: &impl Key) -> u32 {
    (hash_of(key.tag()) >> 32) as u32
}

/// Whether a group is in use, and whether this epoch has touched it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    Resting,
    Touched,
    /// No row and no trace of one is left: the next new key takes its place.
    Free,
}

/// A group's state: its rows by count, its aggregates. One that is no larger than a cache line lies in one.
#[repr(align(64))]
pub(super) struct Group<K, S> {
    pub(super) key: K,
    pub(super) rows: i64,
    pub(super) state: S,
    pub(super) used: Use,
    /// Where windows are put together of panes: in a pane the group's place in the window in work, from 1 on, and there
    /// in how many panes the key is.
    pub(super) link: u32,
}

/// The slot that a new key takes.
pub(super) struct Vacant {
    place: usize,
    hash: u32,
}

/// The groups of one window.
pub(super) struct Open<K, S> {
    pub(super) start: EventTime,
    slots: Places<Slot>,
    groups: Vec<Group<K, S>>,
    free: Vec<u32>,
}

impl<K: Key, S: Default> Open<K, S> {
    pub(super) fn new(start: EventTime) -> Self {
        Self {
            start,
            slots: Places::new(SLOTS),
            groups: Vec::new(),
            free: Vec::new(),
        }
    }

    /// Asks for the slots of keys ahead of [`Open::find`]: small tables too, since an epoch may fill a hundred windows.
    #[inline]
    pub(super) fn prefetch<'a>(&self, keys: impl IntoIterator<Item = &'a K>) {
        for key in keys {
            self.slots.prefetch(hash_of(key.tag()));
        }
    }

    /// Asks for the groups of keys whose slots have come, where there are too many to be in the cache.
    #[inline]
    pub(super) fn prefetch_groups<'a>(&self, keys: impl IntoIterator<Item = &'a K>) {
        if self.slots.len() > SLOTS_IN_CACHE {
            for key in keys {
                // Mostly the first slot is the key's; a free one asks for nothing.
                let slot = self.slots[self.slots.home(hash_of(key.tag()))];
                prefetch(&self.groups, slot.handle as usize);
            }
        }
    }

    /// The handle of a key, made at its first call.
    #[inline(always)]
    pub(super) fn resolve(&mut self, key: &K) -> u32 {
        match self.find(key) {
            Ok(handle) => handle,
            Err(vacant) => self.insert(vacant, key, 0, S::default()),
        }
    }

    /// The handle of a key, or where to insert it.
    #[inline(always)]
    pub(super) fn find(&self, key: &K) -> Result<u32, Vacant> {
        let hash = first_bits(key);
        let is_it =
            |slot: &Slot| slot.hash == hash && self.groups[slot.handle as usize].key == *key;
        let found = self.slots.find(widened(hash), is_it);
        found
            .map(|place| self.slots[place].handle)
            .map_err(|place| Vacant { place, hash })
    }

    /// Inserts a key with its first rows, and returns its handle.
    #[inline(always)]
    pub(super) fn insert(&mut self, vacant: Vacant, key: &K, rows: i64, state: S) -> u32 {
        let group = Group {
            key: key.clone(),
            rows,
            state,
            used: Use::Resting,
            link: 0,
        };
        let handle = if let Some(handle) = self.free.pop() {
            self.groups[handle as usize] = group;
            handle
        } else {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a worker holds fewer than 2³² keys"
            )]
            let handle = self.groups.len() as u32;
            self.groups.push(group);
            handle
        };
        let Vacant { place, hash } = vacant;
        self.slots[place] = Slot { hash, handle };
        let slots = self.slots.len();
        let slots_per_key = if slots <= SLOTS_IN_CACHE { 4 } else { 2 };
        if self.len() * slots_per_key > slots {
            self.slots.double();
        }
        handle
    }

    #[inline(always)]
    pub(super) fn group_mut(&mut self, handle: u32) -> &mut Group<K, S> {
        &mut self.groups[handle as usize]
    }

    /// All groups by handle, free ones too.
    #[inline(always)]
    pub(super) fn groups_mut(&mut self) -> &mut [Group<K, S>] {
        &mut self.groups
    }

    /// Asks for groups ahead of their use, likewise.
    #[inline]
    pub(super) fn prefetch_handles(&self, handles: impl IntoIterator<Item = u32>) {
        if self.slots.len() > SLOTS_IN_CACHE {
            for handle in handles {
                prefetch(&self.groups, handle as usize);
            }
        }
    }

    /// The groups in use, in the order in which their keys came.
    pub(super) fn groups(&self) -> impl Iterator<Item = &Group<K, S>> {
        self.groups.iter().filter(|group| group.used != Use::Free)
    }

    /// Lets go of a group without rows.
    pub(super) fn forget(&mut self, handle: u32) {
        let place = self.place_of(handle as usize);
        self.groups[handle as usize].used = Use::Free;
        self.free.push(handle);
        self.slots.vacate(place);
    }

    /// Where the slot of a group in use is, though slots before it may have been freed.
    #[inline(always)]
    fn place_of(&self, handle: usize) -> usize {
        let hash = first_bits(&self.groups[handle].key);
        let mut place = self.slots.home(widened(hash));
        while self.slots[place].handle as usize != handle {
            place = self.slots.after(place);
        }
        place
    }

    /// Forgets all groups; their memory stays.
    pub(super) fn clear(&mut self) {
        if self.groups.len() * SLOTS_PER_CLEARED < self.slots.len() {
            // Few in a table that was made for many.
            for handle in 0..self.groups.len() {
                if self.groups[handle].used == Use::Free {
                    continue;
                }
                let place = self.place_of(handle);
                self.slots[place] = Slot::FREE;
            }
        } else {
            self.slots.clear();
        }
        self.groups.clear();
        self.free.clear();
    }

    /// Slots of keys, free ones among them.
    #[inline(always)]
    pub(super) fn slots(&self) -> usize {
        self.slots.len()
    }

    /// Groups in use.
    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        self.groups.len() - self.free.len()
    }

    /// Bytes held, capacity included, but not the room that is reserved for more slots; what keys and states own beyond
    /// themselves is not.
    #[inline(always)]
    pub(super) fn bytes(&self) -> usize {
        self.slots.bytes()
            + self.groups.capacity() * size_of::<Group<K, S>>()
            + self.free.capacity() * size_of::<u32>()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::laws::Draws;

    /// Keys of a few tags only, which stand in one another's way.
    #[derive(
        Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
    )]
    struct Crowded(u64);

    impl Key for Crowded {
        const EXACT: bool = false;

        fn tag(&self) -> u64 {
            self.0 % 7
        }
    }

    #[test]
    fn keys_that_stand_in_one_anothers_way_are_found_as_others_come_and_go() {
        let mut draws = Draws::seeded(1);
        let mut open = Open::<Crowded, i64>::new(0);
        for _ in 0..4 {
            open.clear();
            let mut known = BTreeMap::new();
            for round in 1..4_000 {
                let key = Crowded(draws.below(200));
                let handle = open.resolve(&key);
                let group = open.group_mut(handle);
                let state = known.get(&key).copied().unwrap_or_default();
                assert_eq!((group.key, group.state), (key, state), "round {round}");
                if draws.below(2) == 0 {
                    open.forget(handle);
                    known.remove(&key);
                } else {
                    group.state = round;
                    known.insert(key, round);
                }
                assert_eq!(open.len(), known.len(), "round {round}");
            }
            let groups = open.groups().map(|group| (group.key, group.state));
            assert_eq!(groups.collect::<BTreeMap<_, _>>(), known);
        }
    }

    /// Many are cleared by clearing all slots, a few one by one.
    #[test]
    fn nothing_is_found_in_a_table_that_was_cleared_of_few_or_of_many() {
        let mut open = Open::<Crowded, i64>::new(0);
        for keys in [4_000, 10, 0, 1, 300, 20] {
            for key in 0..keys {
                open.resolve(&Crowded(key * 3));
            }
            for key in 0..keys / 4 {
                let handle = open.resolve(&Crowded(key * 12));
                open.forget(handle);
            }
            open.clear();
            assert_eq!((open.len(), open.groups().count()), (0, 0), "{keys}");
            let free = open.slots.iter().filter(|slot| slot.handle == FREE);
            assert_eq!(free.count(), open.slots.len(), "{keys}");
        }
    }
}
