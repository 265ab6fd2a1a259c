//! A table that changes: a stream of updates, with the graph that it belongs to.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use timely::container::CapacityContainerBuilder;
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::{Exchange, Pipeline};
use timely::dataflow::operators::generic::operator::Operator;
use timely::dataflow::operators::{Capability, Probe};

use crate::deal::by_tag;
use crate::error::JobError;
use crate::graph::Graph;
use crate::key::{owner, tag_bytes};
use crate::sink::operator::SinkState;
use crate::sink::{Sink, SinkError, SinkPlace, Writer};
use crate::time::Epoch;
use crate::update::{Data, Update, Updates};

/// A table that changes: `(row, epoch, ±n)`. Cloning one is free; both continue from the same rows.
#[derive(Clone)]
pub struct Table<'s, D: Data> {
    graph: Graph<'s>,
    stream: Stream<'s, Epoch, Vec<Update<D>>>,
}

impl<'s, D: Data> Table<'s, D> {
    /// A table over a stream of updates, for operators.
    #[must_use]
    pub fn new(graph: Graph<'s>, stream: Stream<'s, Epoch, Vec<Update<D>>>) -> Self {
        Self { graph, stream }
    }

    /// The graph that the table belongs to.
    #[must_use]
    pub fn graph(&self) -> &Graph<'s> {
        &self.graph
    }

    /// The updates.
    #[must_use]
    pub fn stream(&self) -> Stream<'s, Epoch, Vec<Update<D>>> {
        self.stream.clone()
    }

    /// Ends the table in a sink. The name shows in the metrics and in errors, and must be unique in the job.
    ///
    /// # Errors
    /// [`JobError::Sink`] when the sink cannot be opened, [`JobError::Wrong`] when the name is taken.
    pub fn sink(&self, name: &str, sink: impl Sink<D>) -> Result<(), JobError> {
        let graph = &self.graph;
        graph.claim_name(name)?;
        let place = SinkPlace {
            worker: graph.worker(),
            workers: graph.workers(),
            clock: graph.clock(),
            started: graph.started(),
        };
        let home = sink
            .single()
            .then(|| owner(tag_bytes(name.as_bytes()), graph.workers()));
        let writer = match home {
            Some(worker) if worker != graph.worker() => Box::new(Elsewhere),
            _ => sink.open(place).map_err(|error| JobError::Sink {
                sink_name: name.to_owned(),
                error,
            })?,
        };
        let port = graph.writer_port(name, writer, sink.never_waits())?;
        let acknowledged = match (home, sink.dealt_by()) {
            (Some(worker), _) => {
                let together = Exchange::new(move |_: &Update<D>| worker as u64);
                self.ended(together, name, port)
            }
            (None, Some(tags)) => self.ended(by_tag(tags), name, port),
            (None, None) => self.ended(Pipeline, name, port),
        };
        acknowledged.probe_with(graph.probe());
        Ok(())
    }

    /// The sink operator; its stream stays empty, and its frontier is what the writer has acknowledged.
    fn ended<P>(
        &self,
        pact: P,
        name: &str,
        port: Box<dyn crate::sink::port::WriterPort<D>>,
    ) -> Stream<'s, Epoch, Vec<()>>
    where
        P: timely::dataflow::channels::pact::ParallelizationContract<Epoch, Vec<Update<D>>>,
    {
        let graph = &self.graph;
        let metrics = graph.metrics().sink(name, graph.worker());
        let scope = self.stream.scope();
        self.stream()
            .unary_frontier::<CapacityContainerBuilder<Vec<()>>, _, _, _>(
                pact,
                name,
                move |capability, info| {
                    drop(capability);
                    let activator = scope.activator_for(info.address);
                    let state = SinkState::new(name.to_owned(), port, activator, metrics);
                    let state = Rc::new(RefCell::new(state));
                    graph.add_sink(Box::new(Rc::clone(&state)));
                    let mut stash: BTreeMap<Epoch, (Capability<Epoch>, Updates<D>)> =
                        BTreeMap::new();
                    move |(input, frontier), output| {
                        input.for_each(|capability, updates| {
                            if let Some(capability) = capability.retain_least(output.output_index())
                            {
                                let epoch = *capability.time();
                                let stashed = stash
                                    .entry(epoch)
                                    .or_insert_with(|| (capability, Updates::default()));
                                stashed.1.push(std::mem::take(updates));
                            }
                        });
                        let mut state = state.borrow_mut();
                        state.held.retain(|_, capability| capability.is_some());
                        while let Some(entry) = stash.first_entry() {
                            if frontier.frontier().less_equal(entry.key()) {
                                break;
                            }
                            let (capability, updates) = entry.remove();
                            state.offer(capability, updates);
                        }
                    }
                },
            )
    }
}

/// Stands where a sink has its single writer on another worker: no row comes here.
struct Elsewhere;

impl<D> Writer<D> for Elsewhere {
    fn write(&mut self, _: Epoch, _: Updates<D>) -> Result<(), SinkError> {
        Ok(())
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}
