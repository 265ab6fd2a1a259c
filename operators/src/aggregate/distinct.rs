//! How many distinct values there are, exactly.

use thalweg_engine::key::Key;

use crate::aggregate::Aggregate;
use crate::aggregate::fold::fold;
use crate::aggregate::multiset::Multiset;

/// Counts the distinct values that `value` takes out of the rows; `None` does not count, as in SQL.
#[must_use]
pub fn distinct<D: 'static, V: Key>(
    value: impl Fn(&D) -> Option<V> + 'static,
) -> impl Aggregate<D, State = Multiset<V>, Output = u64> {
    let update = move |values: &mut Multiset<V>, row: &D, diff| {
        if let Some(value) = value(row) {
            values.update(value, diff);
        }
    };
    fold(update, Multiset::distinct).additive()
}
