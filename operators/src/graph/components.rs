//! Connected components: each node with the least node that it hangs together with.
//!
//! ```text
//! (a, b) @ epoch × ±1 ─▶ spanning forest ─▶ (node, label) @ epoch × −old +new, for each node whose label changed
//! ```
//!
//! # Invariants
//! 1. After every epoch each node with an edge has one row, whose label is the least node of its component.
//! 2. A node whose label did not change writes nothing. Within an epoch edges come before edges go, so that an edge
//!    that replaces another costs and changes no more than it must.
//!
//! # Cost
//! An insertion that joins two components moves the nodes of the lesser: each node moves at most log₂ n times while
//! there are insertions alone. Any other is O(1), and some of them make the forest shallower. Deleting an edge that is
//! not in the forest is O(1). Deleting one that is asks the edges of the node below the cut, and then of those below
//! that, for one that leads out: in a random graph one or two nodes are asked, however many there are. What hangs by
//! the edge that is found sinks where it must, which is a few nodes on average. Where no edge is found soon, both sides
//! of the cut are walked in turn, so that it costs no more than some edges of the lesser: half of a chain that meets
//! itself and is cut in its middle. Every n-th cut of a component of n nodes counts its levels again, a node per cut.
//! Beyond that a changed label costs its row.
//!
//! Who hangs together with whom may depend on every edge, so the graph lies on one worker, which all others feed; what
//! goes before and after is on all.

use serde::{Deserialize, Serialize};
use thalweg_engine::column::Column;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, KeyedState, StateError, StateSize};
use thalweg_engine::table::Table;
use thalweg_engine::update::Updates;

use crate::codec;
use crate::graph::forest::Forest;
use crate::graph::{Edge, Undirected};

/// A node and its component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Component {
    /// The node.
    pub node: u64,
    /// The least node of its component.
    pub label: u64,
}

impl<'s> Undirected<'s> {
    /// Each node with the least node of its component.
    #[must_use]
    pub fn components(&self) -> Table<'s, Component> {
        let state = Components(Forest::new());
        self.edges
            .keyed(&self.named("components"), Column::new(|_| 0), state)
    }
}

/// The keyed state of components, all under one tag.
struct Components(Forest);

impl KeyedState for Components {
    type In = Edge;
    type Out = Component;
    const FORMAT: u32 = 1;

    fn epoch(&mut self, _: &EpochTime, rows: Updates<Edge>, out: &mut Emitter<'_, Component>) {
        let changed = |sign: i64| {
            let rows = rows
                .iter()
                .filter(move |(_, _, diff)| diff.signum() == sign);
            rows.map(|(edge, _, _)| *edge)
        };
        self.0.insert(changed(1));
        self.0.remove(changed(-1));
        self.0.settle(|node, told, label| {
            let row = |label| Component { node, label };
            out.replace(told.map(row), label.map(row));
        });
    }

    fn save(&self, group: KeyGroup, into: &mut Vec<u8>) -> Result<(), StateError> {
        let edges: Vec<Edge> = if group.holds(0) {
            self.0.graph().edges().collect()
        } else {
            Vec::new()
        };
        codec::encode(&edges, into)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        let edges: Vec<Edge> = codec::decode(bytes)?;
        self.0.insert(edges);
        self.0.settle(|_, _, _| {});
        Ok(())
    }

    fn size(&self) -> StateSize {
        StateSize {
            keys: self.0.graph().nodes_len(),
            events: self.0.graph().edges_len(),
            bytes: self.0.bytes(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::testing::{assert_brute_force, clean_log, reach};
    use crate::laws::assert_continues;

    fn labels(edges: &[Edge]) -> Vec<Component> {
        let row = |(node, near): (u64, Vec<u64>)| Component {
            node,
            label: near.into_iter().min().unwrap_or(node),
        };
        reach(edges).into_iter().map(row).collect()
    }

    #[test]
    fn components_are_brute_force_at_every_epoch() {
        for seed in 0..400 {
            assert_brute_force(seed, Components(Forest::new()), labels);
        }
    }

    #[test]
    fn a_saved_graph_continues_as_if_never_interrupted() {
        for seed in 0..40 {
            assert_continues(|| Components(Forest::new()), |_| 0, &clean_log(seed));
        }
    }
}
