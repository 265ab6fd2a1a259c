//! The end of a table: stashes updates by epoch, offers whole epochs to the writer, holds them until acknowledged.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use timely::dataflow::operators::Capability;
use timely::scheduling::Activator;

use crate::error::JobError;
use crate::metrics::SinkMetrics;
use crate::sink::port::WriterPort;
use crate::sink::{Ending, Published, SinkError};
use crate::time::Epoch;
use crate::update::Updates;

/// What the operator and the driver share about one sink on one worker.
pub(crate) struct SinkState<D> {
    name: String,
    port: Box<dyn WriterPort<D>>,
    /// Capabilities of offered epochs; dropped, by the operator, when acknowledged.
    pub(crate) held: BTreeMap<Epoch, Option<Capability<Epoch>>>,
    activator: Activator,
    metrics: Arc<SinkMetrics>,
}

impl<D> SinkState<D> {
    pub(crate) fn new(
        name: String,
        port: Box<dyn WriterPort<D>>,
        activator: Activator,
        metrics: Arc<SinkMetrics>,
    ) -> Self {
        Self {
            name,
            port,
            held: BTreeMap::new(),
            activator,
            metrics,
        }
    }

    /// Offers a whole epoch; its capability is kept until [`DrivenSink::poll`] sees the acknowledgement.
    pub(crate) fn offer(&mut self, capability: Capability<Epoch>, rows: Updates<D>) {
        let epoch = *capability.time();
        self.held.insert(epoch, Some(capability));
        self.port.offer(epoch, rows);
    }

    fn failed(&self, error: SinkError) -> JobError {
        JobError::Sink {
            sink_name: self.name.clone(),
            error,
        }
    }
}

/// A sink of any type, as the driver holds it.
pub(crate) trait DrivenSink {
    /// Takes acknowledgements; the operator is woken to let their epochs go.
    fn poll(&mut self) -> Result<(), JobError>;
    /// Asks the writer to publish.
    fn finish(&mut self, ending: Ending);
    /// Whether publishing is done.
    fn is_finished(&mut self) -> Result<bool, JobError>;
}

impl<D> DrivenSink for Rc<RefCell<SinkState<D>>> {
    fn poll(&mut self) -> Result<(), JobError> {
        let mut state = self.borrow_mut();
        if state.held.is_empty() {
            return Ok(());
        }
        loop {
            let answer = state.port.poll();
            match answer.map_err(|error| state.failed(error))? {
                None => return Ok(()),
                Some((epoch, rows)) => {
                    state.held.insert(epoch, None);
                    state.metrics.rows.fetch_add(rows as u64, Relaxed);
                    state.metrics.epochs.fetch_add(1, Relaxed);
                    state.activator.activate();
                }
            }
        }
    }

    fn finish(&mut self, ending: Ending) {
        self.borrow_mut().port.finish(ending);
    }

    fn is_finished(&mut self) -> Result<bool, JobError> {
        let mut state = self.borrow_mut();
        let answer = state.port.finished();
        let published = answer.map_err(|error| state.failed(error))?;
        if published == Some(Published::Nothing) {
            state.metrics.held_back.store(true, Relaxed);
        }
        Ok(published.is_some())
    }
}
