//! A walk over a tree of the forest, breadth first and a half at a time, so that two can be walked in turn.

use thalweg_engine::state::prefetch;

use crate::graph::adjacency::{Adjacency, List, NONE};
use crate::graph::forest::Place;

/// A walk over one side of a cut, an edge of the forest at a time.
#[derive(Default)]
pub(super) struct Walk {
    /// How it marks where it was; not 0.
    pub(super) name: u8,
    /// Where it was, and where it goes next.
    pub(super) nodes: Vec<u32>,
    at: usize,
    half: u32,
}

impl Walk {
    /// Begins at a node.
    pub(super) fn begin(&mut self, graph: &Adjacency, places: &mut [Place], node: u32, name: u8) {
        self.name = name;
        self.nodes.clear();
        self.nodes.push(node);
        self.at = 0;
        self.half = graph.first(node, List::Forest);
        places[node as usize].walked_by = name;
    }

    /// Takes a step, and returns whether there was none left to take.
    pub(super) fn step(&mut self, graph: &Adjacency, places: &mut [Place]) -> bool {
        while self.half == NONE {
            self.at += 1;
            match self.nodes.get(self.at) {
                Some(node) => self.half = graph.first(*node, List::Forest),
                None => return true,
            }
            look_ahead(graph, places, (&self.nodes, self.at), List::Forest);
        }
        let there = graph.across(self.half);
        self.half = graph.next(self.half);
        let place = &mut places[there as usize];
        if place.walked_by != self.name {
            place.walked_by = self.name;
            self.nodes.push(there);
            graph.prefetch_lists(there);
        }
        false
    }
}

/// Asks for what a walk over a list of each node needs of the nodes that it comes to next: each lies anywhere in memory.
#[inline]
pub(super) fn look_ahead(
    graph: &Adjacency,
    places: &[Place],
    (nodes, at): (&[u32], usize),
    list: List,
) {
    if let Some(far) = nodes.get(at + 8) {
        graph.prefetch_first(*far, list);
    }
    if let Some(near) = nodes.get(at + 4) {
        let first = graph.first(*near, list);
        if first != NONE {
            prefetch(places, graph.across(first) as usize);
        }
    }
}
