//! What an epoch's rows add to a window: counts and exact sums of all features, in one piece.
//!
//! ```text
//! counts   feature 0: bin 0, bin 1, … nulls, infinities │ feature 1: …      stride = most bins of any feature + 2
//! sums     feature 0, feature 1, …                        in units of 2⁻⁶⁴
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
use crate::value::{Accumulator, IntoLane, NULL, Wide128, unit_of};

/// The tally of a window, over all features.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Tally {
    counts: Vec<Diff>,
    sums: Vec<Wide128>,
    /// The values as ordered bits, per feature, where they are kept; else empty.
    values: Vec<Multiset<i64>>,
    stride: usize,
}

impl Tally {
    /// An empty tally of `features` features with at most `bins` bins each.
    pub(super) fn new(features: usize, bins: usize, exact: bool) -> Self {
        let stride = bins + 2;
        Self {
            counts: vec![0; features * stride],
            sums: vec![Wide128::ZERO; features],
            values: if exact {
                vec![Multiset::default(); features]
            } else {
                Vec::new()
            },
            stride,
        }
    }

    /// A row: each value in its bin and in its sum. `None` and NaN are nulls; ±∞ and magnitudes that no sum can hold
    /// are counted apart.
    #[inline(always)]
    pub(super) fn add_row<const N: usize>(
        &mut self,
        row: &[Option<f64>; N],
        baselines: &[Arc<Baseline>; N],
        diff: Diff,
    ) {
        let features = self.counts.chunks_exact_mut(self.stride);
        let features = features.zip(&mut self.sums).zip(row).zip(baselines);
        for (((counts, sum), value), baseline) in features {
            let Some(value) = value.filter(|value| !value.is_nan()) else {
                counts[counts.len() - 2] += diff;
                continue;
            };
            let Some(unit) = unit_of(value) else {
                counts[counts.len() - 1] += diff;
                continue;
            };
            counts[baseline.bins().index(value)] += diff;
            let share = match diff {
                1 => unit,
                _ => unit.wrapping_mul(i128::from(diff)),
            };
            sum.add(share.into());
        }
        for (values, value) in self.values.iter_mut().zip(row) {
            match value.map_or(NULL, IntoLane::into_lane) {
                NULL => {}
                lane => values.update(lane, diff),
            }
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.counts
            .iter_mut()
            .zip(&other.counts)
            .for_each(|(count, more)| *count += more);
        self.sums
            .iter_mut()
            .zip(&other.sums)
            .for_each(|(sum, more)| sum.add(*more));
        for (values, more) in self.values.iter_mut().zip(&other.values) {
            more.iter()
                .for_each(|(value, diff)| values.update(*value, diff));
        }
    }

    /// An empty tally of the same shape.
    pub(super) fn emptied(&self) -> Self {
        let features = self.sums.len();
        Self::new(
            features,
            self.stride.saturating_sub(2),
            !self.values.is_empty(),
        )
    }

    /// Whether nothing is left of what was added.
    pub(super) fn is_zero(&self) -> bool {
        self.counts.iter().all(|count| *count == 0)
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

    /// A feature's exact sum, in units of 2⁻⁶⁴.
    pub(super) fn sum(&self, feature: usize) -> i128 {
        self.sums[feature].get()
    }

    /// A feature's values, where they are kept.
    pub(super) fn values(&self, feature: usize) -> Option<&Multiset<i64>> {
        self.values.get(feature)
    }

    /// Bytes held, without the values.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.counts.capacity() * 8 + self.sums.capacity() * 16
    }
}

/// A window of a segment with its tally.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub(super) struct Partial<G: Key> {
    pub(super) group: (G, EventTime),
    pub(super) tally: Tally,
}
