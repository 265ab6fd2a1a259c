//! How many rows there are, or how many of a kind.

use std::rc::Rc;

use thalweg_engine::update::Diff;

use crate::aggregate::Aggregate;

/// Counts rows; made by [`count`] and [`count_where`].
pub struct Count<D> {
    counts: Rc<dyn Fn(&D) -> bool>,
}

impl<D> Clone for Count<D> {
    fn clone(&self) -> Self {
        Self {
            counts: Rc::clone(&self.counts),
        }
    }
}

/// Counts all rows.
#[must_use]
pub fn count<D>() -> Count<D> {
    count_where(|_| true)
}

/// Counts the rows for which `counts` holds.
#[must_use]
pub fn count_where<D>(counts: impl Fn(&D) -> bool + 'static) -> Count<D> {
    Count {
        counts: Rc::new(counts),
    }
}

impl<D: 'static> Aggregate<D> for Count<D> {
    type State = Diff;
    type Output = i64;

    fn update(&self, state: &mut Diff, row: &D, diff: Diff) {
        if (self.counts)(row) {
            *state += diff;
        }
    }

    fn read(&self, state: &Diff) -> i64 {
        *state
    }
}
