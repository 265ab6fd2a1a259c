//! How much of the spread of numbers lies in their tails, beyond that of a normal distribution.
//!
//! With the central moments mₚ = Σ(x − mean)ᵖ/n, without a unit; 0 is that of the normal distribution (Fisher):
//!
//! ```text
//! kurtosis          g₂ = m₄/m₂² − 3, at least −2                     `scipy.stats.kurtosis(bias=True)`, its default
//! kurtosis_sample   G₂ = (n − 1)·((n + 1)·g₂ + 6)/((n − 2)(n − 3))   `bias=False`; DuckDB's `kurtosis`
//! ```

use crate::aggregate::Aggregate;
use crate::aggregate::fold::fold_numbers;
use crate::value::{IntoLane, Powers, Wide};

/// The excess kurtosis of a population, g₂; `None` where all numbers are equal, and without any.
#[must_use]
pub fn kurtosis<D: 'static, V: IntoLane>(
    number: impl Fn(&D) -> V + 'static,
) -> impl Aggregate<D, State = Powers<4, 9>, Output = Option<f64>> {
    fold_numbers(number, Powers::update::<V::Lane>, population).additive()
}

/// The excess kurtosis of a sample, G₂; `None` for fewer than four numbers, and where all are equal.
#[must_use]
pub fn kurtosis_sample<D: 'static, V: IntoLane>(
    number: impl Fn(&D) -> V + 'static,
) -> impl Aggregate<D, State = Powers<4, 9>, Output = Option<f64>> {
    fold_numbers(number, Powers::update::<V::Lane>, sample).additive()
}

fn population(powers: &Powers<4, 9>) -> Option<f64> {
    powers.count()?;
    // The powers of n cancel: (n⁴·m₄ − 3(n²·m₂)²)/(n²·m₂)², the numerator before any rounding.
    let spread = powers.second();
    let square = spread * spread;
    let excess = powers.fourth() - Wide::from(3) * square;
    (!square.is_zero()).then(|| excess.nearest() / square.nearest())
}

fn sample(powers: &Powers<4, 9>) -> Option<f64> {
    let n = powers.count().filter(|n| *n > 3.0)?;
    let excess = population(powers)?;
    Some((n - 1.0) / ((n - 2.0) * (n - 3.0)) * ((n + 1.0) * excess + 6.0))
}
