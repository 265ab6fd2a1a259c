//! The features of each key as a chain from the newest to the oldest that a label may still match.
//!
//! ```text
//! tag ─▶ [ tag │ newest ─┼─▶ …                 a table: one cache line a key, for features of up to 32 bytes
//!                        │ prev
//!                        ▼
//! log   ── dead │ f₃ ─▶ f₁ │ … │ f₇ ─▶ f₃ │ ──▶  what newer features have taken the place of, as it came to be so
//! ```
//!
//! A feature is mostly newer than all others of its key: then it takes the newest one's place, which goes to the end of
//! the log. So a feature touches one line, asked for long before, and writes where the cache is; nothing is searched,
//! moved within a key, or looked at again before it is let go: once the watermark has passed the feature that follows
//! it in the chain, which is not taken back any more, no label can match it, and it is dead. The log is cut where it
//! begins as long as that is dead; what is dead behind something that is not goes when the log has doubled. What comes
//! late, and a label that is older than the newest feature, searches the chain by jumps (`log.rs`).
//!
//! # Invariants
//! 1. A chain holds each feature that is there once, newest first; of one time, the greatest first.
//! 2. `until` of a logged feature is never below the time of the one before it in the chain.
//! 3. Features that are there more than once, or were taken back before they came, are counted in `odd`.

use std::collections::BTreeMap;

use thalweg_engine::time::{EventTime, WATERMARK_NONE};
use thalweg_engine::update::Diff;

use super::heads::{Heads, Timed};
use super::log::Log;

/// How long a log is at the least before it is looked through for what is dead.
const LOG_MIN: usize = 4_096;

/// A feature that has come or gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Changed {
    /// Whether it is there now.
    pub(super) is_there: bool,
    /// The first moment of labels that it does not matter to, because another feature is newer.
    pub(super) until: EventTime,
}

/// The features of all keys.
pub(super) struct Chains<R> {
    heads: Heads<R>,
    log: Log<R>,
    /// The length at which the log is looked through.
    log_max: usize,
    odd: BTreeMap<(EventTime, u64, R), Diff>,
}

impl<R: Ord + Clone> Chains<R> {
    pub(super) fn new() -> Self {
        Self {
            heads: Heads::new(),
            log: Log::new(),
            log_max: LOG_MIN,
            odd: BTreeMap::new(),
        }
    }

    /// Asks for the newest feature of a tag.
    #[inline(always)]
    pub(super) fn prefetch(&self, tag: u64) {
        self.heads.prefetch(tag);
    }

    /// The newest feature of a key of which `belongs` holds, which must hold of all older ones too.
    #[inline(always)]
    pub(super) fn find(
        &self,
        tag: u64,
        is_of_key: impl Fn(&R) -> bool,
        belongs: impl Fn(&Timed<R>) -> bool,
    ) -> Option<&Timed<R>> {
        let entry = self.heads.at(self.heads.probe(tag, is_of_key));
        let newest = entry.newest.as_ref()?;
        if belongs(newest) {
            return Some(newest);
        }
        let (_, older) = self.log.descend(entry.prev, |feature| !belongs(feature));
        self.log.at(older).map(|logged| &logged.feature)
    }

    /// Adds `diff` copies of a feature; none where it was there before and still is, or neither.
    #[inline(always)]
    pub(super) fn change(
        &mut self,
        tag: u64,
        (at, row): Timed<R>,
        diff: Diff,
        is_of_key: impl Fn(&R) -> bool,
    ) -> Option<Changed> {
        if diff == 1 && self.odd.is_empty() {
            self.insert(tag, (at, row), is_of_key)
        } else {
            self.change_odd(tag, (at, row), diff, &is_of_key)
        }
    }

