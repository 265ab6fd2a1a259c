//! What the job reads: measurements in order of arrival, and the machines that they were taken on.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thalweg::engine::time::WATERMARK_NONE;
use thalweg::prelude::*;

/// A row of `events`: one benchmark on one machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Measurement {
    /// Its place in the order of arrival.
    pub(super) seq: i32,
    /// When the benchmark started.
    pub(super) event_time: EventTime,
    /// When it ended: the moment from which its value is known.
    pub(super) arrival_time: EventTime,
    /// The machine; numbers of short-lived machines repeat from metric to metric.
    pub(super) vm: i32,
    pub(super) metric: i16,
    /// In the metric's own unit.
    pub(super) value: Real,
    /// The newest event time that arrived before this row: no column, but noted by the source.
    #[serde(default = "nothing_before")]
    pub(super) newest_before: EventTime,
}

fn nothing_before() -> EventTime {
    WATERMARK_NONE
}

/// A row of `dim_vm`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Machine {
    pub(super) vm: i32,
    /// `long` or `short`.
    lifespan: Arc<str>,
    pub(super) region: Arc<str>,
    pub(super) sku: Arc<str>,
}

impl Machine {
    /// Whether it is one of the few machines that ran all the time: the only ones with a number of their own.
    pub(super) fn is_long_lived(&self) -> bool {
        &*self.lifespan == "long"
    }
}
