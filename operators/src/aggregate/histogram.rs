//! How many numbers fall into each of some bins.

use crate::aggregate::Aggregate;
use crate::aggregate::fold::fold_numbers;
use crate::aggregate::multiset::Multiset;
use crate::drift::Bins;
use crate::value::{IntoLane, Lane};

/// Counts per bin, from the lowest bin to the highest; zeros without numbers. Nulls are in no bin.
///
/// Bins are open at both ends and hold their lower edge: (−∞, e₀) [e₀, e₁) … [eₖ, ∞). NumPy's bins end at the last edge,
/// and the last of them holds it.
#[must_use]
pub fn histogram<D: 'static, V: IntoLane>(
    bins: Bins,
    number: impl Fn(&D) -> V + 'static,
) -> impl Aggregate<D, State = Multiset<usize>, Output = Vec<u64>> {
    let len = bins.len();
    let update = move |counts: &mut Multiset<usize>, number, diff| {
        counts.update(bins.index(V::Lane::read(number)), diff);
    };
    fold_numbers(number, update, move |counts| read(counts, len)).additive()
}

fn read(counts: &Multiset<usize>, len: usize) -> Vec<u64> {
    let mut histogram = vec![0; len];
    for (bin, count) in counts.present() {
        if let Some(bin) = histogram.get_mut(*bin) {
            *bin = count.unsigned_abs();
        }
    }
    histogram
}
