//! Graph features over edges that come and go.
//!
//! ```text
//! (a, b) @ epoch × ±n ─▶ undirected ─▶ (least, greatest) @ epoch × ±1 ─┬─▶ degrees            node, neighbours
//!                                                                      ├─▶ components         node, label
//!                                                                      ├─▶ triangles          node, triangles
//!                                                                      ├─▶ spread             node, label, hops
//!                                                                      ├─▶ nearest            node, label, hops
//!                                                                      ├─▶ flagged_within     node, flagged
//!                                                                      └─▶ flagged_connected  node, flagged
//! ```
//!
//! Edges have no direction, and an edge is there while its copies add up to more than none: copies beyond the first
//! change nothing, and a retraction may come before what it retracts. A node is there while it has an edge. An edge
//! from a node to itself keeps the node there and counts for nothing else, which is how a node without others is kept.
//!
//! # Nodes
//! Nodes are `u64`, taken as they are: two nodes are one only if their numbers are. Users, cards and devices in one
//! graph need numbers of their own: where each has one, put the kind in the top bits, and nothing can collide.
//!
//! Names become numbers by [`Key::tag`] of kind and name, the frozen hash that keys are dealt by, the same in every run.
//! Nothing here interns names, so two names of one tag are one node, and nobody is told. Among n names some two are
//! with a chance of n² / 2⁶⁵: 3 in 10⁸ for a million, 3 in 10⁴ for a hundred million. That holds against chance, not
//! against someone who picks names in order to collide: where names come from outside, number them in a table first.
//! The way back is a lookup of the name by its tag.
//!
//! ```
//! use thalweg_engine::key::Key;
//!
//! #[repr(u8)]
//! enum Kind { User = 1, Card = 2 }
//!
//! let node = |kind: Kind, name: &str| (kind as u8, name.to_owned()).tag();
//! assert_eq!(node(Kind::User, "ann"), node(Kind::User, "ann"));
//! assert_ne!(node(Kind::User, "7"), node(Kind::Card, "7"));
//! ```
//!
//! # Into an online store
//! A row says what holds as of its epoch, and has no event time: an edge that goes takes rows back long after anything
//! happened at its ends. A view of such rows is declared with `.by_epoch()` in place of `.version(…)`: of two rows of a
//! node that of the later run stands, and in a run that of the later epoch, so that a number falls in the store in the
//! epoch in which the edge goes. Keys must be single: `degrees`, `components`, `triangles`, `nearest` and both `flagged_`
//! features have one row per node, `spread` one per node and label.
//!
//! ```text
//! let view = View::new("risk").key(|row: &Risk| row.user.to_string()).by_epoch();
//! graph.flagged_connected(&flagged).flat_map(of_users).sink("risk", Embedded::view(dir, view))?;
//! ```
//!
//! `examples/fraud` does so, and reads the store before and after an edge goes, while the job runs.
//!
//! # Cost
//! | feature | cost of a changed edge | state | workers |
//! |---|---|---|---|
//! | [`Undirected::degrees`] | O(1) | 1 group per node | all |
//! | [`Undirected::components`] | see [`components`] | some 90 B per edge, 140 per node | 1 |
//! | [`Undirected::triangles`] | the lesser degree of its ends | as components | 1 |
//! | [`Undirected::spread`], `nearest`, `flagged_within` | labels that pass over it | k × pairs in reach | all |
//! | [`Undirected::flagged_connected`] | as components, and the rows it changes | and 2 entries per node | all |
//!
//! What is written is beyond that as much as changes: whoever joins two components changes every label of one of them.
//!
//! These are keyed states of their own and not differential's operators: over totally ordered epochs a feature needs
//! no history, and none of its loops an iteration's timestamps. On 200,000 random edges in epochs of 8,192,
//! differential's `propagate` kept components at 0.014 million edges per CPU-second where `components` keeps a million
//! edges at 1.2. `join::differential` stays the way to whatever is not here.

mod adjacency;
pub mod components;
mod connected;
mod degree;
mod distinct;
mod forest;
mod hop;
mod mend;
mod sink;
mod spread;
#[cfg(test)]
mod testing;
mod tree;
mod triangles;
mod walk;

use thalweg_engine::column::Column;
use thalweg_engine::key::Key;
use thalweg_engine::table::Table;

pub use components::Component;
pub use degree::Degree;
pub use spread::{Nearest, Spread};
pub use triangles::Triangles;

use crate::table_ops::TableOps;
use distinct::Distinct;

/// Two nodes.
pub type Edge = (u64, u64);

/// How many flagged nodes a node has about it, other than itself.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub struct Flagged {
    /// The node.
    pub node: u64,
    /// Flagged nodes about it.
    pub flagged: u64,
}

/// Tables of edges as graphs.
pub trait Edges<'s> {
    /// The graph of these edges, without direction. The name is the first word of its operators' names in the metrics.
    #[must_use]
    fn undirected(&self, name: &str) -> Undirected<'s>;
}

impl<'s> Edges<'s> for Table<'s, Edge> {
    fn undirected(&self, name: &str) -> Undirected<'s> {
        let ordered = self.map(|(a, b)| (a.min(b), a.max(b)));
        Undirected {
            name: name.to_owned(),
            edges: distinct_pairs(&ordered, name),
        }
    }
}

/// A graph without direction. Features taken from one share its edges.
#[derive(Clone)]
pub struct Undirected<'s> {
    name: String,
    edges: Table<'s, Edge>,
}

impl<'s> Undirected<'s> {
    /// The edges that are there, the lesser node first, each once.
    #[must_use]
    pub fn edges(&self) -> Table<'s, Edge> {
        self.edges.clone()
    }

    /// The edges as (node, neighbour): both ways, and once for an edge from a node to itself.
    fn arcs(&self) -> Table<'s, Edge> {
        self.edges.flat_map(|(a, b)| {
            let back = (a != b).then_some((b, a));
            std::iter::once((a, b)).chain(back)
        })
    }

    fn named(&self, feature: &str) -> String {
        format!("{} {feature}", self.name)
    }
}

/// The pairs that are there, each once.
fn distinct_pairs<'s>(pairs: &Table<'s, (u64, u64)>, name: &str) -> Table<'s, (u64, u64)> {
    pairs.keyed(name, Column::new(Key::tag), Distinct::new())
}

/// Nodes as labels of themselves, each once.
fn own_labels<'s>(nodes: &Table<'s, u64>, name: &str) -> Table<'s, (u64, u64)> {
    distinct_pairs(&nodes.map(|node| (node, node)), name)
}
