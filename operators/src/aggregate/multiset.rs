//! Values with how often each is there: what extremes, distinct counts and latest rows are read from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thalweg_engine::update::Diff;

use crate::aggregate::Additive;

/// A multiset whose counts may be negative for a while: a retraction may come before what it retracts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(
    serialize = "T: Serialize + Ord",
    deserialize = "T: serde::de::DeserializeOwned + Ord"
))]
pub struct Multiset<T: Ord> {
    counts: BTreeMap<T, Diff>,
    /// How many values have a negative count.
    negative: u64,
}

impl<T: Ord> Default for Multiset<T> {
    fn default() -> Self {
        Self {
            counts: BTreeMap::new(),
            negative: 0,
        }
    }
}

impl<T: Ord> Multiset<T> {
    /// Adds `diff` copies of a value.
    pub fn update(&mut self, value: T, diff: Diff) {
        use std::collections::btree_map::Entry;
        let (before, after) = match self.counts.entry(value) {
            Entry::Vacant(entry) => {
                if diff != 0 {
                    entry.insert(diff);
                }
                (0, diff)
            }
            Entry::Occupied(mut entry) => {
                let before = *entry.get();
                if before + diff == 0 {
                    entry.remove();
                } else {
                    *entry.get_mut() += diff;
                }
                (before, before + diff)
            }
        };
        self.negative += u64::from(after < 0);
        self.negative -= u64::from(before < 0);
    }

    /// How many values it holds, those of a negative count included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// How many distinct values there are.
    #[must_use]
    pub fn distinct(&self) -> u64 {
        self.counts.len() as u64 - self.negative
    }

    /// The least value.
    #[must_use]
    pub fn least(&self) -> Option<&T> {
        self.present().next().map(|(value, _)| value)
    }

    /// The greatest value.
    #[must_use]
    pub fn greatest(&self) -> Option<&T> {
        self.present().next_back().map(|(value, _)| value)
    }

    /// The values from the least on, each as often as it is there.
    pub fn ascending(&self) -> impl Iterator<Item = &T> {
        self.present().flat_map(repeated)
    }

    /// The values from the greatest on, each as often as it is there.
    pub fn descending(&self) -> impl Iterator<Item = &T> {
        self.present().rev().flat_map(repeated)
    }

    /// All values with how often each is there.
    pub fn iter(&self) -> impl Iterator<Item = (&T, Diff)> {
        self.counts.iter().map(|(value, count)| (value, *count))
    }

    /// The values of a positive count, with it.
    pub fn present(&self) -> impl DoubleEndedIterator<Item = (&T, Diff)> {
        let counts = self.counts.iter();
        counts
            .map(|(value, count)| (value, *count))
            .filter(|(_, count)| *count > 0)
    }
}

impl<T: Ord + Clone> Additive for Multiset<T> {
    fn add(&mut self, other: &Self, times: Diff) {
        for (value, count) in other.iter() {
            self.update(value.clone(), count * times);
        }
    }
}

fn repeated<T>((value, count): (&T, Diff)) -> impl Iterator<Item = &T> {
    std::iter::repeat_n(value, usize::try_from(count).unwrap_or(0))
}
