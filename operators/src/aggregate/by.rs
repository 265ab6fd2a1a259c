//! An aggregate bucketed by a second key: one answer for each category within the group.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use serde::{Deserialize, Serialize};
use thalweg_engine::update::{Data, Diff};

use crate::aggregate::fold::{Sums, fold};
use crate::aggregate::{Add, Aggregate};

/// An aggregate's state for each category; those without a trace are forgotten.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound(
    serialize = "C: Serialize + Ord, S: Serialize",
    deserialize = "C: serde::de::DeserializeOwned + Ord, S: serde::de::DeserializeOwned"
))]
pub struct Buckets<C: Ord, S>(BTreeMap<C, Bucket<S>>);

/// The rows of a category are counted too: their own states may not show that there are any, as the sum of nulls.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Bucket<S> {
    rows: Diff,
    state: S,
}

impl<C: Ord, S> Default for Buckets<C, S> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<C: Clone + Ord, S: Default + PartialEq> Buckets<C, S> {
    /// Changes a category, and forgets it if no trace is left.
    fn change(&mut self, category: C, change: impl FnOnce(&mut Bucket<S>)) {
        let bucket = self.0.entry(category.clone()).or_default();
        change(bucket);
        if bucket.rows == 0 && bucket.state == S::default() {
            self.0.remove(&category);
        }
    }
}

/// `aggregate` for each category that has rows, in the order of the categories; empty without rows. For a sink that
/// writes plain columns, take the map apart by a `flat_map` behind the window.
///
/// ```
/// use thalweg_operators::aggregate::{Aggregate, by, count};
///
/// let count_by_length = by(|word: &&str| word.len(), count());
/// let mut state = Default::default();
/// for word in ["a", "bee", "sea"] {
///     count_by_length.update(&mut state, &word, 1);
/// }
/// assert_eq!(count_by_length.read(&state), [(1, 1), (3, 2)].into());
/// ```
#[must_use]
pub fn by<D: 'static, C: Data + Ord, A: Aggregate<D>>(
    category: impl Fn(&D) -> C + 'static,
    aggregate: A,
) -> impl Aggregate<D, State = Buckets<C, A::State>, Output = BTreeMap<C, A::Output>> {
    let (reader, check) = (aggregate.clone(), aggregate.check());
    let update = move |buckets: &mut Buckets<C, A::State>, row: &D, diff| {
        buckets.change(category(row), |bucket| {
            bucket.rows += diff;
            aggregate.update(&mut bucket.state, row, diff);
        });
    };
    let read = move |buckets: &Buckets<C, A::State>| {
        let present = buckets.0.iter().filter(|(_, bucket)| bucket.rows > 0);
        present
            .map(|(category, bucket)| (category.clone(), reader.read(&bucket.state)))
            .collect()
    };
    fold(update, read)
        .require_of(check)
        .summed::<PerCategory<D, A>>()
}

/// States add up category by category.
struct PerCategory<D, A>(PhantomData<(D, A)>);

impl<D: 'static, C: Data + Ord, A: Aggregate<D>> Sums<Buckets<C, A::State>> for PerCategory<D, A> {
    const ADD: Option<Add<Buckets<C, A::State>>> = if A::ADD.is_some() {
        Some(|buckets, other, times| {
            for (category, theirs) in &other.0 {
                buckets.change(category.clone(), |bucket| {
                    bucket.rows += theirs.rows * times;
                    if let Some(add) = A::ADD {
                        add(&mut bucket.state, &theirs.state, times);
                    }
                });
            }
        })
    } else {
        None
    };
}
