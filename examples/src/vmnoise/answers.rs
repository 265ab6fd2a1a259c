//! What the job writes: a struct per answer, its columns in their order, which is also the order of the rows.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thalweg::prelude::*;

/// `vm_tumbling_1d`: a metric's day on one kind of machine in one region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Daily {
    /// Midnight at which the day begins.
    pub w_start: Timestamp,
    /// The kind of machine.
    pub sku: Arc<str>,
    /// Where it stands.
    pub region: Arc<str>,
    /// What was measured.
    pub metric: i16,
    /// Measurements.
    pub n: i64,
    /// Their sum.
    pub s: Option<Real>,
    /// The least.
    pub mn: Option<Real>,
    /// The greatest.
    pub mx: Option<Real>,
    /// Their standard deviation (n − 1); null for a single one.
    pub sd: Option<Real>,
}

/// `vm_totals`: a metric over all time and all machines.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Totals {
    /// What was measured.
    pub metric: i16,
    /// Measurements.
    pub n: i64,
    /// Their sum.
    pub s: Option<Real>,
    /// The least.
    pub mn: Option<Real>,
    /// The greatest.
    pub mx: Option<Real>,
    /// Distinct machine numbers.
    pub vms: i64,
}

/// `vm_roll_7d`: the trailing week of a machine's metric, as of each measurement.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rolling {
    /// The measurement, by its place in the order of arrival.
    pub seq: i32,
    /// The machine.
    pub vm: i32,
    /// What was measured.
    pub metric: i16,
    /// When; the week is `[event_time − 7 d, event_time]`.
    pub event_time: Timestamp,
    /// Measurements of the week.
    pub n: i64,
    /// Their mean.
    pub mean: Option<Real>,
    /// The least.
    pub mn: Option<Real>,
    /// The greatest.
    pub mx: Option<Real>,
    /// Their standard deviation (n − 1); null for a single one.
    pub sd: Option<Real>,
}

/// `vm_latest_final`: the newest measurement of a machine's metric. `vm_latest_midway`: the same half-way through.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Newest {
    /// The machine.
    pub vm: i32,
    /// What was measured.
    pub metric: i16,
    /// The newest measurement, by its place in the order of arrival.
    pub seq: i32,
    /// When it was taken.
    pub event_time: Timestamp,
    /// What it found.
    pub value: Real,
    /// How many measurements there were.
    pub versions: i64,
}
