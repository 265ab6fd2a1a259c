//! Why a job could not be built or did not end well.

use crate::sink::SinkError;
use crate::source::SourceError;

/// Why a job could not be built or did not end well.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JobError {
    /// Wrong use: nothing ran.
    #[error("{0}")]
    Wrong(String),
    /// A source could not be opened or read on. What was read before it has been processed.
    #[error("source '{source_name}': {error}")]
    Source {
        /// The source's name in the job.
        source_name: String,
        /// What went wrong.
        error: SourceError,
    },
    /// A sink could not be opened or written. Unfinished files of this run were not published.
    #[error("sink '{sink_name}': {error}")]
    Sink {
        /// The sink's name in the job.
        sink_name: String,
        /// What went wrong.
        error: SinkError,
    },
    /// A worker panicked: a bug in the engine or in a closure of the job.
    #[error("worker {worker} panicked: {message}; the job was ended, nothing more was written")]
    Panicked {
        /// The worker, from 0.
        worker: usize,
        /// What the panic said.
        message: String,
    },
    /// The system refused something that the engine needs, such as a thread.
    #[error("{0}")]
    System(String),
}
