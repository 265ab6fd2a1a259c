//! One key's fading sums: a pair of sums for each half-life, and the times of its rows.

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
    fn add(&mut self, weight: I256, sum: I256) {
        self.weight = self.weight.get().wrapping_add(weight).into();
        self.sum = self.sum.get().wrapping_add(sum).into();
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

    /// The half-life that holds a moment, and the moment's factor relative to its beginning.
    fn place(&self, at: EventTime) -> (i64, u64) {
        let (number, part) = (
            at.div_euclid(self.half_life_us),
            at.rem_euclid(self.half_life_us),
        );
        let factor = self
            .factors
            .of(part.unsigned_abs(), self.half_life_us.unsigned_abs());
        (number, factor)
    }
}

/// A key's sums.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fading {
    /// By the half-life's number; the first also holds all before it, halved as often as they lie back.
    sums: BTreeMap<i64, Sums>,
    /// Numbers by moment; below zero where one was taken back before it came.
    times: BTreeMap<EventTime, Diff>,
}

impl Fading {
    pub(super) fn is_empty(&self) -> bool {
        self.sums.is_empty() && self.times.is_empty()
    }

    /// Moments and half-lives that are kept.
    pub(super) fn len(&self) -> usize {
        self.sums.len() + self.times.len()
    }

    /// Adds copies of a number, given as its lane.
    pub(super) fn add<L: Lane>(&mut self, lives: &HalfLives, at: EventTime, lane: i64, diff: Diff) {
        let (number, factor) = lives.place(at);
        let weight = I256::from(factor) * I256::from(diff);
        let sums = self.sums.entry(number).or_default();
        sums.add(weight, I256::from(L::unit(lane)).wrapping_mul(weight));
        if *sums == Sums::default() {
            self.sums.remove(&number);
        }
        let count = self.times.entry(at).or_default();
        *count += diff;
        if *count == 0 {
            self.times.remove(&at);
        }
    }

    /// The moment of the newest number.
    pub(super) fn newest(&self) -> Option<EventTime> {
        let mut times = self.times.iter().rev();
        times.find(|(_, count)| **count > 0).map(|(at, _)| *at)
    }

    /// Weight and weighted sum as of a moment that is not before the newest number.
    #[expect(clippy::cast_precision_loss, reason = "rounded here")]
    pub(super) fn read<L: Lane>(&self, lives: &HalfLives, as_of: EventTime) -> (f64, f64) {
        let mut sums: Option<(i64, Sums)> = None;
        for (number, more) in &self.sums {
            let mut total = sums.map_or(Sums::default(), |(before, sums)| {
                sums.halved(number.abs_diff(before))
            });
            total.add(more.weight.get(), more.sum.get());
            sums = Some((*number, total));
        }
        let Some((number, sums)) = sums else {
            return (0.0, 0.0);
        };
        let (now, factor) = lives.place(as_of);
        let lives_since = i32::try_from(now.saturating_sub(number)).unwrap_or(i32::MAX);
        let faded = 0.5_f64.powi(lives_since) / factor as f64;
        (
            nearest(sums.weight.get()) * faded,
            nearest(sums.sum.get()) * faded / L::units(),
        )
    }

    /// Puts together what the watermark has passed: half-lives that have ended, and all but the newest of the moments.
    pub(super) fn settle(&mut self, lives: &HalfLives, watermark: EventTime) {
        let ended = watermark.div_euclid(lives.half_life_us);
        while self.sums.range(..ended).nth(1).is_some() {
            let Some((number, sums)) = self.sums.pop_first() else {
                return;
            };
            if let Some(mut next) = self.sums.first_entry() {
                let halved = sums.halved(next.key().abs_diff(number));
                next.get_mut().add(halved.weight.get(), halved.sum.get());
            }
        }
        let newest = self
            .times
            .range(..watermark)
            .rev()
            .find(|(_, count)| **count > 0);
        let newest = newest.map(|(at, _)| *at);
        while let Some(first) = self.times.first_entry() {
            if *first.key() >= newest.unwrap_or(watermark) {
                break;
            }
            first.remove();
        }
        if let Some(newest) = newest {
            while let Some(unpaid) = self.times.range(newest + 1..watermark).next().map(|t| *t.0) {
                self.times.remove(&unpaid);
            }
        }
    }
}
