//! The training snapshot of one feature: all that a later window is judged against.

use super::bins::{Bins, BinsError};
use super::ecdf::{Ecdf, EcdfError};
use super::expected::Expected;
use super::quantile::deciles;
use super::real;
use serde::{Deserialize, Serialize};

/// Ten bins, as the textbook PSI has.
pub(crate) const DECILES: usize = 10;

/// One feature as it was in training, for all rows or for one segment of them.
///
/// # Invariants
/// 1. At least one row is neither null nor infinite, and the counts of the bins add up to those rows.
/// 2. The breakpoints are finite and ascending; where training was discrete they repeat.
/// 3. The distinct values, where kept, add up to the same rows.
///
/// ```
/// use thalweg_operators::drift::Baseline;
/// let baseline = Baseline::fit("spend", (0..=100).map(f64::from).map(Some)).unwrap();
/// assert_eq!((baseline.mean(), baseline.breakpoints()[5]), (50.0, 50.0));
/// assert_eq!((baseline.counts().len(), baseline.n_ok()), (10, 101));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "BaselineRecord", into = "BaselineRecord")]
pub struct Baseline {
    record: BaselineRecord,
    bins: Bins,
    expected: Expected<DECILES>,
    values: Option<Ecdf>,
}

/// What a baseline is on paper. Unchecked until it is a [`Baseline`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BaselineRecord {
    feature: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    segment: Option<String>,
    n: u64,
    n_null: u64,
    n_infinite: u64,
    mean: f64,
    std: Option<f64>,
    breakpoints: [f64; DECILES + 1],
    counts: [u64; DECILES],
    /// `[value, count]`, ascending. Empty in memory: the [`Ecdf`] holds them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    values: Option<Vec<(f64, u64)>>,
}

/// Why something is not a baseline. Each says of which feature.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BaselineError {
    /// There is nothing to compare with.
    #[error("training of `{feature}` is empty: {n} rows, all of them null, NaN or infinite")]
    Empty {
        /// The feature.
        feature: String,
        /// Its rows, none of them usable.
        n: u64,
    },
    /// The values are so large that a mean, a variance or a gap between them is infinite.
    #[error("training of `{feature}` overflows: its {statistic} is not finite")]
    NotFinite {
        /// The feature.
        feature: String,
        /// What overflowed.
        statistic: &'static str,
    },
    /// The breakpoints do not make bins.
    #[error("breakpoints of `{feature}`: {source}")]
    Breakpoints {
        /// The feature.
        feature: String,
        /// What is wrong with them.
        source: BinsError,
    },
    /// The distinct values do not make a distribution.
    #[error("values of `{feature}`: {source}")]
    Values {
        /// The feature.
        feature: String,
        /// What is wrong with them.
        source: EcdfError,
    },
    /// Two counts of the same rows differ.
    #[error("`{feature}` counts {n_ok} usable rows, but its {part} add up to {sum}")]
    Rows {
        /// The feature.
        feature: String,
        /// Rows less nulls and infinities.
        n_ok: i128,
        /// Which part differs.
        part: &'static str,
        /// What it adds up to.
        sum: u128,
    },
}

impl Baseline {
    /// Takes the snapshot of `values`: null, NaN and ±∞ are counted and dropped.
    ///
    /// Mean and standard deviation (n − 1) are compensated sums over the sorted values, so that the
    /// order of the rows does not matter. The distinct values are kept; see
    /// [`Baseline::without_values`].
    ///
    /// # Errors
    /// [`BaselineError::Empty`] if nothing is left, [`BaselineError::NotFinite`] if sums overflow.
    ///
    /// # Cost
    /// Holds 8 bytes a row while it runs, and sorts them.
    pub fn fit(
        feature: impl Into<String>,
        values: impl IntoIterator<Item = Option<f64>>,
    ) -> Result<Self, BaselineError> {
        let feature = feature.into();
        let (mut n, mut n_null, mut n_infinite, mut sorted) = (0, 0, 0, Vec::new());
        for value in values {
            n += 1;
            match value {
                Some(x) if x.is_finite() => sorted.push(x),
                Some(x) if x.is_infinite() => n_infinite += 1,
                _ => n_null += 1,
            }
        }
        sorted.sort_unstable_by(f64::total_cmp);
        let Some(breakpoints) = deciles(&sorted) else {
            return Err(BaselineError::Empty { feature, n });
        };
        let rows = real(sorted.len() as u64);
        let mean = sum(sorted.iter().copied()) / rows;
        let squares = sum(sorted.iter().map(|x| (x - mean) * (x - mean)));
        let std = (sorted.len() > 1).then(|| (squares / (rows - 1.0)).sqrt());
        let bins = inner_bins(&feature, &breakpoints)?;
        let mut counts = [0; DECILES];
        for (count, rows) in counts.iter_mut().zip(bins.counts(sorted.iter().copied())) {
            *count = rows;
        }
        let values = Ecdf::from_sorted(&sorted).map_err(|source| BaselineError::Values {
            feature: feature.clone(),
            source,
        })?;
        let segment = None;
        Self::checked(
            BaselineRecord {
                feature,
                segment,
                n,
                n_null,
                n_infinite,
                mean,
                std,
                breakpoints,
                counts,
                values: None,
            },
            Some(values),
        )
    }

