//! What an epoch's rows add to a window: counts and exact sums of all features, in one piece.
//!
//! ```text
//! counts   feature 0: bin 0, bin 1, … nulls, infinities │ feature 1: …      stride = bins of a feature + 2
//! sums     feature 0, feature 1, …                        in units of 2⁻⁶⁴; they count their wraps, so none is lost
//! ```
//!
//! A group: tallies add up, and a retracted row leaves no trace.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thalweg_engine::key::Key;
use thalweg_engine::time::EventTime;
use thalweg_engine::update::Diff;

use crate::aggregate::multiset::Multiset;
use crate::drift::Baseline;
use crate::drift::baseline::DECILES;
use crate::value::{Carried, Float, IntoLane, NULL, Wide128, unit_of};

/// Counts of a feature: its bins, its nulls, its infinities.
const STRIDE: usize = DECILES + 2;

/// The tally of a window, over all features.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Tally {
    counts: Vec<Diff>,
    sums: Vec<Carried<Wide128>>,
    /// The values as ordered bits, per feature, where they are kept; else empty.
    values: Vec<Multiset<i64>>,
    stride: usize,
}

impl Tally {
    /// An empty tally of `features` features.
    pub(super) fn new(features: usize, exact: bool) -> Self {
        Self {
            counts: vec![0; features * STRIDE],
            sums: vec![Carried::default(); features],
            values: if exact {
                vec![Multiset::default(); features]
            } else {
                Vec::new()
            },
            stride: STRIDE,
        }
    }

    /// A row: each value in its bin and in its sum. `None` and NaN are nulls; ±∞ and magnitudes that no sum can hold
    /// are counted apart.
    pub(super) fn add_row<const N: usize>(
        &mut self,
        row: &[Option<f64>; N],
        baselines: &[Arc<Baseline>; N],
        diff: Diff,
    ) {
        for (feature, (value, baseline)) in row.iter().zip(baselines).enumerate() {
            self.add_value(feature, *value, baseline, diff);
        }
        for (values, value) in self.values.iter_mut().zip(row) {
            match value.map_or(NULL, IntoLane::into_lane) {
                NULL => {}
                lane => values.update(lane, diff),
            }
        }
    }

    /// A feature's value in its bin and in its sum.
    pub(super) fn add_value(
        &mut self,
        feature: usize,
        value: Option<f64>,
        baseline: &Baseline,
        diff: Diff,
    ) {
        let first = feature * self.stride;
        let counts = &mut self.counts[first..first + self.stride];
        let Some(value) = value.filter(|value| !value.is_nan()) else {
            counts[self.stride - 2] += diff;
            return;
        };
        let Some(unit) = unit_of(value) else {
            counts[self.stride - 1] += diff;
            return;
        };
        counts[baseline.bins().index(value)] += diff;
        self.sums[feature].add_copies(unit, diff);
    }

    /// What has been counted elsewhere of a feature: its rows per bin, its nulls and its sum in units of 2⁻⁶⁴.
    pub(super) fn add_counted(&mut self, feature: usize, bins: &[Diff], nulls: Diff, sum: i128) {
        let first = feature * self.stride;
        let counts = &mut self.counts[first..first + self.stride];
        for (count, more) in counts.iter_mut().zip(bins) {
            *count += more;
        }
        counts[self.stride - 2] += nulls;
        self.sums[feature].add(sum.into());
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.counts
            .iter_mut()
            .zip(&other.counts)
            .for_each(|(count, more)| *count += more);
        self.sums
            .iter_mut()
            .zip(&other.sums)
            .for_each(|(sum, more)| sum.merge(*more));
        for (values, more) in self.values.iter_mut().zip(&other.values) {
            more.iter()
                .for_each(|(value, diff)| values.update(*value, diff));
        }
    }

    /// Whether nothing is left of what was added. Counts of zero do not say so: where a row has come and another of its
    /// bin was taken back before it came, the sum and the values remember both.
    pub(super) fn is_zero(&self) -> bool {
        self.counts.iter().all(|count| *count == 0)
            && self.sums.iter().all(|sum| *sum == Carried::default())
            && self.values.iter().all(Multiset::is_empty)
    }

    /// A feature's rows per bin.
    pub(super) fn bins(&self, feature: usize, bins: usize) -> &[Diff] {
        let first = feature * self.stride;
        &self.counts[first..first + bins]
    }

    /// A feature's nulls and infinities.
    pub(super) fn dropped(&self, feature: usize) -> (Diff, Diff) {
        let end = (feature + 1) * self.stride;
        (self.counts[end - 2], self.counts[end - 1])
    }

    /// A feature's sum, rounded once.
    pub(super) fn sum(&self, feature: usize) -> f64 {
        Float::read_total(self.sums[feature].get())
    }

    /// A feature's values, where they are kept.
    pub(super) fn values(&self, feature: usize) -> Option<&Multiset<i64>> {
        self.values.get(feature)
    }

    /// Bytes held, without the values.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.counts.capacity() * 8
            + self.sums.capacity() * size_of::<Carried<Wide128>>()
    }
}

/// A window of a segment with its tally.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub(super) struct Partial<G: Key> {
    pub(super) group: (G, EventTime),
    pub(super) tally: Tally,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A baseline whose values are all 5: what is less lies in its first bin, all else in its last.
    fn fives() -> [Arc<Baseline>; 1] {
        let baseline = Baseline::fit("five", (0..100).map(|_| Some(5.0))).unwrap();
        [Arc::new(baseline)]
    }

    fn empty(exact: bool) -> Tally {
        Tally::new(1, exact)
    }

    /// A window whose counts were zero was forgotten, and with it the row that had come and the one that had been taken
    /// back before it came: the window's mean was then another row's.
    #[test]
    fn a_tally_is_zero_only_when_every_row_is_gone() {
        for exact in [false, true] {
            let (mut tally, fives) = (empty(exact), fives());
            tally.add_row(&[Some(1.5)], &fives, -1);
            tally.add_row(&[Some(2.5)], &fives, 1);
            assert!(!tally.is_zero());
            tally.add_row(&[Some(1.5)], &fives, 1);
            assert_eq!((tally.bins(0, 10)[0], tally.sum(0)), (1, 2.5));
            tally.add_row(&[Some(2.5)], &fives, -1);
            assert!(tally.is_zero() && tally == empty(exact));
        }
    }

    /// Sums wrapped at 2⁶³: the mean of three large values had the wrong sign.
    #[test]
    fn sums_beyond_the_bits_of_one_value_are_not_lost() {
        let large = 4e18_f64;
        let (mut whole, mut merged, fives) = (empty(false), empty(false), fives());
        whole.add_row(&[Some(large)], &fives, 1_000);
        for _ in 0..1_000 {
            let mut one = empty(false);
            one.add_row(&[Some(large)], &fives, 1);
            merged.add(&one);
        }
        assert_eq!((whole.sum(0), &whole), (4e21, &merged));
        whole.add_row(&[Some(large)], &fives, -999);
        assert_eq!(whole.sum(0), large);
    }
}
