//! An aggregate of some of the rows: SQL's `FILTER (WHERE …)`.

use crate::aggregate::Aggregate;
use crate::aggregate::fold::{As, fold};

/// `aggregate` over the rows for which `holds` holds.
///
/// ```
/// use thalweg_operators::aggregate::{Aggregate, mean, only_if};
///
/// let mean_of_rises = only_if(|change: &f64| *change > 0.0, mean(|change: &f64| *change));
/// let mut state = Default::default();
/// for change in [1.0, -7.0, 2.0] {
///     mean_of_rises.update(&mut state, &change, 1);
/// }
/// assert_eq!(mean_of_rises.read(&state), Some(1.5));
/// ```
#[must_use]
pub fn only_if<D: 'static, A: Aggregate<D>>(
    holds: impl Fn(&D) -> bool + 'static,
    aggregate: A,
) -> impl Aggregate<D, State = A::State, Output = A::Output> {
    let (reader, check) = (aggregate.clone(), aggregate.check());
    let update = move |state: &mut A::State, row: &D, diff| {
        if holds(row) {
            aggregate.update(state, row, diff);
        }
    };
    fold(update, move |state| reader.read(state))
        .require_of(check)
        .summed::<As<D, A>>()
}
