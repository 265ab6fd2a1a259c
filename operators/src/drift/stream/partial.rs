//! What an epoch's rows add to a window: counts and exact sums of all features, in one piece.
//!
//! ```text
//! counts   feature 0: bin 0, bin 1, … nulls, infinities │ feature 1: …      stride = bins of a feature + 2
//! sums     feature 0, feature 1, …                        in units of 2⁻⁶⁴; they count their wraps, so none is lost
//! ```
//!
//! Many windows lie in one tally as well, each with its features after those of the one before: no window has memory of
//! its own. A group: tallies add up, and a retracted row leaves no trace.

use std::ops::Range;
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

/// The tally of a window over all features, or of many windows.
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
        let first = feature * STRIDE;
        let counts = &mut self.counts[first..first + STRIDE];
        let Some(value) = value.filter(|value| !value.is_nan()) else {
            counts[DECILES] += diff;
            return;
        };
        let Some(unit) = unit_of(value) else {
            counts[DECILES + 1] += diff;
            return;
        };
        counts[baseline.bins().index(value)] += diff;
        self.sums[feature].add_copies(unit, diff);
    }

    /// What has been counted elsewhere of a feature: its rows per bin, its nulls and its sum in units of 2⁻⁶⁴.
    pub(super) fn add_counted(&mut self, feature: usize, bins: &[Diff], nulls: Diff, sum: i128) {
        let first = feature * STRIDE;
        let counts = &mut self.counts[first..first + STRIDE];
        for (count, more) in counts.iter_mut().zip(bins) {
            *count += more;
        }
        counts[DECILES] += nulls;
        self.sums[feature].add(sum.into());
    }

    /// Makes room for at least so many features.
    pub(super) fn grow(&mut self, features: usize) {
        if self.sums.len() < features {
            self.counts.resize(features * STRIDE, 0);
            self.sums.resize(features, Carried::default());
        }
    }

    /// Adds `features` features of another tally, from the one `from` on, to those here from `at` on.
    pub(super) fn merge(&mut self, at: usize, other: &Self, from: usize, features: usize) {
        let here = &mut self.counts[at * STRIDE..(at + features) * STRIDE];
        let there = &other.counts[from * STRIDE..(from + features) * STRIDE];
        for (count, more) in here.iter_mut().zip(there) {
            *count += more;
        }
        let sums = self.sums[at..at + features].iter_mut();
        for (sum, more) in sums.zip(&other.sums[from..]) {
            sum.merge(*more);
        }
        if other.values.is_empty() {
            return;
        }
        if self.values.len() < at + features {
            self.values.resize_with(at + features, Multiset::default);
        }
        let values = self.values[at..at + features].iter_mut();
        for (values, more) in values.zip(&other.values[from..]) {
            more.iter()
                .for_each(|(value, diff)| values.update(*value, diff));
        }
    }

    /// Whether nothing is left of what was added to these features. Counts of zero do not say so: where a row has come
    /// and another of its bin was taken back before it came, the sum and the values remember both.
    pub(super) fn is_zero(&self, features: Range<usize>) -> bool {
        let counts = &self.counts[features.start * STRIDE..features.end * STRIDE];
        counts.iter().all(|count| *count == 0)
            && self.sums[features.clone()]
                .iter()
                .all(|sum| *sum == Carried::default())
            && self.of_values(features).all(Multiset::is_empty)
    }

    fn of_values(&self, features: Range<usize>) -> impl Iterator<Item = &Multiset<i64>> {
        features.filter_map(|feature| self.values.get(feature))
    }

    /// Forgets all of these features.
    pub(super) fn clear(&mut self, features: Range<usize>) {
        self.counts[features.start * STRIDE..features.end * STRIDE].fill(0);
        self.sums[features.clone()].fill(Carried::default());
        let kept = self.values.len();
        self.values[features.start.min(kept)..features.end.min(kept)].fill_with(Multiset::default);
    }

    /// A tally of these features alone.
    pub(super) fn piece(&self, features: Range<usize>) -> Self {
        Self {
            counts: self.counts[features.start * STRIDE..features.end * STRIDE].to_vec(),
            sums: self.sums[features.clone()].to_vec(),
            values: self.of_values(features).cloned().collect(),
            stride: STRIDE,
        }
    }

    /// Whether it has the shape of a tally of so many features.
    pub(super) fn is_of(&self, features: usize) -> bool {
        self.stride == STRIDE
            && self.counts.len() == features * STRIDE
            && self.sums.len() == features
            && (self.values.is_empty() || self.values.len() == features)
    }

    /// A feature's rows per bin.
    pub(super) fn bins(&self, feature: usize) -> &[Diff] {
        &self.counts[feature * STRIDE..feature * STRIDE + DECILES]
    }

    /// A feature's nulls and infinities.
    pub(super) fn dropped(&self, feature: usize) -> (Diff, Diff) {
        let first = feature * STRIDE;
        (
            self.counts[first + DECILES],
            self.counts[first + DECILES + 1],
        )
    }

    /// A feature's sum, rounded once.
    pub(super) fn sum(&self, feature: usize) -> f64 {
        let sum = self.sums[feature];
        match sum.fitting() {
            Some(sum) => Float::read_narrow(sum.get()),
            None => Float::read_total(sum.get()),
        }
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

/// The windows of an epoch that one worker owns, and their tallies one after another: the features of the first window,
/// those of the second, and so on.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub(super) struct Partial<G: Key> {
    pub(super) groups: Vec<(G, EventTime)>,
    pub(super) tally: Tally,
}

impl<G: Key> Partial<G> {
    /// Without windows, with room for the tallies of so many features.
    pub(super) fn with_capacity(features: usize) -> Self {
        let mut tally = Tally::new(0, false);
        tally.counts.reserve(features * STRIDE);
        tally.sums.reserve(features);
        let groups = Vec::new();
        Self { groups, tally }
    }

    /// The tag of one of its windows: all of them have one owner.
    pub(super) fn tag(&self) -> u64 {
        self.groups.first().map_or(0, Key::tag)
    }
}

/// A window of a segment with its tally, as it is saved.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub(super) struct Saved<G: Key> {
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
            assert!(!tally.is_zero(0..1));
            tally.add_row(&[Some(1.5)], &fives, 1);
            assert_eq!((tally.bins(0)[0], tally.sum(0)), (1, 2.5));
            tally.add_row(&[Some(2.5)], &fives, -1);
            assert!(tally.is_zero(0..1) && tally == empty(exact));
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
            merged.merge(0, &one, 0, 1);
        }
        assert_eq!((whole.sum(0), &whole), (4e21, &merged));
        whole.add_row(&[Some(large)], &fives, -999);
        assert_eq!(whole.sum(0), large);
    }
}
