//! How many distinct values there are, exactly.

use thalweg_engine::key::Key;

use crate::aggregate::fold::{Fold, fold};
use crate::aggregate::multiset::Multiset;

/// Counts the distinct values that `value` takes out of the rows; `None` does not count, as in SQL.
#[must_use]
pub fn distinct<D, V: Key>(value: impl Fn(&D) -> Option<V> + 'static) -> Fold<D, Multiset<V>, u64> {
    let update = move |values: &mut Multiset<V>, row: &D, diff| {
        if let Some(value) = value(row) {
            values.update(value, diff);
        }
    };
    fold(update, Multiset::distinct)
}
