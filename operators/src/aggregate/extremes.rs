//! Values of which only the least and the greatest are asked for: noted as they come, sorted when somebody asks.
//!
//! ```text
//! update ─▶ recent, unsorted ─(as many as are sorted, or a read)─▶ sorted by value, added to a multiset
//! ```
//!
//! # Invariants
//! 1. What is read, compared and saved is what a [`Multiset`] of the same updates holds.
//! 2. At most as many updates wait as the multiset holds values, or [`RECENT_MAX`].
//!
//! # Cost
//! An update is an append; sorting later costs O(log n) an update, but in order of the values, so that neighbours share
//! what they touch. A window that is read once, at its end, thus costs a fraction of a tree that is kept all along.

use std::cell::{Ref, RefCell};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thalweg_engine::update::Diff;

use crate::aggregate::Additive;
use crate::aggregate::multiset::Multiset;

/// Updates that may wait in any case, in small groups too. A guess that was not tuned: 16 KiB of numbers.
const RECENT_MAX: usize = 1_024;

/// Values with how often each is there, for their extremes.
#[derive(Clone, Debug)]
pub struct Extremes<T: Ord> {
    held: RefCell<Held<T>>,
}

#[derive(Clone, Debug)]
struct Held<T: Ord> {
    sorted: Multiset<T>,
    recent: Vec<(T, Diff)>,
}

impl<T: Ord> Default for Extremes<T> {
    fn default() -> Self {
        Multiset::default().into()
    }
}

impl<T: Ord> From<Multiset<T>> for Extremes<T> {
    fn from(sorted: Multiset<T>) -> Self {
        let recent = Vec::new();
        Self {
            held: RefCell::new(Held { sorted, recent }),
        }
    }
}

impl<T: Ord> Extremes<T> {
    /// Adds `diff` copies of a value.
    pub fn update(&mut self, value: T, diff: Diff) {
        let held = self.held.get_mut();
        held.recent.push((value, diff));
        if held.recent.len() >= RECENT_MAX.max(held.sorted.len()) {
            held.settle();
        }
    }

    /// The least value.
    #[must_use]
    pub fn least(&self) -> Option<T>
    where
        T: Clone,
    {
        self.settled().least().cloned()
    }

    /// The greatest value.
    #[must_use]
    pub fn greatest(&self) -> Option<T>
    where
        T: Clone,
    {
        self.settled().greatest().cloned()
    }

    /// The multiset of all updates.
    pub(super) fn settled(&self) -> Ref<'_, Multiset<T>> {
        self.held.borrow_mut().settle();
        Ref::map(self.held.borrow(), |held| &held.sorted)
    }
}

impl<T: Ord + Clone> Additive for Extremes<T> {
    fn add(&mut self, other: &Self, times: Diff) {
        for (value, count) in other.settled().iter() {
            self.update(value.clone(), count * times);
        }
    }
}

impl<T: Ord> Held<T> {
    fn settle(&mut self) {
        let mut recent = std::mem::take(&mut self.recent);
        recent.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        for (value, diff) in recent {
            self.sorted.update(value, diff);
        }
    }
}

impl<T: Ord> PartialEq for Extremes<T> {
    fn eq(&self, other: &Self) -> bool {
        *self.settled() == *other.settled()
    }
}

impl<T: Ord + Serialize> Serialize for Extremes<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.settled().serialize(serializer)
    }
}

impl<'de, T: Ord + serde::de::DeserializeOwned> Deserialize<'de> for Extremes<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Multiset::deserialize(deserializer)?.into())
    }
}

/// How a row changes the rows that are kept by `order`: by what `value` takes out of it.
pub(super) fn ordered<D, O: Ord, V: Ord>(
    order: impl Fn(&D) -> O + 'static,
    value: impl Fn(&D) -> V + 'static,
) -> impl Fn(&mut Extremes<(O, V)>, &D, Diff) + 'static {
    move |rows, row, diff| rows.update((order(row), value(row)), diff)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::Draws;

    #[test]
    fn reads_equal_those_of_a_multiset_however_seldom_one_reads() {
        for read_every in [1, 7, 5_000] {
            let (mut lazy, mut plain) = (Extremes::default(), Multiset::default());
            let mut draws = Draws::seeded(read_every);
            for n in 0..20_000_u64 {
                let value = draws.below(3_000);
                let diff = if draws.below(5) < 2 { -1 } else { 1 };
                lazy.update(value, diff);
                plain.update(value, diff);
                if n.is_multiple_of(read_every) {
                    assert_eq!(lazy.least().as_ref(), plain.least());
                    assert_eq!(lazy.greatest().as_ref(), plain.greatest());
                }
            }
            assert_eq!(lazy, plain.into());
        }
    }

    #[test]
    fn what_is_inserted_and_retracted_leaves_no_trace_in_any_order() {
        let mut values = Extremes::default();
        (0..3_000).for_each(|value| values.update(value, -1));
        assert_eq!(values.greatest(), None);
        (0..3_000).rev().for_each(|value| values.update(value, 1));
        assert!(values == Extremes::default());
    }

    #[test]
    fn it_is_saved_as_the_multiset_that_it_is() {
        let (mut lazy, mut plain) = (Extremes::default(), Multiset::default());
        for value in [3, 1, 2, 3] {
            lazy.update(value, 1);
            plain.update(value, 1);
        }
        let bytes = postcard::to_stdvec(&lazy).unwrap();
        assert_eq!(bytes, postcard::to_stdvec(&plain).unwrap());
        assert!(postcard::from_bytes::<Extremes<i32>>(&bytes).unwrap() == lazy);
    }
}
