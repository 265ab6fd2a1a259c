//! How nearly two numbers lie on a line.
//!
//! r = cov(x, y)/√(var(x)·var(y)), from −1 to 1, without a unit: Pearson's, SQL's `corr`. Whether of a population or a
//! sample makes no difference. A row counts where it has both numbers.

use crate::aggregate::Aggregate;
use crate::aggregate::pairs::{Pairs, fold_pairs};
use crate::value::IntoLane;

/// Pearson's correlation; `None` without pairs, and where either number never changes.
#[must_use]
pub fn correlation<D: 'static, X: IntoLane, Y: IntoLane>(
    x: impl Fn(&D) -> X + 'static,
    y: impl Fn(&D) -> Y + 'static,
) -> impl Aggregate<D, State = Pairs, Output = Option<f64>> {
    fold_pairs(x, y, read)
}

fn read(pairs: &Pairs) -> Option<f64> {
    pairs.count()?;
    let (xx, yy) = (pairs.xx(), pairs.yy());
    let varies = xx > 0.0 && yy > 0.0;
    varies.then(|| (pairs.xy() / (xx * yy).sqrt()).clamp(-1.0, 1.0))
}
