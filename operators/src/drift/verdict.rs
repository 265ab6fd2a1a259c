//! From a window's counts to the row that the engine emits: statistics, then a verdict by thresholds.

use super::baseline::Baseline;
use super::ecdf::Ecdf;
use super::ks::{KsBounds, ks_from_bins, ks_p_asymp, ks_p_kolmogorov, ks_statistic};
use super::psi::psi;
use super::{real, total};
use serde::{Deserialize, Serialize};

/// From where on a window is called drifted. A statistic must exceed its threshold, not reach it.
///
/// By default a window of 200 usable rows or more is critical if PSI > 0.25, or KS > 0.2 with p < 0.01, or the mean has
/// shifted by more than 2 training deviations; otherwise it warns if PSI > 0.1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Thresholds {
    /// Fewer usable rows than this are not judged. Without drift, ten bins and a large training set
    /// P(PSI > 0.25) is 0.87 at 20 rows, 0.29 at 50, 0.005 at 100 and 0 at 200 (simulated). Set lower,
    /// it alarms on noise.
    pub rows_min: u64,
    /// PSI above this warns: 0.1, the credit-scoring convention (Siddiqi 2006).
    pub psi_warning: f64,
    /// PSI above this is critical: 0.25, of the same convention.
    pub psi_critical: f64,
    /// KS above this is critical if its p is also below [`Thresholds::ks_p_critical`]: 0.2. On many
    /// rows every difference is significant, so the size is asked for as well.
    pub ks_critical: f64,
    /// See [`Thresholds::ks_critical`]: 0.01.
    pub ks_p_critical: f64,
    /// A mean shift above this, either way and in training standard deviations, is critical: 2.
    pub mean_shift_critical: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            rows_min: 200,
            psi_warning: 0.1,
            psi_critical: 0.25,
            ks_critical: 0.2,
            ks_p_critical: 0.01,
            mean_shift_critical: 2.0,
        }
    }
}

/// What a window says of drift, from nothing to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Too few usable rows to tell; the statistics are still given.
    TooFew,
    /// No threshold is exceeded.
    Stable,
    /// PSI exceeds its lower threshold, nothing else any.
    Warning,
    /// PSI, KS or the mean shift exceeds its threshold.
    Critical,
}

/// A window as the dataflow holds it. Bins are those of the baseline ([`Baseline::bins`]).
#[derive(Clone, Copy, Debug)]
pub struct WindowStats<'a> {
    /// All rows.
    pub n: u64,
    /// Rows that are null or NaN.
    pub n_null: u64,
    /// Rows that are ±∞.
    pub n_infinite: u64,
    /// The other rows, per bin.
    pub counts: &'a [u64],
    /// The mean of the other rows; not looked at if there are none.
    pub mean: f64,
    /// The distinct values of the other rows, where they are kept: KS is then exact.
    pub values: Option<&'a Ecdf>,
}

/// Why a window does not fit its baseline, or itself. A mistake in the caller, not in the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WindowError {
    /// The window was counted over other bins.
    #[error("the window has {window} bins, its baseline {baseline}")]
    Bins {
        /// Bins of the window.
        window: usize,
        /// Bins of the baseline.
        baseline: usize,
    },
    /// Rows are missing or doubled.
    #[error("the window counts {n} rows, but its nulls, infinities and bins add up to {sum}")]
    Rows {
        /// All rows, as given.
        n: u64,
        /// What the parts add up to.
        sum: u128,
    },
    /// The distinct values are of other rows.
    #[error("the window's bins hold {bins} rows, its distinct values {values}")]
    Values {
        /// Rows in bins.
        bins: u64,
        /// Rows among the distinct values.
        values: u64,
    },
}

