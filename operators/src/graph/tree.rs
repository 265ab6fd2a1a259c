//! The trees of a spanning forest: what each node hangs on, and a level for each that grows downwards.
//!
//! ```text
//! level 0     ●            the root hangs on nothing
//!       1   ●   ●─┐
//!       5   │   ● │        a level is greater than that above it, by one or by more
//!       6   ●     ●        hung from 5 onto 1: whatever is no deeper than a node is not below it, so that to hang the
//!                          node on that asks for no look at what lies between
//! ```
//!
//! # Invariants
//! 1. A node's `up` is its half of the edge to its `parent`, which is in the forest; a root has neither. Every edge of
//!    the forest is the `up` of one of its ends.
//! 2. A node's level is greater than its parent's, but for the nodes that [`Sinking`](crate::graph::sink::Sinking) is
//!    at work on.

use thalweg_engine::state::prefetch;

use crate::graph::adjacency::{Adjacency, List, NONE};

/// How far ahead of its use a node's list is asked for, in nodes.
const AHEAD: usize = 4;

/// Edges of a node that are looked at for one to a lesser level: it is mostly among the first, if there is one, and no
/// node may cost as much as its degree.
const LOOKED_AT: usize = 64;

/// Where a node belongs, half a cache line.
#[derive(Clone, Copy)]
#[repr(align(32))]
pub(super) struct Place {
    pub(super) component: u32,
    /// The node that this one hangs on.
    pub(super) parent: u32,
    /// The half by which it does.
    pub(super) up: u32,
    /// The walk that has been here, 0 outside of walks.
    pub(super) walked_by: u8,
    /// Whether the epoch has moved the node.
    pub(super) moved: bool,
    /// Whether a label is written for the node.
    pub(super) is_told: bool,
    /// That label.
    pub(super) told: u64,
    /// 64 bits, as a tree that loses nodes at its root and gains some below never starts again at 0.
    pub(super) level: u64,
}

/// A graph and the trees that span it.
pub(super) struct Trees {
    pub(super) graph: Adjacency,
    pub(super) places: Vec<Place>,
}

impl Trees {
    /// Makes a tree of its own of a node without edges.
    pub(super) fn plant(&mut self, node: u32, component: u32) {
        let place = Place {
            component,
            parent: NONE,
            up: NONE,
            walked_by: 0,
            moved: false,
            is_told: false,
            told: 0,
            level: 0,
        };
        if node as usize == self.places.len() {
            self.places.push(place);
        } else {
            self.places[node as usize] = place;
        }
    }

    #[inline]
    pub(super) fn at(&self, node: u32) -> &Place {
        &self.places[node as usize]
    }

    #[inline]
    pub(super) fn at_mut(&mut self, node: u32) -> &mut Place {
        &mut self.places[node as usize]
    }

    /// Asks for a node's place and lists ahead of their use.
    #[inline]
    pub(super) fn prefetch(&self, node: u32) {
        prefetch(&self.places, node as usize);
        self.graph.prefetch_lists(node);
    }

    /// Asks for the place at the far end of a node's first edge of the rest ahead of its use.
    #[inline]
    pub(super) fn prefetch_over_first(&self, node: u32) {
        let first = self.graph.first(node, List::Rest);
        if first != NONE {
            prefetch(&self.places, self.graph.across(first) as usize);
        }
    }

    /// Cuts a node off from above.
    pub(super) fn cut(&mut self, node: u32) {
        let place = self.at_mut(node);
        (place.parent, place.up) = (NONE, NONE);
    }

    /// Hangs the node of a half on the far end: the edge is in the forest, and what the node hung on no more.
    pub(super) fn hang(&mut self, half: u32) {
        let (node, parent) = (self.graph.node_of(half), self.graph.across(half));
        let level = self.at(parent).level + 1;
        let place = self.at_mut(node);
        (place.parent, place.up, place.level) = (parent, half, level);
    }

    /// Hangs the node of a half of the rest on the far end, which is not below it, instead of on what it hangs on.
    pub(super) fn hang_instead(&mut self, half: u32) {
        let up = self.at(self.graph.node_of(half)).up;
        if up != NONE {
            self.graph.uproot(up);
        }
        self.graph.plant(half);
        self.hang(half);
    }

    /// A half of the rest that leads from a node to a lesser level, if there is one among the first.
    pub(super) fn to_lesser(&self, node: u32) -> Option<u32> {
        let level = self.at(node).level;
        let rest = self.graph.halves(node, List::Rest);
        let mut rest = rest.take(LOOKED_AT);
        rest.find(|half| self.at(self.graph.across(*half)).level < level)
    }

    /// Appends the nodes that hang on one.
    #[inline]
    pub(super) fn append_below(&self, node: u32, nodes: &mut Vec<u32>) {
        let up = self.at(node).up;
        let halves = self.graph.halves(node, List::Forest);
        for half in halves.filter(|half| *half != up) {
            let there = self.graph.across(half);
            self.prefetch(there);
            nodes.push(there);
        }
    }

    /// The node and all below it, breadth first.
    pub(super) fn collect(&self, node: u32, nodes: &mut Vec<u32>) {
        nodes.clear();
        nodes.push(node);
        let mut at = 0;
        while let Some(node) = nodes.get(at).copied() {
            at += 1;
            self.look_ahead(nodes, at);
            self.append_below(node, nodes);
        }
    }

    /// Makes a node the top of all that hangs together with it but for what it hangs on: each hangs anew on where it is
    /// reached from, a level below. Leaves all of them in `nodes`.
    pub(super) fn turn(&mut self, top: u32, nodes: &mut Vec<u32>) {
        nodes.clear();
        nodes.push(top);
        let mut at = 0;
        while let Some(node) = nodes.get(at).copied() {
            at += 1;
            self.look_ahead(nodes, at);
            let Place { up, level, .. } = *self.at(node);
            let mut half = self.graph.first(node, List::Forest);
            while half != NONE {
                if half != up {
                    let there = self.graph.across(half);
                    self.graph.prefetch_lists(there);
                    let place = self.at_mut(there);
                    (place.parent, place.up, place.level) = (node, half ^ 1, level + 1);
                    nodes.push(there);
                }
                half = self.graph.next(half);
            }
        }
    }

    /// Asks for what a walk needs of a node that it comes to soon: each lies anywhere in memory.
    #[inline]
    fn look_ahead(&self, nodes: &[u32], at: usize) {
        if let Some(far) = nodes.get(at + AHEAD) {
            self.graph.prefetch_first(*far, List::Forest);
        }
    }
}