    /// The same where a feature may be there several times, or less than not at all.
    #[inline(never)]
    fn change_odd(
        &mut self,
        tag: u64,
        (at, row): Timed<R>,
        diff: Diff,
        is_of_key: &impl Fn(&R) -> bool,
    ) -> Option<Changed> {
        let not_newer = |other: &Timed<R>| (other.0, &other.1) <= (at, &row);
        let is_there = self.find(tag, is_of_key, not_newer);
        let is_there = is_there.is_some_and(|found| (found.0, &found.1) == (at, &row));
        let name = (at, tag, row.clone());
        let before = self.odd.remove(&name).unwrap_or(Diff::from(is_there));
        let after = before + diff;
        if after != 0 && after != 1 {
            self.odd.insert(name, after);
        }
        match (before > 0, after > 0) {
            (false, true) => self.insert(tag, (at, row), is_of_key),
            (true, false) => self.remove(tag, &(at, row), is_of_key),
            _ => None,
        }
    }

    #[inline(always)]
    fn insert(
        &mut self,
        tag: u64,
        feature: Timed<R>,
        is_of_key: impl Fn(&R) -> bool,
    ) -> Option<Changed> {
        self.heads.make_room();
        let place = self.heads.probe(tag, is_of_key);
        let end = self.log.end();
        let entry = self.heads.at_mut(place);
        match &mut entry.newest {
            None => {
                self.heads.fill(place, tag, feature);
            }
            Some(newest) if newest.0 < feature.0 => {
                let until = feature.0;
                let feature = std::mem::replace(newest, feature);
                let prev = std::mem::replace(&mut entry.prev, end);
                self.log.push(feature, prev, until);
            }
            Some(_) => return self.insert_within(place, tag, feature),
        }
        Some(Changed {
            is_there: true,
            until: EventTime::MAX,
        })
    }

    /// The same of a feature that is not newer than all others of its key.
    #[inline(never)]
    fn insert_within(&mut self, place: usize, tag: u64, feature: Timed<R>) -> Option<Changed> {
        let end = self.log.end();
        let entry = self.heads.at_mut(place);
        let newest = entry.newest.as_mut()?;
        let prev = entry.prev;
        if *newest < feature {
            // Of one time, and greater.
            let feature = std::mem::replace(newest, feature);
            entry.prev = end;
            let until = feature.0;
            self.log.push(feature, prev, until);
            return Some(Changed {
                is_there: true,
                until: EventTime::MAX,
            });
        }
        let (mut is_known, mut until) = (*newest == feature, newest.0);
        let (newer, older) = self.log.descend(prev, |other| *other > feature);
        is_known |= self
            .log
            .at(older)
            .is_some_and(|logged| logged.feature == feature);
        if is_known {
            self.odd.insert((feature.0, tag, feature.1), 2);
            return None;
        }
        match newer.and_then(|newer| self.log.at_mut(newer)) {
            Some(newer) => {
                until = newer.feature.0;
                newer.prev = end;
            }
            None => self.heads.at_mut(place).prev = end,
        }
        self.log.push(feature, older, until);
        Some(Changed {
            is_there: true,
            until,
        })
    }

    /// Takes a feature out that is in its key's chain.
    fn remove(
        &mut self,
        tag: u64,
        feature: &Timed<R>,
        is_of_key: impl Fn(&R) -> bool,
    ) -> Option<Changed> {
        let place = self.heads.probe(tag, is_of_key);
        let entry = self.heads.at(place);
        let newest = entry.newest.as_ref()?;
        let mut prev = entry.prev;
        if newest == feature {
            match self.log.at(prev) {
                Some(logged) => {
                    let (newest, prev) = (logged.feature.clone(), logged.prev);
                    let entry = self.heads.at_mut(place);
                    (entry.newest, entry.prev) = (Some(newest), prev);
                }
                None => self.heads.forget(place),
            }
            return Some(Changed {
                is_there: false,
                until: EventTime::MAX,
            });
        }
        let mut until = newest.0;
        let (newer, found) = self.log.descend(prev, |other| other > feature);
        prev = found;
        if let Some(newer) = newer.and_then(|newer| self.log.at(newer)) {
            until = newer.feature.0;
        }
        let gone = self.log.at_mut(prev)?;
        gone.is_gone = true;
        let older = gone.prev;
        match newer.and_then(|newer| self.log.at_mut(newer)) {
            Some(newer) => newer.prev = older,
            None => self.heads.at_mut(place).prev = older,
        }
        // What follows it in the chain lives as long as it would have.
        if let Some(older) = self.log.at_mut(older) {
            older.until = older.until.max(until);
        }
        Some(Changed {
            is_there: false,
            until,
        })
    }

