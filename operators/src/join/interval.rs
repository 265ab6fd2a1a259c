//! Interval join and windowed join: all pairs of one key whose times lie together.
//!
//! ```text
//! interval_join(lower..=upper)           left at ──┐
//!   ───────────────────[═══════════════════════════╪═══════]──────▶ event time
//!                  left + lower                  left   left + upper      closed at both ends
//!
//! windowed_join(width)     [ left ═ right ══ )[ … )      both in one window [start, start + width)
//! ```
//!
//! Windows are aligned to 1970-01-01T00:00Z.
//!
//! | mode | rows |
//! |---|---|
//! | `latest` | a row per pair at once, taken back as either row is |
//! | `finals` | a row per pair once the watermark has passed all that the left row may match |
//!
//! After `.left()` a left row without a pair goes out alone, as long as it has none.
//!
//! # Cost
//! As `join/timed/` says, and per pair one update. State: the right rows that a left row at the watermark or
//! later may match, and the left rows that a right row at the watermark or later may.

use std::ops::RangeInclusive;
use std::time::Duration;

use thalweg_engine::error::JobError;
use thalweg_engine::key::Key;
use thalweg_engine::table::Table;
use thalweg_engine::time::{EventTime, window_start};
use thalweg_engine::update::Data;

use crate::join::timed::{self, Held, Mode, Rule, prefix};
use crate::key_by::{Timeline, micros};
use crate::table_ops::TableOps;

impl<'s, L: Data + Ord, K: Key> Timeline<'s, L, K> {
    /// Pairs each row with every row of `right` from `at + lower` to `at + upper`, both inside, in µs: an hour before
    /// to the row itself is `-micros_of(hours(1))..=0`. The name shows in the metrics.
    ///
    /// # Errors
    /// [`JobError::Wrong`] when the lower bound is above the upper one.
    pub fn interval_join<R: Data + Ord>(
        &self,
        name: &str,
        right: &Timeline<'s, R, K>,
        offsets_us: RangeInclusive<i64>,
    ) -> Result<Pairs<'s, L, R, K>, JobError> {
        if offsets_us.is_empty() {
            return Err(JobError::Wrong(format!(
                "interval join '{name}' wants a lower bound that is not above its upper one: got {offsets_us:?} µs"
            )));
        }
        let (lower_us, upper_us) = offsets_us.into_inner();
        Ok(self.pairs(name, right, Near::Interval { lower_us, upper_us }))
    }

    /// Pairs each row with every row of `right` in the same window of this width.
    ///
    /// # Errors
    /// [`JobError::Wrong`] when the width is zero.
    pub fn windowed_join<R: Data + Ord>(
        &self,
        name: &str,
        right: &Timeline<'s, R, K>,
        width: Duration,
    ) -> Result<Pairs<'s, L, R, K>, JobError> {
        let width_us = micros(&format!("the window of windowed join '{name}'"), width)?;
        Ok(self.pairs(name, right, Near::Window { width_us }))
    }

    fn pairs<R: Data + Ord>(
        &self,
        name: &str,
        right: &Timeline<'s, R, K>,
        near: Near,
    ) -> Pairs<'s, L, R, K> {
        Pairs {
            left: self.clone(),
            right: right.clone(),
            name: name.to_owned(),
            near,
        }
    }
}

/// A join of pairs near in time, declared but not yet running: choose a mode.
#[derive(Clone)]
pub struct Pairs<'s, L: Data, R: Data, K: Key> {
    left: Timeline<'s, L, K>,
    right: Timeline<'s, R, K>,
    name: String,
    near: Near,
}

impl<'s, L: Data + Ord, R: Data + Ord, K: Key> Pairs<'s, L, R, K> {
    /// Keeps left rows that have no pair.
    #[must_use]
    pub fn left(self) -> LeftPairs<'s, L, R, K> {
        LeftPairs(self)
    }

    /// A row per pair at once, taken back as either row is.
    #[must_use]
    pub fn latest(&self) -> Table<'s, (L, R)> {
        both(&self.run(Mode::Latest, false))
    }

    /// A row per pair once nothing can change the pairs of its left row.
    #[must_use]
    pub fn finals(&self) -> Table<'s, (L, R)> {
        both(&self.run(Mode::Final, false))
    }

    fn run(&self, mode: Mode, keeps_unmatched: bool) -> Table<'s, (L, Option<R>)> {
        let near = self.near;
        let rule = NearRule {
            near,
            keeps_unmatched,
        };
        timed::join(&self.left, &self.right, &self.name, mode, rule)
    }
}

/// The same with left rows that have no pair: choose a mode.
#[derive(Clone)]
pub struct LeftPairs<'s, L: Data, R: Data, K: Key>(Pairs<'s, L, R, K>);

