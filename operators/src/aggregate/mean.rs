//! The mean of a number, alone.

use crate::aggregate::Aggregate;
use crate::aggregate::fold::fold_numbers;
use crate::value::{IntoLane, Lane, Powers};

/// Σx/n; `None` without numbers. The sum is exact until it is read, floats in units of 2⁻⁶⁴; what is no number
/// ([`aggregate`](crate::aggregate)) is left out.
#[must_use]
pub fn mean<D: 'static, V: IntoLane>(
    number: impl Fn(&D) -> V + 'static,
) -> impl Aggregate<D, State = Powers<1, 3>, Output = Option<f64>> {
    fold_numbers(number, Powers::update::<V::Lane>, read::<V::Lane>).additive()
}

fn read<L: Lane>(powers: &Powers<1, 3>) -> Option<f64> {
    Some(powers.sum::<L>() / powers.count()?)
}
