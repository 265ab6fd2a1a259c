//! One key's fading sums: a pair of sums for each half-life, and its numbers that the watermark has not passed.

use std::collections::BTreeMap;

use ethnum::I256;
use serde::{Deserialize, Serialize};
use thalweg_engine::time::EventTime;
use thalweg_engine::update::Diff;

use crate::value::{Lane, Wide256, nearest};
use crate::window::decayed::factor::Factors;

/// Weights and weighted numbers, in units of 2⁻⁶² and of 2⁻⁶² lane units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sums {
    weight: Wide256,
    sum: Wide256,
}

impl Sums {
    pub(super) fn is_zero(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn add(&mut self, more: Self) {
        self.weight = self.weight.get().wrapping_add(more.weight.get()).into();
        self.sum = self.sum.get().wrapping_add(more.sum.get()).into();
    }

    pub(super) fn take(&mut self, less: Self) {
        self.weight = self.weight.get().wrapping_sub(less.weight.get()).into();
        self.sum = self.sum.get().wrapping_sub(less.sum.get()).into();
    }

    /// The sums so many half-lives later.
    fn halved(self, times: u64) -> Self {
        let times = u32::try_from(times).unwrap_or(u32::MAX).min(255);
        Self {
            weight: (self.weight.get() >> times).into(),
            sum: (self.sum.get() >> times).into(),
        }
    }
}

/// The half-lives of a job.
pub(super) struct HalfLives {
    half_life_us: i64,
    factors: Factors,
}

impl HalfLives {
    pub(super) fn new(half_life_us: i64) -> Self {
        Self {
            half_life_us,
            factors: Factors::new(),
        }
    }

    /// The half-life that holds a moment.
    pub(super) fn number(&self, at: EventTime) -> i64 {
        at.div_euclid(self.half_life_us)
    }

    /// What copies of a number, given as its lane, add to the sums of their half-life, and that one's number.
    pub(super) fn sums<L: Lane>(&self, at: EventTime, lane: i64, copies: Diff) -> (i64, Sums) {
        let (number, factor) = self.place(at);
        let weight = I256::from(factor) * I256::from(copies);
        let sums = Sums {
            weight: weight.into(),
            sum: I256::from(L::unit(lane)).wrapping_mul(weight).into(),
        };
        (number, sums)
    }

    /// The half-life that holds a moment, and the moment's factor relative to its beginning.
    fn place(&self, at: EventTime) -> (i64, u64) {
        let part = at.rem_euclid(self.half_life_us);
        let factor = self
            .factors
            .of(part.unsigned_abs(), self.half_life_us.unsigned_abs());
        (self.number(at), factor)
    }
}

/// Sums of half-lives one after another: the last one's, with all before it halved as often as they lie back. Put
/// together in order, which is what makes the bits the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Running {
    number: i64,
    sums: Sums,
}

impl Running {
    /// Adds sums of the last half-life or a later one; of an earlier one, which only rows from behind the watermark are
    /// of, halved as often as that lies back.
    pub(super) fn add(&mut self, (number, more): (i64, Sums)) {
        if more.is_zero() {
            return;
        }
        if self.sums.is_zero() {
            *self = Self { number, sums: more };
        } else if number < self.number {
            self.sums.add(more.halved(self.number.abs_diff(number)));
        } else {
            self.sums = self.sums.halved(number.abs_diff(self.number));
            self.sums.add(more);
            self.number = number;
        }
    }

    /// Weight and weighted sum as of a moment that is not before the newest number.
    #[expect(clippy::cast_precision_loss, reason = "rounded here")]
    pub(super) fn read<L: Lane>(&self, lives: &HalfLives, as_of: EventTime) -> (f64, f64) {
        if self.sums.is_zero() {
            return (0.0, 0.0);
        }
        let (now, factor) = lives.place(as_of);
        let lives_since = i32::try_from(now.saturating_sub(self.number)).unwrap_or(i32::MAX);
        let faded = 0.5_f64.powi(lives_since) / factor as f64;
        (
            nearest(self.sums.weight.get()) * faded,
            nearest(self.sums.sum.get()) * faded / L::units(),
        )
    }
}

/// Sums by the half-life's number; the first may also hold all before it, halved as often as they lie back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByHalfLife(BTreeMap<i64, Sums>);

impl ByHalfLife {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Adds sums of a half-life.
    pub(super) fn add(&mut self, (number, more): (i64, Sums)) {
        let sums = self.0.entry(number).or_default();
        sums.add(more);
        if sums.is_zero() {
            self.0.remove(&number);
        }
    }

