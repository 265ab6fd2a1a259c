//! The event that the logs are made of, and the row of a dimension beside it.

use serde::{Deserialize, Serialize};

/// Units of [`Event::real`] in one: floats are drawn as multiples of 2⁻²⁰, so that the oracle can add them exactly.
pub const REAL_UNITS: i64 = 1 << 20;

/// Floats that are no multiples, or no numbers to sums.
pub const ODD: [f64; 5] = [-0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 5e18];

/// Units from here on stand for [`ODD`].
pub const ODD_FROM: i64 = i64::MAX - ODD.len() as i64 + 1;

/// One event.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
pub struct Event {
    /// What it belongs to.
    pub key: i64,
    /// When it happened, in µs.
    pub at: i64,
    /// Which it is: no two draws share one, but a log may hold copies.
    pub id: u32,
    /// A whole number, extremes included; `i64::MIN` is null to the engine.
    pub value: Option<i64>,
    /// A small whole number.
    pub other: Option<i64>,
    /// A float in [`REAL_UNITS`], or the place of one of [`ODD`] above [`ODD_FROM`].
    pub real: Option<i64>,
}

impl Event {
    /// The float that `real` stands for.
    #[must_use]
    pub fn float(&self) -> Option<f64> {
        self.real.map(|units| match units {
            ODD_FROM.. => ODD[(units - ODD_FROM) as usize],
            _ => units as f64 / REAL_UNITS as f64,
        })
    }

    /// The lanes of the whole numbers, nulls as `None`.
    #[must_use]
    pub fn whole_lanes(&self) -> [Option<i64>; 2] {
        [self.value.filter(|value| *value != i64::MIN), self.other]
    }

    /// The two floats that rolling windows are told: that of `real`, and the small whole number as one.
    #[must_use]
    pub fn floats(&self) -> [Option<f64>; 2] {
        [self.float(), self.other.map(|number| number as f64)]
    }

    /// Their lanes in units, nulls as `None`.
    #[must_use]
    pub fn real_lanes(&self) -> [Option<i64>; 2] {
        let [real] = self.real_lane();
        [real, self.other.map(|number| number * REAL_UNITS)]
    }

    /// The lane of the float in units, nulls as `None`.
    #[must_use]
    pub fn real_lane(&self) -> [Option<i64>; 1] {
        let zero = |units| if units == ODD_FROM { 0 } else { units };
        [self.real.map(zero).filter(|units| *units < ODD_FROM)]
    }
}

/// A row of a dimension.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
pub struct Dimension {
    /// What it is about.
    pub key: i64,
    /// What it says.
    pub name: u32,
}

/// Rows with their signs.
pub type Signed<D> = Vec<(D, i64)>;
