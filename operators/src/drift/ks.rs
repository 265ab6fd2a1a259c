//! Two-sample Kolmogorov–Smirnov: the largest gap between two distributions, and its p-values.
//!
//! D = sup over x of |F(x) − G(x)|
//!
//! - F, G: share of baseline and window rows ≤ x; D in [0, 1]; symmetric; either side empty: `None`;
//! - p: probability of a D at least as large if both came from one continuous law, in [0, 1]. With
//!   ties the true p is smaller still, so these are conservative.
//!
//! Sources: Smirnov 1939; the p-values are those of scipy 1.17 `ks_2samp(method="asymp")` and of
//! `kstwobign.sf`.

use super::ecdf::Ecdf;
use super::kstwo::{kolmogorov_sf, kstwo_sf};
use super::{real, total};

/// The exact statistic, or `None` if either side holds no row.
///
/// # Cost
/// O(w log b) for w and b distinct values on the smaller and the larger side.
///
/// ```
/// use thalweg_operators::drift::{Ecdf, ks_statistic};
/// let baseline = Ecdf::from_sorted(&[1.0, 2.0, 3.0, 4.0]).unwrap();
/// let window = Ecdf::from_sorted(&[3.0, 4.0, 5.0, 6.0]).unwrap();
/// assert_eq!(ks_statistic(&baseline, &window), Some(0.5));
/// ```
#[must_use]
pub fn ks_statistic(baseline: &Ecdf, window: &Ecdf) -> Option<f64> {
    let (few, many) = if baseline.distinct() < window.distinct() {
        (baseline, window)
    } else {
        (window, baseline)
    };
    let (few_rows, many_rows) = (u128::from(few.rows()), u128::from(many.rows()));
    if few_rows == 0 || many_rows == 0 {
        return None;
    }
    // Between two values of one side its share is constant and the other's only grows, so the gap
    // is greatest at a value or just below one. In integers the only rounding is the division.
    let gap = |few_upto: u64, many_upto: u64| {
        (u128::from(few_upto) * many_rows).abs_diff(u128::from(many_upto) * few_rows)
    };
    let widest = few
        .steps()
        .map(|step| {
            let below = gap(step.rows_lt, many.rows_lt(step.value));
            below.max(gap(step.rows_le, many.rows_le(step.value)))
        })
        .max()?;
    Some(widest as f64 / (few_rows * many_rows) as f64)
}

/// What bin counts alone can say of the statistic: lower ≤ D ≤ upper, both reachable.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KsBounds {
    /// The largest gap at an edge between bins.
    pub lower: f64,
    /// The largest gap if, inside some bin, all of one side came before the other.
    pub upper: f64,
}

/// Bounds of the statistic from two histograms over the same bins; `None` if either holds no row or
/// they differ in length.
///
/// At the lower edge of bin i both shares are known, F = Σ_{j<i} eⱼ and G = Σ_{j<i} aⱼ, which bounds
/// D from below. Inside the bin F ranges over [F, F + eᵢ] and G over [G, G + aᵢ], so that |F − G|
/// stays within max(F + eᵢ − G, G + aᵢ − F).
///
/// ```
/// use thalweg_operators::drift::ks_from_bins;
/// let bounds = ks_from_bins(&[2, 2], &[1, 3]).unwrap();
/// assert_eq!((bounds.lower, bounds.upper), (0.25, 0.75));
/// ```
#[must_use]
pub fn ks_from_bins(baseline: &[u64], window: &[u64]) -> Option<KsBounds> {
    let (baseline_rows, window_rows) = (total(baseline), total(window));
    if baseline_rows == 0 || window_rows == 0 || baseline.len() != window.len() {
        return None;
    }
    let rows = (u64::try_from(baseline_rows), u64::try_from(window_rows));
    Some(match rows {
        (Ok(n), Ok(m)) if n.checked_mul(m).is_some() => narrow_bounds(baseline, window, n, m),
        _ => wide_bounds(baseline, window, baseline_rows, window_rows),
    })
}