/// One window of one feature against its baseline. `None` stands for what does not exist: any
/// statistic of no rows, a mean shift where training never varied.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DriftRow {
    /// All rows.
    pub n: u64,
    /// Rows that are neither null nor infinite.
    pub n_ok: u64,
    /// Share of null and NaN among all rows, in [0, 1].
    pub null_rate: Option<f64>,
    /// Mean of the usable rows.
    pub mean: Option<f64>,
    /// [`psi`] over the baseline's bins.
    pub psi: Option<f64>,
    /// Kolmogorov–Smirnov statistic, in [0, 1]; the true one lies in [ks, ks + ks_error].
    pub ks: Option<f64>,
    /// 0 where both sides kept their values ([`ks_statistic`]), else the width of [`ks_from_bins`].
    pub ks_error: Option<f64>,
    /// [`ks_p_asymp`] of `ks`; `None` where that is only a bound: the exact law costs more than a bound is worth.
    pub ks_p: Option<f64>,
    /// [`ks_p_kolmogorov`] of `ks`; where that is a lower bound, this is an upper one.
    pub ks_p_kolmogorov: Option<f64>,
    /// [`Baseline::mean_shift_z`].
    pub mean_shift_z: Option<f64>,
    /// All of it in a word.
    pub verdict: Verdict,
}

impl DriftRow {
    /// Judges a window. Pure: the same counts give the same row, to the bit.
    ///
    /// # Errors
    /// [`WindowError`] if the window's parts do not add up or its bins are not the baseline's.
    pub fn new(
        window: &WindowStats<'_>,
        baseline: &Baseline,
        thresholds: &Thresholds,
    ) -> Result<Self, WindowError> {
        let n_ok = usable_rows(window, baseline)?;
        let counted = baseline.expected().counted(window.counts, n_ok);
        let psi = match &counted {
            Some(counted) => Some(baseline.expected().psi(counted)),
            None => psi(baseline.counts(), window.counts),
        };
        let ks = match (baseline.values(), window.values, &counted) {
            (Some(baseline), Some(window), _) => ks_exactly(baseline, window),
            (.., Some(counted)) => Some(baseline.expected().ks(counted)),
            _ => ks_from_bins(baseline.counts(), window.counts),
        };
        let exact = ks.is_some_and(|ks| ks.lower == ks.upper);
        let p = |law: fn(f64, u64, u64) -> Option<f64>| law(ks?.lower, baseline.n_ok(), n_ok);
        let mean = (n_ok > 0).then_some(window.mean);
        let mut row = Self {
            n: window.n,
            n_ok,
            null_rate: (window.n > 0).then(|| real(window.n_null) / real(window.n)),
            mean,
            psi,
            ks: ks.map(|ks| ks.lower),
            ks_error: ks.map(|ks| ks.upper - ks.lower),
            ks_p: exact.then(|| p(ks_p_asymp)).flatten(),
            ks_p_kolmogorov: p(ks_p_kolmogorov),
            mean_shift_z: mean.and_then(|mean| baseline.mean_shift_z(mean)),
            verdict: Verdict::TooFew,
        };
        row.verdict = row.judged(thresholds);
        Ok(row)
    }

    /// The verdict that other thresholds would give on the same statistics.
    #[must_use]
    pub fn judged(&self, thresholds: &Thresholds) -> Verdict {
        let above = |x: Option<f64>, threshold| x.is_some_and(|x| x > threshold);
        if self.n_ok == 0 || self.n_ok < thresholds.rows_min {
            return Verdict::TooFew;
        }
        let p = self.ks_p.or(self.ks_p_kolmogorov);
        let unlikely = p.is_some_and(|p| p < thresholds.ks_p_critical);
        if above(self.psi, thresholds.psi_critical)
            || (above(self.ks, thresholds.ks_critical) && unlikely)
            || above(
                self.mean_shift_z.map(f64::abs),
                thresholds.mean_shift_critical,
            )
        {
            return Verdict::Critical;
        }
        if above(self.psi, thresholds.psi_warning) {
            Verdict::Warning
        } else {
            Verdict::Stable
        }
    }
}

