//! The sum of a number, alone.

use crate::aggregate::fold::{Fold, fold_numbers};
use crate::value::{IntoLane, Powers};

/// Σx, exact until it is read, and never overflowing; 0 without numbers.
#[must_use]
pub fn sum<D, V: IntoLane>(number: impl Fn(&D) -> V + 'static) -> Fold<D, Powers<1, 3>, f64> {
    fold_numbers(number, Powers::update::<V::Lane>, Powers::sum::<V::Lane>)
}
