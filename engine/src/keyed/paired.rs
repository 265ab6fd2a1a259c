//! The keyed operator over two tables: what a join is.
//!
//! ```text
//! left  (row, epoch, ±n) ── by key group ──┐
//! right (row, epoch, ±n) ── by key group ──┼─ stash by epoch ─ all frontiers passed ─▶ PairedState::epoch ─▶ net output
//! (epoch, watermark) ──────────────────────┘
//! ```
//!
//! Rows of both sides with one tag meet on one worker. Nothing is projected or copied on the way.

use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;

use crate::column::Column;
use crate::deal::by_tag;
use crate::keyed::clock::EpochClock;
use crate::keyed::stash::Stash;
use crate::keyed::{Emitter, EpochTime, KeyGroup, StateError, StateSize};
use crate::table::Table;
use crate::time::Epoch;
use crate::update::{Data, Update, Updates, container_rows};

/// State by key over two tables. The laws are those of [`KeyedState`](crate::keyed::KeyedState).
pub trait PairedState: 'static {
    /// What comes in on the left.
    type Left: Data;
    /// What comes in on the right.
    type Right: Data;
    /// What goes out.
    type Out: Data;
    /// The version of what [`PairedState::save`] writes.
    const FORMAT: u32;

    /// Applies the whole epoch, in any order, then lets time pass to `time.watermark`. Both sides may be empty.
    fn epoch(
        &mut self,
        time: &EpochTime,
        left: Updates<Self::Left>,
        right: Updates<Self::Right>,
        out: &mut Emitter<'_, Self::Out>,
    );

    /// Says, before an epoch, that it is the last with rows on the right, if it has any. In which epoch that comes to be
    /// known depends on timing: what is written must not.
    fn right_has_ended(&mut self) {}

    /// Appends the state of the keys in one key group.
    ///
    /// # Errors
    /// [`StateError`] when it cannot be encoded.
    fn save(&self, group: KeyGroup, into: &mut Vec<u8>) -> Result<(), StateError>;

    /// Takes over what [`PairedState::save`] wrote for a key group.
    ///
    /// # Errors
    /// [`StateError`] when the bytes are not such a state.
    fn load(&mut self, bytes: &[u8]) -> Result<(), StateError>;

    /// What the state holds now.
    fn size(&self) -> StateSize;
}

impl<'s, D: Data> Table<'s, D> {
    /// Runs `state` over this table and another, each dealt to the workers by the key group of its tags.
    #[must_use]
    pub fn keyed_with<S: PairedState<Left = D>>(
        &self,
        name: &str,
        left_tags: Column<D, u64>,
        right: &Table<'s, S::Right>,
        right_tags: Column<S::Right, u64>,
        mut state: S,
    ) -> Table<'s, S::Out> {
        let graph = self.graph().clone();
        let name = graph.unique_name(name);
        let metrics = graph.metrics().operator(&name, graph.worker());
        let mut builder = OperatorBuilder::new(name, self.stream().scope());
        let mut left_input = builder.new_input(self.stream(), by_tag(left_tags));
        let mut right_input = builder.new_input(right.stream(), by_tag(right_tags));
        let mut risen_input = builder.new_input(graph.watermarks(), Pipeline);
        let (output, stream) = builder.new_output();
        let mut output: OutputBuilder<_, CapacityContainerBuilder<Vec<Update<S::Out>>>> =
            OutputBuilder::from(output);
        builder.build(move |capabilities| {
            drop(capabilities);
            let mut stash = Stash::<(Updates<D>, Updates<S::Right>)>::new();
            let mut clock = EpochClock::new();
            let mut buffer = Vec::with_capacity(container_rows::<S::Out>());
            move |frontiers| {
                let mut output = output.activate();
                let port = output.output_index();
                left_input.for_each(|capability, updates| {
                    if let Some(stashed) = stash.at(capability.retain_least(port)) {
                        stashed.rows.0.push(std::mem::take(updates));
                    }
                });
                right_input.for_each(|capability, updates| {
                    if let Some(stashed) = stash.at(capability.retain_least(port)) {
                        stashed.rows.1.push(std::mem::take(updates));
                    }
                });
                risen_input.for_each(|capability, watermarks| {
                    if let Some(stashed) = stash.at(capability.retain_least(port)) {
                        stashed.risen.append(watermarks);
                    }
                });
                let may_come = |epoch: &Epoch| {
                    let mut inputs = frontiers.iter();
                    inputs.any(|frontier| frontier.frontier().less_equal(epoch))
                };
                while let Some(stashed) = stash.complete(may_come) {
                    let epoch = *stashed.capability.time();
                    let (left, right) = stashed.rows;
                    let time = clock.advance(epoch, &stashed.risen);
                    metrics.took(left.len() + right.len());
                    let mut session = output.session(&stashed.capability);
                    let mut pass_on = |full: &mut Vec<_>| session.give_container(full);
                    let mut out = Emitter::new(epoch, &mut buffer, &mut pass_on);
                    if frontiers[1].is_empty() && stash.all(|(_, right)| right.is_empty()) {
                        state.right_has_ended();
                    }
                    state.epoch(&time, left, right, &mut out);
                    metrics.forgot(out.forgotten());
                    metrics.gave(out.finish(), state.size());
                }
            }
        });
        Table::new(graph, stream)
    }
}
