//! Components of a graph that changes, by a spanning forest: which nodes hang together, and the least of each.
//!
//! ```text
//! edge added    ends in two components ─▶ edge into the forest: the lesser component's tree is hung on the greater's
//!               ends in one            ─▶ edge to the rest; or an end of more than twice the other's level hangs by it
//!                                         from now on, and what it hung by goes to the rest
//! edge removed  of the rest            ─▶ nothing changes
//!               of the forest          ─▶ an edge of the rest replaces it, or the component falls in two
//! ```
//!
//! Trees are kept shallow as edges come, at O(1) for each, so that little hangs below an edge that goes: in a random
//! graph of half a million nodes and a million edges a node lies some 36 edges deep, where a forest in the order of
//! arrival is some 220 deep.

#[cfg(test)]
mod laws;

use crate::graph::Edge;
use crate::graph::adjacency::{Adjacency, List, NONE};
use crate::graph::mend::{Mended, Mender};
use crate::graph::tree::{Place, Trees};

/// Edges that are added together: as many as the processor may ask memory for at a time, and more.
const BLOCK: usize = 32;

/// A component.
#[derive(Clone, Copy)]
struct Component {
    size: u32,
    root: u32,
    /// Cuts in its tree since its levels were counted, to be counted again when they are as many as its nodes.
    cuts: u32,
    /// Whether `least` may differ from `told`.
    is_changed: bool,
    /// The least node; to be looked for where it has left.
    least: Option<u64>,
    /// The label last written for the nodes that have not moved since.
    told: u64,
}

/// A graph with its components.
pub(super) struct Forest {
    trees: Trees,
    components: Vec<Component>,
    free: Vec<u32>,
    changed: Vec<u32>,
    moved: Vec<u32>,
    mender: Mender,
    /// Nodes at work, and edges that wait for a block to be full; kept for their memory.
    nodes: Vec<u32>,
    block: Vec<Edge>,
}

impl Forest {
    pub(super) fn new() -> Self {
        let trees = Trees {
            graph: Adjacency::new(),
            places: Vec::new(),
        };
        Self {
            trees,
            components: Vec::new(),
            free: Vec::new(),
            changed: Vec::new(),
            moved: Vec::new(),
            mender: Mender::default(),
            nodes: Vec::new(),
            block: Vec::new(),
        }
    }

    /// The nodes and edges.
    pub(super) fn graph(&self) -> &Adjacency {
        &self.trees.graph
    }

    /// Adds edges that are not there.
    pub(super) fn insert(&mut self, edges: impl IntoIterator<Item = Edge>) {
        self.in_blocks(edges, Self::insert_block);
    }

    /// Removes edges that are there.
    pub(super) fn remove(&mut self, edges: impl IntoIterator<Item = Edge>) {
        self.in_blocks(edges, Self::remove_block);
    }

    /// Shows each node whose label may have changed, with the label last shown and that of now; `None` for a node that
    /// is gone, which is forgotten thereafter.
    pub(super) fn settle(&mut self, mut show: impl FnMut(u64, Option<u64>, Option<u64>)) {
        for component in std::mem::take(&mut self.changed) {
            self.relabel(component);
        }
        let mut moved = std::mem::take(&mut self.moved);
        for node in moved.drain(..) {
            let is_there = self.trees.graph.degree(node) > 0;
            let place = self.trees.at_mut(node);
            let component = place.component;
            let label = self.components[component as usize].least;
            let label = label.filter(|_| is_there);
            let told = place.is_told.then_some(place.told);
            (place.moved, place.is_told) = (false, label.is_some());
            place.told = label.unwrap_or_default();
            show(self.trees.graph.number(node), told, label);
            if !is_there {
                self.trees.graph.forget(node);
                self.release(component);
            }
        }
        self.moved = moved;
    }

    pub(super) fn bytes(&self) -> usize {
        self.trees.graph.bytes()
            + self.trees.places.capacity() * size_of::<Place>()
            + self.components.capacity() * size_of::<Component>()
            + (self.free.capacity() + self.changed.capacity() + self.moved.capacity()) * 4
            + self.nodes.capacity() * 4
    }