    /// Drops the distinct values: some hundred bytes are left, and KS becomes a bound.
    #[must_use]
    pub fn without_values(self) -> Self {
        Self {
            values: None,
            ..self
        }
    }

    /// Says that this snapshot is of one segment of the rows only.
    #[must_use]
    pub fn for_segment(mut self, segment: impl Into<String>) -> Self {
        self.record.segment = Some(segment.into());
        self
    }

    /// The feature's name.
    #[must_use]
    pub fn feature(&self) -> &str {
        &self.record.feature
    }

    /// The segment, or `None` for all rows.
    #[must_use]
    pub fn segment(&self) -> Option<&str> {
        self.record.segment.as_deref()
    }

    /// All training rows.
    #[must_use]
    pub fn n(&self) -> u64 {
        self.record.n
    }

    /// Rows that were null or NaN.
    #[must_use]
    pub fn n_null(&self) -> u64 {
        self.record.n_null
    }

    /// Rows that were ±∞.
    #[must_use]
    pub fn n_infinite(&self) -> u64 {
        self.record.n_infinite
    }

    /// Rows that count: neither null nor infinite; never 0.
    #[must_use]
    pub fn n_ok(&self) -> u64 {
        self.record.counts.iter().sum()
    }

    /// Share of null and NaN among all rows, in [0, 1).
    #[must_use]
    pub fn null_rate(&self) -> f64 {
        real(self.record.n_null) / real(self.record.n)
    }

    /// Mean of the rows that count.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.record.mean
    }

    /// Standard deviation of the rows that count, divided by n − 1; `None` for a single row.
    #[must_use]
    pub fn std(&self) -> Option<f64> {
        self.record.std
    }

    /// The eleven decile breakpoints, lowest and highest value included ([`super::quantile_linear`]).
    #[must_use]
    pub fn breakpoints(&self) -> &[f64] {
        &self.record.breakpoints
    }

    /// Ten bins between the nine inner breakpoints, the outermost open to ±∞.
    #[must_use]
    pub fn bins(&self) -> &Bins {
        &self.bins
    }

    /// Training rows per bin.
    #[must_use]
    pub fn counts(&self) -> &[u64] {
        &self.record.counts
    }

    /// The distinct training values, where they were kept.
    #[must_use]
    pub fn values(&self) -> Option<&Ecdf> {
        self.values.as_ref()
    }

    /// The training rows per bin, made ready to judge windows by.
    pub(super) fn expected(&self) -> &Expected<DECILES> {
        &self.expected
    }

    /// How far a window's mean lies from the training mean, in training standard deviations.
    ///
    /// z = (mean − training mean) / training std (n − 1): any real number, not divided by √n, so it
    /// says how large a shift is and not how sure. `None` if training never varied or had one row.
    /// Source: the golden column `mean_shift_z`.
    #[must_use]
    pub fn mean_shift_z(&self, window_mean: f64) -> Option<f64> {
        let std = self.record.std.filter(|&std| std > 0.0)?;
        Some((window_mean - self.record.mean) / std)
    }

    fn checked(record: BaselineRecord, values: Option<Ecdf>) -> Result<Self, BaselineError> {
        let feature = || record.feature.clone();
        let bins = inner_bins(&record.feature, &record.breakpoints)?;
        let n_ok = i128::from(record.n) - i128::from(record.n_null) - i128::from(record.n_infinite);
        if n_ok == 0 {
            return Err(BaselineError::Empty {
                feature: feature(),
                n: record.n,
            });
        }
        let differs = |sum: u128| i128::try_from(sum) != Ok(n_ok);
        let sum = record.counts.iter().map(|&count| u128::from(count)).sum();
        if differs(sum) {
            return Err(BaselineError::Rows {
                feature: feature(),
                n_ok,
                part: "bins",
                sum,
            });
        }
        let sum = values.as_ref().map(|values| u128::from(values.rows()));
        if let Some(sum) = sum.filter(|&sum| differs(sum)) {
            return Err(BaselineError::Rows {
                feature: feature(),
                n_ok,
                part: "values",
                sum,
            });
        }
        for (statistic, x) in [
            ("mean", Some(record.mean)),
            ("standard deviation", record.std),
        ] {
            if x.is_some_and(|x| !x.is_finite()) {
                return Err(BaselineError::NotFinite {
                    feature: feature(),
                    statistic,
                });
            }
        }
        Ok(Self {
            expected: Expected::new(&record.counts),
            record,
            bins,
            values,
        })
    }
}

