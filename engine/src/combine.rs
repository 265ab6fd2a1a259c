//! Combining before the exchange: a worker's own rows of an epoch, added up where groups are far fewer than rows.
//!
//! ```text
//! (row, epoch, ±n) ─ local ─▶ stash by epoch ─ epoch complete ─▶ Combiner ─▶ (partial, epoch, 1) ─▶ exchange…
//! ```
//!
//! Worth a factor of twelve for histograms; for groups nearly as many as rows it halves the speed.

use std::collections::BTreeMap;

use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::operator::Operator;

use crate::keyed::Emitter;
use crate::table::Table;
use crate::time::Epoch;
use crate::update::{Data, Update};

/// Adds up a worker's rows of one epoch. It keeps nothing from epoch to epoch.
pub trait Combiner<D>: 'static {
    /// What a group's rows add up to.
    type Partial: Data;

    /// Adds rows with their signs.
    fn add(&mut self, rows: &[Update<D>]);

    /// Emits what was added up, and is empty again.
    fn finish(&mut self, out: &mut Emitter<'_, Self::Partial>);
}

impl<'s, D: Data> Table<'s, D> {
    /// Adds up each epoch's rows on the worker where they are.
    #[must_use]
    pub fn combine<C: Combiner<D>>(&self, name: &str, mut combiner: C) -> Table<'s, C::Partial> {
        let name = self.graph().unique_name(name);
        let stream = self
            .stream()
            .unary_frontier::<CapacityContainerBuilder<Vec<_>>, _, _, _>(
                Pipeline,
                &name,
                move |capability, _| {
                    drop(capability);
                    let mut stash: BTreeMap<Epoch, (Capability<Epoch>, Vec<Vec<Update<D>>>)> =
                        BTreeMap::new();
                    let mut buffer = Vec::new();
                    move |(input, frontier), output| {
                        input.for_each(|capability, rows| {
                            if let Some(capability) = capability.retain_least(output.output_index())
                            {
                                let stashed = stash
                                    .entry(*capability.time())
                                    .or_insert_with(|| (capability, Vec::new()));
                                stashed.1.push(std::mem::take(rows));
                            }
                        });
                        while let Some(entry) = stash.first_entry() {
                            if frontier.frontier().less_equal(entry.key()) {
                                break;
                            }
                            let (epoch, (capability, rows)) = entry.remove_entry();
                            rows.iter().for_each(|rows| combiner.add(rows));
                            let mut session = output.session(&capability);
                            let mut pass_on = |full: &mut Vec<_>| session.give_container(full);
                            let mut out = Emitter::new(epoch, &mut buffer, &mut pass_on);
                            combiner.finish(&mut out);
                            out.finish();
                        }
                    }
                },
            );
        Table::new(self.graph().clone(), stream)
    }
}
