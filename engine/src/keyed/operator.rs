//! The keyed operator: exchange, stash, order of epochs, capabilities, metrics.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::pact::{Exchange, Pipeline};
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::operator::Operator;

use crate::key::owner;
use crate::keyed::{Emitter, EpochTime, KeyedState};
use crate::metrics::OperatorMetrics;
use crate::table::Table;
use crate::time::{Epoch, EventTime, WATERMARK_END, WATERMARK_NONE};
use crate::update::{Update, container_rows};
use crate::watermark::Risen;

/// What has arrived for an epoch that is not complete yet.
struct Stashed<In> {
    capability: Capability<Epoch>,
    rows: Vec<Vec<Update<In>>>,
    risen: Vec<Risen>,
}

impl<In> Stashed<In> {
    fn new(capability: Capability<Epoch>) -> Self {
        Self {
            capability,
            rows: Vec::new(),
            risen: Vec::new(),
        }
    }
}

/// The state with what belongs to it on one worker.
struct Running<S: KeyedState> {
    state: S,
    watermark: EventTime,
    as_of: EventTime,
    rows: Vec<Update<S::In>>,
    buffer: Vec<Update<S::Out>>,
    metrics: Arc<OperatorMetrics>,
}

impl<S: KeyedState> Running<S> {
    /// Applies one complete epoch.
    fn apply(
        &mut self,
        epoch: Epoch,
        stashed: &mut Stashed<S::In>,
        pass_on: &mut dyn FnMut(&mut Vec<Update<S::Out>>),
    ) {
        let before = self.watermark;
        for (_, watermark) in stashed.risen.drain(..) {
            self.watermark = self.watermark.max(watermark);
            if watermark != WATERMARK_END {
                self.as_of = self.as_of.max(watermark);
            }
        }
        let time = EpochTime {
            epoch,
            watermark_before: before,
            watermark: self.watermark,
            as_of: self.as_of,
        };
        self.rows.clear();
        for rows in &mut stashed.rows {
            self.rows.append(rows);
        }
        self.metrics
            .rows_in
            .fetch_add(self.rows.len() as u64, Relaxed);
        let mut out = Emitter::new(epoch, &mut self.buffer, pass_on);
        self.state.epoch(&time, &mut self.rows, &mut out);
        self.metrics.rows_out.fetch_add(out.finish(), Relaxed);
        let size = self.state.size();
        self.metrics.keys.store(size.keys as u64, Relaxed);
        self.metrics.events.store(size.events as u64, Relaxed);
        self.metrics.bytes.store(size.bytes as u64, Relaxed);
    }
}

impl<'s, D: crate::update::Data> Table<'s, D> {
    /// Runs `state` over this table, dealt to the workers by key group, under a name that shows in the metrics.
    #[must_use]
    pub fn keyed<S: KeyedState<In = D>>(&self, name: &str, state: S) -> Table<'s, S::Out> {
        let graph = self.graph().clone();
        let name = graph.unique_name(name);
        let workers = graph.workers();
        let metrics = graph.metrics().operator(&name, graph.worker());
        let by_key =
            Exchange::new(move |update: &Update<D>| owner(S::tag(&update.0), workers) as u64);
        let watermarks = graph.watermarks();
        let stream = self
            .stream()
            .binary_frontier::<_, CapacityContainerBuilder<Vec<_>>, _, _, _, _>(
                watermarks,
                by_key,
                Pipeline,
                &name,
                move |capability, _| {
                    drop(capability);
                    let mut stash: BTreeMap<Epoch, Stashed<D>> = BTreeMap::new();
                    let mut running = Running {
                        state,
                        watermark: WATERMARK_NONE,
                        as_of: WATERMARK_NONE,
                        rows: Vec::new(),
                        buffer: Vec::with_capacity(container_rows::<S::Out>()),
                        metrics,
                    };
                    move |(rows, rows_frontier), (risen, risen_frontier), output| {
                        let port = output.output_index();
                        rows.for_each(|capability, updates| {
                            if let Some(capability) = capability.retain_least(port) {
                                let epoch = *capability.time();
                                let stashed = stash
                                    .entry(epoch)
                                    .or_insert_with(|| Stashed::new(capability));
                                stashed.rows.push(std::mem::take(updates));
                            }
                        });
                        risen.for_each(|capability, watermarks| {
                            if let Some(capability) = capability.retain_least(port) {
                                let epoch = *capability.time();
                                let stashed = stash
                                    .entry(epoch)
                                    .or_insert_with(|| Stashed::new(capability));
                                stashed.risen.append(watermarks);
                            }
                        });
                        while let Some(entry) = stash.first_entry() {
                            let epoch = *entry.key();
                            if rows_frontier.frontier().less_equal(&epoch)
                                || risen_frontier.frontier().less_equal(&epoch)
                            {
                                break;
                            }
                            let mut stashed = entry.remove();
                            let capability = stashed.capability.clone();
                            let mut session = output.session(&capability);
                            running.apply(epoch, &mut stashed, &mut |full| {
                                session.give_container(full)
                            });
                        }
                    }
                },
            );
        Table::new(graph, stream)
    }
}
