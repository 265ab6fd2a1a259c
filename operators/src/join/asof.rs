//! As-of join: each label with the one feature row that is nearest in time, of the same key.
//!
//! ```text
//! features        f₁            f₂                 f₃
//!   ──────────────●─────────────●──────────────────●──────────▶ event time
//! labels               a        b           c
//!   backward           f₁       f₂          f₂                 the newest at or before the label: f ≤ label
//!   forward            f₂       f₂          f₃                 the oldest at or after it:         f ≥ label
//!   nearest            f₁       f₂          f₃                 the closer of both; of two equally far, the older
//! ```
//!
//! A feature of the label's own time is one, in all directions. A tolerance is a closed bound too: a feature exactly that
//! far away still matches. Among features of one time the greatest row by `Ord` is the one. Without a match there is
//! `None`.
//!
//! | mode | rows |
//! |---|---|
//! | `latest` | a row per label at once, repaired as features or labels come late or are taken back |
//! | `finals` | a row per label once the watermark has passed what could change it, never changed |
//!
//! Backward, a label is final when the watermark has passed it. Forward, it also waits for the watermark to pass its
//! feature, or the tolerance where none comes; without a tolerance, for the end of all sources.
//!
//! # Cost
//! Backward (`asof/backward.rs`): per feature one cache line of its key and one write at the end of a log; per label one
//! lookup. A label that is older than its key's newest feature, and a feature that comes late or is taken back, search
//! the newer ones in as many steps as their number has bits; a feature touches only the labels from its time to before
//! the next one's. State: per key the newest feature, those that the watermark has not left behind, and the labels that
//! it has not passed; with a tolerance, not even the newest for longer than that. In the other directions as
//! `join/timed/` says.

mod backward;
mod chains;
mod heads;
mod labels;
mod log;

use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

use thalweg_engine::key::Key;
use thalweg_engine::table::Table;
use thalweg_engine::time::{EventTime, micros_of};
use thalweg_engine::update::Data;

use self::backward::Backward;
use crate::join::timed::side::Side;
use crate::join::timed::{self, Held, Mode, Rule, prefix};
use crate::key_by::{Keyed, Timeline};

impl<'s, L: Data + Ord, K: Key> Timeline<'s, L, K> {
    /// Joins each row with the newest of `features` at or before its time; `forward`, `nearest` and `tolerance` say
    /// otherwise. The name shows in the metrics.
    #[must_use]
    pub fn asof<R: Data + Ord>(
        &self,
        name: &str,
        features: &Timeline<'s, R, K>,
    ) -> Asof<'s, L, R, K> {
        Asof {
            labels: self.clone(),
            features: features.clone(),
            name: name.to_owned(),
            rule: AsofRule::new(),
        }
    }

    /// Looks each row's key up in a dimension's history, as of the row's own time: the row whose validity
    /// `[from, to)` holds it. A row that is still valid ends at [`EventTime::MAX`].
    ///
    /// ```text
    /// history       ├── v₁ ──┤     ├──── v₂ ────
    ///   ────────────[────────)─────[────────────▶ event time
    /// facts           a      b     c
    ///                 v₁     None  v₂
    /// ```
    ///
    /// `lookup` takes the dimension as of the moment of processing: right online, where that is now, and without
    /// repair. `lookup_asof` takes it as of the event: the same in a backfill and in a stream. Of rows whose
    /// validities overlap, the one that began last hides the others, even once it has ended.
    #[must_use]
    pub fn lookup_asof<R: Data + Ord>(
        &self,
        name: &str,
        history: &Keyed<'s, R, K>,
        valid: impl Fn(&R) -> Range<EventTime> + 'static,
    ) -> LookupAsof<'s, L, R, K> {
        let valid = Rc::new(valid);
        let ends = Rc::clone(&valid);
        let mut asof = self.asof(name, &history.event_time(move |row| valid(row).start));
        asof.rule.ends = Some(Rc::new(move |row| ends(row).end));
        LookupAsof(asof)
    }
}

