//! The graph under construction: what a job's closure builds its tables in.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;

use timely::dataflow::operators::probe::Handle as Probe;
use timely::dataflow::{Scope, Stream};

use crate::driver::Driver;
use crate::env::Clock;
use crate::error::JobError;
use crate::front::Front;
use crate::metrics::Metrics;
use crate::shared::Shared;
use crate::sink::Writer;
use crate::sink::operator::DrivenSink;
use crate::sink::port::WriterPort;
use crate::source::gate::Gate;
use crate::source::input::{DrivenInput, Handle, OpenPartition, Outlets, SourceInput};
use crate::source::{DeadLetter, SourceError, SourceSpec};
use crate::table::Table;
use crate::time::{Epoch, EventTime};
use crate::update::{CONTAINER_ROWS, Data};
use crate::watermark::{MarkHandle, Risen, global_watermark};

/// What all handles to one worker's graph share.
struct GraphState {
    front: Front,
    shared: Arc<Shared>,
    names: RefCell<BTreeSet<String>>,
    inputs: RefCell<Vec<Box<dyn DrivenInput>>>,
    sinks: RefCell<Vec<Box<dyn DrivenSink>>>,
    marks: RefCell<Option<MarkHandle>>,
    /// The first wrong use that the job's function could not be told of where it happened.
    refused: RefCell<Option<JobError>>,
    probe: Probe<Epoch>,
}

/// The graph under construction on one worker. Every worker builds the same graph.
#[derive(Clone)]
pub struct Graph<'s> {
    scope: Scope<'s, Epoch>,
    watermarks: Stream<'s, Epoch, Vec<Risen>>,
    state: Rc<GraphState>,
}

impl<'s> Graph<'s> {
    pub(crate) fn new(scope: Scope<'s, Epoch>, front: Front, shared: Arc<Shared>) -> Self {
        let mut marks = MarkHandle::new();
        let watermarks = global_watermark(marks.to_stream(scope), Arc::clone(&shared));
        let state = GraphState {
            front,
            shared,
            names: RefCell::default(),
            inputs: RefCell::default(),
            sinks: RefCell::default(),
            marks: RefCell::new(Some(marks)),
            refused: RefCell::default(),
            probe: Probe::new(),
        };
        Self {
            scope,
            watermarks,
            state: Rc::new(state),
        }
    }

