//! The number below which a given share of the numbers lies, exactly.
//!
//! For n ascending numbers x₀ … xₙ₋₁ and q from 0 to 1 (others are wrong: a job that asks for one does not run):
//!
//! ```text
//! quantile            at place q·(n − 1), between its neighbours in a straight line     NumPy's default, type 7;
//!                                                                                       SQL's `percentile_cont`
//! median              quantile(0.5)
//! quantile_discrete   x at place ⌈q·n⌉ − 1, at least 0: a number that is there          SQL's `percentile_disc`
//! ```
//!
//! (Types as of Hyndman and Fan, 1996.) The distinct numbers are kept. `None` without numbers.

use crate::aggregate::Aggregate;
use crate::aggregate::fold::fold_numbers;
use crate::aggregate::ranks::Ranks;
use crate::drift::quantile_of;
use crate::value::{IntoLane, Lane};

/// The number in the middle, or the mean of the two; `None` without numbers.
#[must_use]
pub fn median<D: 'static, V: IntoLane>(
    number: impl Fn(&D) -> V + 'static,
) -> impl Aggregate<D, State = Ranks<i64>, Output = Option<f64>> {
    quantile(0.5, number)
}

/// The quantile at `q`, between its neighbours in a straight line; `None` without numbers.
#[must_use]
pub fn quantile<D: 'static, V: IntoLane>(
    q: f64,
    number: impl Fn(&D) -> V + 'static,
) -> impl Aggregate<D, State = Ranks<i64>, Output = Option<f64>> {
    fold_numbers(number, Ranks::update, move |ranks| {
        linear::<V::Lane>(ranks, q)
    })
    .require(is_share(q), || no_share(q))
    .additive()
}

/// The quantiles at each of `qs`, from one state; `None` without numbers.
#[must_use]
pub fn quantiles<D: 'static, V: IntoLane>(
    qs: impl Into<Vec<f64>>,
    number: impl Fn(&D) -> V + 'static,
) -> impl Aggregate<D, State = Ranks<i64>, Output = Option<Vec<f64>>> {
    let qs = qs.into();
    let wrong = qs.iter().copied().find(|q| !is_share(*q));
    fold_numbers(number, Ranks::update, move |ranks| {
        qs.iter().map(|q| linear::<V::Lane>(ranks, *q)).collect()
    })
    .require(wrong.is_none(), || no_share(wrong.unwrap_or_default()))
    .additive()
}

/// The least number that at least the share `q` of the numbers does not exceed; `None` without numbers.
#[must_use]
pub fn quantile_discrete<D: 'static, V: IntoLane>(
    q: f64,
    number: impl Fn(&D) -> V + 'static,
) -> impl Aggregate<D, State = Ranks<i64>, Output = Option<f64>> {
    fold_numbers(number, Ranks::update, move |ranks| {
        discrete::<V::Lane>(ranks, q)
    })
    .require(is_share(q), || no_share(q))
    .additive()
}

/// Whether a quantile can be asked for.
pub(super) fn is_share(q: f64) -> bool {
    (0.0..=1.0).contains(&q)
}

/// What is wrong with one that cannot.
pub(super) fn no_share(q: f64) -> String {
    format!("a quantile is asked for by a share from 0 to 1, as 0.95: got {q}")
}

fn linear<L: Lane>(ranks: &Ranks<i64>, q: f64) -> Option<f64> {
    let nth = |n| ranks.nth(n).map(|number| L::read(*number));
    quantile_of(ranks.len(), q, nth)
}

#[expect(clippy::cast_precision_loss, reason = "a share of a count")]
fn discrete<L: Lane>(ranks: &Ranks<i64>, q: f64) -> Option<f64> {
    let last = ranks.len().checked_sub(1).filter(|_| !q.is_nan())?;
    let reached = (q.clamp(0.0, 1.0) * ranks.len() as f64).ceil() as u64;
    let place = reached.saturating_sub(1).min(last);
    ranks.nth(place).map(|number| L::read(*number))
}