/// Defines the bounds for integers that n·m fits in: nearly always 64 bits, a third of the time of 128.
macro_rules! bounds {
    ($name:ident, $int:ty) => {
        fn $name(baseline: &[u64], window: &[u64], n: $int, m: $int) -> KsBounds {
            let (mut f, mut g, mut lower, mut upper): ($int, $int, $int, $int) = (0, 0, 0, 0);
            for (&e, &a) in baseline.iter().zip(window) {
                let (e, a) = (<$int>::from(e) * m, <$int>::from(a) * n);
                upper = upper
                    .max((f + e).saturating_sub(g))
                    .max((g + a).saturating_sub(f));
                f += e;
                g += a;
                lower = lower.max(f.abs_diff(g));
            }
            let scale = (n * m) as f64;
            KsBounds {
                lower: lower as f64 / scale,
                upper: upper as f64 / scale,
            }
        }
    };
}
bounds!(narrow_bounds, u64);
bounds!(wide_bounds, u128);

/// p by Kolmogorov's limit law: K(√(nm/(n + m)) · d) with n and m rows on the two sides.
///
/// Right as both sides grow; `None` if either is empty or d is NaN.
#[must_use]
pub fn ks_p_kolmogorov(d: f64, n: u64, m: u64) -> Option<f64> {
    let rows = effective_rows(d, n, m)?;
    Some(kolmogorov_sf(rows.sqrt() * d))
}

/// p as scipy's `ks_2samp(method="asymp")`: the law of the one-sample statistic at nm/(n + m) rows,
/// rounded half to even.
///
/// Closer than the limit law on small samples; `None` if either side is empty, d is NaN, or the
/// rounded size is 0 (n = m = 1, where scipy answers NaN).
#[must_use]
pub fn ks_p_asymp(d: f64, n: u64, m: u64) -> Option<f64> {
    let rows = effective_rows(d, n, m)?.round_ties_even();
    (rows >= 1.0).then(|| kstwo_sf(d, rows as u64))
}

