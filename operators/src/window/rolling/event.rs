//! What a rolling window stores of a row, and what it yields.

use serde::{Deserialize, Serialize};
use thalweg_engine::column::Column;
use thalweg_engine::key::Key;
use thalweg_engine::time::EventTime;

use crate::array::Array;
use crate::value::{Lane, Moments};
use crate::window::rolling::queue::Due;

/// A row on its way into rolling windows: its key, its event time, its numbers, and what its final row carries along.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(bound(
    serialize = "P: Serialize",
    deserialize = "P: serde::de::DeserializeOwned"
))]
pub struct Event<K: Key, const N: usize, P> {
    pub(crate) key: K,
    pub(crate) at: EventTime,
    pub(crate) lanes: Array<i64, N>,
    pub(crate) payload: P,
}

/// The moments of `N` lanes over `W` windows, windows in the order in which the job named them.
pub type Windows<L, const N: usize, const W: usize> = Array<Array<Moments<L>, N>, W>;

/// A key's rolling windows as of `at`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Rolled<K: Key, L: Lane, const N: usize, const W: usize> {
    /// The key.
    pub key: K,
    /// The event time of the key's newest event.
    pub at: EventTime,
    /// The moments: `windows[window][lane]`.
    pub windows: Windows<L, N, W>,
}

impl<K: Key, L: Lane, const N: usize, const W: usize> Rolled<K, L, N, W> {
    /// The first lane of a window; windows count from 0 in the order in which the job named them.
    ///
    /// # Panics
    /// When the job named fewer windows.
    #[must_use]
    pub fn window(&self, window: usize) -> &Moments<L> {
        &self.windows[window][0]
    }
}

impl<K: Key, const N: usize, P> Due for Event<K, N, P> {
    #[inline(always)]
    fn due(&self) -> EventTime {
        self.at
    }
}

impl<K: Key, const N: usize, P: 'static> Event<K, N, P> {
    /// What events are dealt by.
    pub(super) fn tags() -> Column<Self, u64> {
        Column::new(|event: &Self| event.key.tag())
    }
}