impl<'s, L: Data + Ord, R: Data + Ord, K: Key> LeftPairs<'s, L, R, K> {
    /// A row per pair, and one per left row as long as it has none.
    #[must_use]
    pub fn latest(&self) -> Table<'s, (L, Option<R>)> {
        self.0.run(Mode::Latest, true)
    }

    /// A row per pair, and one per left row without any, once nothing can change the pairs of the left row.
    #[must_use]
    pub fn finals(&self) -> Table<'s, (L, Option<R>)> {
        self.0.run(Mode::Final, true)
    }
}

fn both<'s, L: Data, R: Data>(pairs: &Table<'s, (L, Option<R>)>) -> Table<'s, (L, R)> {
    pairs.flat_map(|(left, right)| right.map(|right| (left, right)))
}

/// Which times lie together.
#[derive(Clone, Copy, Debug)]
pub(super) enum Near {
    /// From `left + lower` to `left + upper`, both inside.
    Interval { lower_us: i64, upper_us: i64 },
    /// One window `[start, start + width)`.
    Window { width_us: i64 },
}

impl Near {
    /// The first and the last time that a left row at `at` may match.
    #[inline(always)]
    fn around(self, at: EventTime) -> (EventTime, EventTime) {
        match self {
            Self::Interval { lower_us, upper_us } => {
                (at.saturating_add(lower_us), at.saturating_add(upper_us))
            }
            Self::Window { width_us } => {
                let start = window_start(at, width_us);
                (start, start.saturating_add(width_us - 1))
            }
        }
    }
}

/// Every right row that is near.
#[derive(Clone, Copy, Debug)]
pub(super) struct NearRule {
    near: Near,
    keeps_unmatched: bool,
}

impl<R: 'static> Rule<R> for NearRule {
    const PAIRWISE: bool = true;

    fn keeps_unmatched(&self) -> bool {
        self.keeps_unmatched
    }

    fn matches<'a>(&self, rights: &'a [Held<R>], at: EventTime) -> &'a [Held<R>] {
        let (first, last) = self.near.around(at);
        let until = prefix(rights, |time| time <= last);
        let from = prefix(&rights[..until], |time| time < first);
        &rights[from..until]
    }

    fn touched(&self, _: &[Held<R>], at: EventTime) -> (EventTime, EventTime) {
        match self.near {
            Near::Interval { lower_us, upper_us } => {
                (at.saturating_sub(upper_us), at.saturating_sub(lower_us))
            }
            Near::Window { .. } => self.near.around(at),
        }
    }

    fn settled_after(&self, _: &[Held<R>], at: EventTime) -> EventTime {
        self.near.around(at).1.max(at)
    }

    fn spent(&self, rights: &[Held<R>], from: EventTime) -> usize {
        let first = self.near.around(from).0;
        prefix(rights, |time| time < first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::join::timed::tests::{assert_brute_force, assert_saves, state};
    use crate::laws::Row;

    fn rules() -> impl Iterator<Item = NearRule> {
        let interval = |lower_us, upper_us| Near::Interval { lower_us, upper_us };
        let intervals = [(-3, 0), (0, 0), (-4, 5), (2, 6), (-7, -2), (0, 1_000)];
        let intervals = intervals.map(|(lower_us, upper_us)| interval(lower_us, upper_us));
        let windows = [1, 4, 100].map(|width_us| Near::Window { width_us });
        intervals.into_iter().chain(windows).flat_map(|near| {
            [false, true].map(|keeps_unmatched| NearRule {
                near,
                keeps_unmatched,
            })
        })
    }

    /// By the definition, over all that is there.
    fn defined(rule: NearRule, rights: &[(Row, i64)], at: EventTime) -> Vec<(Option<Row>, i64)> {
        let together = |other: EventTime| match rule.near {
            Near::Interval { lower_us, upper_us } => {
                at + lower_us <= other && other <= at + upper_us
            }
            Near::Window { width_us } => at.div_euclid(width_us) == other.div_euclid(width_us),
        };
        let pairs = rights.iter().filter(|(row, _)| together(row.at));
        let mut pairs: Vec<_> = pairs.map(|(row, count)| (Some(*row), *count)).collect();
        if pairs.is_empty() && rule.keeps_unmatched {
            pairs.push((None, 1));
        }
        pairs
    }

    #[test]
    fn every_pair_that_is_near_is_there_after_every_epoch() {
        for rule in rules() {
            assert_brute_force(
                0..60,
                |mode| state(&rule, mode),
                |rights, at| defined(rule, rights, at),
            );
        }
    }

    #[test]
    fn saved_rows_continue_as_if_never_interrupted() {
        rules().for_each(|rule| assert_saves(0..8, |mode| state(&rule, mode)));
    }
}
