//! How evenly rows are spread over values.
//!
//! For n rows, of which nᵥ have the value v: H = Σ (nᵥ/n)·ln(n/nᵥ), in nats; from 0, where all rows have one value, to
//! the logarithm of the number of values (Shannon 1948; `scipy.stats.entropy` of the counts).

use thalweg_engine::update::Data;

use crate::aggregate::Aggregate;
use crate::aggregate::fold::fold;
use crate::aggregate::multiset::Multiset;

/// The entropy, in nats, of what `value` takes out of the rows; `None` without values. `None` values do not count.
#[must_use]
pub fn entropy<D: 'static, V: Data + Ord>(
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
    (n > 0.0).then(|| present().map(|count| count / n * (n / count).ln()).sum())
}
