//! The values that most rows have: the mode, and those after it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use thalweg_engine::update::{Data, Diff};

use crate::aggregate::fold::{fold, none_asked_for};
use crate::aggregate::{Additive, Aggregate};

/// Values with how often each is there, ranked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "BTreeMap<V, Diff>", into = "BTreeMap<V, Diff>")]
#[serde(bound(serialize = "V: Data + Ord", deserialize = "V: Data + Ord"))]
pub struct Frequencies<V: Clone + Ord> {
    /// Counts may be negative for a while: a retraction may come before what it retracts.
    counts: BTreeMap<V, Diff>,
    /// The values of a positive count, the most frequent first.
    ranking: BTreeSet<(Reverse<Diff>, V)>,
}

/// The `k` most frequent values with how often each is there, the most frequent first; of equally frequent ones the
/// least value first. Fewer where there are fewer; `None` values do not count. `k` of 0 is wrong.
#[must_use]
pub fn most_frequent<D: 'static, V: Data + Ord>(
    k: usize,
    value: impl Fn(&D) -> Option<V> + 'static,
) -> impl Aggregate<D, State = Frequencies<V>, Output = Vec<(V, u64)>> {
    let update = move |frequencies: &mut Frequencies<V>, row: &D, diff| {
        if let Some(value) = value(row) {
            frequencies.update(value, diff);
        }
    };
    let read = move |frequencies: &Frequencies<V>| {
        let top = frequencies.ranking.iter().take(k);
        top.map(|(Reverse(count), value)| (value.clone(), count.unsigned_abs()))
            .collect()
    };
    fold(update, read)
        .require(k > 0, || none_asked_for("values"))
        .additive()
}

impl<V: Clone + Ord> Default for Frequencies<V> {
    fn default() -> Self {
        Self {
            counts: BTreeMap::new(),
            ranking: BTreeSet::new(),
        }
    }
}

impl<V: Clone + Ord> Frequencies<V> {
    fn update(&mut self, value: V, diff: Diff) {
        let before = self.counts.remove(&value).unwrap_or(0);
        if before > 0 {
            self.ranking.remove(&(Reverse(before), value.clone()));
        }
        let after = before + diff;
        if after > 0 {
            self.ranking.insert((Reverse(after), value.clone()));
        }
        if after != 0 {
            self.counts.insert(value, after);
        }
    }
}

impl<V: Clone + Ord> Additive for Frequencies<V> {
    fn add(&mut self, other: &Self, times: Diff) {
        for (value, count) in &other.counts {
            self.update(value.clone(), count * times);
        }
    }
}

impl<V: Clone + Ord> From<BTreeMap<V, Diff>> for Frequencies<V> {
    fn from(counts: BTreeMap<V, Diff>) -> Self {
        let mut frequencies = Self::default();
        for (value, count) in counts {
            frequencies.update(value, count);
        }
        frequencies
    }
}

impl<V: Clone + Ord> From<Frequencies<V>> for BTreeMap<V, Diff> {
    fn from(frequencies: Frequencies<V>) -> Self {
        frequencies.counts
    }
}
