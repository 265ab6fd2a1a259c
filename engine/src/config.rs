//! How a job is run: workers, epoch bounds, progress. Nothing here changes a result.

use std::num::NonZeroUsize;
use std::time::Duration;

use crate::env::Env;
use crate::error::JobError;

/// Rows after which an epoch over bounded sources closes.
const EPOCH_ROWS_BOUNDED: usize = 65_536;
/// Rows after which an epoch over streams closes, should the interval not have closed it before.
const EPOCH_ROWS_STREAM: usize = 8_192;
/// Time after which an epoch over streams closes.
const EPOCH_INTERVAL_STREAM: Duration = Duration::from_millis(10);
/// Time after which it closes where no other epoch is on its way: nothing is gained by waiting for more rows then.
pub(crate) const EPOCH_INTERVAL_ALONE: Duration = Duration::from_millis(1);
/// Epochs that may be on their way before the sources pause. Timely itself has no flow control.
pub(crate) const EPOCHS_IN_FLIGHT_MAX: u64 = 2;

/// How to run a job.
#[derive(Clone)]
pub struct Config {
    workers: NonZeroUsize,
    epoch_rows: Option<NonZeroUsize>,
    epoch_interval: Option<Duration>,
    pub(crate) progress: bool,
    pub(crate) env: Env,
}

impl Config {
    /// Runs on this many worker threads.
    ///
    /// # Errors
    /// [`JobError::Wrong`] when `workers` is 0 or above 128, the number of key groups.
    pub fn workers(workers: usize) -> Result<Self, JobError> {
        match NonZeroUsize::new(workers) {
            Some(count) if workers <= crate::key::KEY_GROUPS => Ok(Self {
                workers: count,
                epoch_rows: None,
                epoch_interval: None,
                progress: false,
                env: Env::default(),
            }),
            _ => Err(JobError::Wrong(format!(
                "a job runs on 1 to {} workers, one key group each at the least: {workers} were asked for",
                crate::key::KEY_GROUPS
            ))),
        }
    }

    /// Closes an epoch after this many rows of one worker (65,536 over bounded sources, 8,192 over streams).
    ///
    /// # Errors
    /// [`JobError::Wrong`] when `rows` is 0.
    pub fn epoch_rows(mut self, rows: usize) -> Result<Self, JobError> {
        let rows = NonZeroUsize::new(rows).ok_or_else(|| {
            JobError::Wrong("an epoch holds at least 1 row: 0 were asked for".into())
        })?;
        self.epoch_rows = Some(rows);
        Ok(self)
    }

    /// Keeps every epoch over streams open for this long after its first row, unless it is full before: fewer and larger
    /// epochs, each row of which waits for the end of its own. Without this call an epoch closes after 10 ms, or sooner
    /// where no other is on its way.
    #[must_use]
    pub fn epoch_interval(mut self, interval: Duration) -> Self {
        self.epoch_interval = Some(interval);
        self
    }

    /// Shows progress bars on standard error, if that is a terminal.
    #[must_use]
    pub fn progress(mut self, shown: bool) -> Self {
        self.progress = shown;
        self
    }

    /// Hands in another world: a clock, a stop handle.
    #[must_use]
    pub fn env(mut self, env: Env) -> Self {
        self.env = env;
        self
    }

    /// How many workers run.
    #[must_use]
    pub fn worker_count(&self) -> usize {
        self.workers.get()
    }

    /// The bounds of an epoch: rows, and time where a source never ends.
    pub(crate) fn epoch_bounds(&self, bounded: bool) -> (usize, Option<Duration>) {
        let default = if bounded {
            EPOCH_ROWS_BOUNDED
        } else {
            EPOCH_ROWS_STREAM
        };
        let rows = self.epoch_rows.map_or(default, NonZeroUsize::get);
        let interval = self.epoch_interval.unwrap_or(EPOCH_INTERVAL_STREAM);
        (rows, (!bounded).then_some(interval))
    }

    /// Whether an epoch over streams may close before its time where nothing is gained by waiting.
    pub(crate) fn may_close_early(&self) -> bool {
        self.epoch_interval.is_none()
    }
}

impl Default for Config {
    /// One worker.
    fn default() -> Self {
        Self {
            workers: NonZeroUsize::MIN,
            epoch_rows: None,
            epoch_interval: None,
            progress: false,
            env: Env::default(),
        }
    }
}
