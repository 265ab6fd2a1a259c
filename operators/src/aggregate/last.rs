//! The last rows of a group: those of the greatest order, such as (event time, id).

use thalweg_engine::update::Data;

use crate::aggregate::Aggregate;
use crate::aggregate::extremes::{Extremes, ordered};
use crate::aggregate::fold::{fold, none_asked_for};

/// What `value` takes out of the row whose `order` is the greatest; `None` without rows.
///
/// Orders should be unique: end them with an id. Ties are broken by the value: the greatest. All rows are kept, since
/// any may be retracted.
#[must_use]
pub fn last<D: 'static, O: Data + Ord, V: Data + Ord>(
    order: impl Fn(&D) -> O + 'static,
    value: impl Fn(&D) -> V + 'static,
) -> impl Aggregate<D, State = Extremes<(O, V)>, Output = Option<V>> {
    fold(ordered(order, value), |rows| {
        rows.greatest().map(|(_, value)| value)
    })
    .additive()
}

/// The same of the last `k` rows, the last one first; fewer where there are fewer. `k` of 0 is wrong.
#[must_use]
pub fn last_k<D: 'static, O: Data + Ord, V: Data + Ord>(
    k: usize,
    order: impl Fn(&D) -> O + 'static,
    value: impl Fn(&D) -> V + 'static,
) -> impl Aggregate<D, State = Extremes<(O, V)>, Output = Vec<V>> {
    let read = move |rows: &Extremes<(O, V)>| {
        let rows = rows.settled();
        let last = rows.descending().take(k);
        last.map(|(_, value)| value.clone()).collect()
    };
    fold(ordered(order, value), read)
        .require(k > 0, || none_asked_for("rows"))
        .additive()
}
