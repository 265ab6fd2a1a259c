//! Triangles: for each node, how many pairs of its neighbours are neighbours of each other.
//!
//! ```text
//! (a, b) @ epoch × ±1 ─▶ common neighbours of a and b ─▶ (node, triangles) @ epoch × −old +new
//! ```
//!
//! # Invariants
//! 1. After every epoch each node with an edge has one row: the triangles of three different nodes that it is one of.
//! 2. A node whose number did not change writes nothing.
//!
//! # Cost
//! A changed edge looks at each edge of its end that has fewer, and writes a row for each common neighbour. Edges of a
//! triangle meet at no one node, so the graph lies on one worker, as for components.

use serde::{Deserialize, Serialize};
use thalweg_engine::column::Column;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, KeyedState, StateError, StateSize};
use thalweg_engine::table::Table;
use thalweg_engine::update::Updates;

use crate::codec;
use crate::graph::adjacency::{Adjacency, List};
use crate::graph::{Edge, Undirected};

/// A node and its triangles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Triangles {
    /// The node.
    pub node: u64,
    /// Triangles that it is a corner of.
    pub triangles: u64,
}

impl<'s> Undirected<'s> {
    /// How many triangles each node is a corner of.
    #[must_use]
    pub fn triangles(&self) -> Table<'s, Triangles> {
        let state = Corners::new();
        self.edges
            .keyed(&self.named("triangles"), Column::new(|_| 0), state)
    }
}

/// A node's triangles, and those last written for it.
#[derive(Clone, Copy, Default)]
struct Corner {
    triangles: u64,
    told: Option<u64>,
    touched: bool,
}

/// The keyed state of triangles, all under one tag.
struct Corners {
    graph: Adjacency,
    corners: Vec<Corner>,
    touched: Vec<u32>,
    common: Vec<u32>,
}

impl Corners {
    fn new() -> Self {
        Self {
            graph: Adjacency::new(),
            corners: Vec::new(),
            touched: Vec::new(),
            common: Vec::new(),
        }
    }

    fn touch(&mut self, node: u32) -> &mut Corner {
        let corner = &mut self.corners[node as usize];
        if !corner.touched {
            corner.touched = true;
            self.touched.push(node);
        }
        corner
    }

    fn node(&mut self, number: u64) -> u32 {
        let (node, new) = self.graph.node(number);
        if new && node as usize == self.corners.len() {
            self.corners.push(Corner::default());
        }
        node
    }

    fn insert(&mut self, edge: Edge) {
        let ends = [self.node(edge.0), self.node(edge.1)];
        self.graph.insert(ends, List::Rest);
        self.close(ends, |corner, n| corner.triangles += n);
    }

    fn remove(&mut self, edge: Edge) {
        let (Some(a), Some(b)) = (self.graph.known(edge.0), self.graph.known(edge.1)) else {
            return;
        };
        if let Some(edge) = self.graph.find([a, b]) {
            self.graph.remove(edge);
            self.close([a, b], |corner, n| corner.triangles -= n);
        }
    }

    /// Changes the corners of all triangles over an edge.
    fn close(&mut self, ends: [u32; 2], change: impl Fn(&mut Corner, u64)) {
        let mut common = std::mem::take(&mut self.common);
        if ends[0] != ends[1] {
            let mut sides = ends;
            sides.sort_by_key(|node| self.graph.degree(*node));
            let halves = self.graph.halves(sides[0], List::Rest);
            let near = halves.map(|half| self.graph.across(half));
            let third = near.filter(|node| !ends.contains(node));
            common.extend(third.filter(|node| self.graph.find([*node, sides[1]]).is_some()));
        }
        for node in ends {
            change(self.touch(node), common.len() as u64);
        }
        for node in common.drain(..) {
            change(self.touch(node), 1);
        }
        self.common = common;
    }

    /// Shows each node that may have changed, with what it has now; `None` for a node that is gone.
    fn settle(&mut self, mut show: impl FnMut(u64, Option<u64>, Option<u64>)) {
        for node in self.touched.drain(..) {
            let corner = &mut self.corners[node as usize];
            let is_there = self.graph.degree(node) > 0;
            let now = is_there.then_some(corner.triangles);
            show(self.graph.number(node), corner.told, now);
            (corner.told, corner.touched) = (now, false);
            if !is_there {
                self.graph.forget(node);
            }
        }
    }
}

impl KeyedState for Corners {
    type In = Edge;
    type Out = Triangles;
    const FORMAT: u32 = 1;

    fn epoch(&mut self, _: &EpochTime, rows: Updates<Edge>, out: &mut Emitter<'_, Triangles>) {
        for (edge, _, diff) in &rows {
            if *diff > 0 {
                self.insert(*edge);
            } else {
                self.remove(*edge);
            }
        }
        self.settle(|node, old, new| {
            let row = |triangles| Triangles { node, triangles };
            out.replace(old.map(row), new.map(row));
        });
    }

    fn save(&self, group: KeyGroup, into: &mut Vec<u8>) -> Result<(), StateError> {
        let edges: Vec<Edge> = if group.holds(0) {
            self.graph.edges().collect()
        } else {
            Vec::new()
        };
        codec::encode(&edges, into)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        let edges: Vec<Edge> = codec::decode(bytes)?;
        edges.into_iter().for_each(|edge| self.insert(edge));
        self.settle(|_, _, _| {});
        Ok(())
    }

    fn size(&self) -> StateSize {
        StateSize {
            keys: self.graph.nodes_len(),
            events: self.graph.edges_len(),
            bytes: self.graph.bytes() + self.corners.capacity() * size_of::<Corner>(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::testing::{assert_brute_force, clean_log, neighbours};
    use crate::laws::assert_continues;

    fn counted(edges: &[Edge]) -> Vec<Triangles> {
        let near = neighbours(edges);
        let count = |node: &u64| {
            let others = || near[node].iter().filter(|other| *other != node);
            let pairs = others().flat_map(|a| others().map(move |b| (a, b)));
            let closed = pairs.filter(|(a, b)| a < b && near[a].contains(b));
            Triangles {
                node: *node,
                triangles: closed.count() as u64,
            }
        };
        near.keys().map(count).collect()
    }

    #[test]
    fn triangles_are_brute_force_at_every_epoch() {
        for seed in 0..400 {
            assert_brute_force(seed, Corners::new(), counted);
        }
    }

    #[test]
    fn a_saved_graph_continues_as_if_never_interrupted() {
        for seed in 0..40 {
            assert_continues(Corners::new, |_| 0, &clean_log(seed));
        }
    }
}
