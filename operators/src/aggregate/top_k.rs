//! The greatest numbers, or the least.

use crate::aggregate::Aggregate;
use crate::aggregate::extremes::Extremes;
use crate::aggregate::fold::{fold_numbers, none_asked_for};
use crate::value::{IntoLane, Lane};

/// The `k` greatest numbers, the greatest first, each as often as it is there; fewer where there are fewer. `k` of 0 is wrong.
///
/// What else stands in those rows, [`last_k`](crate::aggregate::last_k) tells, with the number as the order.
#[must_use]
pub fn top_k<D: 'static, V: IntoLane>(
    k: usize,
    number: impl Fn(&D) -> V + 'static,
) -> impl Aggregate<D, State = Extremes<i64>, Output = Vec<f64>> {
    fold_numbers(number, Extremes::update, move |numbers| {
        let numbers = numbers.settled();
        let top = numbers.descending().take(k);
        top.map(|number| V::Lane::read(*number)).collect()
    })
    .require(k > 0, || none_asked_for("numbers"))
    .additive()
}

/// The `k` least numbers, the least first, each as often as it is there; fewer where there are fewer. `k` of 0 is wrong.
#[must_use]
pub fn bottom_k<D: 'static, V: IntoLane>(
    k: usize,
    number: impl Fn(&D) -> V + 'static,
) -> impl Aggregate<D, State = Extremes<i64>, Output = Vec<f64>> {
    fold_numbers(number, Extremes::update, move |numbers| {
        let numbers = numbers.settled();
        let bottom = numbers.ascending().take(k);
        bottom.map(|number| V::Lane::read(*number)).collect()
    })
    .require(k > 0, || none_asked_for("numbers"))
    .additive()
}
