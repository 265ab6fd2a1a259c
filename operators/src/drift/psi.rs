//! Population stability index: two histograms over the same bins → how far they lie apart.
//!
//! PSI = Σ (aᵢ − eᵢ) · ln((aᵢ + ε) / (eᵢ + ε))
//!
//! - eᵢ, aᵢ: share of the expected (training) and the actual (window) rows in bin i, in [0, 1];
//! - ε = 10⁻⁴, inside the logarithm only, so that an empty bin gives a large number, not ∞;
//! - ln: natural, within a unit in the last place and the same everywhere; range [0, ≈ 18.4], 0 if and
//!   only if the shares are equal; symmetric in e and a;
//! - either side empty: `None`. Bins empty on both sides add 0.
//!
//! Source: the textbook formula (Siddiqi, Credit Risk Scorecards, 2006) with the smoothing of the
//! golden column `psi_open10`. Without any drift its expectation is about (k − 1)(1/n + 1/N) for
//! k bins: on small windows it alarms by itself, which is why a verdict asks for a least n.

use super::ln::ln;
use super::total;

/// Keeps empty bins finite; chosen by the golden answers (`psi_open10`).
pub(super) const EPSILON: f64 = 1e-4;

/// The index between two histograms over the same bins, or `None` if either holds no row or they
/// differ in length.
///
/// ```
/// use thalweg_operators::drift::psi;
/// assert_eq!(psi(&[5, 5], &[50, 50]), Some(0.0));
/// let moved = psi(&[5, 5], &[6, 4]).unwrap();
/// assert!((moved - 0.1 * f64::ln(1.5)).abs() < 1e-4);
/// assert_eq!(psi(&[5, 5], &[0, 0]), None);
/// ```
#[must_use]
pub fn psi(expected: &[u64], actual: &[u64]) -> Option<f64> {
    let (expected_rows, actual_rows) = (rows(expected)?, rows(actual)?);
    if expected.len() != actual.len() {
        return None;
    }
    let shares = expected.iter().zip(actual);
    Some(
        shares
            .map(|(&expected, &actual)| {
                let (e, a) = (expected as f64 / expected_rows, actual as f64 / actual_rows);
                (a - e) * ln((a + EPSILON) / (e + EPSILON))
            })
            .sum(),
    )
}

/// All rows of a histogram; `None` if there are none.
fn rows(counts: &[u64]) -> Option<f64> {
    let rows = match total(counts) {
        rows if rows >> 64 == 0 => rows as u64 as f64,
        rows => rows as f64,
    };
    (rows > 0.0).then_some(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numpy_gives_the_same() {
        // numpy 2.4.6; in the second last the training repeats breakpoints, so that bins are empty.
        let cases: [(&[u64], &[u64], f64); 4] = [
            (
                &[10, 10, 10, 10, 10, 10, 10, 10, 10, 10],
                &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
                0.345_000_808_231_882_3,
            ),
            (
                &[10, 10, 10, 10, 10, 10, 10, 10, 10, 10],
                &[0, 0, 0, 0, 0, 0, 0, 0, 0, 7],
                8.289_396_330_278_864,
            ),
            (
                &[0, 4248, 8496, 0, 4248, 4248, 4248, 4248, 4248, 8497],
                &[3, 0, 11, 0, 40, 9, 8, 12, 1, 0],
                3.240_198_396_982_049,
            ),
            (&[1, 0], &[0, 1], 18.420_880_733_953_034),
        ];
        for (expected, actual, index) in cases {
            for (e, a) in [(expected, actual), (actual, expected)] {
                let ours = psi(e, a).unwrap();
                assert!((ours - index).abs() <= 1e-14 * index, "{ours} {index}");
            }
        }
    }

    #[test]
    fn only_shares_matter() {
        assert_eq!(psi(&[1, 2, 3], &[10, 20, 30]), Some(0.0));
        assert_eq!(psi(&[u64::MAX, u64::MAX], &[1, 1]), Some(0.0));
    }

    #[test]
    fn no_rows_or_other_bins_have_no_index() {
        assert_eq!(psi(&[], &[]), None);
        assert_eq!(psi(&[0, 0], &[1, 1]), None);
        assert_eq!(psi(&[1, 1], &[0, 0]), None);
        assert_eq!(psi(&[1, 1], &[1, 1, 1]), None);
    }
}
