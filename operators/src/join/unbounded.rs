//! Joins on the key alone, without bounds in time: on the differential island, so that both sides repair the past.
//!
//! ```text
//! left   a₁ a₂ b          join        (a₁,A) (a₂,A)
//! right  A     C          left_join   (a₁,A) (a₂,A) (b,–)
//!                         full_join   (a₁,A) (a₂,A) (b,–) (–,C)
//!                         semi_join    a₁     a₂                 each left row once, however many it meets
//!                         anti_join                  b
//! ```
//!
//! How often rows are there multiplies in pairs. A key is there as long as the counts of its rows add up to more than
//! none: what is taken back before it comes takes one away from the others until it does. Changes are net per epoch.
//!
//! # Cost
//! Per change O(log n) and the pairs that it changes. State: both sides, for ever: where times bound what can meet, take
//! `asof`, `interval_join` or `windowed_join`.

use std::fmt::Debug;
use std::hash::Hash;
use std::rc::Rc;

use differential_dataflow::operators::ThresholdTotal;
use differential_dataflow::operators::arrange::{Arranged, TraceAgent};
use differential_dataflow::trace::implementations::{KeySpine, ValSpine};
use thalweg_engine::key::Key;
use thalweg_engine::table::Table;
use thalweg_engine::time::Epoch;
use thalweg_engine::update::{Data, Diff};

use crate::join::differential::{Differential, Island};
use crate::key_by::Keyed;
use crate::table_ops::TableOps;

/// What differential asks of a row: an order, and that it can be shown.
pub trait IslandRow: Data + Ord + Debug {}

impl<D: Data + Ord + Debug> IslandRow for D {}

type Rows<'s, K, D> = Arranged<'s, TraceAgent<ValSpine<K, D, Epoch, Diff>>>;
type Keys<'s, K> = Arranged<'s, TraceAgent<KeySpine<K, Epoch, Diff>>>;

impl<'s, L: IslandRow, K: Key + Hash> Keyed<'s, L, K> {
    /// All pairs of one key. The name shows in the metrics.
    #[must_use]
    pub fn join<R: IslandRow>(&self, name: &str, right: &Keyed<'s, R, K>) -> Table<'s, (L, R)> {
        self.back(name, pairs(&self.rows(name), &right.rows(name)))
    }

    /// All pairs of one key, and left rows whose key the right side does not have.
    #[must_use]
    pub fn left_join<R: IslandRow>(
        &self,
        name: &str,
        right: &Keyed<'s, R, K>,
    ) -> Table<'s, (L, Option<R>)> {
        let (lefts, keys) = (self.rows(name), right.keys(name));
        let both = pairs(&lefts, &right.rows(name));
        let both = both.map(|(key, (left, right))| (key, (left, Some(right))));
        let alone = self.alone(&lefts, &keys);
        self.back(
            name,
            both.concat(alone.map(|(key, left)| (key, (left, None)))),
        )
    }

    /// All pairs of one key, and the rows of either side whose key the other does not have.
    #[must_use]
    pub fn full_join<R: IslandRow>(
        &self,
        name: &str,
        right: &Keyed<'s, R, K>,
    ) -> Table<'s, (Option<L>, Option<R>)> {
        let (lefts, rights) = (self.rows(name), right.rows(name));
        let both = pairs(&lefts, &rights);
        let both = both.map(|(key, (left, right))| (key, (Some(left), Some(right))));
        let left_alone = self.alone(&lefts, &right.keys(name));
        let right_alone = right.alone(&rights, &self.keys(name));
        let all = both
            .concat(left_alone.map(|(key, left)| (key, (Some(left), None))))
            .concat(right_alone.map(|(key, right)| (key, (None, Some(right)))));
        self.back(name, all)
    }

    /// The rows whose key the right side has.
    #[must_use]
    pub fn semi_join<R: IslandRow>(&self, name: &str, right: &Keyed<'s, R, K>) -> Table<'s, L> {
        self.back(name, meeting(&self.rows(name), &right.keys(name)))
    }

    /// The rows whose key the right side does not have.
    #[must_use]
    pub fn anti_join<R: IslandRow>(&self, name: &str, right: &Keyed<'s, R, K>) -> Table<'s, L> {
        self.back(name, self.alone(&self.rows(name), &right.keys(name)))
    }

    fn with_key(&self) -> Island<'s, (K, L)> {
        let key = Rc::clone(&self.key);
        self.table.map(move |row| (key(&row), row)).collection()
    }

    /// The rows, indexed by key.
    fn rows(&self, name: &str) -> Rows<'s, K, L> {
        self.with_key().arrange_by_key_named(name)
    }

    /// The keys that are there, each once.
    fn keys(&self, name: &str) -> Keys<'s, K> {
        let keys = self.with_key().map(|(key, _)| key);
        let present = keys.threshold_total(|_, count| Diff::from(*count > 0));
        present.arrange_by_self_named(name)
    }

    /// The rows whose key is not among `keys`.
    fn alone(&self, rows: &Rows<'s, K, L>, keys: &Keys<'s, K>) -> Island<'s, (K, L)> {
        self.with_key().concat(meeting(rows, keys).negate())
    }

    /// Leaves the island with net changes: what comes and goes in one epoch is not written.
    fn back<O: IslandRow>(&self, name: &str, island: Island<'s, (K, O)>) -> Table<'s, O> {
        let net = island.arrange_by_key_named(name);
        let rows = net.as_collection(|_, row: &O| row.clone());
        Table::new(self.table.graph().clone(), rows.inner)
    }
}

fn pairs<'s, K: Key + Hash, L: IslandRow, R: IslandRow>(
    lefts: &Rows<'s, K, L>,
    rights: &Rows<'s, K, R>,
) -> Island<'s, (K, (L, R))> {
    let pair = |key: &K, left: &L, right: &R| Some((key.clone(), (left.clone(), right.clone())));
    lefts.clone().join_core(rights.clone(), pair)
}

/// The rows whose key is among `keys`.
fn meeting<'s, K: Key + Hash, D: IslandRow>(
    rows: &Rows<'s, K, D>,
    keys: &Keys<'s, K>,
) -> Island<'s, (K, D)> {
    let row = |key: &K, row: &D, (): &()| Some((key.clone(), row.clone()));
    rows.clone().join_core(keys.clone(), row)
}