/// The rows in bins, once everything adds up.
fn usable_rows(window: &WindowStats<'_>, baseline: &Baseline) -> Result<u64, WindowError> {
    let (window_bins, baseline_bins) = (window.counts.len(), baseline.bins().len());
    if window_bins != baseline_bins {
        return Err(WindowError::Bins {
            window: window_bins,
            baseline: baseline_bins,
        });
    }
    let wide = |count: &u64| u128::from(*count);
    let usable = total(window.counts);
    let sum = usable + wide(&window.n_null) + wide(&window.n_infinite);
    let rows = WindowError::Rows { n: window.n, sum };
    if sum != u128::from(window.n) {
        return Err(rows);
    }
    let bins = u64::try_from(usable).map_err(|_too_many| rows)?;
    match window.values.map(Ecdf::rows) {
        Some(values) if values != bins => Err(WindowError::Values { bins, values }),
        _ => Ok(bins),
    }
}

/// The statistic where both sides kept their values.
fn ks_exactly(baseline: &Ecdf, window: &Ecdf) -> Option<KsBounds> {
    ks_statistic(baseline, window).map(|ks| KsBounds {
        lower: ks,
        upper: ks,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn baseline() -> Baseline {
        Baseline::fit("x", (0..1000).map(|i| Some(f64::from(i)))).unwrap()
    }

    /// A window of `values`, judged with and without its distinct values.
    fn judge(values: &[f64], baseline: &Baseline) -> [DriftRow; 2] {
        let mut sorted: Vec<f64> = values.iter().copied().filter(|x| x.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let (ecdf, counts) = (
            Ecdf::from_sorted(&sorted).unwrap(),
            baseline.bins().counts(sorted.clone()),
        );
        [Some(&ecdf), None].map(|values_kept| {
            let window = WindowStats {
                n: values.len() as u64,
                n_null: values.iter().filter(|x| x.is_nan()).count() as u64,
                n_infinite: values.iter().filter(|x| x.is_infinite()).count() as u64,
                counts: &counts,
                mean: sorted.iter().sum::<f64>() / real(sorted.len() as u64),
                values: values_kept,
            };
            DriftRow::new(&window, baseline, &Thresholds::default()).unwrap()
        })
    }

    fn range(from: i32, upto: i32) -> Vec<f64> {
        (from..upto).map(f64::from).collect()
    }

    #[test]
    fn training_judged_against_itself_is_stable() {
        let [exact, bounded] = judge(&range(0, 1000), &baseline());
        assert_eq!(
            (exact.psi, exact.ks, exact.ks_p),
            (Some(0.0), Some(0.0), Some(1.0))
        );
        assert_eq!(
            (exact.verdict, exact.ks_error),
            (Verdict::Stable, Some(0.0))
        );
        assert_eq!(bounded.ks_error, Some(0.1));
    }

    #[test]
    fn where_only_bins_are_kept_the_statistic_is_bounded_from_below() {
        let [exact, bounded] = judge(&range(33, 583), &baseline());
        let (ks, low, error) = (
            exact.ks.unwrap(),
            bounded.ks.unwrap(),
            bounded.ks_error.unwrap(),
        );
        assert!(low < ks && ks <= low + error, "{low} {ks} {error}");
        assert_eq!(bounded.ks_p, None);
        let limits = [&bounded, &exact].map(|row| row.ks_p_kolmogorov.unwrap());
        assert!(limits[0] >= limits[1]);
        assert_eq!(exact.psi, bounded.psi);
    }

    #[test]
    fn few_rows_are_not_judged_however_far_they_lie() {
        let [row, _] = judge(&[9e9; 199], &baseline());
        assert!(row.psi.unwrap() > 1.0);
        assert_eq!((row.n_ok, row.verdict), (199, Verdict::TooFew));
        assert_eq!(
            judge(&[9e9; 200], &baseline())[0].verdict,
            Verdict::Critical
        );
    }

    #[test]
    fn nulls_and_infinities_do_not_help_to_reach_the_least_number_of_rows() {
        let mut values = range(300, 450);
        values.extend([f64::NAN; 50]);
        values.extend([f64::INFINITY; 50]);
        let [row, _] = judge(&values, &baseline());
        assert_eq!((row.n, row.n_ok, row.null_rate), (250, 150, Some(0.2)));
        assert_eq!(row.verdict, Verdict::TooFew);
    }

    #[test]
    fn no_rows_have_no_statistics() {
        // Called with nulls only, the textbook formula gives 6.9, "critical": a smoothed empty window looks far away.
        for values in [vec![], vec![f64::NAN; 300]] {
            for row in judge(&values, &baseline()) {
                let statistics = [
                    row.mean,
                    row.psi,
                    row.ks,
                    row.ks_p,
                    row.ks_error,
                    row.mean_shift_z,
                ];
                assert_eq!(statistics, [None; 6]);
                let lax = Thresholds {
                    rows_min: 0,
                    ..Thresholds::default()
                };
                assert_eq!(
                    (row.verdict, row.judged(&lax)),
                    (Verdict::TooFew, Verdict::TooFew)
                );
            }
        }
        assert_eq!(judge(&[], &baseline())[0].null_rate, None);
    }

    #[test]
    fn each_threshold_alone_decides_and_reaching_it_is_not_enough() {
        let calm = DriftRow {
            verdict: Verdict::Stable,
            ..judge(&range(0, 1000), &baseline())[0].clone()
        };
        let verdict = |row: DriftRow| row.judged(&Thresholds::default());
        let psi = |psi| {
            verdict(DriftRow {
                psi: Some(psi),
                ..calm.clone()
            })
        };
        let expected = [
            Verdict::Stable,
            Verdict::Warning,
            Verdict::Warning,
            Verdict::Critical,
        ];
        assert_eq!([0.1, 0.1001, 0.25, 0.2501].map(psi), expected);
        let ks = |(ks, p)| {
            verdict(DriftRow {
                ks: Some(ks),
                ks_p: Some(p),
                ..calm.clone()
            })
        };
        let expected = [Verdict::Stable, Verdict::Stable, Verdict::Critical];
        assert_eq!([(0.2, 0.0), (0.9, 0.01), (0.21, 0.009)].map(ks), expected);
        let z = |z| {
            verdict(DriftRow {
                mean_shift_z: Some(z),
                ..calm.clone()
            })
        };
        let expected = [Verdict::Stable, Verdict::Critical, Verdict::Critical];
        assert_eq!([-2.0, 2.001, -2.001].map(z), expected);
    }

    #[test]
    fn a_window_that_does_not_add_up_is_refused() {
        let baseline = baseline();
        let ecdf = Ecdf::from_sorted(&[1.0]).unwrap();
        let counts = [2, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let good = WindowStats {
            n: 2,
            n_null: 0,
            n_infinite: 0,
            counts: &counts,
            mean: 1.0,
            values: None,
        };
        let judged =
            |window: WindowStats<'_>| DriftRow::new(&window, &baseline, &Thresholds::default());
        assert!(judged(good).is_ok());
        let bins = judged(WindowStats {
            counts: &counts[1..],
            ..good
        });
        assert_eq!(
            bins,
            Err(WindowError::Bins {
                window: 9,
                baseline: 10
            })
        );
        let rows = judged(WindowStats { n_null: 1, ..good });
        assert_eq!(rows, Err(WindowError::Rows { n: 2, sum: 3 }));
        let values = judged(WindowStats {
            values: Some(&ecdf),
            ..good
        });
        assert_eq!(values, Err(WindowError::Values { bins: 2, values: 1 }));
    }

    #[test]
    fn rows_and_thresholds_come_back_from_json_and_unknown_fields_do_not_pass() {
        let [row, _] = judge(&range(100, 400), &baseline());
        let text = serde_json::to_string(&row).unwrap();
        assert!(text.ends_with(r#""verdict":"critical"}"#), "{text}");
        assert_eq!(serde_json::from_str::<DriftRow>(&text).unwrap(), row);
        let lax: Thresholds = serde_json::from_str(r#"{ "psi_warning": 0.2 }"#).unwrap();
        assert_eq!(
            lax,
            Thresholds {
                psi_warning: 0.2,
                ..Thresholds::default()
            }
        );
        assert!(serde_json::from_str::<Thresholds>(r#"{ "psi": 0.2 }"#).is_err());
    }
}
