//! One change to a table: `(row, epoch, diff)`, differential's triple.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::time::Epoch;

/// How often a row is added (positive) or taken back (negative).
pub type Diff = i64;

/// One change to a table: `diff` copies of `row` come (or go, where negative) in `epoch`.
pub type Update<D> = (D, Epoch, Diff);

/// What a row must be: owned, cloneable, and able to cross between threads and processes.
pub trait Data: Clone + Send + Serialize + DeserializeOwned + 'static {}

impl<D: Clone + Send + Serialize + DeserializeOwned + 'static> Data for D {}

/// The most rows that move between operators in one piece: timely's own 8 KiB containers cost twice as much.
pub const CONTAINER_ROWS: usize = 1_024;

/// The most bytes that move between operators in one piece, so that a piece stays in the cache.
const CONTAINER_BYTES: usize = 64 << 10;

/// How many updates of rows like these move between operators in one piece.
#[must_use]
pub const fn container_rows<D>() -> usize {
    let fitting = CONTAINER_BYTES / size_of::<Update<D>>();
    if fitting > CONTAINER_ROWS {
        CONTAINER_ROWS
    } else if fitting < 64 {
        64
    } else {
        fitting
    }
}

/// The updates of an epoch, as the containers that they came in: nothing is copied together.
#[derive(Clone, Debug)]
pub struct Updates<D>(Vec<Vec<Update<D>>>);

impl<D> Default for Updates<D> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<D> Updates<D> {
    /// Adds a container.
    pub(crate) fn push(&mut self, container: Vec<Update<D>>) {
        self.0.push(container);
    }

    /// How many updates there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Vec::is_empty)
    }

    /// The containers that the updates came in, in that order.
    #[must_use]
    pub fn containers(&self) -> &[Vec<Update<D>>] {
        &self.0
    }

    /// The containers that the updates came in, given away.
    #[must_use]
    pub fn into_containers(self) -> Vec<Vec<Update<D>>> {
        self.0
    }

    /// Puts the containers into the order of time, as the newest of three of its rows says of each: a row that comes late
    /// does not move its container. Each worker sends in an order of its own, and what keeps rows by time has less to move
    /// where old ones come before new ones.
    pub fn sort_containers<T: Ord>(&mut self, time: impl Fn(&Update<D>) -> T) {
        self.0.sort_by_cached_key(|rows| {
            let places = [0, rows.len() / 2, rows.len().saturating_sub(1)];
            let rows = places.iter().filter_map(|place| rows.get(*place));
            rows.map(&time).max()
        });
    }

    /// The updates, in the order in which they came.
    pub fn iter(&self) -> std::iter::Flatten<std::slice::Iter<'_, Vec<Update<D>>>> {
        self.0.iter().flatten()
    }
}

impl<D> From<Vec<Update<D>>> for Updates<D> {
    fn from(updates: Vec<Update<D>>) -> Self {
        Self(vec![updates])
    }
}

impl<D> FromIterator<Vec<Update<D>>> for Updates<D> {
    fn from_iter<I: IntoIterator<Item = Vec<Update<D>>>>(containers: I) -> Self {
        Self(containers.into_iter().collect())
    }
}

impl<D> FromIterator<Update<D>> for Updates<D> {
    fn from_iter<I: IntoIterator<Item = Update<D>>>(updates: I) -> Self {
        Self(vec![updates.into_iter().collect()])
    }
}

impl<D> IntoIterator for Updates<D> {
    type Item = Update<D>;
    type IntoIter = std::iter::Flatten<std::vec::IntoIter<Vec<Update<D>>>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter().flatten()
    }
}

impl<'a, D> IntoIterator for &'a Updates<D> {
    type Item = &'a Update<D>;
    type IntoIter = std::iter::Flatten<std::slice::Iter<'a, Vec<Update<D>>>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_are_sorted_by_time_though_a_row_of_theirs_is_late() {
        let container = |times: &[i64]| times.iter().map(|at| (*at, 0, 1)).collect();
        let mut updates = Updates(vec![
            container(&[30, 31, 32, 33]),
            container(&[2, 21, 22]),
            Vec::new(),
            container(&[10, 11, 3]),
        ]);
        updates.sort_containers(|(at, _, _)| *at);
        let times: Vec<i64> = updates.iter().map(|(at, _, _)| *at).collect();
        assert_eq!(times, [10, 11, 3, 2, 21, 22, 30, 31, 32, 33]);
    }
}
