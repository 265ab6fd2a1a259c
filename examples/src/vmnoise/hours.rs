//! One metric by the hour: six hours every hour, and single hours as they would be with a bound on lateness.
//!
//! ```text
//! placed ─ metric 102 ─┬─ 6 h every 1 h ─▶ vm_hop_6h_1h
//!                      └─ in time for its hour ─ 1 h ─▶ vm_tumbling_1h_bound60s
//! ```

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thalweg::prelude::*;

use super::job::Placed;
use super::lateness::has_ended;
use crate::columns::{real, whole};
use crate::places::Places;

/// The metric, of Sysbench.
const METRIC: i16 = 102;

/// `vm_hop_6h_1h`: six hours of a kind of machine in a region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SixHours {
    /// When the six hours begin.
    pub w_start: Timestamp,
    /// Where the machines stand.
    pub region: Arc<str>,
    /// What kind they are of.
    pub sku: Arc<str>,
    /// Measurements.
    pub n: i64,
    /// Their mean.
    pub mean: Option<Real>,
    /// The greatest.
    pub mx: Option<Real>,
}

/// `vm_tumbling_1h_bound60s`: an hour of a kind of machine, without what came too late.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BoundHour {
    /// When the hour begins.
    pub w_start: Timestamp,
    /// The kind of machine.
    pub sku: Arc<str>,
    /// Measurements.
    pub n: i64,
    /// Their sum.
    pub s: Real,
}

/// Writes `vm_hop_6h_1h`.
pub(super) fn six_hours(placed: &Table<'_, Placed>, places: &Places) -> Result<(), JobError> {
    placed
        .filter(|m| m.of.metric == METRIC)
        .key_by(|m| (m.region.clone(), m.sku.clone()))
        .event_time(|m| m.of.event_time)
        .hopping(hours(6), hours(1))?
        .finals("six hours", moments(|m: &Placed| m.of.value))
        .map(|window| {
            let (region, sku) = window.key;
            SixHours {
                w_start: Timestamp(window.start),
                region,
                sku,
                n: whole(window.value.events()),
                mean: real(window.value.mean()),
                mx: real(window.value.max()),
            }
        })
        .sink("vm_hop_6h_1h", places.answer("vm_hop_6h_1h"))
}

/// Writes `vm_tumbling_1h_bound60s`, which depends on the order of arrival: a row is dropped when a watermark 60 s
/// behind the newest row before it, of whatever metric, has reached the end of its hour.
pub(super) fn bound_hours(placed: &Table<'_, Placed>, places: &Places) -> Result<(), JobError> {
    placed
        .filter(|m| m.of.metric == METRIC && !has_ended(&m.of, hours(1), seconds(60)))
        .key_by(|m| m.sku.clone())
        .event_time(|m| m.of.event_time)
        .tumbling(hours(1))?
        .finals("bound hour", (count(), sum(|m: &Placed| m.of.value)))
        .map(|hour| BoundHour {
            w_start: Timestamp(hour.start),
            sku: hour.key,
            n: hour.value.0,
            s: Real(hour.value.1),
        })
        .sink(
            "vm_tumbling_1h_bound60s",
            places.answer("vm_tumbling_1h_bound60s"),
        )
}