/// nm/(n + m): the size of the one sample that would vary as much as the gap between the two.
fn effective_rows(d: f64, n: u64, m: u64) -> Option<f64> {
    let (n, m) = (real(n), real(m));
    (n > 0.0 && m > 0.0 && !d.is_nan()).then(|| n * m / (n + m))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::Draws;

    /// The definition: every jump of either side, just below it and at it.
    fn slow(a: &[(f64, u64)], b: &[(f64, u64)]) -> f64 {
        let share = |side: &[(f64, u64)], x: f64, closed: bool| {
            let le = side.iter().filter(|(v, _)| *v < x || (closed && *v == x));
            real(le.map(|(_, c)| c).sum()) / real(side.iter().map(|(_, c)| c).sum())
        };
        let points = a
            .iter()
            .chain(b)
            .flat_map(|(x, _)| [(*x, false), (*x, true)]);
        points
            .map(|(x, at)| (share(a, x, at) - share(b, x, at)).abs())
            .fold(0.0, f64::max)
    }

    fn random_counts(draws: &mut Draws, distinct: u64) -> Vec<(f64, u64)> {
        let mut counts = Vec::new();
        for x in 0..distinct {
            if draws.below(3) > 0 {
                counts.push((real(x) / 2.0, draws.below(5)));
            }
        }
        counts.push((real(distinct), 1));
        counts
    }

    #[test]
    fn the_statistic_is_the_definition_and_lies_between_its_bounds() {
        let mut draws = Draws::seeded(1);
        for round in 0..500_u64 {
            let a = random_counts(&mut draws, 1 + round % 40);
            let b = random_counts(&mut draws, 1 + round % 7);
            let [ea, eb] = [&a, &b].map(|c| Ecdf::from_counts(c.iter().copied()).unwrap());
            let d = ks_statistic(&ea, &eb).unwrap();
            assert!((d - slow(&a, &b)).abs() < 1e-12, "{a:?} {b:?}");
            assert_eq!(Some(d), ks_statistic(&eb, &ea));
            let bins = super::super::bins::Bins::new(vec![1.0, 2.5, 2.5, 6.0]).unwrap();
            let [ca, cb] =
                [&a, &b].map(|c| bins.counts(c.iter().flat_map(|&(x, n)| (0..n).map(move |_| x))));
            let bounds = ks_from_bins(&ca, &cb).unwrap();
            assert!(bounds.lower <= d && d <= bounds.upper, "{bounds:?} {d}");
        }
    }

    #[test]
    fn an_empty_side_has_no_statistic() {
        let (none, one) = (Ecdf::default(), Ecdf::from_sorted(&[1.0]).unwrap());
        assert_eq!(ks_statistic(&none, &one), None);
        assert_eq!(ks_statistic(&one, &none), None);
        assert_eq!(ks_statistic(&one, &one), Some(0.0));
        assert_eq!(ks_from_bins(&[0, 0], &[1, 0]), None);
        assert_eq!(ks_from_bins(&[1], &[1, 0]), None);
        assert_eq!(
            (ks_p_asymp(0.5, 0, 9), ks_p_kolmogorov(0.5, 9, 0)),
            (None, None)
        );
        assert_eq!(
            (ks_p_asymp(f64::NAN, 9, 9), ks_p_asymp(0.5, 1, 1)),
            (None, None)
        );
    }

    #[test]
    fn values_apart_are_as_far_apart_as_can_be() {
        let [low, high] = [[1.0, 2.0], [3.0, 4.0]].map(|x| Ecdf::from_sorted(&x).unwrap());
        assert_eq!(ks_statistic(&low, &high), Some(1.0));
    }

    #[test]
    fn one_bin_bounds_nothing() {
        assert_eq!(
            ks_from_bins(&[5], &[7]),
            Some(KsBounds {
                lower: 0.0,
                upper: 1.0
            })
        );
    }

    #[test]
    fn both_p_values_are_those_of_scipy() {
        // d, n, m, `ks_2samp(…, method="asymp")`, `kstwobign.sf(√(nm/(n + m))·d)`: scipy 1.17.1.
        let cases = [
            (1.0, 1, 2, 0.0, 0.517_550_663_581_875_6),
            (0.5, 2, 3, 1.0, 0.925_085_680_994_174_1),
            (
                0.25,
                40,
                1_000,
                0.014_040_815_155_443_975,
                0.016_333_359_429_648_604,
            ),
            (
                0.1,
                42_481,
                12,
                0.998_632_100_235_436_7,
                0.999_752_606_536_706_6,
            ),
            (
                0.1,
                42_481,
                200,
                0.034_800_974_421_225_43,
                0.037_324_116_146_111_42,
            ),
            (
                0.2,
                42_481,
                300,
                6.348_708_310_001_473e-11,
                8.934_160_740_257_093e-11,
            ),
            (
                0.05,
                42_481,
                5_000,
                3.703_617_378_753_959e-10,
                3.863_718_689_087_756_7e-10,
            ),
            (
                0.3,
                1_000_000,
                1_000,
                3.113_410_526_595_846_7e-80,
                1.607_378_536_722_717_8e-78,
            ),
            (
                0.01,
                1_000_000,
                1_000_000,
                7.374_635_645_083_527e-44,
                7.440_151_952_041_566e-44,
            ),
            (
                0.02,
                500_000,
                20_000,
                4.103_818_364_955_388e-07,
                4.164_630_044_829_740_6e-07,
            ),
            (0.5, 5, 5, 0.5, 0.559_559_710_195_263_6),
            (
                0.04,
                3_000,
                3_000,
                0.016_010_230_876_347_866,
                0.016_459_484_923_676_555,
            ),
        ];
        for (d, n, m, asymp, limit) in cases {
            let (ours, other) = (
                ks_p_asymp(d, n, m).unwrap(),
                ks_p_kolmogorov(d, n, m).unwrap(),
            );
            assert!(
                (ours - asymp).abs() <= 1e-11 * asymp,
                "{d} {n} {m}: {ours:e} {asymp:e}"
            );
            assert!(
                (other - limit).abs() <= 1e-11 * limit,
                "{d} {n} {m}: {other:e} {limit:e}"
            );
        }
    }
}
