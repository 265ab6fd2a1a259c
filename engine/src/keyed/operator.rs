//! The keyed operator: exchange, stash, order of epochs, capabilities, metrics.

use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::operator::Operator;

use crate::column::Column;
use crate::deal::by_tag;
use crate::keyed::clock::EpochClock;
use crate::keyed::stash::Stash;
use crate::keyed::{Emitter, KeyedState};
use crate::table::Table;
use crate::time::Epoch;
use crate::update::{Data, Updates, container_rows};

impl<'s, D: Data> Table<'s, D> {
    /// Runs `state` over this table, dealt to the workers by the key group of the tags, which rows of one key share. The
    /// name shows in the metrics.
    #[must_use]
    pub fn keyed<S: KeyedState<In = D>>(
        &self,
        name: &str,
        tags: Column<D, u64>,
        mut state: S,
    ) -> Table<'s, S::Out> {
        let graph = self.graph().clone();
        let name = graph.unique_name(name);
        let metrics = graph.metrics().operator(&name, graph.worker());
        let stream = self
            .stream()
            .binary_frontier::<_, CapacityContainerBuilder<Vec<_>>, _, _, _, _>(
                graph.watermarks(),
                by_tag(tags),
                Pipeline,
                &name,
                move |capability, _| {
                    drop(capability);
                    let mut stash = Stash::<Updates<D>>::new();
                    let mut clock = EpochClock::new();
                    let mut buffer = Vec::with_capacity(container_rows::<S::Out>());
                    move |(rows, rows_frontier), (risen, risen_frontier), output| {
                        let port = output.output_index();
                        rows.for_each(|capability, updates| {
                            if let Some(stashed) = stash.at(capability.retain_least(port)) {
                                stashed.rows.push(std::mem::take(updates));
                            }
                        });
                        risen.for_each(|capability, watermarks| {
                            if let Some(stashed) = stash.at(capability.retain_least(port)) {
                                stashed.risen.append(watermarks);
                            }
                        });
                        let may_come = |epoch: &Epoch| {
                            rows_frontier.frontier().less_equal(epoch)
                                || risen_frontier.frontier().less_equal(epoch)
                        };
                        while let Some(stashed) = stash.complete(may_come) {
                            let epoch = *stashed.capability.time();
                            let time = clock.advance(epoch, &stashed.risen);
                            metrics.took(stashed.rows.len());
                            let mut session = output.session(&stashed.capability);
                            let mut pass_on = |full: &mut Vec<_>| session.give_container(full);
                            let mut out = Emitter::new(epoch, &mut buffer, &mut pass_on);
                            state.epoch(&time, stashed.rows, &mut out);
                            metrics.forgot(out.forgotten());
                            metrics.gave(out.finish(), state.size());
                        }
                    }
                },
            );
        Table::new(graph, stream)
    }
}
