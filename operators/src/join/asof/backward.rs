//! The keyed state of the as-of join backward: each label with the newest feature at or before it.
//!
//! ```text
//! features ──▶ chains: per key the newest, and in a log what it has taken the place of   (`chains.rs`)
//!                 ▲ the newest at or before the label
//! labels ─────────┴──▶ labels that a feature to come may still be newer for              (`labels.rs`)
//!                          ├─▶ −old +new where one is                                    (latest)
//!                          └─▶ one answer when the watermark has passed the label        (finals)
//! ```
//!
//! # Invariants
//! Those of `join/timed/`, whose general state serves the other directions.

use thalweg_engine::key::Key;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, PairedState, StateError, StateSize};
use thalweg_engine::time::{EventTime, WATERMARK_NONE};
use thalweg_engine::update::{Data, Diff, Updates};

use super::AsofRule;
use super::chains::Chains;
use super::heads::Timed;
use super::labels::Labels;
use crate::codec;
use crate::join::timed::changes::Changes;
use crate::join::timed::side::Side;
use crate::join::timed::{Held, Mode, prefix};

/// How far ahead of its use a key's newest feature is asked for, in rows.
const AHEAD: usize = 16;

/// Rows for which the sweep passes over one key's features; at least [`SWEEP_MIN`] keys an epoch.
const SWEEP_ROWS: usize = 8;
const SWEEP_MIN: usize = 64;

/// The tags and the times of an epoch's rows of one side, in the order of the rows.
#[derive(Default)]
struct Columns {
    tags: Vec<u64>,
    times: Vec<EventTime>,
    any_retraction: bool,
}

impl Columns {
    fn read<D: Data, K>(&mut self, rows: &Updates<D>, side: &Side<D, K>) {
        self.tags.clear();
        self.times.clear();
        self.any_retraction = false;
        for rows in rows.containers() {
            side.tags.append(rows, &mut self.tags);
            side.times.append(rows, &mut self.times);
            self.any_retraction |= rows.iter().any(|(_, _, diff)| *diff < 0);
        }
    }
}

/// What brings changes of one key together; those of two keys may come together too.
fn key_bits(tag: u64) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "some bits are enough")]
    let bits = tag as u32;
    bits
}

/// What goes out.
type Out<L, R> = (L, Option<R>);

/// The feature of a label at `at`: the newest of its key at or before it, if that is near enough.
#[inline(always)]
fn newest_at<R: Ord + Clone>(
    chains: &Chains<R>,
    rule: &AsofRule<R>,
    tag: u64,
    is_of_key: impl Fn(&R) -> bool,
    at: EventTime,
) -> Option<R> {
    let newest = chains.find(tag, is_of_key, |feature| feature.0 <= at)?;
    let reaches = rule.reaches_from(newest.0, &newest.1, at);
    reaches.then(|| newest.1.clone())
}

/// The state: see the head of this file.
pub(super) struct Backward<K: Key, L, R> {
    label: Side<L, K>,
    feature: Side<R, K>,
    rule: AsofRule<R>,
    mode: Mode,
    chains: Chains<R>,
    labels: Labels<K, L>,
    changes: Changes<L, R>,
    columns: [Columns; 2],
    /// Whether labels of this epoch may undo what it has written of others: then all of it is added up first.
    adds_up: bool,
    /// Whether no feature comes after this epoch.
    features_have_ended: bool,
    /// Whether none comes from this epoch on, so that labels have nothing to wait for.
    features_are_over: bool,
}

impl<K: Key, L: Data + Ord, R: Data + Ord> Backward<K, L, R> {
    pub(super) fn new(
        label: Side<L, K>,
        feature: Side<R, K>,
        rule: AsofRule<R>,
        mode: Mode,
    ) -> Self {
        Self {
            label,
            feature,
            rule,
            mode,
            chains: Chains::new(),
            labels: Labels::new(),
            changes: Changes::new(),
            columns: Default::default(),
            adds_up: false,
            features_have_ended: false,
            features_are_over: false,
        }
    }

