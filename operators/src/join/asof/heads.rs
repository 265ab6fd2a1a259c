//! The newest feature of each key, in the table of keys itself.
//!
//! ```text
//! tag ─ × golden ratio ─▶ [ tag │ place of the one before │ at, row ]     open addressing, a cache line an entry
//! ```
//!
//! The bits that choose a place are below those that choose a key's worker. Keys that share a tag are told apart by
//! their features.

use thalweg_engine::state::{Place, Places, hash_of};
use thalweg_engine::time::EventTime;

/// Entries that a table begins with.
const ENTRIES_MIN: usize = 256;

/// The place of no logged feature.
pub(super) const NONE: u64 = u64::MAX;

/// A feature with its time.
pub(super) type Timed<R> = (EventTime, R);

/// A key's newest feature, and the place of the one before it. Aligned so that a small one lies in one cache line.
#[repr(align(64))]
pub(super) struct Entry<R> {
    pub(super) tag: u64,
    pub(super) prev: u64,
    pub(super) newest: Option<Timed<R>>,
}

impl<R> Place for Entry<R> {
    const FREE: Self = Self {
        tag: 0,
        prev: NONE,
        newest: None,
    };

    #[inline(always)]
    fn is_free(&self) -> bool {
        self.newest.is_none()
    }

    #[inline(always)]
    fn hash(&self) -> u64 {
        hash_of(self.tag)
    }
}

/// The entries of all keys.
pub(super) struct Heads<R> {
    entries: Places<Entry<R>>,
    len: usize,
    swept: usize,
}

impl<R> Heads<R> {
    pub(super) fn new() -> Self {
        Self {
            entries: Places::new(ENTRIES_MIN),
            len: 0,
            swept: 0,
        }
    }

    /// Asks for the entry of a tag.
    #[inline(always)]
    pub(super) fn prefetch(&self, tag: u64) {
        self.entries.prefetch(hash_of(tag));
    }

    /// The place of a key's entry, or a free one.
    #[inline(always)]
    pub(super) fn probe(&self, tag: u64, is_of_key: impl Fn(&R) -> bool) -> usize {
        let is_it = |entry: &Entry<R>| {
            let newest = entry.newest.as_ref();
            entry.tag == tag && newest.is_some_and(|(_, row)| is_of_key(row))
        };
        let found = self.entries.find(hash_of(tag), is_it);
        found.unwrap_or_else(|free| free)
    }

    #[inline(always)]
    pub(super) fn at(&self, place: usize) -> &Entry<R> {
        &self.entries[place]
    }

    #[inline(always)]
    pub(super) fn at_mut(&mut self, place: usize) -> &mut Entry<R> {
        &mut self.entries[place]
    }

    /// Gives a free place, for which there is room, to a key with its first feature.
    #[inline(always)]
    pub(super) fn fill(&mut self, place: usize, tag: u64, feature: Timed<R>) {
        self.entries[place] = Entry {
            tag,
            prev: NONE,
            newest: Some(feature),
        };
        self.len += 1;
    }

    /// Makes room for one key more. Load at most 0.75: a larger table waits longer for memory than a fuller one searches.
    #[inline(always)]
    pub(super) fn make_room(&mut self) {
        if (self.len + 1) * 4 > self.entries.len() * 3 {
            self.entries.double();
        }
    }

    /// Frees the place of a key.
    pub(super) fn forget(&mut self, place: usize) {
        self.entries.vacate(place);
        self.len -= 1;
    }

    /// Passes over some more keys and forgets those of whose newest feature `may_match` does not hold.
    pub(super) fn sweep(&mut self, keys: usize, may_match: impl Fn(&Timed<R>) -> bool) {
        let is_spent = |entry: &Entry<R>| {
            let newest = entry.newest.as_ref();
            newest.is_some_and(|newest| !may_match(newest))
        };
        for _ in 0..keys.min(self.entries.len()) {
            self.swept = self.entries.after(self.swept);
            // What moves up into a freed place is looked at in its turn.
            while is_spent(&self.entries[self.swept]) {
                self.forget(self.swept);
            }
        }
    }

    /// The entries, those of no key among them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry<R>> {
        self.entries.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Entry<R>> {
        self.entries.iter_mut()
    }

    /// Keys.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Places, free ones among them.
    pub(super) fn places(&self) -> usize {
        self.entries.len()
    }

    /// Bytes held; what features own beyond themselves is not.
    pub(super) fn bytes(&self) -> usize {
        self.entries.bytes()
    }
}
