//! One run of a workload, and whether its output adds up to what it must.

use std::sync::Arc;

use thalweg::prelude::*;

use crate::data::Payment;
use crate::digest::Digest;
use crate::expected;
use crate::measure::{Cost, measured};
use crate::workload::Workload;

/// Rows of an epoch of one worker.
const EPOCH_ROWS: usize = 8_192;

/// What a run did.
pub struct Ran {
    /// What it cost.
    pub cost: Cost,
    /// What its output adds up to.
    pub digest: f64,
    /// The job's account.
    pub report: Report,
}

impl Workload {
    /// Runs the job once over the workload's own rows.
    ///
    /// # Errors
    /// As `Job::run`.
    pub fn run(&self, rows: &Arc<Vec<Payment>>, workers: usize) -> Result<Ran, JobError> {
        let digest = Digest::default();
        let job = (self.job)(Arc::clone(rows), workers, digest.clone());
        let config = Config::workers(workers)?.epoch_rows(EPOCH_ROWS)?;
        let (report, cost) = measured(|| job.run(config));
        Ok(Ran {
            report: report?,
            digest: digest.sum(),
            cost,
        })
    }

    /// No time is shown of a job that has computed another thing.
    ///
    /// # Errors
    /// [`JobError::System`] when its output does not add up to what is expected.
    pub fn check(&self, digest: f64, expected: f64) -> Result<(), JobError> {
        // A store that replaces is told new rows only: what they add up to says nothing of what stands in the end.
        if self.name == "rolling_upsert" || expected::agree(digest, expected) {
            return Ok(());
        }
        Err(JobError::System(format!(
            "the job's output adds up to {digest}, but {expected} was expected"
        )))
    }
}
