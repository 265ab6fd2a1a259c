//! Fixed bins, open at both ends: `x → number of inner edges ≤ x`.
//!
//! ```text
//! edges     e0      e1      e2          k − 1 edges, k bins
//! bin    0  [   1   [   2   [   3       (−∞, e0) [e0, e1) [e1, e2) [e2, +∞)
//! ```
//! Each bin includes its lower edge and excludes its upper one (`numpy.histogram`'s rule). Quantile
//! edges equal data values, so `<` in place of `≤` would move whole rows. Where two edges are equal
//! the bin [a, a) between them stays empty.

/// Fixed bins over the whole real line.
///
/// ```
/// use thalweg_operators::drift::Bins;
/// let bins = Bins::new(vec![1.0, 2.0, 2.0]).unwrap();
/// assert_eq!([0.9, 1.0, 1.9, 2.0, 9.0].map(|x| bins.index(x)), [0, 1, 1, 3, 3]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Bins {
    edges: Vec<f64>,
    /// The edges again, padded with +∞ to whole vectors, where they fit.
    padded: Option<[f64; PADDED]>,
}

/// Edges that are compared all at once: two cache lines.
const PADDED: usize = 16;

/// Why some edges cannot be bins.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BinsError {
    /// The edges go down somewhere.
    #[error("bin edges must ascend: edge {index} is {edge}, below {before}")]
    NotAscending {
        /// Position of the offending edge.
        index: usize,
        /// The edge before it.
        before: f64,
        /// The edge itself.
        edge: f64,
    },
    /// An edge is NaN or infinite.
    #[error("bin edges must be finite: edge {index} is {edge}")]
    NotFinite {
        /// Position of the offending edge.
        index: usize,
        /// The edge itself.
        edge: f64,
    },
}

impl Bins {
    /// Bins from their inner edges; no edge at all makes one bin that holds everything.
    ///
    /// # Errors
    /// [`BinsError`] if an edge is not finite or lies below the one before it. Equal edges are fine.
    pub fn new(edges: Vec<f64>) -> Result<Self, BinsError> {
        let mut before = f64::NEG_INFINITY;
        for (index, &edge) in edges.iter().enumerate() {
            if !edge.is_finite() {
                return Err(BinsError::NotFinite { index, edge });
            }
            if edge < before {
                return Err(BinsError::NotAscending {
                    index,
                    before,
                    edge,
                });
            }
            before = edge;
        }
        let padded = (edges.len() <= PADDED)
            .then(|| std::array::from_fn(|n| edges.get(n).copied().unwrap_or(f64::INFINITY)));
        Ok(Self { edges, padded })
    }

    /// The bin of `x`: the number of inner edges ≤ x, hence always below [`Bins::len`].
    ///
    /// −∞ falls in the first bin and +∞ in the last; NaN falls in the first, so drop it before.
    ///
    /// # Cost
    /// Up to 16 edges are compared at once, without branches and without waiting for one another: inside a loop over
    /// features that beats halving, whose steps depend on each other.
    #[inline]
    #[must_use]
    pub fn index(&self, x: f64) -> usize {
        match &self.padded {
            // Sums as wide as the edges: the comparison's mask is what is added up.
            Some(edges) if x < f64::INFINITY => {
                let below: u64 = edges.iter().map(|edge| u64::from(*edge <= x)).sum();
                below as usize
            }
            _ => self.edges.partition_point(|&edge| edge <= x),
        }
    }

    /// How many bins there are: one more than inner edges.
    #[must_use]
    #[expect(
        clippy::len_without_is_empty,
        reason = "there is always at least one bin"
    )]
    pub fn len(&self) -> usize {
        self.edges.len() + 1
    }

    /// The inner edges, ascending.
    #[must_use]
    pub fn edges(&self) -> &[f64] {
        &self.edges
    }

    /// Counts per bin of `values`, which must hold no NaN.
    pub fn counts(&self, values: impl IntoIterator<Item = f64>) -> Vec<u64> {
        let mut counts = vec![0; self.len()];
        for x in values {
            if let Some(count) = counts.get_mut(self.index(x)) {
                *count += 1;
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slow(edges: &[f64], x: f64) -> usize {
        edges.iter().filter(|&&edge| edge <= x).count()
    }

    #[test]
    fn every_width_agrees_with_the_definition() {
        for edge_count in 0..40 {
            // Every third edge repeats the one before.
            let edges: Vec<f64> = (0..edge_count)
                .map(|i| f64::from(i - (i % 3) / 2))
                .collect();
            let bins = Bins::new(edges.clone()).unwrap();
            assert_eq!(bins.len(), edges.len() + 1);
            for half in -3..90 {
                let x = f64::from(half) / 2.0;
                assert_eq!(
                    bins.index(x),
                    slow(&edges, x),
                    "{edge_count} edges, x = {x}"
                );
            }
            assert_eq!(bins.index(f64::INFINITY), edges.len());
            assert_eq!(bins.index(f64::NEG_INFINITY), 0);
            assert_eq!(bins.index(f64::NAN), 0);
        }
    }

    #[test]
    fn a_value_on_an_edge_belongs_to_the_bin_above() {
        let bins = Bins::new(vec![0.0, 1.0]).unwrap();
        assert_eq!(
            bins.counts([-0.0, 0.0, 1.0, f64::MIN_POSITIVE, -f64::MIN_POSITIVE]),
            [1, 3, 1]
        );
    }

    #[test]
    fn edges_that_go_down_or_are_not_numbers_are_refused() {
        assert_eq!(
            Bins::new(vec![1.0, 2.0, 1.5]).unwrap_err().to_string(),
            "bin edges must ascend: edge 2 is 1.5, below 2"
        );
        for edge in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let refused = Bins::new(vec![0.0, edge]);
            assert!(
                matches!(refused, Err(BinsError::NotFinite { index: 1, .. })),
                "{refused:?}"
            );
        }
    }
}