    /// Takes sums of a half-life out.
    pub(super) fn take(&mut self, (number, less): (i64, Sums)) {
        let mut more = Sums::default();
        more.take(less);
        self.add((number, more));
    }

    /// All of them, put together.
    fn together(&self) -> Running {
        let mut running = Running::default();
        self.0.iter().for_each(|(n, sums)| running.add((*n, *sums)));
        running
    }

    /// Those up to a half-life, put together on top of what is before them all, without some that the last one has.
    pub(super) fn until(
        &self,
        before: Running,
        last: i64,
        less: impl Iterator<Item = Sums>,
    ) -> Running {
        let (mut running, ended) = (before, self.0.range(..last));
        ended.for_each(|(n, sums)| running.add((*n, *sums)));
        let mut sums = self.0.get(&last).copied().unwrap_or_default();
        less.for_each(|less| sums.take(less));
        running.add((last, sums));
        running
    }

    /// Puts the half-lives before one together.
    pub(super) fn settle(&mut self, ended: i64) {
        while self.0.range(..ended).nth(1).is_some() {
            let Some((number, sums)) = self.0.pop_first() else {
                return;
            };
            if let Some(mut next) = self.0.first_entry() {
                let halved = sums.halved(next.key().abs_diff(number));
                next.get_mut().add(halved);
            }
        }
    }
}

/// A key's sums.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fading {
    /// Of the numbers that are there.
    sums: ByHalfLife,
    /// Those that the watermark has not passed, or had not when the key was last touched, and those of the newest moment
    /// of all; by moment and lane, below zero where one was taken back before it came.
    numbers: BTreeMap<(EventTime, i64), Diff>,
}

impl Fading {
    pub(super) fn is_empty(&self) -> bool {
        self.sums.is_empty() && self.numbers.is_empty()
    }

    /// Numbers and half-lives that are kept.
    pub(super) fn len(&self) -> usize {
        self.sums.len() + self.numbers.len()
    }

    /// Adds copies of a number, given as its lane; whether it is owed since: taken back before it came. Then it takes
    /// nothing away until it comes. What the watermark has passed is known no more: it is there.
    pub(super) fn add<L: Lane>(
        &mut self,
        lives: &HalfLives,
        watermark: EventTime,
        (at, lane): (EventTime, i64),
        diff: Diff,
    ) -> bool {
        let number = self.numbers.entry((at, lane)).or_default();
        let (before, after) = (*number, *number + diff);
        *number = after;
        if after == 0 {
            self.numbers.remove(&(at, lane));
        }
        let there = if at < watermark {
            diff
        } else {
            after.max(0) - before.max(0)
        };
        if there != 0 {
            self.sums.add(lives.sums::<L>(at, lane, there));
        }
        after < 0
    }

    /// The moments of what is owed.
    pub(super) fn owed(&self) -> impl Iterator<Item = EventTime> {
        let owed = self.numbers.iter().filter(|(_, count)| **count < 0);
        owed.map(|((at, _), _)| *at)
    }

    /// The moment of the newest number.
    pub(super) fn newest(&self) -> Option<EventTime> {
        let mut numbers = self.numbers.iter().rev();
        numbers
            .find(|(_, count)| **count > 0)
            .map(|((at, _), _)| *at)
    }

    /// Weight and weighted sum as of a moment that is not before the newest number.
    pub(super) fn read<L: Lane>(&self, lives: &HalfLives, as_of: EventTime) -> (f64, f64) {
        self.sums.together().read::<L>(lives, as_of)
    }

    /// Puts together what the watermark has passed: half-lives that have ended, and of the numbers all but those of the
    /// newest moment. What is owed by then is forgiven.
    pub(super) fn settle(&mut self, lives: &HalfLives, watermark: EventTime) {
        self.sums.settle(lives.number(watermark));
        let passed = || ..(watermark, i64::MIN);
        let mut newest_first = self.numbers.range(passed()).rev();
        let newest = newest_first.find(|(_, count)| **count > 0);
        let newest = newest.map_or(watermark, |((at, _), _)| *at);
        let is_kept = |(at, _): &(EventTime, i64), count: Diff| *at == newest && count > 0;
        let mut all_passed = self.numbers.range(passed());
        if all_passed.any(|(number, count)| !is_kept(number, *count)) {
            self.numbers
                .retain(|number, count| number.0 >= watermark || is_kept(number, *count));
        }
    }
}