    /// Edges lie anywhere in memory: a block goes in passes over all of it, each of which asks for what the next needs.
    fn in_blocks(&mut self, edges: impl IntoIterator<Item = Edge>, change: fn(&mut Self, &[Edge])) {
        let mut block = std::mem::take(&mut self.block);
        for edge in edges {
            self.trees.graph.prefetch(&edge);
            block.push(edge);
            if block.len() == BLOCK {
                change(self, &block);
                block.clear();
            }
        }
        change(self, &block);
        block.clear();
        self.block = block;
    }

    fn insert_block(&mut self, edges: &[Edge]) {
        let mut block = [[0; 2]; BLOCK];
        let block = &mut block[..edges.len()];
        for (ends, edge) in block.iter_mut().zip(edges) {
            *ends = [self.node(edge.0), self.node(edge.1)];
            self.trees.graph.prefetch_edge(*ends);
            for node in *ends {
                self.trees.prefetch(node);
            }
        }
        for node in block.as_flattened() {
            self.trees.graph.prefetch_first(*node, List::Forest);
            self.trees.graph.prefetch_first(*node, List::Rest);
        }
        for ends in block {
            self.insert_one(*ends);
        }
    }

    fn remove_block(&mut self, edges: &[Edge]) {
        let mut block = [(0, [NONE; 2]); BLOCK];
        let mut known = 0;
        for edge in edges {
            let ends = (
                self.trees.graph.known(edge.0),
                self.trees.graph.known(edge.1),
            );
            if let (Some(a), Some(b)) = ends {
                block[known].1 = [a, b];
                known += 1;
                self.trees.graph.prefetch_edge([a, b]);
                self.trees.prefetch(a);
                self.trees.prefetch(b);
            }
        }
        let block = &mut block[..known];
        for (edge, ends) in &mut *block {
            *edge = self.trees.graph.find(*ends).unwrap_or_default();
            self.trees.graph.prefetch_halves(*edge);
            for node in ends {
                self.trees.graph.prefetch_first(*node, List::Rest);
            }
        }
        for (edge, ends) in &*block {
            self.trees.graph.prefetch_beside(*edge);
            for node in ends {
                self.trees.prefetch_over_first(*node);
            }
        }
        for (_, ends) in block {
            self.remove_one(*ends);
        }
    }

    fn insert_one(&mut self, ends: [u32; 2]) {
        let [a, b] = ends.map(|node| *self.trees.at(node));
        if a.component != b.component {
            let half = self.trees.graph.insert(ends, List::Forest);
            self.join(half);
            return;
        }
        let half = self.trees.graph.insert(ends, List::Rest);
        if a.level > 2 * b.level + 1 {
            self.trees.hang_instead(half);
        } else if b.level > 2 * a.level + 1 {
            self.trees.hang_instead(half ^ 1);
        }
    }

    fn remove_one(&mut self, [a, b]: [u32; 2]) {
        let graph = &mut self.trees.graph;
        let Some(edge) = graph.find([a, b]) else {
            return;
        };
        if graph.remove(edge) == List::Forest {
            if self.trees.at(a).parent == b {
                self.mend(a, b);
            } else {
                self.mend(b, a);
            }
        }
        for node in [a, b] {
            if self.trees.graph.degree(node) == 0 {
                self.has_moved(node);
            }
        }
    }

    /// A node's handle; a new one begins as a component of its own.
    fn node(&mut self, number: u64) -> u32 {
        let (node, new) = self.trees.graph.node(number);
        if new {
            let component = self.component(node, 1, number);
            self.trees.plant(node, component);
            self.has_moved(node);
        }
        node
    }