/// An as-of join, declared but not yet running: choose a mode.
#[derive(Clone)]
pub struct Asof<'s, L: Data, R: Data, K: Key> {
    labels: Timeline<'s, L, K>,
    features: Timeline<'s, R, K>,
    name: String,
    rule: AsofRule<R>,
}

impl<'s, L: Data + Ord, R: Data + Ord, K: Key> Asof<'s, L, R, K> {
    /// Takes the oldest feature at or after the label.
    #[must_use]
    pub fn forward(mut self) -> Self {
        self.rule.direction = Direction::Forward;
        self
    }

    /// Takes the feature that is closest to the label; of two equally far, the older one.
    #[must_use]
    pub fn nearest(mut self) -> Self {
        self.rule.direction = Direction::Nearest;
        self
    }

    /// Takes no feature that is further from its label than this.
    #[must_use]
    pub fn tolerance(mut self, most: Duration) -> Self {
        self.rule.tolerance_us = micros_of(most);
        self
    }

    /// A row per label at once, repaired as either side changes.
    #[must_use]
    pub fn latest(&self) -> Table<'s, (L, Option<R>)> {
        self.run(Mode::Latest)
    }

    /// A row per label once nothing can change it any more.
    #[must_use]
    pub fn finals(&self) -> Table<'s, (L, Option<R>)> {
        self.run(Mode::Final)
    }

    fn run(&self, mode: Mode) -> Table<'s, (L, Option<R>)> {
        let (labels, features, rule) = (&self.labels, &self.features, self.rule.clone());
        // A dimension's history lies by key from its first row to its last: it is looked up in the middle.
        if rule.direction != Direction::Backward || rule.ends.is_some() {
            return timed::join(labels, features, &self.name, mode, rule);
        }
        let state = Backward::new(Side::of(labels), Side::of(features), rule, mode);
        timed::run(labels, features, &self.name, mode, state)
    }
}

/// A lookup in a dimension's history, declared but not yet running: choose a mode.
#[derive(Clone)]
pub struct LookupAsof<'s, F: Data, D: Data, K: Key>(Asof<'s, F, D, K>);

impl<'s, F: Data + Ord, D: Data + Ord, K: Key> LookupAsof<'s, F, D, K> {
    /// A row per fact at once, repaired as its dimension's history is.
    #[must_use]
    pub fn latest(&self) -> Table<'s, (F, Option<D>)> {
        self.0.latest()
    }

    /// A row per fact once the watermark has passed it.
    #[must_use]
    pub fn finals(&self) -> Table<'s, (F, Option<D>)> {
        self.0.finals()
    }
}

/// Where a label's feature stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Backward,
    Forward,
    Nearest,
}

/// Which feature is a label's.
#[derive(Clone)]
pub(super) struct AsofRule<R> {
    pub(super) direction: Direction,
    /// The greatest distance of a match; `i64::MAX` where there is none.
    pub(super) tolerance_us: i64,
    /// When a feature ceases to be valid, which is outside; in direction backward only.
    pub(super) ends: Option<Rc<dyn Fn(&R) -> EventTime>>,
}

impl<R> AsofRule<R> {
    pub(super) fn new() -> Self {
        Self {
            direction: Direction::Backward,
            tolerance_us: i64::MAX,
            ends: None,
        }
    }

    /// The newest feature at or before `at`, if it is near enough and still valid.
    #[inline(always)]
    fn backward(&self, rights: &[Held<R>], at: EventTime) -> Option<usize> {
        let place = last_present(&rights[..prefix(rights, |time| time <= at)])?;
        self.reaches(&rights[place], at).then_some(place)
    }

    /// Whether a feature matches a label at `at` or later, were it the newest.
    #[inline(always)]
    fn reaches(&self, right: &Held<R>, at: EventTime) -> bool {
        self.reaches_from(right.at, &right.row, at)
    }

