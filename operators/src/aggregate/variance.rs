//! How far numbers spread around their mean: variance and standard deviation, of a population or a sample.
//!
//! ```text
//! variance          m₂ = Σ(x − mean)²/n          in squares of the number's unit; `None` without numbers
//! variance_sample   m₂·n/(n − 1)                 SQL's `var_samp`; `None` for fewer than two numbers
//! stddev            √variance                    in the number's unit
//! stddev_sample     √variance_sample             SQL's `stddev_samp`
//! ```

use crate::aggregate::Aggregate;
use crate::aggregate::fold::fold_numbers;
use crate::value::{IntoLane, Lane, Powers};

/// The population variance; `None` without numbers.
#[must_use]
pub fn variance<D: 'static, V: IntoLane>(
    number: impl Fn(&D) -> V + 'static,
) -> impl Aggregate<D, State = Powers<2, 5>, Output = Option<f64>> {
    fold_numbers(
        number,
        Powers::update::<V::Lane>,
        Powers::variance::<V::Lane>,
    )
    .additive()
}

/// The sample variance; `None` for fewer than two numbers.
#[must_use]
pub fn variance_sample<D: 'static, V: IntoLane>(
    number: impl Fn(&D) -> V + 'static,
) -> impl Aggregate<D, State = Powers<2, 5>, Output = Option<f64>> {
    fold_numbers(number, Powers::update::<V::Lane>, sample::<V::Lane>).additive()
}

/// The population standard deviation; `None` without numbers.
#[must_use]
pub fn stddev<D: 'static, V: IntoLane>(
    number: impl Fn(&D) -> V + 'static,
) -> impl Aggregate<D, State = Powers<2, 5>, Output = Option<f64>> {
    fold_numbers(number, Powers::update::<V::Lane>, |powers| {
        powers.variance::<V::Lane>().map(f64::sqrt)
    })
    .additive()
}

/// The sample standard deviation; `None` for fewer than two numbers.
#[must_use]
pub fn stddev_sample<D: 'static, V: IntoLane>(
    number: impl Fn(&D) -> V + 'static,
) -> impl Aggregate<D, State = Powers<2, 5>, Output = Option<f64>> {
    fold_numbers(number, Powers::update::<V::Lane>, |powers| {
        sample::<V::Lane>(powers).map(f64::sqrt)
    })
    .additive()
}

fn sample<L: Lane>(powers: &Powers<2, 5>) -> Option<f64> {
    let n = powers.count().filter(|n| *n > 1.0)?;
    Some(powers.variance::<L>()? * (n / (n - 1.0)))
}