    fn component(&mut self, root: u32, size: u32, least: u64) -> u32 {
        let component = Component {
            size,
            root,
            cuts: 0,
            is_changed: false,
            least: Some(least),
            told: least,
        };
        match self.free.pop() {
            Some(handle) => {
                self.components[handle as usize] = component;
                handle
            }
            None => {
                self.components.push(component);
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "there are no more components than nodes, which have 32-bit handles"
                )]
                let handle = (self.components.len() - 1) as u32;
                handle
            }
        }
    }

    fn release(&mut self, component: u32) {
        self.components[component as usize].is_changed = false;
        self.free.push(component);
    }

    fn has_moved(&mut self, node: u32) {
        let place = self.trees.at_mut(node);
        if !place.moved {
            place.moved = true;
            self.moved.push(node);
        }
    }

    fn has_changed(&mut self, component: u32) {
        let changed = &mut self.components[component as usize].is_changed;
        if !*changed {
            *changed = true;
            self.changed.push(component);
        }
    }

    /// Finds the least node again where it has left, and moves all nodes to it where it is another than was written.
    fn relabel(&mut self, handle: u32) {
        let component = self.components[handle as usize];
        if !component.is_changed {
            return;
        }
        let mut least = component.least;
        if least != Some(component.told) {
            let mut nodes = std::mem::take(&mut self.nodes);
            self.trees.collect(component.root, &mut nodes);
            let numbers = nodes.iter().map(|node| self.trees.graph.number(*node));
            least = least.or_else(|| numbers.min());
            if least != Some(component.told) {
                nodes.iter().for_each(|node| self.has_moved(*node));
            }
            self.nodes = nodes;
        }
        let component = &mut self.components[handle as usize];
        (component.least, component.is_changed) = (least, false);
        component.told = least.unwrap_or(component.told);
    }

    /// Joins two components by an edge of the forest: the nodes of the lesser move.
    fn join(&mut self, half: u32) {
        let of = |half| {
            let handle = self.trees.at(self.trees.graph.node_of(half)).component;
            (handle, self.components[handle as usize])
        };
        let (mut half, mut lesser, mut greater) = (half, of(half), of(half ^ 1));
        if lesser.1.size >= greater.1.size {
            (half, lesser, greater) = (half ^ 1, greater, lesser);
        }
        let mut nodes = std::mem::take(&mut self.nodes);
        self.trees.hang(half);
        self.trees.turn(self.trees.graph.node_of(half), &mut nodes);
        for node in &nodes {
            self.trees.at_mut(*node).component = greater.0;
            self.has_moved(*node);
        }
        self.nodes = nodes;
        let kept = &mut self.components[greater.0 as usize];
        kept.size += lesser.1.size;
        let least = kept.least.min(lesser.1.least);
        if least != kept.least {
            kept.least = least;
            self.has_changed(greater.0);
        }
        self.release(lesser.0);
    }

    /// Mends the cut between a node and what it hung on, or lets the component fall in two.
    fn mend(&mut self, node: u32, above: u32) {
        self.trees.cut(node);
        let handle = self.trees.at(node).component;
        let root = self.components[handle as usize].root;
        let mut mender = std::mem::take(&mut self.mender);
        match mender.mend(&mut self.trees, node, above) {
            Mended::Holds => {}
            Mended::HoldsFromBelow => self.components[handle as usize].root = node,
            Mended::BelowFell => self.split_off(&mender.below.nodes, node),
            Mended::AboveFell => {
                self.components[handle as usize].root = node;
                self.split_off(&mender.above.nodes, root);
            }
        }
        self.mender = mender;
        self.count_levels(handle);
    }

    /// Counts a component's levels from its root once it had as many cuts as nodes: they grow with every cut that lets
    /// nodes sink, and with every root that leaves.
    fn count_levels(&mut self, handle: u32) {
        let component = &mut self.components[handle as usize];
        component.cuts += 1;
        if component.cuts >= component.size {
            component.cuts = 0;
            let root = component.root;
            self.trees.at_mut(root).level = 0;
            self.trees.turn(root, &mut self.nodes);
        }
    }

    /// Makes a component of its own of some nodes of one, not all.
    fn split_off(&mut self, nodes: &[u32], root: u32) {
        let old = self.trees.at(root).component;
        let numbers = nodes.iter().map(|node| self.trees.graph.number(*node));
        let least = numbers.min().unwrap_or_default();
        #[expect(
            clippy::cast_possible_truncation,
            reason = "there are no more nodes than 32-bit handles"
        )]
        let size = nodes.len() as u32;
        let new = self.component(root, size, least);
        for node in nodes {
            self.trees.at_mut(*node).component = new;
            self.has_moved(*node);
        }
        let left = &mut self.components[old as usize];
        left.size -= size;
        if left.least == Some(least) {
            left.least = None;
            self.has_changed(old);
        }
    }
}