    #[inline(always)]
    fn reaches_from(&self, from: EventTime, row: &R, at: EventTime) -> bool {
        at.saturating_sub(from) <= self.tolerance_us
            && self.ends.as_ref().is_none_or(|ends| ends(row) > at)
    }

    /// The oldest feature at or after `at`, if it is near enough.
    fn forward(&self, rights: &[Held<R>], at: EventTime) -> Option<usize> {
        let from = prefix(rights, |time| time < at);
        let first = from + rights[from..].iter().position(Held::is_present)?;
        let time = rights[first].at;
        let ties = prefix(rights, |other| other <= time);
        let near = time.saturating_sub(at) <= self.tolerance_us;
        near.then(|| last_present(&rights[..ties])).flatten()
    }

    /// The closer one of both.
    fn nearest(&self, rights: &[Held<R>], at: EventTime) -> Option<usize> {
        match (self.backward(rights, at), self.forward(rights, at)) {
            (Some(older), Some(newer)) => {
                let distance = |place: usize| rights[place].at.abs_diff(at);
                let is_newer = distance(newer) < distance(older);
                Some(if is_newer { newer } else { older })
            }
            (older, newer) => older.or(newer),
        }
    }

    /// The moment after which nothing new can be the oldest feature at or after `at`.
    fn forward_settled(&self, rights: &[Held<R>], at: EventTime) -> EventTime {
        let found = self.forward(rights, at).map(|place| rights[place].at);
        found.unwrap_or_else(|| at.saturating_add(self.tolerance_us))
    }
}

/// The newest row that is there; of one time, the greatest.
#[inline(always)]
fn last_present<R>(rights: &[Held<R>]) -> Option<usize> {
    rights.iter().rposition(Held::is_present)
}

impl<R: 'static> Rule<R> for AsofRule<R> {
    const PAIRWISE: bool = false;

    fn keeps_unmatched(&self) -> bool {
        true
    }

    #[inline(always)]
    fn matches<'a>(&self, rights: &'a [Held<R>], at: EventTime) -> &'a [Held<R>] {
        let place = match self.direction {
            Direction::Backward => self.backward(rights, at),
            Direction::Forward => self.forward(rights, at),
            Direction::Nearest => self.nearest(rights, at),
        };
        place.map_or(&[], |place| &rights[place..=place])
    }

    fn touched(&self, rights: &[Held<R>], at: EventTime) -> (EventTime, EventTime) {
        let older = last_present(&rights[..prefix(rights, |time| time < at)]);
        let newer = &rights[prefix(rights, |time| time <= at)..];
        let newer = newer.iter().find(|right| right.is_present());
        let first = at.saturating_sub(self.tolerance_us);
        let first = older.map_or(first, |place| first.max(rights[place].at.saturating_add(1)));
        let last = at.saturating_add(self.tolerance_us);
        let last = newer.map_or(last, |right| last.min(right.at.saturating_sub(1)));
        match self.direction {
            Direction::Backward => (at, last),
            Direction::Forward => (first, at),
            Direction::Nearest => (first, last),
        }
    }

    #[inline]
    fn settled_after(&self, rights: &[Held<R>], at: EventTime) -> EventTime {
        match self.direction {
            Direction::Backward => at,
            Direction::Forward => self.forward_settled(rights, at),
            Direction::Nearest => {
                let settled = self.forward_settled(rights, at);
                let older = self.backward(rights, at).map(|place| rights[place].at);
                // What comes as far ahead as the older one is behind is no better.
                let no_closer = |older| at.saturating_add(at.saturating_sub(older)) - 1;
                older.map_or(settled, |older| settled.min(no_closer(older)).max(at))
            }
        }
    }

    #[inline(always)]
    fn spent(&self, rights: &[Held<R>], from: EventTime) -> usize {
        // Where the watermark has passed all rows, which it mostly has, the newest one is what is left.
        if let [older @ .., newest] = rights
            && newest.at < from
            && newest.is_present()
            && self.direction != Direction::Forward
            && self.reaches(newest, from)
        {
            return older.len();
        }
        self.spent_of_many(rights, from)
    }
}

