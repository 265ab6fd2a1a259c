//! How many distinct values there are, exactly.

use std::rc::Rc;

use thalweg_engine::key::Key;
use thalweg_engine::update::Diff;

use crate::aggregate::Aggregate;
use crate::aggregate::multiset::Multiset;

/// Counts distinct values; made by [`distinct`].
pub struct Distinct<D, V> {
    value: Rc<dyn Fn(&D) -> Option<V>>,
}

impl<D, V> Clone for Distinct<D, V> {
    fn clone(&self) -> Self {
        Self {
            value: Rc::clone(&self.value),
        }
    }
}

/// Counts the distinct values that `value` takes out of the rows; `None` does not count, as in SQL.
#[must_use]
pub fn distinct<D, V: Key>(value: impl Fn(&D) -> Option<V> + 'static) -> Distinct<D, V> {
    Distinct {
        value: Rc::new(value),
    }
}

impl<D: 'static, V: Key> Aggregate<D> for Distinct<D, V> {
    type State = Multiset<V>;
    type Output = u64;

    fn update(&self, state: &mut Multiset<V>, row: &D, diff: Diff) {
        if let Some(value) = (self.value)(row) {
            state.update(value, diff);
        }
    }

    fn read(&self, state: &Multiset<V>) -> u64 {
        state.distinct()
    }
}
