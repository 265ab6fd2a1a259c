//! The sum of a number, alone.

use crate::aggregate::Aggregate;
use crate::aggregate::fold::fold_numbers;
use crate::value::{IntoLane, Powers};

/// Σx, exact until it is read, floats in units of 2⁻⁶⁴, and never overflowing; 0 without numbers. What is no number
/// ([`aggregate`](crate::aggregate)) is left out.
#[must_use]
pub fn sum<D: 'static, V: IntoLane>(
    number: impl Fn(&D) -> V + 'static,
) -> impl Aggregate<D, State = Powers<1, 3>, Output = f64> {
    fold_numbers(number, Powers::update::<V::Lane>, Powers::sum::<V::Lane>).additive()
}
