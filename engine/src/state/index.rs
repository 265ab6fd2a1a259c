//! From keys to small dense handles: an open-addressing table of (tag, handle) in 12 bytes, load at most 0.6; 0.3 where
//! keys come and go, 0.7 where searching them is the least of the work.
//!
//! ```text
//! key ─ tag ─ × golden ratio ─┬─ top 7 bits: key group (the exchange)
//!                             └─ the bits below them: place in the table   (sharing bits would cluster 128-fold)
//! ```
//!
//! Handles of removed keys are used again. Keys whose tags collide are told apart by comparing them in full.

use crate::key::Key;
use crate::state::places::{Place, Places, hash_of};
use crate::state::prefetch;

/// Marks a free slot.
const FREE: u32 = u32::MAX;

/// Packed: four bytes of padding a slot would be a fifth of what a small key costs.
#[derive(Clone, Copy)]
#[repr(C, packed(4))]
struct Slot {
    tag: u64,
    handle: u32,
}

impl Place for Slot {
    const FREE: Self = Self {
        tag: 0,
        handle: FREE,
    };

    #[inline(always)]
    fn is_free(&self) -> bool {
        self.handle == FREE
    }

    #[inline(always)]
    fn hash(&self) -> u64 {
        hash_of(self.tag)
    }
}

/// Maps keys to handles `0, 1, 2…`, so that state can lie in slabs.
pub struct KeyIndex<K> {
    slots: Places<Slot>,
    /// The key of each handle; where the handle is free, the last key that had it.
    keys: Vec<K>,
    /// A bit for each handle in use.
    used: Vec<u64>,
    free: Vec<u32>,
    /// The load at which the table grows, in tenths.
    load_max: usize,
}

impl<K: Key> Default for KeyIndex<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Key> KeyIndex<K> {
    /// An empty index.
    #[must_use]
    pub fn new() -> Self {
        Self::with_slots(1_024)
    }

    /// An empty index that begins with this many slots, rounded up to a power of two.
    #[must_use]
    pub fn with_slots(slots: usize) -> Self {
        Self {
            slots: Places::new(slots),
            keys: Vec::new(),
            used: Vec::new(),
            free: Vec::new(),
            load_max: 6,
        }
    }

    /// An empty index that takes less room, up to half of it: its table is fuller before it doubles, which costs a lookup
    /// that does nothing else a quarter of its speed.
    #[must_use]
    pub fn packed() -> Self {
        Self {
            load_max: 7,
            ..Self::new()
        }
    }

    /// An empty index of keys that come and go: half as full, so that taking a key out mostly moves no other.
    #[must_use]
    pub fn of_short_lived() -> Self {
        Self {
            load_max: 3,
            ..Self::new()
        }
    }

    /// Forgets all keys; the memory stays.
    pub fn clear(&mut self) {
        self.slots.clear();
        self.keys.clear();
        self.used.clear();
        self.free.clear();
    }

    /// Asks for the slot of a tag ahead of [`KeyIndex::resolve`].
    #[inline(always)]
    pub fn prefetch(&self, tag: u64) {
        self.slots.prefetch(hash_of(tag));
    }

    /// The handle of a key and whether it is new: a new handle is either the next one or one that was freed.
    #[inline]
    pub fn resolve(&mut self, key: &K) -> (u32, bool) {
        self.resolve_with(key.tag(), || key.clone())
    }

    /// The same of a key whose tag is known: the key itself is asked for only to be kept, or where its tag does not
    /// tell it apart.
    #[inline]
    pub fn resolve_with(&mut self, tag: u64, key: impl Fn() -> K) -> (u32, bool) {
        match self.find_place(tag, &key) {
            Ok(place) => (self.slots[place].handle, false),
            Err(free) => (self.insert(free, tag, key()), true),
        }
    }

    /// The handle of a key, if it is known.
    #[must_use]
    pub fn find(&self, key: &K) -> Option<u32> {
        self.find_with(key.tag(), || key.clone())
    }

    /// The same of a key whose tag is known: the key itself is asked for only where its tag does not tell it apart.
    #[inline]
    #[must_use]
    pub fn find_with(&self, tag: u64, key: impl Fn() -> K) -> Option<u32> {
        let place = self.find_place(tag, key);
        place.ok().map(|place| self.slots[place].handle)
    }

    #[inline(always)]
    fn is_key_of(&self, handle: u32, key: impl Fn() -> K) -> bool {
        K::EXACT || self.keys[handle as usize] == key()
    }

