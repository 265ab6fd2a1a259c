//! How much of the rows lies on few values.
//!
//! For n rows, of which nᵥ have the value v: C = Σ (nᵥ/n)², the chance that two rows drawn with replacement have one
//! value; from 1 over the number of values, where all are equally frequent, to 1, where there is only one (the index of
//! Herfindahl and Hirschman, and Simpson).

use thalweg_engine::update::Data;

use crate::aggregate::Aggregate;
use crate::aggregate::fold::fold;
use crate::aggregate::multiset::Multiset;

/// The concentration of what `value` takes out of the rows; `None` without values. `None` values do not count.
#[must_use]
pub fn concentration<D: 'static, V: Data + Ord>(
    value: impl Fn(&D) -> Option<V> + 'static,
) -> impl Aggregate<D, State = Multiset<V>, Output = Option<f64>> {
    let update = move |values: &mut Multiset<V>, row: &D, diff| {
        if let Some(value) = value(row) {
            values.update(value, diff);
        }
    };
    fold(update, read).additive()
}

#[expect(clippy::cast_precision_loss, reason = "shares")]
fn read<V: Ord>(values: &Multiset<V>) -> Option<f64> {
    let present = || values.present().map(|(_, count)| count as f64);
    let n: f64 = present().sum();
    (n > 0.0).then(|| present().map(|count| (count / n).powi(2)).sum())
}
