//! Scaling: numbers of any unit brought to a common one.
//!
//! ```text
//! standard   (x − mean) / stddev        stddev of the population, n below the line       StandardScaler
//! min-max    (x − min) / (max − min)    0 to 1 over what it was fitted to, beyond it else   MinMaxScaler
//! robust     (x − median) / (q₃ − q₁)   quartiles of type 7                              RobustScaler
//! ```
//!
//! Where all numbers were the same the unit is 1, as in scikit-learn. Nulls stay null.

use serde::{Deserialize, Serialize};

use crate::transform::{Transform, all_finite, finite};
use crate::value::Real;

/// Distance from the mean, in standard deviations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standard {
    /// The mean.
    pub mean: Real,
    /// The standard deviation of the population.
    pub stddev: Real,
}

/// Place between the least and the greatest number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MinMax {
    /// The least number.
    pub min: Real,
    /// The greatest number.
    pub max: Real,
}

/// Distance from the median, in widths of the middle half.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Robust {
    /// The median.
    pub median: Real,
    /// The quantile at 0.25.
    pub lower_quartile: Real,
    /// The quantile at 0.75.
    pub upper_quartile: Real,
}

fn scaled(number: Option<f64>, origin: Real, unit: f64) -> Option<f64> {
    let unit = if unit == 0.0 { 1.0 } else { unit };
    finite((number? - origin.0) / unit)
}

impl Standard {
    /// The number in standard deviations from the mean.
    #[must_use]
    pub fn apply(&self, number: Option<f64>) -> Option<f64> {
        scaled(number, self.mean, self.stddev.0)
    }
}

impl MinMax {
    /// The number's place between the least, 0, and the greatest, 1; outside of both where it was not fitted to it.
    #[must_use]
    pub fn apply(&self, number: Option<f64>) -> Option<f64> {
        scaled(number, self.min, self.max.0 - self.min.0)
    }
}

impl Robust {
    /// The number in widths of the middle half from the median.
    #[must_use]
    pub fn apply(&self, number: Option<f64>) -> Option<f64> {
        scaled(
            number,
            self.median,
            self.upper_quartile.0 - self.lower_quartile.0,
        )
    }
}

impl Transform for Standard {
    const KIND: &'static str = "standard";

    fn check(&self) -> Result<(), String> {
        all_finite([self.mean.0, self.stddev.0])?;
        match self.stddev.0 {
            stddev if stddev < 0.0 => Err(format!("a standard deviation of {stddev}")),
            _ => Ok(()),
        }
    }
}

impl Transform for MinMax {
    const KIND: &'static str = "min_max";

    fn check(&self) -> Result<(), String> {
        all_finite([self.min.0, self.max.0])?;
        match (self.min.0, self.max.0) {
            (min, max) if min > max => {
                Err(format!("a minimum of {min} above the maximum of {max}"))
            }
            _ => Ok(()),
        }
    }
}

impl Transform for Robust {
    const KIND: &'static str = "robust";

    fn check(&self) -> Result<(), String> {
        let three = [self.lower_quartile.0, self.median.0, self.upper_quartile.0];
        all_finite(three)?;
        if three.is_sorted() {
            Ok(())
        } else {
            Err(format!(
                "quartiles and median that do not ascend: {three:?}"
            ))
        }
    }
}
