//! How many rows there are, or how many of a kind.

use thalweg_engine::update::Diff;

use crate::aggregate::Aggregate;
use crate::aggregate::fold::fold;

/// Counts all rows.
#[must_use]
pub fn count<D: 'static>() -> impl Aggregate<D, State = Diff, Output = i64> {
    count_where(|_| true)
}

/// Counts the rows for which `counts` holds.
#[must_use]
pub fn count_where<D: 'static>(
    counts: impl Fn(&D) -> bool + 'static,
) -> impl Aggregate<D, State = Diff, Output = i64> {
    let update = move |count: &mut Diff, row: &D, diff| {
        if counts(row) {
            *count += diff;
        }
    };
    fold(update, |count| *count).additive()
}