impl TryFrom<BaselineRecord> for Baseline {
    type Error = BaselineError;

    fn try_from(mut record: BaselineRecord) -> Result<Self, BaselineError> {
        let values = record.values.take().map(Ecdf::from_counts).transpose();
        let feature = &record.feature;
        let values = values.map_err(|source| BaselineError::Values {
            feature: feature.clone(),
            source,
        })?;
        Self::checked(record, values)
    }
}

impl From<Baseline> for BaselineRecord {
    fn from(baseline: Baseline) -> Self {
        let values = baseline.values.map(|values| values.counts().collect());
        Self {
            values,
            ..baseline.record
        }
    }
}

/// The bins between the inner breakpoints; the outermost two are checked with them and left out.
fn inner_bins(feature: &str, breakpoints: &[f64]) -> Result<Bins, BaselineError> {
    let refused = |source| BaselineError::Breakpoints {
        feature: feature.to_owned(),
        source,
    };
    Bins::new(breakpoints.to_vec()).map_err(refused)?;
    let inner = breakpoints
        .get(1..breakpoints.len().saturating_sub(1))
        .unwrap_or_default();
    Bins::new(inner.to_vec()).map_err(refused)
}

/// A sum that carries the rounding of each addition along (Neumaier 1974).
fn sum(terms: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut lost) = (0.0_f64, 0.0);
    for x in terms {
        let next = sum + x;
        lost += if sum.abs() >= x.abs() {
            (sum - next) + x
        } else {
            (x - next) + sum
        };
        sum = next;
    }
    sum + lost
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_number_is_counted_and_dropped() {
        let values = [
            Some(2.0),
            None,
            Some(f64::NAN),
            Some(f64::INFINITY),
            Some(4.0),
            Some(-0.0),
        ];
        let baseline = Baseline::fit("x", values).unwrap();
        let rows = (
            baseline.n(),
            baseline.n_null(),
            baseline.n_infinite(),
            baseline.n_ok(),
        );
        assert_eq!(rows, (6, 2, 1, 3));
        assert_eq!((baseline.null_rate(), baseline.mean()), (2.0 / 6.0, 2.0));
        assert_eq!(
            (baseline.std(), baseline.mean_shift_z(6.0)),
            (Some(2.0), Some(2.0))
        );
    }

    #[test]
    fn a_constant_has_one_full_bin_and_no_mean_shift() {
        // All edges are 7.0, and 7.0 lies at or above all of them.
        let baseline = Baseline::fit("x", [Some(7.0); 5]).unwrap();
        assert_eq!(baseline.counts(), [0, 0, 0, 0, 0, 0, 0, 0, 0, 5]);
        assert_eq!(
            (baseline.std(), baseline.mean_shift_z(8.0)),
            (Some(0.0), None)
        );
        let one = Baseline::fit("x", [Some(7.0)]).unwrap();
        assert_eq!((one.std(), one.mean_shift_z(8.0)), (None, None));
    }

    #[test]
    fn the_order_of_the_rows_does_not_matter_and_sums_do_not_drift() {
        let values: Vec<_> = (0..10_000)
            .map(|i| Some(1e9 + f64::from(i * 7919 % 10_007) * 0.1))
            .collect();
        let backwards = Baseline::fit("x", values.iter().rev().copied()).unwrap();
        assert_eq!(Baseline::fit("x", values).unwrap(), backwards);
        let tenths = Baseline::fit("x", [Some(1e16), Some(0.1), Some(-1e16)]).unwrap();
        assert_eq!(tenths.mean(), 0.1 / 3.0);
    }

    #[test]
    fn nothing_to_compare_with_is_refused() {
        let refused = Baseline::fit("x", [None, Some(f64::NAN)])
            .unwrap_err()
            .to_string();
        assert_eq!(
            refused,
            "training of `x` is empty: 2 rows, all of them null, NaN or infinite"
        );
        assert!(matches!(
            Baseline::fit("x", []),
            Err(BaselineError::Empty { n: 0, .. })
        ));
    }

    #[test]
    fn numbers_too_large_to_sum_are_refused() {
        for values in [[1e308; 2], [-1e308, 1e308]] {
            assert!(Baseline::fit("x", values.map(Some)).is_err());
        }
    }

    #[test]
    fn without_its_values_it_keeps_everything_else() {
        let full = Baseline::fit("x", [Some(1.0), Some(2.0)]).unwrap();
        let bare = full.clone().without_values();
        assert_eq!((bare.counts(), bare.values()), (full.counts(), None));
    }
}
