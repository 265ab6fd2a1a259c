//! The command line that the examples share.

use std::path::PathBuf;

use thalweg::prelude::*;

use crate::online::Online;
use crate::places::Places;

/// What every example can be told.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// The folder with the data set's Parquet files, or the folder above it
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,

    /// The folder for the answers, one file each; it is made if it is missing
    ///
    /// Each file appears whole when the job ends and replaces what stood there. A job that is stopped by Ctrl-C writes
    /// none of them. Beside them lie, as JSON Lines, rows that no answer counts: dead_*.jsonl with the records that
    /// could not be decoded and why, late_*.jsonl, and unmatched_*.jsonl where no dimension knows a row's entity.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,

    /// Worker threads, 1 to 128; the answers do not depend on it
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub workers: usize,

    /// Close an epoch after so many rows of one worker [default: 65536]
    ///
    /// Small epochs see changes sooner and cost more. The answers do not depend on it.
    #[arg(long, value_name = "N")]
    pub epoch_rows: Option<usize>,

    /// Read the rows in an order drawn from this seed instead of the order of arrival
    ///
    /// Answers in event time do not depend on it; those about lateness do.
    #[arg(long, value_name = "SEED")]
    pub shuffle: Option<u64>,

    /// Also keep an online store up to date: `embedded` (in DIR of --out), or `redis://host[:port][/db]`
    #[arg(long, value_name = "STORE")]
    pub online: Option<Online>,
}

impl Options {
    /// How to run the job.
    ///
    /// # Errors
    /// [`JobError::Wrong`] when there can be no so many workers, or no such epochs.
    pub fn config(&self) -> Result<Config, JobError> {
        let config = Config::workers(self.workers)?;
        match self.epoch_rows {
            Some(rows) => config.epoch_rows(rows),
            None => Ok(config),
        }
    }

    /// Where the job reads and writes.
    #[must_use]
    pub fn places(&self) -> Places {
        Places {
            data: self.data.clone(),
            out: self.out.clone(),
            shuffle: self.shuffle,
            online: self.online.clone(),
        }
    }
}