impl<R> AsofRule<R> {
    #[inline(never)]
    fn spent_of_many(&self, rights: &[Held<R>], from: EventTime) -> usize {
        let below = prefix(rights, |time| time < from);
        if self.direction == Direction::Forward {
            return below;
        }
        let newest = last_present(&rights[..below]);
        let newest = newest.filter(|place| self.reaches(&rights[*place], from));
        newest.unwrap_or(below)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::join::timed::tests::{assert_brute_force, assert_saves, side, state};

    fn backward(
        rule: &AsofRule<crate::laws::Row>,
        mode: Mode,
    ) -> Backward<i64, crate::laws::Row, crate::laws::Row> {
        Backward::new(side(), side(), rule.clone(), mode)
    }

    fn rules() -> impl Iterator<Item = AsofRule<crate::laws::Row>> {
        let directions = [Direction::Backward, Direction::Forward, Direction::Nearest];
        directions.into_iter().flat_map(|direction| {
            [0, 3, 11, i64::MAX].map(|tolerance_us| AsofRule {
                direction,
                tolerance_us,
                ends: None,
            })
        })
    }

    /// By the definition: all that is there, the nearest by distance, then by which is older, then by which is greater.
    fn defined(
        rule: &AsofRule<crate::laws::Row>,
        rights: &[(crate::laws::Row, i64)],
        at: EventTime,
    ) -> Vec<(Option<crate::laws::Row>, i64)> {
        let eligible = rights.iter().map(|(row, _)| *row).filter(|row| {
            let side = match rule.direction {
                Direction::Backward => row.at <= at,
                Direction::Forward => row.at >= at,
                Direction::Nearest => true,
            };
            side && row.at.abs_diff(at) <= rule.tolerance_us.unsigned_abs()
        });
        let best = eligible.max_by_key(|row| {
            let distance = std::cmp::Reverse(row.at.abs_diff(at));
            (distance, std::cmp::Reverse(row.at), *row)
        });
        let valid = |row: &crate::laws::Row| rule.ends.as_ref().is_none_or(|ends| ends(row) > at);
        vec![(best.filter(valid), 1)]
    }

    #[test]
    fn every_label_has_its_feature_after_every_epoch() {
        for rule in rules() {
            let general = |mode| state(&rule, mode);
            assert_brute_force(0..60, general, |rights, at| defined(&rule, rights, at));
            if rule.direction == Direction::Backward {
                let backward = |mode| backward(&rule, mode);
                assert_brute_force(0..120, backward, |rights, at| defined(&rule, rights, at));
            }
        }
    }

    #[test]
    fn a_history_is_looked_up_as_of_the_fact_and_not_after_its_end() {
        let rule = AsofRule {
            ends: Some(Rc::new(|row: &crate::laws::Row| row.at + 2 + row.value)),
            ..AsofRule::new()
        };
        let general = |mode| state(&rule, mode);
        assert_brute_force(0..120, general, |rights, at| defined(&rule, rights, at));
        let backward = |mode| backward(&rule, mode);
        assert_brute_force(0..120, backward, |rights, at| defined(&rule, rights, at));
    }

    #[test]
    fn saved_labels_and_features_continue_as_if_never_interrupted() {
        rules().for_each(|rule| assert_saves(0..12, |mode| state(&rule, mode)));
        let is_backward = |rule: &AsofRule<_>| rule.direction == Direction::Backward;
        let backward_ones = rules().filter(is_backward);
        backward_ones.for_each(|rule| assert_saves(0..40, |mode| backward(&rule, mode)));
    }
}
