//! A row on its way into its key's windows, with its moment.

use std::rc::Rc;

use serde::{Deserialize, Serialize};
use thalweg_engine::column::Column;
use thalweg_engine::key::Key;
use thalweg_engine::table::Table;
use thalweg_engine::time::EventTime;
use thalweg_engine::update::{Data, Diff, Updates};

use crate::key_by::Timeline;
use crate::table_ops::TableOps;
use crate::window::rolling::queue::Due;

/// What a window takes of a row: rows are in order of time, then of the key, then of `row`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(bound(
    serialize = "R: Serialize",
    deserialize = "R: serde::de::DeserializeOwned"
))]
pub struct Placed<K: Key, R> {
    pub(crate) at: EventTime,
    pub(crate) key: K,
    pub(crate) row: R,
}

impl<K: Key, R: 'static> Placed<K, R> {
    /// What rows are dealt by.
    pub(crate) fn tags() -> Column<Self, u64> {
        Column::new(|placed: &Self| placed.key.tag())
    }
}

impl<K: Key, R> Due for Placed<K, R> {
    #[inline(always)]
    fn due(&self) -> EventTime {
        self.at
    }
}

/// An epoch's changes by key, each key's in order of time, then of the rows.
pub(crate) fn changes_by_key<K: Key, R: Data + Ord>(
    rows: Updates<Placed<K, R>>,
) -> Vec<(K, EventTime, R, Diff)> {
    let rows = rows.into_iter();
    let mut changes: Vec<_> = rows
        .map(|(placed, _, diff)| (placed.key, placed.at, placed.row, diff))
        .collect();
    changes.sort_unstable();
    changes
}

impl<'s, D: Data, K: Key> Timeline<'s, D, K> {
    /// The rows with their keys and moments, each as `row` makes it.
    pub(crate) fn placed<R: Data>(
        &self,
        row: impl Fn(D) -> R + 'static,
    ) -> Table<'s, Placed<K, R>> {
        let (key, at) = (Rc::clone(&self.keyed.key), Rc::clone(&self.at));
        self.keyed.table.map(move |whole| Placed {
            at: at(&whole),
            key: key(&whole),
            row: row(whole),
        })
    }

    /// The rows with their keys and moments, as `see` wraps them; the name shows in the metrics.
    pub(crate) fn seen<E: Data>(
        &self,
        name: &str,
        see: impl Fn(&D, Placed<K, D>) -> E + 'static,
    ) -> Table<'s, E> {
        self.seen_as(name, D::clone, see)
    }

    /// The same of what `take` takes out of each row.
    pub(crate) fn seen_as<R, E: Data>(
        &self,
        name: &str,
        take: impl Fn(&D) -> R + 'static,
        see: impl Fn(&D, Placed<K, R>) -> E + 'static,
    ) -> Table<'s, E> {
        let (key, at) = (Rc::clone(&self.keyed.key), Rc::clone(&self.at));
        let name = format!("{name} project");
        self.keyed.table.map_ref(&name, move |row| {
            let placed = Placed {
                at: at(row),
                key: key(row),
                row: take(row),
            };
            see(row, placed)
        })
    }
}
