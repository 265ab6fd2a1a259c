//! What stands in the row of the greatest, or the least, number.

use thalweg_engine::update::Data;

use crate::aggregate::Aggregate;
use crate::aggregate::extremes::Extremes;
use crate::aggregate::fold::fold;
use crate::value::{IntoLane, NULL};

/// What `value` takes out of the row whose `number` is the greatest; `None` where no row has a number.
///
/// Ties are broken by the value: the greatest. All rows with a number are kept, since any may be retracted.
#[must_use]
pub fn arg_max<D: 'static, N: IntoLane, V: Data + Ord>(
    number: impl Fn(&D) -> N + 'static,
    value: impl Fn(&D) -> V + 'static,
) -> impl Aggregate<D, State = Extremes<(i64, V)>, Output = Option<V>> {
    arg(number, value, |rows| {
        rows.greatest().map(|(_, value)| value)
    })
}

/// The same of the least number; ties are broken by the least value.
#[must_use]
pub fn arg_min<D: 'static, N: IntoLane, V: Data + Ord>(
    number: impl Fn(&D) -> N + 'static,
    value: impl Fn(&D) -> V + 'static,
) -> impl Aggregate<D, State = Extremes<(i64, V)>, Output = Option<V>> {
    arg(number, value, |rows| rows.least().map(|(_, value)| value))
}

fn arg<D: 'static, N: IntoLane, V: Data + Ord>(
    number: impl Fn(&D) -> N + 'static,
    value: impl Fn(&D) -> V + 'static,
    read: impl Fn(&Extremes<(i64, V)>) -> Option<V> + 'static,
) -> impl Aggregate<D, State = Extremes<(i64, V)>, Output = Option<V>> {
    let update = move |rows: &mut Extremes<(i64, V)>, row: &D, diff| {
        let number = number(row).into_lane();
        if number != NULL {
            rows.update((number, value(row)), diff);
        }
    };
    fold(update, read).additive()
}
