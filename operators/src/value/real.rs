//! A float with an order, for rows: `f64` is not `Ord`, and tables that are sorted or kept as sets need rows that are.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};

/// An `f64` that has an order (IEEE 754's `totalOrder`: −∞ < … < −0.0 < 0.0 < … < ∞ < NaN). Files and stores see a
/// plain float.
///
/// ```
/// use thalweg_operators::value::Real;
/// let mut numbers = [Real(f64::NAN), Real(2.0), Real(-1.0)];
/// numbers.sort();
/// assert_eq!(numbers, [Real(-1.0), Real(2.0), Real(f64::NAN)]);
/// ```
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Real(pub f64);

impl From<f64> for Real {
    fn from(number: f64) -> Self {
        Self(number)
    }
}

impl PartialEq for Real {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Real {}

impl PartialOrd for Real {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Real {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Hash for Real {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

impl fmt::Display for Real {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
