//! The mean of numbers that multiply: growth factors, ratios, prices of any scale.
//!
//! For the n positive numbers of a group: exp(Σ ln x / n), in the unit of the numbers; from the least of them to the
//! greatest (`scipy.stats.gmean` of the positive numbers).
//!
//! The distinct numbers are kept, and their logarithms taken at reads only: two machines might round a logarithm in two
//! ways, and a sum of logarithms that one of them saved would not lead back to zero on the other.

use crate::aggregate::Aggregate;
use crate::aggregate::fold::fold_numbers;
use crate::aggregate::multiset::Multiset;
use crate::value::{IntoLane, Lane};

/// The geometric mean of the positive numbers; `None` without any. Zeros and negatives, which have no logarithm, are left
/// out as nulls are: a zero does not make the answer 0.
#[must_use]
pub fn geometric_mean<D: 'static, V: IntoLane>(
    number: impl Fn(&D) -> V + 'static,
) -> impl Aggregate<D, State = Multiset<i64>, Output = Option<f64>> {
    let update = |numbers: &mut Multiset<i64>, number, diff| {
        if V::Lane::read(number) > 0.0 {
            numbers.update(number, diff);
        }
    };
    fold_numbers(number, update, read::<V::Lane>).additive()
}

#[expect(clippy::cast_precision_loss, reason = "weights")]
fn read<L: Lane>(numbers: &Multiset<i64>) -> Option<f64> {
    let present = || {
        numbers
            .present()
            .map(|(number, count)| (L::read(*number), count as f64))
    };
    let n: f64 = present().map(|(_, count)| count).sum();
    let logarithms: f64 = present().map(|(x, count)| count * x.ln()).sum();
    (n > 0.0).then(|| (logarithms / n).exp())
}
