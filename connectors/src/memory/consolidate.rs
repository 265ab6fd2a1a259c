//! Equal rows merged, zeros gone, sorted by row: `[(b, 1), (a, 1), (b, -1)]` is `[(a, 1)]`.

use thalweg_engine::update::Diff;

/// Sorts by row, adds the diffs of equal rows, and removes rows whose diffs add to zero.
pub(crate) fn consolidate<D: Ord>(rows: &mut Vec<(D, Diff)>) {
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    rows.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 = kept.1.saturating_add(next.1);
        }
        same
    });
    rows.retain(|(_, diff)| *diff != 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_rows_merge_and_zeros_vanish() {
        let mut rows = vec![("b", 1), ("a", 1), ("b", -1), ("c", 2), ("c", 1), ("d", -1)];
        consolidate(&mut rows);
        assert_eq!(rows, vec![("a", 1), ("c", 3), ("d", -1)]);
    }
}
