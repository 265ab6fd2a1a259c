//! The newest right row of each key that the watermark has passed: nothing can change it any more, and of all that are
//! as old it is the only one that a left row to come may match.
//!
//! ```text
//! tag ─▶ [ tag │ at │ row ]     open addressing, a key's row in the table itself: nothing else is touched to find it
//! ```
//!
//! Rows that may still change lie in the slots of the few keys that have some, which the cache holds; only here, where
//! there is a row for every key, each touch waits for memory, and it can be asked for long before.

use thalweg_engine::key::GOLDEN;
use thalweg_engine::state::prefetch;
use thalweg_engine::time::EventTime;

/// How far ahead of its use an entry is asked for, in rows.
pub(super) const AHEAD: usize = 12;

/// Entries that a table begins with.
const ENTRIES_MIN: usize = 256;

/// A right row with its time.
pub(in crate::join) type Passed<R> = (EventTime, R);

#[derive(Clone)]
struct Entry<R> {
    tag: u64,
    passed: Option<Passed<R>>,
}

/// The rows by the tags of their keys; keys that share a tag are told apart by their rows.
pub(super) struct Settled<R> {
    entries: Vec<Entry<R>>,
    len: usize,
    shift: u32,
    swept: usize,
}

impl<R> Settled<R> {
    pub(super) fn new() -> Self {
        Self {
            entries: Vec::new(),
            len: 0,
            shift: 64,
            swept: 0,
        }
    }

    /// Where a tag's entry stands, or the first place where it may: the bits below those of the key group.
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
        if !self.entries.is_empty() {
            prefetch(&self.entries, self.place(tag));
        }
    }

    /// The row of the key that has this tag and of which `is_of_key` holds.
    #[inline(always)]
    pub(super) fn find(&self, tag: u64, is_of_key: impl Fn(&R) -> bool) -> Option<&Passed<R>> {
        if self.entries.is_empty() {
            return None;
        }
        let (_, passed) = self.probe(tag, is_of_key);
        passed
    }

    /// The place of a key's entry and its row, or a free place.
    #[inline(always)]
    fn probe(&self, tag: u64, is_of_key: impl Fn(&R) -> bool) -> (usize, Option<&Passed<R>>) {
        let mask = self.entries.len() - 1;
        let mut place = self.place(tag);
        loop {
            let entry = &self.entries[place];
            match &entry.passed {
                None => return (place, None),
                Some(passed) if entry.tag == tag && is_of_key(&passed.1) => {
                    return (place, Some(passed));
                }
                Some(_) => place = (place + 1) & mask,
            }
        }
    }

    /// Puts a key's row in place of the one that it had.
    #[inline]
    pub(super) fn put(&mut self, tag: u64, passed: Passed<R>, is_of_key: impl Fn(&R) -> bool) {
        // Load at most 0.6: of a fuller table a search touches more lines.
        if (self.len + 1) * 10 > self.entries.len() * 6 {
            self.grow();
        }
        let (place, before) = self.probe(tag, is_of_key);
        self.len += usize::from(before.is_none());
        self.entries[place] = Entry {
            tag,
            passed: Some(passed),
        };
    }

    #[cold]
    fn grow(&mut self) {
        let doubled = (self.entries.len() * 2).max(ENTRIES_MIN);
        let free = || Entry {
            tag: 0,
            passed: None,
        };
        let old = std::mem::replace(
            &mut self.entries,
            std::iter::repeat_with(free).take(doubled).collect(),
        );
        self.shift = 64 - doubled.trailing_zeros();
        for entry in old.into_iter().filter(|entry| entry.passed.is_some()) {
            let (place, _) = self.probe(entry.tag, |_| false);
            self.entries[place] = entry;
        }
    }

    /// Passes over some more entries and forgets the rows of which `may_match` does not hold.
    pub(super) fn sweep(&mut self, entries: usize, may_match: impl Fn(&Passed<R>) -> bool) {
        for _ in 0..entries.min(self.entries.len()) {
            self.swept = (self.swept + 1) & (self.entries.len() - 1);
            let passed = &self.entries[self.swept].passed;
            if passed.as_ref().is_some_and(|passed| !may_match(passed)) {
                self.remove(self.swept);
            }
        }
    }

    /// Frees a place; what was found past it moves up, so that it is still found.
    fn remove(&mut self, mut hole: usize) {
        let mask = self.entries.len() - 1;
        self.entries[hole].passed = None;
        self.len -= 1;
        let mut next = (hole + 1) & mask;
        while self.entries[next].passed.is_some() {
            let home = self.place(self.entries[next].tag);
            if (next.wrapping_sub(home) & mask) >= (next.wrapping_sub(hole) & mask) {
                self.entries.swap(hole, next);
                hole = next;
            }
            next = (next + 1) & mask;
        }
    }

    /// All rows with their tags, by the places of their keys.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &Passed<R>)> {
        let entries = self.entries.iter();
        entries.filter_map(|entry| entry.passed.as_ref().map(|passed| (entry.tag, passed)))
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Bytes held; what rows own beyond themselves is not.
    pub(super) fn bytes(&self) -> usize {
        self.entries.capacity() * size_of::<Entry<R>>()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Keys below 4,000 in tags that eight of them share.
    #[test]
    fn rows_are_found_through_growth_and_forgetting_whoever_shares_their_tag() {
        let mut settled = Settled::<(u64, i64)>::new();
        let mut known: BTreeMap<u64, Passed<(u64, i64)>> = BTreeMap::new();
        let mut seed = 1_u64;
        assert_eq!(settled.find(7, |_| true), None);
        for at in 0..60_000_i64 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let key = (seed >> 33) % 4_000;
            settled.put(key / 8, (at, (key, at)), |row| row.0 == key);
            known.insert(key, (at, (key, at)));
            if at % 100 == 0 {
                let may_match = |passed: &Passed<(u64, i64)>| passed.0 + 9_000 > at;
                settled.sweep(usize::MAX, may_match);
                settled.sweep(usize::MAX, may_match);
                known.retain(|_, passed| may_match(passed));
                assert_eq!(settled.len(), known.len());
            }
        }
        for key in 0..4_000 {
            let found = settled.find(key / 8, |row| row.0 == key);
            assert_eq!(found, known.get(&key), "{key}");
        }
        assert_eq!(settled.iter().count(), known.len());
    }
}
