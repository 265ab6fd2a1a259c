//! Two-sided one-sample Kolmogorov–Smirnov law: P(Dₙ ≥ d) at finite n, and its limit.
//!
//! No formula is right everywhere; which one stands where follows Simard & L'Ecuyer, "Computing the
//! Two-Sided Kolmogorov–Smirnov Distribution" (J. Stat. Software 39(11), 2011), with scipy's limits.
//! With t = n·d and y = n·d²:
//!
//! | where | P(Dₙ ≥ d) | error |
//! |---|---|---|
//! | t ≤ ½ | 1 | none |
//! | t ≤ 1 | 1 − n!/nⁿ·(2t − 1)ⁿ (Ruben & Gambino 1982) | rounding |
//! | t ≥ n − 1 | 2(1 − d)ⁿ | rounding |
//! | d ≥ ½ | 2·P(D⁺ₙ ≥ d): the two sides exclude each other | rounding |
//! | n ≤ 140, y ≤ 4; or n·d^1.5 ≤ 1.4 | 1 − Durbin | 10⁻¹⁴ before the subtraction, so up to 10⁻¹¹ |
//! | y above 4 (n ≤ 140) or 2.2 (above) | 2·P(D⁺ₙ ≥ d) (Miller 1956) | both sides at once: about 2·e^(−8y), 10⁻¹⁴ or 5·10⁻⁸ absolute |
//! | else | 1 − Pelz–Good | 3·10⁻⁶ at n = 141, falling as n⁻² |
//!
//! The paper splits the exact region between Durbin's matrix and Pomeranz' recursion, for speed. The
//! recursion is absent on purpose: at n ≤ 140 the matrix is at most 47 wide and as precise.

use super::durbin::durbin_cdf;
use super::pelz_good::pelz_good_cdf;
use super::real;
use super::smirnov::smirnov_sf;
use super::stirling::delta;
use std::f64::consts::{PI, TAU};

/// Up to this n the law is computed exactly throughout (Simard & L'Ecuyer).
const EXACT_ROWS_MAX: u64 = 140;
/// n·d² above which both sides at once no longer matter, for n up to and above the former.
const ONE_SIDED_FROM: (f64, f64) = (4.0, 2.2);
/// Beyond this n the matrix grows too wide and is left to the expansion (Simard & L'Ecuyer).
const DURBIN_ROWS_MAX: u64 = 100_000;
/// P(Dₙ < d) ≈ √(2π)/√y · exp(−π²/(8y)): beyond this exponent it is below 10⁻¹⁶ and vanishes against 1.
const CDF_EXPONENT_MAX: f64 = 40.0;

/// P(Dₙ ≥ d) for n rows from one continuous law, in [0, 1]: scipy's `kstwo.sf(d, n)`.
///
/// n = 0 gives 1: no rows say nothing. NaN gives 1.
///
/// ```
/// use thalweg_operators::drift::kstwo_sf;
/// assert!((kstwo_sf(0.3, 5) - 0.664).abs() < 1e-12);
/// ```
#[must_use]
pub fn kstwo_sf(d: f64, n: u64) -> f64 {
    let rows = real(n);
    let t = rows * d;
    let y = t * d;
    if n == 0 || d.is_nan() || t <= 0.5 {
        return 1.0;
    }
    if d >= 1.0 {
        return 0.0;
    }
    if t <= 1.0 {
        let log = 0.5 * (TAU * rows).ln() - rows + delta(n) + rows * (2.0 * t - 1.0).ln();
        return 1.0 - log.exp();
    }
    if t >= rows - 1.0 {
        return 2.0 * (rows * (-d).ln_1p()).exp();
    }
    let small = n <= EXACT_ROWS_MAX;
    let one_sided_from = if small {
        ONE_SIDED_FROM.0
    } else {
        ONE_SIDED_FROM.1
    };
    if d >= 0.5 || y > one_sided_from || (y == one_sided_from && !small) {
        return (2.0 * smirnov_sf(d, n)).min(1.0);
    }
    if PI * PI / (8.0 * y) > CDF_EXPONENT_MAX {
        return 1.0;
    }
    let cdf = if small || (n <= DURBIN_ROWS_MAX && rows * d.powf(1.5) <= 1.4) {
        durbin_cdf(d, n)
    } else {
        pelz_good_cdf(d, n)
    };
    (1.0 - cdf).clamp(0.0, 1.0)
}

