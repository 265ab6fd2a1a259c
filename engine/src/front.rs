//! The two front ends over one build: `threads` (real) and `sim` (all workers in one thread under a seed).

use std::thread::Thread;

use crate::env::StopHandle;
use crate::error::JobError;
use crate::sim::{Dice, Trace};
use crate::sink::Writer;
use crate::sink::lifeline::Lifeline;
use crate::sink::port::{self, WriterPort};
use crate::source::Reader;
use crate::source::gate::Gate;
use crate::source::port::ReaderPort;

/// Where readers and writers run.
pub(crate) enum Front {
    /// On threads of their own, which wake the worker; in the worker's place where they never wait.
    Threads(Thread),
    /// In the worker's place, when the dice say so.
    Sim(Dice, Trace),
}

impl Front {
    pub(crate) fn reader_port<D: Clone + Send + 'static>(
        &self,
        name: &str,
        reader: Box<dyn Reader<D>>,
        never_waits: bool,
        gate: Gate<D>,
        stop: StopHandle,
    ) -> Result<ReaderPort<D>, JobError> {
        match self {
            Self::Threads(_) if never_waits => Ok(ReaderPort::in_place(reader, gate, None)),
            Self::Threads(worker) => ReaderPort::spawn(name, reader, gate, stop, worker.clone()),
            Self::Sim(dice, _) => Ok(ReaderPort::in_place(reader, gate, Some(dice.clone()))),
        }
    }

    pub(crate) fn writer_port<D: Send + 'static>(
        &self,
        name: &str,
        writer: Box<dyn Writer<D>>,
        never_waits: bool,
        run: &Lifeline,
    ) -> Result<Box<dyn WriterPort<D>>, JobError> {
        match self {
            Self::Threads(_) if never_waits => Ok(port::in_place(writer, None)),
            Self::Threads(worker) => port::spawn(name, writer, worker.clone(), run.tie()),
            Self::Sim(dice, trace) => {
                let chance = Some((dice.clone(), trace.clone()));
                Ok(port::in_place(writer, chance))
            }
        }
    }
}
