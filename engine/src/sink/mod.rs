//! The sink port: what a connector implements to take rows out.
//!
//! ```text
//! table ─▶ stash by epoch ─▶ (epoch complete) ─▶ bounded channel ─▶ Writer::write ─▶ acknowledged
//!                                                                  its own thread    capability dropped
//! ```
//!
//! The epoch is held until the writer has acknowledged it: a slow sink slows the sources, and nothing is dropped.

pub(crate) mod lifeline;
pub(crate) mod operator;
pub(crate) mod port;

use std::sync::Arc;

use crate::column::Column;
use crate::env::{Clock, Env};
use crate::time::{Epoch, EventTime};
use crate::update::Updates;

/// A place that rows go to: makes one writer per worker, or a single one.
pub trait Sink<D>: Send + Sync + 'static {
    /// Opens the writer of one worker. Called on every worker before anything runs; with [`Sink::single`] only on the
    /// one that all rows go to.
    ///
    /// # Errors
    /// [`SinkError`] when the place cannot be reached or refuses this job.
    fn open(&self, place: SinkPlace) -> Result<Box<dyn Writer<D>>, SinkError>;

    /// Whether all rows must meet in one writer, such as one file.
    fn single(&self) -> bool {
        false
    }

    /// By which tag rows are dealt to the writers, where all that is said of one thing must come to one of them, whichever
    /// workers it is said on. Otherwise each worker's rows go to its own writer.
    fn dealt_by(&self) -> Option<Column<D, u64>> {
        None
    }

    /// Whether its writers never wait for anything outside, as those into memory. They are then called on the worker's
    /// own thread.
    fn never_waits(&self) -> bool {
        false
    }
}

/// A sink that keeps one row per key, which a new row replaces without being told what stood there: an online store.
/// A row that is taken back alone, with no other of its key in the epoch, deletes what stands.
pub trait UpsertSink<D>: Sink<D> {
    /// The same sink, which is told new rows alone from now on. One that goes by what a row replaces, if it is told, must
    /// do without: a row may be older than the one in its place, whose event was taken back. A sink that wraps another says
    /// it to that one.
    #[must_use]
    fn told_new_rows(self) -> Self
    where
        Self: Sized,
    {
        self
    }
}

/// Which writer of how many is being opened, and under which clock.
#[derive(Clone)]
pub struct SinkPlace {
    /// The worker, from 0.
    pub worker: usize,
    /// How many workers there are.
    pub workers: usize,
    /// The job's clock, for what has outlived its time; no row may depend on it.
    pub clock: Arc<dyn Clock>,
    /// When the run began, by its clock: the same on all workers, and what tells two runs apart.
    pub started: EventTime,
}

impl SinkPlace {
    /// The only worker, under the machine's clock: for a writer outside of a job.
    #[must_use]
    pub fn alone() -> Self {
        let clock = Env::default().clock;
        Self {
            worker: 0,
            workers: 1,
            started: clock.wall(),
            clock,
        }
    }
}

/// Writes the epochs of one worker, in order.
pub trait Writer<D>: Send {
    /// Writes one whole epoch. Returning is the acknowledgement.
    ///
    /// An outage is retried in here for as long as the connector promises; while it lasts the sources pause.
    ///
    /// # Errors
    /// [`SinkError`] when the epoch could not be written; the job then ends.
    fn write(&mut self, epoch: Epoch, rows: Updates<D>) -> Result<(), SinkError>;

    /// Everything was acknowledged and nothing follows: publish what becomes visible only whole.
    ///
    /// # Errors
    /// [`SinkError`] when it could not be published.
    fn finish(&mut self) -> Result<(), SinkError>;

    /// As [`Writer::finish`], but the job was stopped before a bounded source had ended.
    ///
    /// What every epoch completes is published all the same: that happens unless this is implemented. What is known
    /// only at the end is held back, for it must not take the place of an older answer that is whole.
    ///
    /// # Errors
    /// [`SinkError`] when it could not be published.
    fn finish_early(&mut self) -> Result<Published, SinkError> {
        self.finish().map(|()| Published::Rows)
    }
}

/// What a writer has made visible at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    /// Every row that was written to it.
    Rows,
    /// Nothing: the rows were held back, and what stood there before stays.
    Nothing,
}

/// How far a job had come when its writers are told to publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// All bounded sources were read to their ends. A stream has none: a stop is its end.
    Whole,
    /// A bounded source was stopped before its end.
    Early,
}

/// Why rows could not be taken out, by what the caller may conclude.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SinkError {
    /// Wrong use, found before anything runs.
    #[error("{0}")]
    Wrong(String),
    /// The write certainly did not happen.
    #[error("{0}")]
    Failed(String),
    /// The write may have happened: the answer was lost.
    #[error("{0} (the outcome is unknown)")]
    Unknown(String),
}