/// Kolmogorov's limit law P(√n·Dₙ ≥ z) as n → ∞, in [0, 1]: scipy's `kstwobign.sf(z)`.
///
/// 2·Σ_{k≥1} (−1)^(k−1)·exp(−2k²z²) for large z, 1 − √(2π)/z · Σ_{k≥1} exp(−(2k−1)²π²/(8z²)) for small
/// (Kolmogorov 1933; the two are one theta function). z ≤ 0 and NaN give 1.
pub(crate) fn kolmogorov_sf(z: f64) -> f64 {
    // Where both series need as few terms; four then reach 10⁻¹⁷.
    const SERIES_MEET: f64 = 0.82;
    if z.is_nan() || z <= 0.0 {
        return 1.0;
    }
    // One exponential, and powers of it: what they round weighs nothing beside the first.
    if z < SERIES_MEET {
        let first = (-PI * PI / (8.0 * z * z)).exp();
        let eighth = first.powi(8);
        let sum = eighth.powi(6) * first + eighth.powi(3) * first + eighth * first + first;
        return 1.0 - TAU.sqrt() / z * sum;
    }
    let first = (-2.0 * z * z).exp();
    let (fourth, eighth) = (first.powi(4), first.powi(8));
    2.0 * (first - fourth + eighth * first - eighth * eighth + eighth.powi(3) * first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(ours: f64, theirs: f64) -> bool {
        // Below 10⁻³⁰⁰ numbers lose digits: there only the magnitude is asked for.
        let tolerance = if theirs < 1e-300 { 1e-5 } else { 2e-11 };
        (ours - theirs).abs() <= tolerance * theirs
    }

    /// `scipy.stats.kstwo.sf(d, n)`, scipy 1.17.1, across every border of the table above. At (100, 0.199) the
    /// two differ most, by 1.0·10⁻¹¹: 60 digits put the truth between them, nearer to ours.
    const KSTWO: &[(u64, f64, f64)] = &[
        (1, 0.6, 0.8),
        (1, 0.75, 0.5),
        (2, 0.3, 0.98),
        (2, 0.6, 0.320_000_000_000_000_06),
        (3, 0.2, 0.998_222_222_222_222_2),
        (3, 0.4, 0.594_666_666_666_666_5),
        (5, 0.1, 1.0),
        (5, 0.15, 0.998_8),
        (5, 0.3, 0.664),
        (5, 0.85, 0.000_151_875_000_000_000_1),
        (10, 0.09, 0.999_961_036_056_690_7),
        (10, 0.274, 0.371_520_384_543_495_7),
        (10, 0.55, 0.002_280_510_321_484_372_5),
        (10, 0.95, 1.953_125_000_000_017_2e-13),
        (20, 0.1, 0.976_255_094_592_155),
        (20, 0.3, 0.043_067_066_658_516_23),
        (50, 0.05, 0.999_023_809_846_188_3),
        (50, 0.12, 0.433_767_966_131_023_3),
        (50, 0.28, 0.000_585_012_232_439_674_5),
        (50, 0.3, 0.000_173_532_602_027_187_38),
        (50, 0.7, 4.405_451_055_671_056e-25),
        (100, 0.02, 0.999_999_999_978_262),
        (100, 0.1, 0.252_692_757_006_387_4),
        (100, 0.199, 0.000_602_494_715_663_356_7),
        (100, 0.201, 0.000_511_388_706_189_241_8),
        (100, 0.999, 2.000_000_000_000_177_8e-300),
        (140, 0.074, 0.407_594_356_880_821_4),
        (140, 0.169, 0.000_577_868_280_618_394_5),
        (140, 0.169_5, 0.000_550_636_048_657_317_7),
        (141, 0.02, 0.999_999_974_456_128_8),
        (141, 0.046, 0.913_012_245_070_657_9),
        (141, 0.046_5, 0.906_529_015_762_657_7),
        (141, 0.124_9, 0.022_415_005_238_348_05),
        (141, 0.125, 0.022_254_729_898_737_478),
        (500, 0.002_5, 1.0),
        (500, 0.02, 0.985_987_178_685_747_1),
        (500, 0.03, 0.747_316_670_045_702_1),
        (500, 0.2, 5.256_835_361_945_869e-18),
        (1_000, 0.04, 0.079_339_560_590_002_24),
        (1_000, 0.3, 2.590_715_705_736_845e-80),
        (1_000, 0.5, 1.064_517_291_557_782e-231),
        (3_000, 0.22, 5.421_547_947_070_83e-128),
        (10_000, 0.005, 0.962_877_802_520_430_4),
        (10_000, 0.012, 0.111_352_574_037_493_88),
        (10_000, 0.1, 1.663_311_331_595_035_5e-87),
        (10_000, 0.19, 1.338_893_4e-316),
        (100_000, 0.002, 0.817_840_836_308_154_2),
        (100_000, 0.003, 0.328_456_332_772_695_6),
        (100_000, 0.01, 4.093_278_023_549_254e-09),
        (100_000, 0.048, 1.153_669_179_401_143_8e-200),
        (300_000, 0.001_5, 0.508_975_897_300_076_8),
        (999_999, 0.000_8, 0.543_872_017_221_214_7),
        (999_999, 0.001_5, 0.022_195_858_311_828_48),
        (999_999, 0.01, 2.737_877_974_555_686_6e-87),
        (999_999, 0.015_2, 4.052_988_233_078_893e-201),
    ];

    #[test]
    fn the_finite_law_is_that_of_scipy() {
        for &(n, d, p) in KSTWO {
            assert!(
                close(kstwo_sf(d, n), p),
                "n {n} d {d}: {:e}, scipy {p:e}",
                kstwo_sf(d, n)
            );
        }
    }

    #[test]
    fn the_limit_law_is_that_of_scipy() {
        // `scipy.stats.kstwobign.sf(z)`, scipy 1.17.1.
        let limit = [
            (0.1, 1.0),
            (0.2, 0.999_999_999_999_495),
            (0.4, 0.997_192_326_777_298_3),
            (0.6, 0.864_282_779_050_604_2),
            (0.8, 0.544_142_411_574_198_1),
            (0.82, 0.511_971_705_298_497_3),
            (0.9, 0.392_730_707_940_654_3),
            (1.0, 0.269_999_671_677_354_56),
            (1.36, 0.049_485_876_755_377_876),
            (2.0, 0.000_670_925_255_779_695_3),
            (4.0, 2.532_833_109_818_835e-14),
            (10.0, 2.767_793_053_473_475e-87),
            (15.0, 7.387_766_136_974_512e-196),
            (19.0, 5.500_650_625e-314),
        ];
        for (z, p) in limit {
            assert!(
                close(kolmogorov_sf(z), p),
                "z {z}: {:e}, scipy {p:e}",
                kolmogorov_sf(z)
            );
        }
    }

    #[test]
    fn what_is_no_statistic_says_nothing() {
        for d in [f64::NAN, f64::NEG_INFINITY, -1.0, 0.0] {
            assert_eq!((kstwo_sf(d, 100), kolmogorov_sf(d)), (1.0, 1.0));
        }
        assert_eq!(
            (
                kstwo_sf(0.5, 0),
                kstwo_sf(1.0, 100),
                kstwo_sf(f64::INFINITY, 100)
            ),
            (1.0, 0.0, 0.0)
        );
        assert_eq!(kolmogorov_sf(f64::INFINITY), 0.0);
        assert_eq!(kstwo_sf(0.4, u64::MAX), 0.0);
    }

    #[test]
    fn p_never_rises_with_the_statistic() {
        // Where the forms meet they differ by their errors, at most 3·10⁻⁶.
        for n in [1, 2, 3, 7, 20, 139, 140, 141, 142, 1000, 8191, 8192, 50_000] {
            let mut before = 1.0;
            for step in 1..1500 {
                let p = kstwo_sf(f64::from(step) / 1500.0, n);
                assert!(
                    (0.0..=1.0).contains(&p) && p <= before + 3e-6,
                    "n {n} step {step} {p} {before}"
                );
                before = p;
            }
        }
    }
}
