//! Readers behind a poll: on a thread and a bounded channel, or called in place where they never wait, and in a
//! simulation.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::Thread;
use std::time::Duration;

use crossbeam::channel::{Receiver, TryRecvError, bounded};

use crate::env::StopHandle;
use crate::error::JobError;
use crate::sim::Dice;
use crate::source::gate::{Chunk, Gate};
use crate::source::{Batch, ReadStatus, Reader, SourceError};
use crate::threads::panic_text;
use crate::time::Epoch;

/// Chunks that wait in front of a worker before its reader blocks.
const CHUNKS_WAITING_MAX: usize = 64;

/// How long a reader that has nothing waits before it is asked again.
const PENDING_WAIT: Duration = Duration::from_millis(1);

/// What a poll of a reader found.
pub(crate) enum Polled<D> {
    Chunk(Chunk<D>),
    Pending,
    Ended,
}

/// One partition's reader as the driver sees it: it never blocks.
pub(crate) enum ReaderPort<D> {
    Thread(Receiver<Result<Chunk<D>, SourceError>>),
    InPlace(Box<InPlace<D>>),
}

/// A reader that is called in the worker's own thread; in a simulation when the dice say so.
pub(crate) struct InPlace<D> {
    reader: Box<dyn Reader<D>>,
    gate: Gate<D>,
    waiting: VecDeque<Chunk<D>>,
    ended: bool,
    dice: Option<Dice>,
}

impl<D: Send + Clone + 'static> ReaderPort<D> {
    /// Starts a thread that reads the partition and wakes `worker` at every chunk.
    pub(crate) fn spawn(
        name: &str,
        mut reader: Box<dyn Reader<D>>,
        mut gate: Gate<D>,
        stop: StopHandle,
        worker: Thread,
    ) -> Result<Self, JobError> {
        let (sender, receiver) = bounded(CHUNKS_WAITING_MAX);
        let partition = name.to_owned();
        std::thread::Builder::new()
            .name(format!("read {name}"))
            .spawn(move || {
                let send = |chunk| {
                    let sent = sender.send(chunk).is_ok();
                    worker.unpark();
                    sent
                };
                let all = AssertUnwindSafe(|| read_all(&mut *reader, &mut gate, &stop, &send));
                // A panic must not pass for the end of the partition.
                let read = catch_unwind(all).unwrap_or_else(|panic| {
                    let said = panic_text(&*panic);
                    Err(SourceError::Failed(format!(
                        "the reader of '{partition}' panicked: {said}"
                    )))
                });
                if let Err(error) = read {
                    send(Err(error));
                }
            })
            .map_err(|error| {
                JobError::System(format!("could not start a reader thread: {error}"))
            })?;
        Ok(Self::Thread(receiver))
    }

    pub(crate) fn in_place(reader: Box<dyn Reader<D>>, gate: Gate<D>, dice: Option<Dice>) -> Self {
        let waiting = VecDeque::new();
        Self::InPlace(Box::new(InPlace {
            reader,
            gate,
            waiting,
            ended: false,
            dice,
        }))
    }

    pub(crate) fn poll(&mut self, epoch: Epoch) -> Result<Polled<D>, SourceError> {
        match self {
            Self::Thread(receiver) => match receiver.try_recv() {
                Ok(chunk) => Ok(Polled::Chunk(chunk?)),
                Err(TryRecvError::Empty) => Ok(Polled::Pending),
                Err(TryRecvError::Disconnected) => Ok(Polled::Ended),
            },
            Self::InPlace(port) => port.poll(epoch),
        }
    }
}

impl<D: Clone> InPlace<D> {
    fn poll(&mut self, epoch: Epoch) -> Result<Polled<D>, SourceError> {
        if self.dice.as_ref().is_some_and(|dice| dice.chance(20)) {
            return Ok(Polled::Pending);
        }
        if self.waiting.is_empty() && !self.ended {
            let mut batch = Batch::new(self.gate.chunk_rows, epoch);
            self.ended = self.reader.read(&mut batch)? == ReadStatus::End;
            let waiting = &mut self.waiting;
            self.gate
                .admit(&mut batch, |chunk| waiting.push_back(chunk));
            if self.ended {
                waiting.push_back(self.gate.end());
            }
        }
        Ok(match self.waiting.pop_front() {
            Some(chunk) => Polled::Chunk(chunk),
            None if self.ended => Polled::Ended,
            None => Polled::Pending,
        })
    }
}

/// Reads until the end, a stop, an error, or until nobody listens any more.
fn read_all<D: Clone>(
    reader: &mut dyn Reader<D>,
    gate: &mut Gate<D>,
    stop: &StopHandle,
    send: &dyn Fn(Result<Chunk<D>, SourceError>) -> bool,
) -> Result<(), SourceError> {
    let mut batch = Batch::new(gate.chunk_rows, 0);
    let mut listening = true;
    while listening && !stop.is_stopping() {
        let status = reader.read(&mut batch)?;
        gate.admit(&mut batch, |chunk| listening = listening && send(Ok(chunk)));
        match status {
            ReadStatus::End => {
                send(Ok(gate.end()));
                return Ok(());
            }
            ReadStatus::Pending => {
                std::thread::park_timeout(PENDING_WAIT);
            }
            ReadStatus::More => {}
        }
    }
    Ok(())
}
