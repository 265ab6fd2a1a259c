//! One hop: what stands at a node goes to every node that it points at, and is taken back when either goes.
//!
//! ```text
//! (node, label) @ epoch × ±1 ──┐
//!                              ├─ by node ─▶ (target, label) @ epoch × ±1 for each label and arc of a node
//! (node, target) @ epoch × ±1 ─┘
//! ```
//!
//! # Invariants
//! 1. Summed over all epochs, the output has one copy of (target, label) for each node that has the label and the arc:
//!    over an epoch, Δlabels × old arcs + new labels × Δarcs.
//! 2. Copies that cancel within an epoch may be written; `distinct` behind it takes them out.
//!
//! # Cost
//! A changed label costs its node's arcs, a changed arc its node's labels, each O(log n). State: both tables.

use std::collections::BTreeSet;

use thalweg_engine::column::Column;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, PairedState, StateError, StateSize};
use thalweg_engine::table::Table;
use thalweg_engine::update::Updates;

use crate::codec;

type Pair = (u64, u64);

/// Pairs by their first node.
pub(super) fn first() -> Column<Pair, u64> {
    Column::new(|pair: &Pair| pair.0)
}

/// Sends labels over arcs: both tables hold each pair once.
pub(super) fn hop<'s>(
    labels: &Table<'s, Pair>,
    arcs: &Table<'s, Pair>,
    name: &str,
) -> Table<'s, Pair> {
    labels.keyed_with(name, first(), arcs, first(), Hop::default())
}

/// The keyed state of a hop.
#[derive(Default)]
struct Hop {
    labels: BTreeSet<Pair>,
    arcs: BTreeSet<Pair>,
}

/// What a node has in a table.
pub(super) fn of(table: &BTreeSet<Pair>, node: u64) -> impl Iterator<Item = u64> {
    table.range((node, 0)..=(node, u64::MAX)).map(|pair| pair.1)
}

/// Adds or removes a pair.
pub(super) fn change(table: &mut BTreeSet<Pair>, pair: Pair, diff: i64) {
    if diff > 0 {
        table.insert(pair);
    } else {
        table.remove(&pair);
    }
}

impl PairedState for Hop {
    type Left = Pair;
    type Right = Pair;
    type Out = Pair;
    const FORMAT: u32 = 1;

    fn epoch(
        &mut self,
        _: &EpochTime,
        labels: Updates<Pair>,
        arcs: Updates<Pair>,
        out: &mut Emitter<'_, Pair>,
    ) {
        for ((node, label), _, diff) in labels {
            of(&self.arcs, node).for_each(|target| out.emit((target, label), diff));
            change(&mut self.labels, (node, label), diff);
        }
        for ((node, target), _, diff) in arcs {
            of(&self.labels, node).for_each(|label| out.emit((target, label), diff));
            change(&mut self.arcs, (node, target), diff);
        }
    }

    fn save(&self, group: KeyGroup, into: &mut Vec<u8>) -> Result<(), StateError> {
        let ours = |table: &BTreeSet<Pair>| -> Vec<Pair> {
            let rows = table.iter().copied();
            rows.filter(|(node, _)| group.holds(*node)).collect()
        };
        codec::encode(&(ours(&self.labels), ours(&self.arcs)), into)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        let (labels, arcs): (Vec<Pair>, Vec<Pair>) = codec::decode(bytes)?;
        self.labels.extend(labels);
        self.arcs.extend(arcs);
        Ok(())
    }

    fn size(&self) -> StateSize {
        let pairs = self.labels.len() + self.arcs.len();
        StateSize {
            keys: self.labels.len(),
            events: pairs,
            // A B-tree's leaves are two thirds full, as far as one can tell from outside.
            bytes: pairs * size_of::<Pair>() * 3 / 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::testing::clean_log;
    use crate::laws::{Side, Sided, assert_continues, side_tag};

    #[test]
    fn saved_labels_and_arcs_continue_as_if_never_interrupted() {
        for seed in 0..40 {
            let (labels, arcs) = (clean_log(seed), clean_log(seed + 40));
            let both = labels
                .into_iter()
                .zip(arcs)
                .map(|((time, left), (_, right))| {
                    let left = left
                        .into_iter()
                        .map(|(row, diff)| (Side::Left(row.0, row), diff));
                    let right = right
                        .into_iter()
                        .map(|(row, diff)| (Side::Right(row.0, row), diff));
                    (time, left.chain(right).collect())
                });
            assert_continues(|| Sided(Hop::default()), side_tag, &both.collect());
        }
    }
}
