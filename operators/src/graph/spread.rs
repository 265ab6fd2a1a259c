//! Label spread: labels go along edges, up to k hops from the nodes that carry them.
//!
//! ```text
//! (node, label) ─ distinct ─▶ within 0 hops ─ hop ∪ itself ─ distinct ─▶ within 1 hop ─▶ … ─▶ within k hops
//!                                    └───────────────────┴─── in how many of the k + 1 ───▶ (node, label, hops)
//! ```
//!
//! What is within i hops is within i + 1 as well, so a label that is h hops away is in k + 1 − h of these tables.
//!
//! # Invariants
//! 1. After every epoch there is one row for each node and label such that a path of at most k edges leads from the
//!    node to one that carries the label; `hops` is the length of the shortest. A carrier has its own label at 0 hops,
//!    whether it has edges or not.
//! 2. `nearest` is, per node, the label of the fewest hops, and of those the least label.
//! 3. `flagged_within` has one row for each node with an edge: how many flagged nodes other than itself are at most k
//!    hops away; 0 where there is none.
//!
//! # Cost
//! A changed edge costs the labels that are within k − 1 hops of its ends, a changed label the nodes in its reach, k
//! times over. State: for each i the pairs within i hops. Neighbourhoods grow by the degree with each hop: few hops, or
//! few labels.

use serde::{Deserialize, Serialize};
use thalweg_engine::table::Table;

use crate::aggregate::{count, count_where, first};
use crate::graph::hop::hop;
use crate::graph::{Edge, Flagged, Undirected, distinct_pairs, own_labels};
use crate::key_by::KeyBy;
use crate::table_ops::TableOps;

/// A label that has spread to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Spread {
    /// The node.
    pub node: u64,
    /// The label.
    pub label: u64,
    /// Edges on the shortest path to a node that carries it.
    pub hops: u64,
}

/// The label nearest to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Nearest {
    /// The node.
    pub node: u64,
    /// The least of the labels of the fewest hops.
    pub label: u64,
    /// Edges on the shortest path to a node that carries it.
    pub hops: u64,
}

impl<'s> Undirected<'s> {
    /// Each label with each node that is at most `hops` edges from one that carries it: a row per node and label.
    ///
    /// Labels are rows (node, label). A node may carry several, and copies count once.
    #[must_use]
    pub fn spread(&self, labels: &Table<'s, (u64, u64)>, hops: u32) -> Table<'s, Spread> {
        let name = self.named("spread");
        self.spread_of(&distinct_pairs(labels, &name), hops, &name)
    }

    /// The nearest label of each node that has one within `hops` edges: a row per node.
    #[must_use]
    pub fn nearest(&self, labels: &Table<'s, (u64, u64)>, hops: u32) -> Table<'s, Nearest> {
        let name = self.named("nearest");
        let spread = self.spread_of(&distinct_pairs(labels, &name), hops, &name);
        let by_node = spread.key_by(|row| row.node).lifetime();
        let of_fewest = first(|row: &Spread| (row.hops, row.label), |row| *row);
        let nearest = by_node.latest(&name, of_fewest);
        nearest.flat_map(|row| {
            row.value
                .map(|Spread { node, label, hops }| Nearest { node, label, hops })
        })
    }

    /// How many flagged nodes other than itself each node has within `hops` edges.
    #[must_use]
    pub fn flagged_within(&self, flagged: &Table<'s, u64>, hops: u32) -> Table<'s, Flagged> {
        let name = self.named("flagged within");
        let spread = self.spread_of(&own_labels(flagged, &name), hops, &name);
        let near = spread.filter(|row| row.hops > 0);
        let near = near.map(|row| (row.node, true));
        // Every node with an edge has a row, and every edge says so at both ends.
        let there = self.arcs().map(|(node, _)| (node, false));
        let by_node = near.union(&there).key_by(|(node, _)| *node).lifetime();
        let counted = by_node.latest(
            &name,
            count_where(|(_, is_flagged): &(u64, bool)| *is_flagged),
        );
        counted.map(|row| Flagged {
            node: row.key,
            flagged: row.value.unsigned_abs(),
        })
    }

    fn spread_of(&self, labels: &Table<'s, Edge>, hops: u32, name: &str) -> Table<'s, Spread> {
        let arcs = self.arcs();
        let (mut within, mut all) = (labels.clone(), labels.clone());
        for _ in 0..hops {
            let further = hop(&within, &arcs, name).union(&within);
            within = distinct_pairs(&further, name);
            all = all.union(&within);
        }
        let tables = u64::from(hops) + 1;
        let counted = all.key_by(|pair| *pair).lifetime().latest(name, count());
        counted.map(move |row| Spread {
            node: row.key.0,
            label: row.key.1,
            hops: tables - row.value.unsigned_abs(),
        })
    }
}