    /// Lets go of what no label from `watermark` on can match.
    pub(super) fn trim(&mut self, watermark: EventTime) {
        self.log.trim(watermark);
        let passed = self.odd.first_key_value();
        if passed.is_some_and(|((at, ..), _)| *at < watermark) {
            // Nothing is taken back below the watermark, nor does what was taken back come.
            self.odd.retain(|(at, ..), _| *at >= watermark);
        }
        if self.log.len() >= self.log_max && watermark > WATERMARK_NONE {
            self.compact(watermark);
        }
    }

    /// Looks through the whole log: what is dead behind something that is not is let go too.
    #[inline(never)]
    fn compact(&mut self, watermark: EventTime) {
        let place_of = self.log.compact(watermark);
        for entry in self.heads.iter_mut() {
            entry.prev = place_of(entry.prev);
        }
        // So that looking through costs no more than what was added since.
        self.log_max = (self.log.len() * 2).max(self.heads.places()).max(LOG_MIN);
    }

    /// Passes over some more keys and forgets those of whose newest feature `may_match` does not hold.
    pub(super) fn sweep(&mut self, keys: usize, may_match: impl Fn(&Timed<R>) -> bool) {
        self.heads.sweep(keys, may_match);
    }

    /// The tag of each key and all its features, oldest first, each with how often it is there.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, Vec<(Timed<R>, Diff)>)> {
        self.heads.iter().filter_map(|entry| {
            let mut features = vec![entry.newest.clone()?];
            let mut prev = entry.prev;
            while let Some(logged) = self.log.at(prev) {
                features.push(logged.feature.clone());
                prev = logged.prev;
            }
            let counted = features.into_iter().rev().map(|(at, row)| {
                let name = (at, entry.tag, row);
                let count = self.odd.get(&name).copied().unwrap_or(1);
                ((at, name.2), count)
            });
            Some((entry.tag, counted.collect()))
        })
    }

    /// Features that were taken back before they came, by tag.
    pub(super) fn owed(&self) -> impl Iterator<Item = (u64, &R, EventTime, Diff)> {
        let odd = self.odd.iter().filter(|(_, count)| **count < 0);
        odd.map(|((at, tag, row), count)| (*tag, row, *at, *count))
    }

    /// Keys.
    pub(super) fn keys(&self) -> usize {
        self.heads.len()
    }

    /// Features held.
    pub(super) fn features(&self) -> usize {
        self.heads.len() + self.log.len()
    }

    /// Bytes held; what features own beyond themselves is not.
    pub(super) fn bytes(&self) -> usize {
        self.heads.bytes()
            + self.log.bytes()
            + self.odd.len() * size_of::<(EventTime, u64, R, Diff)>()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::laws::Draws;

    /// Key, and what tells features of one moment apart.
    type Feature = (u64, u32);

    /// The newest feature of a key at or before a moment, by the definition.
    fn defined(
        counts: &BTreeMap<(u64, EventTime, u32), Diff>,
        key: u64,
        at: EventTime,
    ) -> Option<Timed<Feature>> {
        let of_key = counts.range((key, EventTime::MIN, 0)..=(key, at, u32::MAX));
        let present = of_key.rev().find(|(_, count)| **count > 0);
        present.map(|((key, at, value), _)| (*at, (*key, *value)))
    }

    /// Twelve keys in tags that three of them share; features come late, several times, and are taken back before and
    /// after they come; the watermark is passed as closely as it may be.
    #[test]
    fn every_label_that_may_come_finds_its_feature_whatever_has_come_and_gone() {
        for seed in 0..400 {
            let mut draws = Draws::seeded(seed);
            let mut chains = Chains::<Feature>::new();
            chains.log_max = 8;
            let mut counts: BTreeMap<(u64, EventTime, u32), Diff> = BTreeMap::new();
            let mut watermark = 0_i64;
            for _ in 0..300 {
                let (key, value) = (draws.below(12), draws.below(3) as u32);
                let at = watermark + draws.within(0..=19);
                let diff = draws.one_of(&[1, 1, 1, 2, -1]);
                let is_of_key = |row: &Feature| row.0 == key;
                let before = defined(&counts, key, EventTime::MAX);
                let changed = chains.change(key / 3, (at, (key, value)), diff, is_of_key);
                let count = counts.entry((key, at, value)).or_default();
                let was_there = *count > 0;
                *count += diff;
                let is_there = *count > 0;
                assert_eq!(changed.is_some(), was_there != is_there, "seed {seed}");
                if let Some(changed) = changed {
                    assert_eq!(changed.is_there, is_there);
                    let newest = before.is_none_or(|newest| newest <= (at, (key, value)));
                    assert_eq!(changed.until == EventTime::MAX, newest, "seed {seed}");
                }
                if draws.below(4) == 0 {
                    watermark += draws.within(0..=5);
                    chains.trim(watermark);
                    // What is owed below the watermark never comes.
                    counts.retain(|(_, at, _), count| *at >= watermark || *count > 0);
                }
                for key in 0..12 {
                    for at in watermark..watermark + 24 {
                        let is_of_key = |row: &Feature| row.0 == key;
                        let found = chains.find(key / 3, is_of_key, |feature| feature.0 <= at);
                        let expected = defined(&counts, key, at);
                        assert_eq!(found, expected.as_ref(), "seed {seed}, key {key} at {at}");
                    }
                }
            }
            assert!(chains.log.len() < 300, "nothing was let go");
        }
    }

    #[test]
    fn keys_are_forgotten_once_nothing_can_match_them_and_the_others_are_still_found() {
        let mut chains = Chains::<Feature>::new();
        for key in 0..20_000 {
            let at = i64::try_from(key % 100).unwrap();
            chains.change(key / 4, (at, (key, 0)), 1, |row| row.0 == key);
        }
        assert_eq!(chains.keys(), 20_000);
        chains.sweep(usize::MAX, |newest| newest.0 >= 50);
        assert_eq!(chains.keys(), 10_000);
        for key in 0..20_000 {
            let found = chains.find(key / 4, |row| row.0 == key, |_| true);
            assert_eq!(found.is_some(), key % 100 >= 50);
        }
    }

    /// Of two partitions one is far behind: its features go below all of the other's, and its labels look there.
    #[test]
    fn a_feature_far_behind_is_found_in_as_many_steps_as_the_length_has_bits() {
        let mut chains = Chains::<Feature>::new();
        for at in 0..20_000 {
            chains.change(0, (1_000_000 + at, (0, 0)), 1, |_| true);
            chains.change(0, (at, (0, 0)), 1, |_| true);
        }
        for at in [0, 9_999, 19_999, 1_000_000, 1_010_000] {
            let steps = std::cell::Cell::new(0);
            let found = chains.find(
                0,
                |_| true,
                |feature| {
                    steps.set(steps.get() + 1);
                    feature.0 <= at
                },
            );
            assert_eq!(found, Some(&(at, (0, 0))));
            assert!(
                at < 19_999 || steps.get() < 200,
                "{} steps to {at}",
                steps.get()
            );
        }
    }

    /// One feature far ahead would keep all that came after it in the log.
    #[test]
    fn what_is_dead_behind_a_feature_far_ahead_is_let_go_too() {
        let mut chains = Chains::<Feature>::new();
        chains.change(0, (5, (0, 0)), 1, |_| true);
        chains.change(0, (1 << 50, (0, 0)), 1, |_| true);
        for at in 10..100_000 {
            chains.change(1, (at, (1, 0)), 1, |_| true);
            chains.trim(at - 10);
        }
        assert!(chains.features() < 2 * LOG_MIN, "{}", chains.features());
        let found = |tag, at| chains.find(tag, |_| true, |feature| feature.0 <= at);
        assert_eq!(found(0, 99_999), Some(&(5, (0, 0))));
        assert_eq!(found(0, 1 << 50), Some(&(1 << 50, (0, 0))));
        assert_eq!(found(1, 99_995), Some(&(99_995, (1, 0))));
    }
}
