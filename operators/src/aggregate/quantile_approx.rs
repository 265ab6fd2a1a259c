//! Quantiles within a relative error, in space that does not grow with the numbers.
//!
//! This is DDSketch (Masson, Rim and Lee, 2019). It only counts numbers in bins, so that a retraction is a subtraction
//! and leaves no trace.
//!
//! ```text
//! |x|    [1, 1 + 2⁻ᵐ) [1 + 2⁻ᵐ, 1 + 2·2⁻ᵐ) … [2, 2 + 2·2⁻ᵐ) …       2ᵐ bins of one width for every power of two
//! bin    the bits of |x| without the last 52 − m, with the sign of x
//! ```
//!
//! These are the bins «linear between powers of two» of the paper's authors: they take no logarithm, which two machines
//! might round in two ways. A bin reads as its middle, which is within 2⁻ᵐ⁻¹ of every number in it, relative to the
//! number; m is the least for which that is no more than the error asked for. There are at most 2ᵐ bins for every power
//! of two between the least magnitude and the greatest: 64 for each at 1 %.
//!
//! The answer for q stands for the number at place ⌊q·(n − 1)⌋ of the sorted ones; `None` without numbers. For numbers
//! below 2⁻¹⁰²², of which floats themselves know few digits, the answer is within 2⁻¹⁰²²⁻ᵐ, not relative to them.

use crate::aggregate::Aggregate;
use crate::aggregate::fold::fold_numbers;
use crate::aggregate::multiset::Multiset;
use crate::aggregate::quantile::{is_share, no_share};
use crate::value::{IntoLane, Lane};

/// Bits of a float below its exponent.
const MANTISSA: u32 = 52;

/// The finest bins: an error of 2⁻²¹. Beyond, exact quantiles take hardly more.
const FINEST: u32 = 20;

/// The same as an error.
const FINEST_ERROR: f64 = 1.0 / (1_u64 << (FINEST + 1)) as f64;

/// A number within the relative `error` of the quantile at `q`; `None` without numbers.
///
/// `error` is from 2⁻²¹ to ½, `q` from 0 to 1: others are wrong, and a job that asks for them does not run.
#[must_use]
pub fn quantile_approx<D: 'static, V: IntoLane>(
    q: f64,
    error: f64,
    number: impl Fn(&D) -> V + 'static,
) -> impl Aggregate<D, State = Multiset<i64>, Output = Option<f64>> {
    let cut = cut_for(error);
    let update = move |bins: &mut Multiset<i64>, number, diff| {
        bins.update(bin_of(V::Lane::read(number), cut), diff);
    };
    fold_numbers(number, update, move |bins| at(bins, q, cut))
        .require(is_share(q), || no_share(q))
        .require(is_error(error), || no_error(error))
        .additive()
}

/// The same at each of `qs`, from one state; `None` without numbers.
#[must_use]
pub fn quantiles_approx<D: 'static, V: IntoLane>(
    qs: impl Into<Vec<f64>>,
    error: f64,
    number: impl Fn(&D) -> V + 'static,
) -> impl Aggregate<D, State = Multiset<i64>, Output = Option<Vec<f64>>> {
    let (qs, cut) = (qs.into(), cut_for(error));
    let wrong = qs.iter().copied().find(|q| !is_share(*q));
    let update = move |bins: &mut Multiset<i64>, number, diff| {
        bins.update(bin_of(V::Lane::read(number), cut), diff);
    };
    fold_numbers(number, update, move |bins| {
        qs.iter().map(|q| at(bins, *q, cut)).collect()
    })
    .require(wrong.is_none(), || no_share(wrong.unwrap_or_default()))
    .require(is_error(error), || no_error(error))
    .additive()
}

fn is_error(error: f64) -> bool {
    (FINEST_ERROR..=0.5).contains(&error)
}

fn no_error(error: f64) -> String {
    format!("the relative error of a quantile is from 2⁻²¹ to 0.5, as 0.01: got {error}")
}

