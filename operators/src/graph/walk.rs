//! A walk over one side of a cut, breadth first and an edge at a time, so that two can be walked in turn.

use crate::graph::adjacency::{List, NONE};
use crate::graph::tree::Trees;

/// How far ahead of its use a node's list is asked for, in nodes.
const AHEAD: usize = 2;

/// Where a walk is.
#[derive(Default)]
pub(super) struct Walk {
    /// How it marks where it was; not 0.
    name: u8,
    /// Where it was, and where it goes next.
    pub(super) nodes: Vec<u32>,
    at: usize,
    list: Option<List>,
    half: u32,
}

/// What a step came to.
pub(super) enum Step {
    /// An edge of the forest, which it followed.
    Followed,
    /// A half of the rest, which is shown and not followed.
    Rest(u32),
    /// The end: all nodes that hang together with the first are marked, and in `nodes`.
    Through,
}

impl Walk {
    /// Begins at a node.
    pub(super) fn begin(&mut self, trees: &mut Trees, node: u32, name: u8) {
        self.name = name;
        self.nodes.clear();
        self.nodes.push(node);
        (self.at, self.list, self.half) = (0, None, NONE);
        trees.at_mut(node).walked_by = name;
    }

    /// Whether it was at a node.
    pub(super) fn was_at(&self, trees: &Trees, node: u32) -> bool {
        trees.at(node).walked_by == self.name
    }

    /// Takes a step: over a node's edges of the rest, if they are asked for, and then over those of the forest.
    pub(super) fn step(&mut self, trees: &mut Trees, shows_rest: bool) -> Step {
        while self.half == NONE {
            let list = match self.list {
                None if shows_rest => List::Rest,
                None | Some(List::Rest) => List::Forest,
                Some(List::Forest) => {
                    self.at += 1;
                    self.list = None;
                    continue;
                }
            };
            let Some(node) = self.nodes.get(self.at) else {
                return Step::Through;
            };
            if let Some(far) = self.nodes.get(self.at + AHEAD) {
                trees.graph.prefetch_first(*far, list);
            }
            self.half = trees.graph.first(*node, list);
            self.list = Some(list);
        }
        let half = self.half;
        self.half = trees.graph.next(half);
        if self.list == Some(List::Rest) {
            return Step::Rest(half);
        }
        let there = trees.graph.across(half);
        let place = trees.at_mut(there);
        if place.walked_by != self.name {
            place.walked_by = self.name;
            trees.graph.prefetch_lists(there);
            self.nodes.push(there);
        }
        Step::Followed
    }

    /// Whether a step over the forest alone is the last.
    pub(super) fn is_through(&mut self, trees: &mut Trees) -> bool {
        matches!(self.step(trees, false), Step::Through)
    }

    /// A half of the rest that leads out of all that was walked through.
    pub(super) fn leading_out(&self, trees: &Trees) -> Option<u32> {
        self.nodes.iter().find_map(|node| {
            let mut rest = trees.graph.halves(*node, List::Rest);
            rest.find(|half| !self.was_at(trees, trees.graph.across(*half)))
        })
    }

    /// Takes its marks away.
    pub(super) fn end(&self, trees: &mut Trees) {
        for node in &self.nodes {
            trees.at_mut(*node).walked_by = 0;
        }
    }
}
