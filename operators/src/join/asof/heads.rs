//! The newest feature of each key, in the table of keys itself.
//!
//! ```text
//! tag ─ × golden ratio ─▶ [ tag │ place of the one before │ at, row ]     open addressing, a cache line an entry
//! ```
//!
//! The bits that choose a place are below those that choose a key's worker. Keys that share a tag are told apart by
//! their features.

use thalweg_engine::key::GOLDEN;
use thalweg_engine::state::{filled, prefetch};
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

impl<R> Entry<R> {
    fn free() -> Self {
        Self {
            tag: 0,
            prev: NONE,
            newest: None,
        }
    }
}

/// The entries of all keys.
pub(super) struct Heads<R> {
    entries: Vec<Entry<R>>,
    len: usize,
    shift: u32,
    swept: usize,
}

impl<R> Heads<R> {
    pub(super) fn new() -> Self {
        Self {
            entries: filled(ENTRIES_MIN, Entry::free),
            len: 0,
            shift: 64 - ENTRIES_MIN.trailing_zeros(),
            swept: 0,
        }
    }

    /// Where a tag's entry stands, or the first place where it may.
    #[inline(always)]
    fn place(&self, tag: u64) -> usize {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the table is smaller than memory"
        )]
        let place = ((tag.wrapping_mul(GOLDEN) << 7) >> self.shift) as usize;
        place
    }

    /// Asks for the entry of a tag.
    #[inline(always)]
    pub(super) fn prefetch(&self, tag: u64) {
        prefetch(&self.entries, self.place(tag));
    }

    /// The place of a key's entry, or a free one.
    #[inline(always)]
    pub(super) fn probe(&self, tag: u64, is_of_key: impl Fn(&R) -> bool) -> usize {
        let mask = self.entries.len() - 1;
        let mut place = self.place(tag);
        loop {
            let entry = &self.entries[place];
            match &entry.newest {
                None => return place,
                Some((_, row)) if entry.tag == tag && is_of_key(row) => return place,
                Some(_) => place = (place + 1) & mask,
            }
        }
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
            self.grow();
        }
    }

    #[cold]
    fn grow(&mut self) {
        let doubled = self.entries.len() * 2;
        let old = std::mem::replace(&mut self.entries, filled(doubled, Entry::free));
        self.shift -= 1;
        for entry in old.into_iter().filter(|entry| entry.newest.is_some()) {
            let place = self.probe(entry.tag, |_| false);
            self.entries[place] = entry;
        }
    }

    /// Frees a place; what was found past it moves up, so that it is still found.
    pub(super) fn forget(&mut self, mut hole: usize) {
        let mask = self.entries.len() - 1;
        self.entries[hole].newest = None;
        self.len -= 1;
        let mut next = (hole + 1) & mask;
        while self.entries[next].newest.is_some() {
            let home = self.place(self.entries[next].tag);
            if (next.wrapping_sub(home) & mask) >= (next.wrapping_sub(hole) & mask) {
                self.entries.swap(hole, next);
                hole = next;
            }
            next = (next + 1) & mask;
        }
    }

    /// Passes over some more keys and forgets those of whose newest feature `may_match` does not hold.
    pub(super) fn sweep(&mut self, keys: usize, may_match: impl Fn(&Timed<R>) -> bool) {
        let is_spent = |entry: &Entry<R>| {
            let newest = entry.newest.as_ref();
            newest.is_some_and(|newest| !may_match(newest))
        };
        for _ in 0..keys.min(self.entries.len()) {
            self.swept = (self.swept + 1) & (self.entries.len() - 1);
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
        self.entries.capacity() * size_of::<Entry<R>>()
    }
}
