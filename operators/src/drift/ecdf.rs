//! The empirical distribution of some values: distinct values, and how many are ≤ each.

/// Distinct finite values, strictly ascending, each with the number of rows at or below it.
///
/// ```
/// use thalweg_operators::drift::Ecdf;
/// let ecdf = Ecdf::from_counts([(1.0, 2), (3.0, 1)]).unwrap();
/// assert_eq!((ecdf.rows(), ecdf.rows_le(1.0), ecdf.rows_lt(1.0)), (3, 2, 0));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ecdf {
    values: Vec<f64>,
    rows_upto: Vec<u64>,
}

/// Why some counts are not a distribution.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EcdfError {
    /// A value is NaN or infinite.
    #[error("distinct values must be finite, got {value}")]
    NotFinite {
        /// The offending value.
        value: f64,
    },
    /// Values repeat or go down.
    #[error("distinct values must ascend strictly: {value} follows {before}")]
    NotAscending {
        /// The value before.
        before: f64,
        /// The offending value.
        value: f64,
    },
    /// The counts add up to more than fits.
    #[error("the counts of distinct values add up to more than 2^64 - 1")]
    Overflow,
}

impl Ecdf {
    /// From distinct values, strictly ascending, with their counts; values counted 0 are left out.
    ///
    /// # Errors
    /// [`EcdfError`] if a value is not finite or not above the one before, or the counts overflow.
    pub fn from_counts(counts: impl IntoIterator<Item = (f64, u64)>) -> Result<Self, EcdfError> {
        let mut ecdf = Self::default();
        let mut before = f64::NEG_INFINITY;
        for (value, count) in counts {
            if !value.is_finite() {
                return Err(EcdfError::NotFinite { value });
            }
            if value <= before {
                return Err(EcdfError::NotAscending { before, value });
            }
            before = value;
            if count > 0 {
                let upto = ecdf.rows().checked_add(count).ok_or(EcdfError::Overflow)?;
                ecdf.values.push(value);
                ecdf.rows_upto.push(upto);
            }
        }
        Ok(ecdf)
    }

    /// From ascending values that may repeat.
    ///
    /// # Errors
    /// [`EcdfError`] if a value is not finite or lies below the one before.
    pub fn from_sorted(sorted: &[f64]) -> Result<Self, EcdfError> {
        let runs = sorted.chunk_by(|a, b| a == b);
        Self::from_counts(runs.filter_map(|run| Some((*run.first()?, run.len() as u64))))
    }

    /// All rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows_upto.last().copied().unwrap_or(0)
    }

    /// Rows with a value ≤ x.
    #[must_use]
    pub fn rows_le(&self, x: f64) -> u64 {
        self.upto(self.values.partition_point(|&value| value <= x))
    }

    /// Rows with a value < x.
    #[must_use]
    pub fn rows_lt(&self, x: f64) -> u64 {
        self.upto(self.values.partition_point(|&value| value < x))
    }

    /// How many distinct values there are.
    #[must_use]
    pub fn distinct(&self) -> usize {
        self.values.len()
    }

    /// Each distinct value, ascending, with its own count.
    pub fn counts(&self) -> impl Iterator<Item = (f64, u64)> + '_ {
        self.steps()
            .map(|step| (step.value, step.rows_le - step.rows_lt))
    }

    /// Each distinct value, ascending, with the rows below it and up to it.
    pub(crate) fn steps(&self) -> impl Iterator<Item = Step> + '_ {
        let below = std::iter::once(0).chain(self.rows_upto.iter().copied());
        self.values
            .iter()
            .zip(&self.rows_upto)
            .zip(below)
            .map(|((&value, &rows_le), rows_lt)| Step {
                value,
                rows_lt,
                rows_le,
            })
    }

    fn upto(&self, distinct: usize) -> u64 {
        distinct
            .checked_sub(1)
            .and_then(|i| self.rows_upto.get(i))
            .copied()
            .unwrap_or(0)
    }
}

/// One jump of the distribution.
pub(crate) struct Step {
    pub(crate) value: f64,
    pub(crate) rows_lt: u64,
    pub(crate) rows_le: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_come_back_as_they_went_in_without_the_zeros() {
        let ecdf = Ecdf::from_counts([(-1.0, 3), (0.0, 0), (2.0, 1)]).unwrap();
        assert_eq!(ecdf.counts().collect::<Vec<_>>(), [(-1.0, 3), (2.0, 1)]);
        assert_eq!(
            [-2.0, -1.0, 0.0, 2.0, 3.0].map(|x| ecdf.rows_le(x)),
            [0, 3, 3, 4, 4]
        );
        assert_eq!(
            [-2.0, -1.0, 0.0, 2.0, 3.0].map(|x| ecdf.rows_lt(x)),
            [0, 0, 3, 3, 4]
        );
        assert_eq!(ecdf, Ecdf::from_sorted(&[-1.0, -1.0, -1.0, 2.0]).unwrap());
    }

    #[test]
    fn what_is_not_a_distribution_is_refused() {
        assert!(matches!(
            Ecdf::from_counts([(f64::NAN, 1)]),
            Err(EcdfError::NotFinite { .. })
        ));
        assert!(matches!(
            Ecdf::from_counts([(1.0, 1), (1.0, 1)]),
            Err(EcdfError::NotAscending { .. })
        ));
        assert_eq!(
            Ecdf::from_counts([(1.0, u64::MAX), (2.0, 1)]),
            Err(EcdfError::Overflow)
        );
    }

    #[test]
    fn minus_zero_and_zero_are_one_value() {
        assert_eq!(Ecdf::from_sorted(&[-0.0, 0.0]).unwrap().distinct(), 1);
    }
}
