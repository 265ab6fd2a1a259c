//! Degree: for each node, how many other nodes it has an edge to.
//!
//! # Invariants
//! 1. After every epoch each node with an edge has one row; copies of an edge and edges to itself do not count.
//!
//! # Cost
//! Two lookups per changed edge, a group per node. Where copies are to count, it is `count()` over the edges.

use serde::{Deserialize, Serialize};
use thalweg_engine::table::Table;

use crate::aggregate::count_where;
use crate::graph::{Edge, Undirected};
use crate::key_by::KeyBy;
use crate::table_ops::TableOps;

/// A node and how many neighbours it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Degree {
    /// The node.
    pub node: u64,
    /// Other nodes that it has an edge to.
    pub neighbours: u64,
}

impl<'s> Undirected<'s> {
    /// How many neighbours each node has.
    #[must_use]
    pub fn degrees(&self) -> Table<'s, Degree> {
        let by_node = self.arcs().key_by(|(node, _)| *node).lifetime();
        let others = count_where(|(node, other): &Edge| node != other);
        let counted = by_node.latest(&self.named("degrees"), others);
        counted.map(|row| Degree {
            node: row.key,
            neighbours: row.value.unsigned_abs(),
        })
    }
}
