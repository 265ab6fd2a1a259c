//! What a workload is: a job over generated payments into a sink that only adds up a digest, and what stands beside it.

use std::sync::Arc;
use std::time::Duration;

use thalweg::prelude::*;

use crate::data::{LATENESS_US, Payment};
use crate::digest::Digest;
use crate::feed::Feed;

/// The payments as a source with an hour of lateness.
#[must_use]
pub fn source(rows: &Arc<Vec<Payment>>, workers: usize) -> SourceSpec<Payment> {
    Feed {
        rows: Arc::clone(rows),
        partitions: workers,
    }
    .event_time(|payment| payment.at)
    .lateness(Duration::from_micros(LATENESS_US as u64))
}

/// A workload: its job, the loop beside it, and how many observations a row is.
pub struct Workload {
    /// The name in the result.
    pub name: &'static str,
    /// Builds the job.
    pub job: fn(Arc<Vec<Payment>>, usize, Digest) -> Job,
    /// The loop that one would write by hand, where a speed is asked.
    pub by_hand: Option<fn(&[Payment]) -> (u64, f64)>,
    /// What its output adds up to, where that is not what the loop's does.
    pub expected: Option<fn(&[Payment]) -> f64>,
    /// The rows it runs over, made from those of all workloads.
    pub rows: fn(&Arc<Vec<Payment>>) -> Arc<Vec<Payment>>,
    /// Observations per row: features, for drift.
    pub observations_per_row: usize,
}

impl Workload {
    /// A workload of which no speed is asked, held to brute force.
    pub(crate) fn checked(
        name: &'static str,
        job: fn(Arc<Vec<Payment>>, usize, Digest) -> Job,
        expected: fn(&[Payment]) -> f64,
    ) -> Self {
        Self {
            name,
            job,
            by_hand: None,
            expected: Some(expected),
            rows: Arc::clone,
            observations_per_row: 1,
        }
    }

    /// The same workload, held to brute force instead of the loop.
    pub(crate) fn held_to(self, expected: fn(&[Payment]) -> f64) -> Self {
        Self {
            expected: Some(expected),
            ..self
        }
    }
}

/// A merchant's risk, as bits: floats have no order to be told apart by.
pub(crate) fn f64_bits(merchant: u32) -> u64 {
    (f64::from(merchant % 100) / 100.0).to_bits()
}
