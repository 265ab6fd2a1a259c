//! A source on one worker, as the driver turns it: polls readers, stamps epochs, keeps the account.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use timely::container::CapacityContainerBuilder;
use timely::dataflow::InputHandle;

use crate::error::JobError;
use crate::metrics::SourceMetrics;
use crate::shared::Shared;
use crate::source::DeadLetter;
use crate::source::gate::Chunk;
use crate::source::port::{Polled, ReaderPort};
use crate::time::{Epoch, EventTime, WATERMARK_NONE};
use crate::update::{Data, Update};

pub(crate) type Handle<D> = InputHandle<Epoch, CapacityContainerBuilder<Vec<Update<D>>>>;

/// The inputs of one source: the rows until the source has ended, and the side outputs that a job has asked for.
pub(crate) struct Outlets<D: Data> {
    pub(crate) rows: Option<Handle<D>>,
    pub(crate) late: Option<Handle<D>>,
    pub(crate) dead: Option<Handle<DeadLetter>>,
}

impl<D: Data> Outlets<D> {
    fn advance_to(&mut self, epoch: Epoch) {
        if let Some(rows) = &mut self.rows {
            rows.advance_to(epoch);
        }
        if let Some(late) = &mut self.late {
            late.advance_to(epoch);
        }
        if let Some(dead) = &mut self.dead {
            dead.advance_to(epoch);
        }
    }

    /// Lets go of the inputs: whatever reads them knows that nothing comes any more.
    fn close(&mut self) {
        (self.rows, self.late, self.dead) = (None, None, None);
    }
}

/// One partition of the source: its job-wide number, its reader, its watermark.
pub(crate) struct OpenPartition<D> {
    pub(crate) number: usize,
    pub(crate) port: ReaderPort<D>,
    pub(crate) mark: EventTime,
    /// The mark before the partition's end.
    pub(crate) moment: EventTime,
    pub(crate) reported: EventTime,
    pub(crate) ended: bool,
}

impl<D> OpenPartition<D> {
    pub(crate) fn new(number: usize, port: ReaderPort<D>) -> Self {
        Self {
            number,
            port,
            mark: WATERMARK_NONE,
            moment: WATERMARK_NONE,
            reported: WATERMARK_NONE,
            ended: false,
        }
    }
}

/// A source of any type, as the driver holds it.
pub(crate) trait DrivenInput {
    /// Sends what the readers have, up to about `rows_max` rows, at `epoch`. Returns the rows taken.
    fn poll(&mut self, epoch: Epoch, rows_max: usize) -> Result<usize, JobError>;
    /// The watermarks that have moved since the last call, in order: `(partition, watermark)`.
    fn take_marks(&mut self, marks: &mut Vec<(usize, EventTime)>);
    /// Closes the epochs before this one; all of them, once every partition of this worker has ended.
    fn advance_to(&mut self, epoch: Epoch);
    /// Whether all partitions of this worker have ended.
    fn is_done(&self) -> bool;
    /// Whether the source is an untimed bounded one, which is read before all others.
    fn is_dimension(&self) -> bool;
    fn is_bounded(&self) -> bool;
}

pub(crate) struct SourceInput<D: Data> {
    pub(crate) name: Arc<str>,
    pub(crate) outlets: Rc<RefCell<Outlets<D>>>,
    pub(crate) partitions: Vec<OpenPartition<D>>,
    pub(crate) metrics: Arc<SourceMetrics>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) timed: bool,
    pub(crate) bounded: bool,
    /// The partition to ask first at the next poll: all get their turn.
    pub(crate) turn: usize,
}

impl<D: Data> SourceInput<D> {
    fn send(&self, chunk: &mut Chunk<D>, epoch: Epoch) -> usize {
        let (rows, late, dead) = (chunk.rows.len(), chunk.late.len(), chunk.dead.len());
        // Rows of one chunk were read together, and are marked alike.
        if chunk.rows.first().is_some_and(|first| first.1 != epoch) {
            chunk.rows.iter_mut().for_each(|update| update.1 = epoch);
        }
        if let Some(letter) = chunk.dead.first() {
            self.metrics.note_dead(letter);
        }
        let mut outlets = self.outlets.borrow_mut();
        if let Some(handle) = &mut outlets.rows {
            handle.send_batch(&mut chunk.rows);
        }
        if let Some(handle) = &mut outlets.late {
            chunk.late.iter_mut().for_each(|update| update.1 = epoch);
            handle.send_batch(&mut chunk.late);
        }
        if let Some(handle) = &mut outlets.dead {
            let mut letters: Vec<_> = chunk
                .dead
                .drain(..)
                .map(|letter| (letter, epoch, 1))
                .collect();
            handle.send_batch(&mut letters);
        }
        self.metrics
            .read
            .fetch_add((rows + late + dead) as u64, Relaxed);
        self.metrics.rows.fetch_add(rows as u64, Relaxed);
        self.metrics.late.fetch_add(late as u64, Relaxed);
        self.metrics.dead.fetch_add(dead as u64, Relaxed);
        rows + late + dead
    }
}

impl<D: Data> DrivenInput for SourceInput<D> {
    fn poll(&mut self, epoch: Epoch, rows_max: usize) -> Result<usize, JobError> {
        let mut taken = 0;
        let count = self.partitions.len();
        for step in 0..count {
            let index = (self.turn + step) % count;
            while taken < rows_max && !self.partitions[index].ended {
                let polled =
                    self.partitions[index]
                        .port
                        .poll(epoch)
                        .map_err(|error| JobError::Source {
                            source_name: self.name.to_string(),
                            error,
                        })?;
                match polled {
                    Polled::Pending => break,
                    Polled::Ended => {
                        // The reader has gone without a last word: it was stopped.
                        self.partitions[index].ended = true;
                        self.shared.leave_unread(self.bounded);
                    }
                    Polled::Chunk(mut chunk) => {
                        taken += self.send(&mut chunk, epoch);
                        let partition = &mut self.partitions[index];
                        partition.mark = chunk.watermark;
                        if !chunk.ended {
                            partition.moment = chunk.watermark;
                        }
                        partition.ended = chunk.ended;
                    }
                }
                if self.partitions[index].ended && self.is_dimension() {
                    // Timed rows, anywhere, come in a later epoch than the last row of a dimension.
                    self.shared.timed_from.fetch_max(epoch + 1, SeqCst);
                    self.shared.dimensions_pending.fetch_sub(1, SeqCst);
                }
            }
        }
        self.turn = self.turn.wrapping_add(1);
        Ok(taken)
    }

    fn take_marks(&mut self, marks: &mut Vec<(usize, EventTime)>) {
        if !self.timed && !self.bounded {
            return;
        }
        for partition in &mut self.partitions {
            // An end that comes in the epoch of the last rows would hide the moment that they came to.
            for mark in [partition.moment, partition.mark] {
                if mark > partition.reported {
                    partition.reported = mark;
                    marks.push((partition.number, mark));
                }
            }
        }
    }

    fn advance_to(&mut self, epoch: Epoch) {
        let mut outlets = self.outlets.borrow_mut();
        if self.is_done() {
            outlets.close();
        } else {
            outlets.advance_to(epoch);
        }
    }

    fn is_done(&self) -> bool {
        self.partitions.iter().all(|partition| partition.ended)
    }

    fn is_dimension(&self) -> bool {
        !self.timed && self.bounded
    }

    fn is_bounded(&self) -> bool {
        self.bounded
    }
}
