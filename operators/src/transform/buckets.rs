//! Buckets: a number as the number of edges that it has reached.
//!
//! ```text
//! edges      10    20    30
//! bucket  0 │  1  │  2  │ 3        an edge belongs to the bucket above it, as in numpy.digitize
//! ```

use serde::{Deserialize, Serialize};
use thalweg_engine::error::JobError;

use crate::transform::{Transform, all_finite, wrong};
use crate::value::Real;

/// Ascending edges between buckets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Buckets {
    edges: Vec<Real>,
}

impl Buckets {
    /// Buckets between edges as given.
    ///
    /// # Errors
    /// [`JobError::Wrong`] when an edge is no finite number or does not lie above the one before.
    pub fn between(edges: impl IntoIterator<Item = f64>) -> Result<Self, JobError> {
        let edges = edges.into_iter().map(Real).collect();
        let buckets = Self { edges };
        buckets
            .check()
            .map_err(|why| wrong(format!("cannot make buckets: {why}")))?;
        Ok(buckets)
    }

    /// Buckets between quantiles; equal ones are one edge.
    pub(super) fn at(mut quantiles: Vec<f64>) -> Self {
        quantiles.dedup();
        Self {
            edges: quantiles.into_iter().map(Real).collect(),
        }
    }

    /// The edges, ascending.
    pub fn edges(&self) -> impl Iterator<Item = f64> {
        self.edges.iter().map(|edge| edge.0)
    }

    /// How many edges the number has reached: a bucket from 0 to the number of edges; `None` for nulls.
    #[must_use]
    pub fn apply(&self, number: Option<f64>) -> Option<usize> {
        let number = number.filter(|number| !number.is_nan())?;
        Some(self.edges.partition_point(|edge| edge.0 <= number))
    }
}

impl Transform for Buckets {
    const KIND: &'static str = "buckets";

    fn check(&self) -> Result<(), String> {
        all_finite(self.edges())?;
        match self.edges.windows(2).find(|pair| pair[0].0 >= pair[1].0) {
            Some(pair) => Err(format!("{} does not lie above {}", pair[1].0, pair[0].0)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// numpy.digitize([9, 10, 25, 30, -inf, inf], [10, 20, 30]) = [0, 1, 2, 3, 0, 3].
    #[test]
    fn an_edge_belongs_to_the_bucket_above_it() {
        let buckets = Buckets::between([10.0, 20.0, 30.0]).unwrap();
        let numbers = [9.0, 10.0, 25.0, 30.0, f64::NEG_INFINITY, f64::INFINITY];
        let found = numbers.map(|number| buckets.apply(Some(number)).unwrap());
        assert_eq!(found, [0, 1, 2, 3, 0, 3]);
        assert_eq!(buckets.apply(Some(f64::NAN)), None);
    }

    #[test]
    fn edges_that_do_not_ascend_are_refused() {
        let error = Buckets::between([1.0, 1.0]).unwrap_err().to_string();
        assert!(error.contains("1 does not lie above 1"), "{error}");
        assert!(Buckets::between([f64::NAN]).is_err());
    }
}