    /// Binds a source under a name that is unique in the job.
    ///
    /// # Errors
    /// [`JobError::Source`] when the source cannot be opened, [`JobError::Wrong`] when the name is taken.
    pub fn source<D: Data>(
        &self,
        name: &str,
        spec: impl Into<SourceSpec<D>>,
    ) -> Result<Sourced<'s, D>, JobError> {
        self.claim_name(name)?;
        let spec = spec.into();
        let shared = &self.state.shared;
        let plan = shared.plan(name, &spec)?;
        let spec = &plan.spec;
        let name: Arc<str> = name.into();
        let mut partitions = Vec::new();
        for (index, partition) in plan.partitions.iter().enumerate() {
            let number = plan.first + index;
            if number % self.workers() == self.worker() {
                let failed = |error: SourceError| JobError::Source {
                    source_name: name.to_string(),
                    error,
                };
                let reader = spec.source.open(index).map_err(failed)?;
                let (epoch_rows, _) = shared.config.epoch_bounds(spec.source.bounded());
                let gate = Gate::new(
                    spec.clone(),
                    Arc::clone(&name),
                    partition.name.clone(),
                    Arc::clone(&shared.config.env.clock),
                    Arc::clone(&shared.metrics),
                    epoch_rows.min(CONTAINER_ROWS),
                );
                let stop = shared.config.env.stop.clone();
                let port = self.state.front.reader_port(
                    &partition.name,
                    reader,
                    spec.source.never_waits(),
                    gate,
                    stop,
                )?;
                partitions.push(OpenPartition::new(number, port));
            }
        }
        let mut rows = Handle::new();
        let stream = rows.to_stream(self.scope);
        let outlets = Rc::new(RefCell::new(Outlets {
            rows: Some(rows),
            late: None,
            dead: None,
        }));
        self.state.inputs.borrow_mut().push(Box::new(SourceInput {
            metrics: shared.metrics.source(&name),
            name,
            outlets: Rc::clone(&outlets),
            partitions,
            shared: Arc::clone(shared),
            timed: spec.event_times.is_some(),
            bounded: spec.source.bounded(),
            turn: 0,
        }));
        Ok(Sourced {
            rows: Table::new(self.clone(), stream),
            outlets,
        })
    }

    /// This worker, from 0.
    #[must_use]
    pub fn worker(&self) -> usize {
        self.scope.index()
    }

    /// How many workers run the job.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.scope.peers()
    }

    /// The job's counters.
    #[must_use]
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.state.shared.metrics
    }

    /// The first of `name`, `name-2`, `name-3`… that is free, and taken from now on.
    #[must_use]
    pub fn unique_name(&self, name: &str) -> String {
        let mut names = self.state.names.borrow_mut();
        let mut candidate = name.to_owned();
        let mut count = 1;
        while !names.insert(candidate.clone()) {
            count += 1;
            candidate = format!("{name}-{count}");
        }
        candidate
    }

    pub(crate) fn claim_name(&self, name: &str) -> Result<(), JobError> {
        if name.is_empty() || !self.state.names.borrow_mut().insert(name.to_owned()) {
            return Err(JobError::Wrong(format!(
                "the name '{name}' is empty or taken: every source, sink and operator of a job has its own"
            )));
        }
        Ok(())
    }

    /// Says that the job is wrong, from where no error can be returned: it ends with the first of these errors, before
    /// anything runs.
    pub fn refuse(&self, error: JobError) {
        self.state.refused.borrow_mut().get_or_insert(error);
    }

    pub(crate) fn watermarks(&self) -> Stream<'s, Epoch, Vec<Risen>> {
        self.watermarks.clone()
    }

    pub(crate) fn probe(&self) -> &Probe<Epoch> {
        &self.state.probe
    }

    /// When the run began.
    pub(crate) fn started(&self) -> EventTime {
        self.state.shared.started
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.state.shared.config.env.clock)
    }

    pub(crate) fn writer_port<D: Data>(
        &self,
        name: &str,
        writer: Box<dyn Writer<D>>,
        never_waits: bool,
    ) -> Result<Box<dyn WriterPort<D>>, JobError> {
        let state = &self.state;
        state
            .front
            .writer_port(name, writer, never_waits, &state.shared.writers)
    }

    pub(crate) fn add_sink(&self, sink: Box<dyn DrivenSink>) {
        self.state.sinks.borrow_mut().push(sink);
    }

    /// The driver of what was built; the graph is complete.
    ///
    /// # Errors
    /// What was said to [`Graph::refuse`] first.
    pub(crate) fn into_driver(self) -> Result<Driver, JobError> {
        let state = &self.state;
        if let Some(error) = state.refused.take() {
            return Err(error);
        }
        Ok(Driver::new(
            Arc::clone(&state.shared),
            state.inputs.take(),
            state.sinks.take(),
            state.marks.take(),
            state.probe.clone(),
        ))
    }
}

/// A bound source: a table of its rows, with the late and the dead-letter output beside it.
pub struct Sourced<'s, D: Data> {
    rows: Table<'s, D>,
    outlets: Rc<RefCell<Outlets<D>>>,
}

impl<'s, D: Data> Sourced<'s, D> {
    /// Rows that came too late, or lie too far in the future. Counted in any case; kept only if this is asked for.
    #[must_use]
    pub fn late(&self) -> Table<'s, D> {
        let graph = self.rows.graph().clone();
        let mut outlets = self.outlets.borrow_mut();
        let stream = outlets
            .late
            .get_or_insert_with(Handle::new)
            .to_stream(graph.scope);
        Table::new(graph, stream)
    }

    /// Records that could not be decoded. Counted in any case; kept only if this is asked for.
    #[must_use]
    pub fn dead_letters(&self) -> Table<'s, DeadLetter> {
        let graph = self.rows.graph().clone();
        let mut outlets = self.outlets.borrow_mut();
        let stream = outlets
            .dead
            .get_or_insert_with(Handle::new)
            .to_stream(graph.scope);
        Table::new(graph, stream)
    }
}

impl<'s, D: Data> Deref for Sourced<'s, D> {
    type Target = Table<'s, D>;
    fn deref(&self) -> &Table<'s, D> {
        &self.rows
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;
    use crate::error::JobError;
    use crate::job::Job;

    #[test]
    fn a_job_ends_with_the_first_of_what_was_refused() {
        for workers in 1..=3 {
            let job = Job::new("refused", |g| {
                g.refuse(JobError::Wrong("the first".into()));
                g.refuse(JobError::Wrong("the second".into()));
                Ok(())
            });
            match job.run(Config::workers(workers).unwrap()) {
                Err(JobError::Wrong(text)) => assert_eq!(text, "the first"),
                ended => panic!("{ended:?}"),
            }
        }
    }
}
