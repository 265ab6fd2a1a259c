//! The least number, or the greatest.

use crate::aggregate::extremes::Extremes;
use crate::aggregate::fold::{Fold, fold_numbers};
use crate::value::{IntoLane, Lane};

/// The least number; `None` without numbers. The distinct numbers are kept, since the least may be retracted.
#[must_use]
pub fn min<D, V: IntoLane>(
    number: impl Fn(&D) -> V + 'static,
) -> Fold<D, Extremes<i64>, Option<f64>> {
    fold_numbers(number, Extremes::update, |numbers| {
        numbers.least().map(V::Lane::read)
    })
}

/// The greatest number; `None` without numbers. The distinct numbers are kept, since the greatest may be retracted.
#[must_use]
pub fn max<D, V: IntoLane>(
    number: impl Fn(&D) -> V + 'static,
) -> Fold<D, Extremes<i64>, Option<f64>> {
    fold_numbers(number, Extremes::update, |numbers| {
        numbers.greatest().map(V::Lane::read)
    })
}
