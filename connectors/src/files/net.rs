//! The net multiset of a table, gathered update by update in bounded memory.

use std::path::Path;

use serde::Serialize;
use thalweg_engine::sink::SinkError;
use thalweg_engine::update::Diff;

use crate::files::encode;
use crate::memory::consolidate::consolidate;

/// Below this many rows it is not worth merging before the end.
const MERGE_ROWS_MIN: usize = 65_536;

/// Signed rows, merged whenever the list has doubled: holds at most about twice the net rows.
pub(crate) struct Net<D> {
    rows: Vec<(D, Diff)>,
    merged_rows: usize,
}

impl<D: Ord> Net<D> {
    /// The empty table.
    pub(crate) fn new() -> Self {
        Self {
            rows: Vec::new(),
            merged_rows: 0,
        }
    }

    /// Adds `diff` copies of `row`.
    pub(crate) fn add(&mut self, row: D, diff: Diff) {
        self.rows.push((row, diff));
        if self.rows.len() >= MERGE_ROWS_MIN.max(self.merged_rows.saturating_mul(2)) {
            consolidate(&mut self.rows);
            self.merged_rows = self.rows.len();
        }
    }

    /// The rows that are left, sorted, each once with its count, which is never zero.
    pub(crate) fn take(&mut self) -> Vec<(D, Diff)> {
        let mut rows = std::mem::take(&mut self.rows);
        self.merged_rows = 0;
        consolidate(&mut rows);
        rows
    }

    /// As [`Net::take`], for a file at `path` that holds the table whole.
    ///
    /// # Errors
    /// [`SinkError::Failed`] when a row was taken back more often than added.
    pub(crate) fn take_whole(&mut self, path: &Path) -> Result<Vec<(D, Diff)>, SinkError>
    where
        D: Serialize,
    {
        let rows = self.take();
        match rows.iter().find(|(_, diff)| *diff < 0) {
            None => Ok(rows),
            Some((row, diff)) => Err(SinkError::Failed(format!(
                "cannot write {}: the row {} counts {diff}, it was taken back more often than \
                 added; this file was not published, and what stood there stays; look for what retracts it twice",
                path.display(),
                encode::describe(row)
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_rows_merge_and_zeros_vanish() {
        let mut net = Net::new();
        for (row, diff) in [("b", 1), ("a", 1), ("b", -1), ("c", 2), ("c", 1), ("d", -1)] {
            net.add(row, diff);
        }
        assert_eq!(net.take(), vec![("a", 1), ("c", 3), ("d", -1)]);
        assert!(net.take().is_empty());
    }

    #[test]
    fn merging_along_the_way_changes_nothing() {
        let mut net = Net::new();
        for n in 0..300_000_i64 {
            net.add(n % 1_000, if n % 3 == 0 { -1 } else { 1 });
        }
        let mut plain: Vec<(i64, Diff)> = (0..300_000)
            .map(|n| (n % 1_000, if n % 3 == 0 { -1 } else { 1 }))
            .collect();
        consolidate(&mut plain);
        assert!(net.rows.len() < 2 * MERGE_ROWS_MIN);
        assert_eq!(net.take(), plain);
    }
}
