//! The least number, or the greatest.

use crate::aggregate::Aggregate;
use crate::aggregate::extremes::Extremes;
use crate::aggregate::fold::fold_numbers;
use crate::value::{IntoLane, Lane};

/// The least number; `None` without numbers. The distinct numbers are kept, since the least may be retracted. Read as
/// `f64`: to the last digit of a large `i64` it is `first(|row| row.n, |row| row.n)`, of rows that have one.
#[must_use]
pub fn min<D: 'static, V: IntoLane>(
    number: impl Fn(&D) -> V + 'static,
) -> impl Aggregate<D, State = Extremes<i64>, Output = Option<f64>> {
    fold_numbers(number, Extremes::update, |numbers| {
        numbers.least().map(V::Lane::read)
    })
    .additive()
}

/// The greatest number; `None` without numbers. The distinct numbers are kept, since the greatest may be retracted.
/// Read as `f64`: to the last digit of a large `i64` it is `last(|row| row.n, |row| row.n)`, of rows that have one.
#[must_use]
pub fn max<D: 'static, V: IntoLane>(
    number: impl Fn(&D) -> V + 'static,
) -> impl Aggregate<D, State = Extremes<i64>, Output = Option<f64>> {
    fold_numbers(number, Extremes::update, |numbers| {
        numbers.greatest().map(V::Lane::read)
    })
    .additive()
}