    #[inline(always)]
    fn change_feature(&mut self, tag: u64, at: EventTime, row: R, diff: Diff) {
        if self.mode == Mode::Latest {
            let waiting = self.labels.find(tag, || (self.feature.key)(&row));
            if let Some(waiting) = waiting {
                self.change_awaited(waiting, tag, (at, row), diff);
                return;
            }
        }
        let (feature, key) = (&self.feature, self.feature.key_to_tell(&row));
        let is_of_key = |row: &R| feature.is_of(row, &key);
        self.chains.change(tag, (at, row), diff, is_of_key);
    }

    /// Changes a feature of a key whose labels wait: what they had, against what they have.
    #[inline(never)]
    fn change_awaited(&mut self, waiting: u32, tag: u64, feature: Timed<R>, diff: Diff) {
        let (side, rule) = (&self.feature, &self.rule);
        let key = side.key_to_tell(&feature.1);
        let is_of_key = |row: &R| side.is_of(row, &key);
        let changed = self.chains.change(tag, feature.clone(), diff, is_of_key);
        let Some(changed) = changed else { return };
        let labels = self.labels.of(waiting);
        let from = prefix(labels, |at| at < feature.0);
        let until = prefix(labels, |at| at < changed.until).max(from);
        if from == until {
            return;
        }
        let is_older = |other: &Timed<R>| (other.0, &other.1) < (feature.0, &feature.1);
        let older = self.chains.find(tag, is_of_key, is_older);
        for label in &labels[from..until] {
            let reaching = |found: &Timed<R>| rule.reaches_from(found.0, &found.1, label.at);
            let with = Some(&feature).filter(|feature| reaching(feature));
            let without = older.filter(|older| reaching(older));
            let (had, has) = if changed.is_there {
                (without, with)
            } else {
                (with, without)
            };
            let mut write = |found: Option<&Timed<R>>, diff| {
                let found = found.map(|(_, row)| row.clone());
                self.changes
                    .push(key_bits(tag), label.row.clone(), found, diff);
            };
            write(had, -label.count);
            write(has, label.count);
            // What was taken back before it came may come now.
            self.adds_up |= label.count < 0;
        }
    }

    #[inline(always)]
    fn change_label(
        &mut self,
        tag: u64,
        at: EventTime,
        row: L,
        diff: Diff,
        watermark: EventTime,
        out: &mut Emitter<'_, Out<L, R>>,
    ) {
        let key = |row: &L| (self.label.key)(row);
        let label = |row| Held {
            at,
            row,
            count: diff,
        };
        if self.mode == Mode::Final {
            let of = key(&row);
            self.labels.wait(tag, || of.clone(), label(row));
            return;
        }
        // What takes a label back stays beside it, until both can be dropped.
        let waits = !self.features_are_over && (diff < 0 || at >= watermark);
        if waits {
            let of = key(&row);
            self.labels.keep(tag, || of.clone(), label(row.clone()));
        }
        let (side, label_key) = (&self.feature, &self.label.key);
        let is_of_key = |found: &R| K::EXACT || (side.key)(found) == label_key(&row);
        let found = newest_at(&self.chains, &self.rule, tag, is_of_key, at);
        if self.adds_up {
            self.changes.push(key_bits(tag), row, found, diff);
        } else {
            out.emit_with(|| (row, found), diff);
        }
    }

    /// What is taken back comes first, labels before features.
    #[inline(never)]
    fn take_back(
        &mut self,
        watermark: EventTime,
        (left, labels): (&Updates<L>, &Columns),
        (right, features): (&Updates<R>, &Columns),
        out: &mut Emitter<'_, Out<L, R>>,
    ) {
        for (place, (row, _, diff)) in left.iter().enumerate() {
            if *diff < 0 {
                let (tag, at) = (labels.tags[place], labels.times[place]);
                self.change_label(tag, at, row.clone(), *diff, watermark, out);
            }
        }
        for (place, (row, _, diff)) in right.iter().enumerate() {
            if *diff < 0 {
                let (tag, at) = (features.tags[place], features.times[place]);
                self.change_feature(tag, at, row.clone(), *diff);
            }
        }
    }

    /// Writes the labels that the watermark has passed.
    fn write_finals(&mut self, time: &EpochTime, out: &mut Emitter<'_, Out<L, R>>) {
        let (chains, side, rule) = (&self.chains, &self.feature, &self.rule);
        self.labels.release(rule, time, |key, label| {
            if !label.is_present() {
                return;
            }
            let is_of_key = |row: &R| K::EXACT || (side.key)(row) == *key;
            let found = newest_at(chains, rule, key.tag(), is_of_key, label.at);
            out.emit_with(|| (label.row.clone(), found), label.count);
        });
    }
}