    /// The slot of a key, or the one that it would take.
    #[inline(always)]
    fn find_place(&self, tag: u64, key: impl Fn() -> K) -> Result<usize, usize> {
        self.slots.find(hash_of(tag), |slot| {
            slot.tag == tag && self.is_key_of(slot.handle, &key)
        })
    }

    /// Asks for the key of a handle ahead of [`KeyIndex::key`].
    #[inline(always)]
    pub fn prefetch_key(&self, handle: u32) {
        prefetch(&self.keys, handle as usize);
    }

    /// The key of a handle in use.
    #[inline]
    #[must_use]
    pub fn key(&self, handle: u32) -> Option<&K> {
        self.is_used(handle).then(|| &self.keys[handle as usize])
    }

    #[inline]
    fn is_used(&self, handle: u32) -> bool {
        let word = self.used.get(handle as usize / 64);
        word.is_some_and(|word| word >> (handle % 64) & 1 == 1)
    }

    /// Forgets a key; its handle will be given to another.
    pub fn remove(&mut self, handle: u32) {
        let Some(key) = self.key(handle).cloned() else {
            return;
        };
        let Ok(place) = self.find_place(key.tag(), || key.clone()) else {
            return;
        };
        self.used[handle as usize / 64] &= !(1 << (handle % 64));
        self.free.push(handle);
        self.slots.vacate(place);
    }

    /// Keys in use.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len() - self.free.len()
    }

    /// Whether no key is in use.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All keys in use with their handles, by handle.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &K)> {
        (0..)
            .zip(&self.keys)
            .filter(|(handle, _)| self.is_used(*handle))
    }

    /// Bytes held, capacity included, but not the room that is reserved for more slots; what keys own beyond themselves
    /// is not.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.slots.bytes()
            + self.keys.capacity() * size_of::<K>()
            + self.used.capacity() * 8
            + self.free.capacity() * 4
    }

    #[inline(never)]
    fn insert(&mut self, place: usize, tag: u64, key: K) -> u32 {
        let handle = if let Some(handle) = self.free.pop() {
            self.keys[handle as usize] = key;
            handle
        } else {
            if self.keys.len() == self.keys.capacity() {
                // A sixteenth more, not as many again: keys are short to copy, and long held.
                self.keys.reserve_exact(self.keys.len() / 16 + 64);
            }
            self.keys.push(key);
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a worker holds fewer than 2³² keys"
            )]
            let handle = (self.keys.len() - 1) as u32;
            handle
        };
        if self.used.len() * 64 <= handle as usize {
            self.used.push(0);
        }
        self.used[handle as usize / 64] |= 1 << (handle % 64);
        self.slots[place] = Slot { tag, handle };
        if self.len() * 10 > self.slots.len() * self.load_max {
            self.slots.double();
        }
        handle
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn keys_keep_their_handles_through_growth_and_removal() {
        assert_keys_keep_their_handles(KeyIndex::new());
        assert_keys_keep_their_handles(KeyIndex::packed());
        assert_keys_keep_their_handles(KeyIndex::of_short_lived());
    }

    fn assert_keys_keep_their_handles(mut index: KeyIndex<u64>) {
        let mut known: BTreeMap<u64, u32> = BTreeMap::new();
        let mut seed = 1_u64;
        for _ in 0..200_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let key = (seed >> 33) % 20_000;
            if seed.is_multiple_of(3) {
                if let Some(handle) = known.remove(&key) {
                    index.remove(handle);
                }
            } else {
                let (handle, new) = index.resolve(&key);
                assert_eq!(new, !known.contains_key(&key));
                assert_eq!(*known.entry(key).or_insert(handle), handle);
            }
        }
        assert_eq!(index.len(), known.len());
        for (key, handle) in known {
            assert_eq!(index.find(&key), Some(handle));
            assert_eq!(index.key(handle), Some(&key));
        }
    }

    /// A key whose tag is always the same: everything collides.
    #[derive(
        Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
    )]
    struct Colliding(String);

    impl Key for Colliding {
        const EXACT: bool = false;
        fn tag(&self) -> u64 {
            7
        }
    }

    #[test]
    fn keys_with_one_tag_are_told_apart() {
        let mut index = KeyIndex::new();
        let keys: Vec<_> = (0..50).map(|n| Colliding(n.to_string())).collect();
        let handles: Vec<_> = keys.iter().map(|key| index.resolve(key).0).collect();
        index.remove(handles[10]);
        for (key, handle) in keys.iter().zip(&handles) {
            assert_eq!(index.find(key).is_some(), *handle != handles[10]);
        }
    }
}
