//! How two numbers vary together.
//!
//! ```text
//! covariance          Σ(x − mean x)(y − mean y)/n        SQL's `covar_pop`; `None` without pairs
//! covariance_sample   the same sum over n − 1            SQL's `covar_samp`; `None` for fewer than two pairs
//! ```
//!
//! In the unit of x times that of y. A row counts where it has both numbers.

use crate::aggregate::Aggregate;
use crate::aggregate::pairs::{Pairs, fold_pairs};
use crate::value::{IntoLane, Lane};

/// The population covariance; `None` without pairs.
#[must_use]
pub fn covariance<D: 'static, X: IntoLane, Y: IntoLane>(
    x: impl Fn(&D) -> X + 'static,
    y: impl Fn(&D) -> Y + 'static,
) -> impl Aggregate<D, State = Pairs, Output = Option<f64>> {
    fold_pairs(x, y, population::<X::Lane, Y::Lane>)
}

/// The sample covariance; `None` for fewer than two pairs.
#[must_use]
pub fn covariance_sample<D: 'static, X: IntoLane, Y: IntoLane>(
    x: impl Fn(&D) -> X + 'static,
    y: impl Fn(&D) -> Y + 'static,
) -> impl Aggregate<D, State = Pairs, Output = Option<f64>> {
    fold_pairs(x, y, |pairs| {
        let n = pairs.count().filter(|n| *n > 1.0)?;
        Some(population::<X::Lane, Y::Lane>(pairs)? * (n / (n - 1.0)))
    })
}

fn population<X: Lane, Y: Lane>(pairs: &Pairs) -> Option<f64> {
    let n = pairs.count()?;
    Some(pairs.xy() / (n * n) / X::units() / Y::units())
}