/// How many bits of a float the widest bins cut off that keep the error.
fn cut_for(error: f64) -> u32 {
    let keeps = |m: &u32| 0.5_f64.powi(*m as i32 + 1) <= error;
    MANTISSA - (0..FINEST).find(keeps).unwrap_or(FINEST)
}

/// The bin of a number; 0 for those next to zero.
fn bin_of(number: f64, cut: u32) -> i64 {
    let bin = (number.abs().to_bits() >> cut).cast_signed();
    if number < 0.0 { -bin } else { bin }
}

/// The middle of a bin; 0 for the one next to zero.
fn middle(bin: i64, cut: u32) -> f64 {
    if bin == 0 {
        return 0.0;
    }
    let low = bin.unsigned_abs() << cut;
    let middle = f64::from_bits(low | 1 << (cut - 1));
    if bin < 0 { -middle } else { middle }
}

#[expect(clippy::cast_precision_loss, reason = "a share of a count")]
fn at(bins: &Multiset<i64>, q: f64, cut: u32) -> Option<f64> {
    let count = |(_, count): (&i64, i64)| count.unsigned_abs();
    let last = bins.present().map(count).sum::<u64>().checked_sub(1)?;
    let place = (q.clamp(0.0, 1.0) * last as f64).floor() as u64;
    let mut before = 0;
    let bin = bins.present().find(|bin| {
        before += count(*bin);
        before > place.min(last)
    });
    bin.filter(|_| !q.is_nan())
        .map(|(bin, _)| middle(*bin, cut))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::Aggregate;
    use crate::laws::Draws;

    #[test]
    fn the_error_is_no_more_than_was_asked_for() {
        let mut draws = Draws::seeded(1);
        for error in [0.2, 0.05, 0.01, 0.001, 1e-6] {
            // Magnitudes from 2⁻⁶⁰ to 2⁶⁰, of both signs.
            let mut numbers: Vec<f64> = (0..5_000)
                .map(|_| {
                    let magnitude = 2_f64.powi(draws.within(-60..=59) as i32);
                    ((draws.bits() >> 11) as f64 / 2_f64.powi(52) - 1.0) * magnitude
                })
                .collect();
            let qs: Vec<f64> = (0..=100)
                .map(|percent| f64::from(percent) / 100.0)
                .collect();
            let sketch = quantiles_approx(qs.clone(), error, |number: &f64| *number);
            let mut bins = Multiset::default();
            for number in &numbers {
                sketch.update(&mut bins, number, 1);
            }
            numbers.sort_by(f64::total_cmp);
            for (q, read) in qs.iter().zip(sketch.read(&bins).unwrap()) {
                let exact = numbers[(q * 4_999.0).floor() as usize];
                assert!(
                    (read - exact).abs() <= error * exact.abs(),
                    "{q} within {error}: {read}, not {exact}"
                );
            }
        }
    }

    #[test]
    fn zeros_of_either_sign_and_the_edges_of_bins_fall_where_they_should() {
        let cut = cut_for(0.01);
        assert_eq!(MANTISSA - cut, 6);
        assert_eq!(bin_of(-0.0, cut), 0);
        assert_eq!(middle(bin_of(f64::from_bits(1), cut), cut), 0.0);
        assert_eq!(bin_of(1.0, cut) + 1, bin_of(1.0 + 1.0 / 64.0, cut));
        assert_eq!(middle(bin_of(-1.0, cut), cut), -1.0 - 1.0 / 128.0);
        assert_eq!(
            [0.5, 0.25, 0.01, 0.0, f64::NAN].map(|e| MANTISSA - cut_for(e)),
            [0, 1, 6, 20, 20]
        );
    }

    #[test]
    fn the_bins_do_not_grow_with_the_numbers() {
        let sketch = quantile_approx(0.5, 0.01, |number: &u32| *number);
        let mut bins = Multiset::default();
        for number in 1_000_000..2_000_000 {
            sketch.update(&mut bins, &number, 1);
        }
        assert!(bins.len() <= 65, "{} bins", bins.len());
    }
}
