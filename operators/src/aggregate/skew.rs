//! How lopsided numbers lie around their mean.
//!
//! With the central moments mₚ = Σ(x − mean)ᵖ/n, without a unit:
//!
//! ```text
//! skew          g₁ = m₃/m₂^(3/2)                 `scipy.stats.skew(bias=True)`, its default
//! skew_sample   G₁ = g₁·√(n(n − 1))/(n − 2)      `bias=False`; DuckDB's `skewness`, pandas' `skew`
//! ```

use crate::aggregate::Aggregate;
use crate::aggregate::fold::fold_numbers;
use crate::value::{IntoLane, Powers};

/// The skew of a population, g₁; `None` where all numbers are equal, and without any.
#[must_use]
pub fn skew<D: 'static, V: IntoLane>(
    number: impl Fn(&D) -> V + 'static,
) -> impl Aggregate<D, State = Powers<3, 7>, Output = Option<f64>> {
    fold_numbers(number, Powers::update::<V::Lane>, population).additive()
}

/// The skew of a sample, G₁; `None` for fewer than three numbers, and where all are equal.
#[must_use]
pub fn skew_sample<D: 'static, V: IntoLane>(
    number: impl Fn(&D) -> V + 'static,
) -> impl Aggregate<D, State = Powers<3, 7>, Output = Option<f64>> {
    fold_numbers(number, Powers::update::<V::Lane>, sample).additive()
}

fn population(powers: &Powers<3, 7>) -> Option<f64> {
    powers.count()?;
    // The powers of n cancel: (n³·m₃)/(n²·m₂)^(3/2).
    let spread = powers.second().nearest();
    (spread > 0.0).then(|| powers.third().nearest() / (spread * spread.sqrt()))
}

fn sample(powers: &Powers<3, 7>) -> Option<f64> {
    let n = powers.count().filter(|n| *n > 2.0)?;
    Some(population(powers)? * ((n * (n - 1.0)).sqrt() / (n - 2.0)))
}