impl<K: Key, L: Data + Ord, R: Data + Ord> PairedState for Backward<K, L, R> {
    type Left = L;
    type Right = R;
    type Out = (L, Option<R>);
    const FORMAT: u32 = 1;

    fn epoch(
        &mut self,
        time: &EpochTime,
        left: Updates<L>,
        right: Updates<R>,
        out: &mut Emitter<'_, Self::Out>,
    ) {
        self.features_are_over = self.features_have_ended && right.is_empty();
        let [mut labels, mut features] = std::mem::take(&mut self.columns);
        labels.read(&left, &self.label);
        features.read(&right, &self.feature);
        self.adds_up = labels.any_retraction;
        if labels.any_retraction || features.any_retraction {
            self.take_back(time.watermark, (&left, &labels), (&right, &features), out);
        }
        for (place, (row, _, diff)) in right.into_iter().enumerate() {
            if let Some(ahead) = features.tags.get(place + AHEAD) {
                self.chains.prefetch(*ahead);
            }
            if diff > 0 {
                self.change_feature(features.tags[place], features.times[place], row, diff);
            }
        }
        for (place, (row, _, diff)) in left.into_iter().enumerate() {
            if let Some(ahead) = labels.tags.get(place + AHEAD) {
                self.chains.prefetch(*ahead);
            }
            if diff > 0 {
                let (tag, at) = (labels.tags[place], labels.times[place]);
                self.change_label(tag, at, row, diff, time.watermark, out);
            }
        }
        let rows = labels.tags.len() + features.tags.len();
        self.columns = [labels, features];
        match self.mode {
            Mode::Latest => {
                self.changes.write(out);
                self.labels.sweep(&self.rule, time.watermark, rows);
            }
            Mode::Final => self.write_finals(time, out),
        }
        if time.watermark > WATERMARK_NONE {
            self.chains.trim(time.watermark);
            if self.rule.tolerance_us != i64::MAX || self.rule.ends.is_some() {
                let may_match = |newest: &Timed<R>| {
                    newest.0 >= time.watermark
                        || self.rule.reaches_from(newest.0, &newest.1, time.watermark)
                };
                self.chains.sweep(rows / SWEEP_ROWS + SWEEP_MIN, may_match);
            }
        }
    }

    fn right_has_ended(&mut self) {
        self.features_have_ended = true;
    }

    fn save(&self, group: KeyGroup, into: &mut Vec<u8>) -> Result<(), StateError> {
        let held = |((at, row), count): (Timed<R>, Diff)| Held { at, row, count };
        let ours = self.chains.iter().filter(|(tag, _)| group.holds(*tag));
        let chains = ours.map(|(_, features)| features.into_iter().map(held).collect());
        let owed = self.chains.owed().filter(|(tag, ..)| group.holds(*tag));
        let owed = owed.map(|(_, row, at, count)| vec![held(((at, row.clone()), count))]);
        let features: Vec<Vec<Held<R>>> = chains.chain(owed).collect();
        let labels: Vec<_> = self.labels.iter(group).collect();
        codec::encode(&(features, labels), into)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        type Saved<K, L, R> = (Vec<Vec<Held<R>>>, Vec<(K, Vec<Held<L>>)>);
        let (features, labels): Saved<K, L, R> = codec::decode(bytes)?;
        for Held { at, row, count } in features.into_iter().flatten() {
            let (tag, key) = (
                (self.feature.key)(&row).tag(),
                self.feature.key_to_tell(&row),
            );
            let is_of_key = |row: &R| self.feature.is_of(row, &key);
            self.chains.change(tag, (at, row), count, is_of_key);
        }
        for (key, labels) in labels {
            for label in labels {
                match self.mode {
                    Mode::Latest => self.labels.keep(key.tag(), || key.clone(), label),
                    Mode::Final => self.labels.wait(key.tag(), || key.clone(), label),
                }
            }
        }
        Ok(())
    }

    fn size(&self) -> StateSize {
        StateSize {
            keys: self.chains.keys().max(self.labels.keys()),
            events: self.chains.features() + self.labels.held(),
            bytes: self.chains.bytes() + self.labels.bytes(),
        }
    }
}
