//! How late the records are, and what a lateness bound would cost: an aggregate of the example's own.
//!
//! ```text
//! watermark before a record   newest event time that arrived before it − bound
//! behind                      event time < watermark
//! dropped from a window       the window's end ≤ watermark
//! ```
//!
//! This is the one answer that depends on the order of arrival.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use thalweg::engine::time::{WATERMARK_NONE, micros_of, window_start};
use thalweg::engine::update::Diff;
use thalweg::operators::aggregate::Aggregate;
use thalweg::prelude::*;

use super::rows::Measurement;

/// The bounds to try, in seconds, rising; the example's own choice.
const BOUNDS_S: [u32; 6] = [0, 60, 300, 600, 1_800, 3_600];

/// `vm_lateness`: what one bound would cost.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Late {
    /// The bound in seconds.
    pub bound_s: u32,
    /// Records behind the watermark.
    pub records_behind_watermark: i64,
    /// Records whose hour had ended.
    pub dropped_tumbling_1h: i64,
    /// Records whose day had ended.
    pub dropped_tumbling_1d: i64,
}

/// Counts for each bound: behind, hour ended, day ended.
pub(super) type Counts = [[Diff; 3]; BOUNDS_S.len()];

/// Counts late records for every bound in one pass.
#[derive(Clone, Copy)]
pub(super) struct Lateness;

impl Aggregate<Measurement> for Lateness {
    type State = Counts;
    type Output = Counts;

    fn update(&self, counts: &mut Counts, record: &Measurement, diff: Diff) {
        if record.newest_before == WATERMARK_NONE {
            return;
        }
        let (hour_end, day_end) = (end(record, hours(1)), end(record, days(1)));
        for (bound_s, counts) in BOUNDS_S.iter().zip(counts) {
            let bound_us = micros_of(seconds(u64::from(*bound_s)));
            let watermark = record.newest_before.saturating_sub(bound_us);
            if record.event_time >= watermark {
                return;
            }
            counts[0] += diff;
            counts[1] += if hour_end <= watermark { diff } else { 0 };
            counts[2] += if day_end <= watermark { diff } else { 0 };
        }
    }

    fn read(&self, counts: &Counts) -> Counts {
        *counts
    }
}

/// The end of the window that a record belongs to.
fn end(record: &Measurement, width: Duration) -> EventTime {
    let width_us = micros_of(width);
    window_start(record.event_time, width_us).saturating_add(width_us)
}

/// Whether a record's window had ended when it came, by a watermark `bound` behind the newest record before it.
pub(super) fn has_ended(record: &Measurement, width: Duration, bound: Duration) -> bool {
    record.newest_before != WATERMARK_NONE
        && end(record, width) <= record.newest_before.saturating_sub(micros_of(bound))
}

/// A row per bound.
pub(super) fn by_bound(counts: &Counts) -> Vec<Late> {
    let rows = BOUNDS_S.iter().zip(counts).map(|(bound_s, counts)| Late {
        bound_s: *bound_s,
        records_behind_watermark: counts[0],
        dropped_tumbling_1h: counts[1],
        dropped_tumbling_1d: counts[2],
    });
    rows.collect()
}
