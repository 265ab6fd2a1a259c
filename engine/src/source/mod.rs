//! The source port: what a connector implements to bring rows in.
//!
//! ```text
//! Source ── partitions() ──▶ [Partition]          once per job
//!    └───── open(partition) ─▶ Reader ── read() ─▶ Batch { (row, diff)…, dead letters… }
//! ```
//!
//! A reader runs on a thread of its own behind a bounded channel, unless its source [never
//! waits](Source::never_waits); it may block, and it knows neither epochs nor workers. Lateness is decided behind it, per record (`gate`).

mod dead;
pub(crate) mod gate;
pub(crate) mod input;
pub(crate) mod port;
mod spec;

pub use dead::DeadLetter;
pub use spec::{SourceExt, SourceSpec};

use crate::state::prefetch;
use crate::time::Epoch;
use crate::update::{CONTAINER_ROWS, Data, Diff, Update};

/// A part of a source that is read in order by one reader: a file, a topic's partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// What the partition is called in messages, such as the file's path.
    pub name: String,
    /// How many rows it holds, where that is known before reading; progress bars use it.
    pub rows: Option<u64>,
}

/// A system that rows come from.
pub trait Source: Send + Sync + 'static {
    /// The typed record that it yields.
    type Row: Data;

    /// The partitions, in an order that does not change while the job runs. Called once per job.
    ///
    /// # Errors
    /// [`SourceError`] when the system cannot be reached or holds another shape of rows than asked for.
    fn partitions(&self) -> Result<Vec<Partition>, SourceError>;

    /// Opens the partition with this number.
    ///
    /// # Errors
    /// [`SourceError`] when the partition cannot be read.
    fn open(&self, partition: usize) -> Result<Box<dyn Reader<Self::Row>>, SourceError>;

    /// Whether the source ends. Bounded sources have unlimited lateness unless told otherwise.
    fn bounded(&self) -> bool;

    /// Whether its readers never wait for anything, since all rows are there, as in memory. They are then called on the
    /// worker's own thread: handing rows from one processor to another costs more than copying them.
    fn never_waits(&self) -> bool {
        false
    }
}

/// Reads one partition, in order.
pub trait Reader<D>: Send {
    /// Appends the next rows to `batch` (some thousands at most) and says whether there is more.
    ///
    /// May block for a while, but not for ever: a stop is only noticed between two calls.
    ///
    /// # Errors
    /// [`SourceError`] when the partition cannot be read on; a bad *record* is no error but a dead letter.
    fn read(&mut self, batch: &mut Batch<D>) -> Result<ReadStatus, SourceError>;
}

/// What a call of [`Reader::read`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadStatus {
    /// There may be more.
    More,
    /// Nothing now; ask again later.
    Pending,
    /// The partition has ended.
    End,
}

/// How far ahead of their copies rows are asked for, in bytes: left to itself, the processor waits at the first of each
/// page.
const AHEAD_BYTES: usize = 1 << 10;

/// Rows on their way from a reader, with the records that could not be decoded.
///
/// Rows lie in the containers in which they will enter the graph: they are moved no more.
#[derive(Debug)]
pub struct Batch<D> {
    pub(crate) containers: Vec<Vec<Update<D>>>,
    pub(crate) dead: Vec<DeadLetter>,
    container_rows: usize,
    /// The epoch that rows are marked with: the one that is open, where that is known while they are read.
    epoch: Epoch,
}

impl<D> Default for Batch<D> {
    fn default() -> Self {
        Self::new(CONTAINER_ROWS, 0)
    }
}

impl<D> Batch<D> {
    /// A batch whose rows travel in containers of this many, and will enter the graph in `epoch` if they can.
    pub(crate) fn new(container_rows: usize, epoch: Epoch) -> Self {
        Self {
            containers: Vec::new(),
            dead: Vec::new(),
            container_rows,
            epoch,
        }
    }

    /// Adds a row.
    #[inline]
    pub fn push(&mut self, row: D) {
        self.push_signed(row, 1);
    }

    /// Adds a signed row: a negative `diff` takes back what was added before.
    #[inline]
    pub fn push_signed(&mut self, row: D, diff: Diff) {
        match self.containers.last_mut() {
            Some(container) if container.len() < self.container_rows => {
                container.push((row, self.epoch, diff));
            }
            _ => self.open(row, diff),
        }
    }

    /// Adds rows, whole containers at a time.
    pub fn extend_from_slice(&mut self, mut rows: &[D])
    where
        D: Clone,
    {
        let ahead = (AHEAD_BYTES / size_of::<D>().max(1)).max(1);
        while let Some((first, rest)) = rows.split_first() {
            self.push(first.clone());
            let Some(container) = self.containers.last_mut() else {
                continue;
            };
            let fitting = rest.len().min(self.container_rows - container.len());
            let epoch = self.epoch;
            container.extend(rest[..fitting].iter().enumerate().map(|(place, row)| {
                prefetch(rest, place + ahead);
                (row.clone(), epoch, 1)
            }));
            rows = &rest[fitting..];
        }
    }

    #[cold]
    fn open(&mut self, row: D, diff: Diff) {
        let mut container = Vec::with_capacity(self.container_rows);
        container.push((row, self.epoch, diff));
        self.containers.push(container);
    }

    /// Hands over a record that could not be decoded.
    pub fn reject(&mut self, letter: DeadLetter) {
        self.dead.push(letter);
    }

    /// Rows in the batch.
    #[must_use]
    pub fn len(&self) -> usize {
        self.containers.iter().map(Vec::len).sum()
    }

    /// Whether neither rows nor rejected records are here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.containers.is_empty() && self.dead.is_empty()
    }

    /// The rows with their signs, and the rejected records, for adapters that stand between a reader and the job.
    pub fn take(&mut self) -> (Vec<(D, Diff)>, Vec<DeadLetter>) {
        let rows = self.containers.drain(..).flatten();
        let rows = rows.map(|(row, _, diff)| (row, diff)).collect();
        (rows, std::mem::take(&mut self.dead))
    }
}

/// Why rows could not be brought in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The source was asked for something that it cannot be: found before anything runs.
    #[error("{0}")]
    Wrong(String),
    /// The system outside failed; nothing was skipped.
    #[error("{0}")]
    Failed(String),
}
