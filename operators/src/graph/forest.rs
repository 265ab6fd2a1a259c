//! Components of a graph that changes, by a spanning forest: which nodes hang together, and the least of each.
//!
//! ```text
//! edge added    ends in two components ─▶ edge into the forest, the lesser component joins the greater
//!               ends in one            ─▶ edge to the rest
//! edge removed  of the rest            ─▶ nothing changes
//!               of the forest          ─▶ walk both sides of the cut in turn until one is walked through;
//!                                         an edge of the rest that leads out of it replaces the cut, or it splits off;
//!                                         a long side is grown anew, breadth first, for the next cut
//! ```
//!
//! A component's nodes lie in a ring, so that two are joined in one step and a node leaves in one.

use crate::graph::Edge;
use crate::graph::adjacency::{Adjacency, List};
use crate::graph::grow::grow_anew;
use crate::graph::walk::Walk;

/// Where a node belongs.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) component: u32,
    next: u32,
    prev: u32,
    /// The walk that has been here, 0 outside of walks.
    pub(super) walked_by: u8,
    /// Whether the epoch has moved the node.
    moved: bool,
    /// The label last written for the node.
    pub(super) told: Option<u64>,
}

/// A component.
#[derive(Clone, Copy)]
pub(super) struct Ring {
    size: u32,
    first: u32,
    /// The least node; to be looked for where it has left.
    least: Option<u64>,
    /// The label last written for the nodes that have not moved since.
    told: u64,
    /// Whether `least` may differ from `told`.
    is_changed: bool,
}

/// A graph with its components.
pub(super) struct Forest {
    pub(super) graph: Adjacency,
    pub(super) places: Vec<Place>,
    rings: Vec<Ring>,
    free: Vec<u32>,
    changed: Vec<u32>,
    moved: Vec<u32>,
    walks: [Walk; 2],
}

impl Forest {
    pub(super) fn new() -> Self {
        Self {
            graph: Adjacency::new(),
            places: Vec::new(),
            rings: Vec::new(),
            free: Vec::new(),
            changed: Vec::new(),
            moved: Vec::new(),
            walks: [Walk::default(), Walk::default()],
        }
    }

    /// Adds an edge that is not there.
    pub(super) fn insert(&mut self, edge: Edge) {
        let ends = [self.node(edge.0), self.node(edge.1)];
        let [a, b] = ends.map(|node| self.places[node as usize].component);
        let list = if a == b { List::Rest } else { List::Forest };
        self.graph.insert(ends, list);
        if a != b {
            self.join(a, b);
        }
    }

    /// Removes an edge that is there.
    pub(super) fn remove(&mut self, edge: Edge) {
        let (Some(a), Some(b)) = (self.graph.known(edge.0), self.graph.known(edge.1)) else {
            return;
        };
        let Some(edge) = self.graph.find([a, b]) else {
            return;
        };
        let list = self.graph.remove(edge);
        if list == List::Forest {
            self.mend([a, b]);
        }
        for node in [a, b] {
            if self.graph.degree(node) == 0 {
                self.has_moved(node);
            }
        }
    }

    /// Shows each node whose label may have changed, with its label; `None` for a node that is gone, which is
    /// forgotten thereafter.
    pub(super) fn settle(&mut self, mut show: impl FnMut(u64, &mut Option<u64>, Option<u64>)) {
        for ring in std::mem::take(&mut self.changed) {
            self.relabel(ring);
        }
        let mut moved = std::mem::take(&mut self.moved);
        for node in moved.drain(..) {
            let place = &mut self.places[node as usize];
            place.moved = false;
            let ring = place.component;
            let is_there = self.graph.degree(node) > 0;
            let label = self.rings[ring as usize].least.filter(|_| is_there);
            show(self.graph.number(node), &mut place.told, label);
            if !is_there {
                self.graph.forget(node);
                self.release(ring);
            }
        }
        self.moved = moved;
    }

    pub(super) fn bytes(&self) -> usize {
        self.graph.bytes()
            + self.places.capacity() * size_of::<Place>()
            + self.rings.capacity() * size_of::<Ring>()
            + (self.free.capacity() + self.changed.capacity() + self.moved.capacity()) * 4
    }

    /// A node's handle; a new one begins as a component of its own.
    fn node(&mut self, number: u64) -> u32 {
        let (node, new) = self.graph.node(number);
        if new {
            let component = self.ring(node, number);
            let place = Place {
                component,
                next: node,
                prev: node,
                walked_by: 0,
                moved: false,
                told: None,
            };
            if node as usize == self.places.len() {
                self.places.push(place);
            } else {
                self.places[node as usize] = place;
            }
            self.has_moved(node);
        }
        node
    }

    fn ring(&mut self, first: u32, least: u64) -> u32 {
        let ring = Ring {
            size: 1,
            first,
            least: Some(least),
            told: least,
            is_changed: false,
        };
        match self.free.pop() {
            Some(handle) => {
                self.rings[handle as usize] = ring;
                handle
            }
            None => {
                self.rings.push(ring);
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "there are no more rings than nodes, which have 32-bit handles"
                )]
                let handle = (self.rings.len() - 1) as u32;
                handle
            }
        }
    }

    fn release(&mut self, ring: u32) {
        self.rings[ring as usize].is_changed = false;
        self.free.push(ring);
    }

    fn has_moved(&mut self, node: u32) {
        let place = &mut self.places[node as usize];
        if !place.moved {
            place.moved = true;
            self.moved.push(node);
        }
    }

    fn has_changed(&mut self, ring: u32) {
        let changed = &mut self.rings[ring as usize].is_changed;
        if !*changed {
            *changed = true;
            self.changed.push(ring);
        }
    }

    /// Finds the least node again where it has left, and moves all nodes to it where it is another than was written.
    fn relabel(&mut self, ring: u32) {
        let Ring {
            first,
            least,
            told,
            is_changed,
            ..
        } = self.rings[ring as usize];
        if !is_changed {
            return;
        }
        let least = least.or_else(|| {
            let numbers = self.around(first).map(|node| self.graph.number(node));
            numbers.min()
        });
        let ring = &mut self.rings[ring as usize];
        (ring.least, ring.is_changed) = (least, false);
        if least != Some(told) {
            ring.told = least.unwrap_or(told);
            let mut node = first;
            loop {
                self.has_moved(node);
                node = self.places[node as usize].next;
                if node == first {
                    break;
                }
            }
        }
    }

    /// The nodes of a ring.
    fn around(&self, first: u32) -> impl Iterator<Item = u32> {
        std::iter::successors(Some(first), move |node| {
            Some(self.places[*node as usize].next).filter(|next| *next != first)
        })
    }

    /// Joins two components: the nodes of the lesser move.
    fn join(&mut self, a: u32, b: u32) {
        let (lesser, greater) = if self.rings[a as usize].size < self.rings[b as usize].size {
            (a, b)
        } else {
            (b, a)
        };
        let gone = self.rings[lesser as usize];
        let mut node = gone.first;
        loop {
            self.places[node as usize].component = greater;
            self.has_moved(node);
            node = self.places[node as usize].next;
            if node == gone.first {
                break;
            }
        }
        let kept = &mut self.rings[greater as usize];
        kept.size += gone.size;
        let (first, least) = (kept.first, kept.least.min(gone.least));
        if least != kept.least {
            kept.least = least;
            self.has_changed(greater);
        }
        self.splice(first, gone.first);
        self.release(lesser);
    }

    /// Makes one ring of two.
    fn splice(&mut self, a: u32, b: u32) {
        let after_a = self.places[a as usize].next;
        let after_b = self.places[b as usize].next;
        self.places[a as usize].next = after_b;
        self.places[after_b as usize].prev = a;
        self.places[b as usize].next = after_a;
        self.places[after_a as usize].prev = b;
    }

    /// Repairs the forest where an edge between two nodes was cut: by another edge, or the component falls in two.
    fn mend(&mut self, ends: [u32; 2]) {
        let mut walks = std::mem::take(&mut self.walks);
        walks[0].begin(&self.graph, &mut self.places, ends[0], 1);
        walks[1].begin(&self.graph, &mut self.places, ends[1], 2);
        let done = loop {
            if walks[0].step(&self.graph, &mut self.places) {
                break 0;
            }
            if walks[1].step(&self.graph, &mut self.places) {
                break 1;
            }
        };
        let side = &mut walks[done];
        let bridge = side.nodes.iter().find_map(|node| {
            let mut leading = self.graph.halves(*node, List::Rest);
            leading.find(|half| {
                let there = self.graph.across(*half);
                self.places[there as usize].walked_by != side.name
            })
        });
        match bridge {
            Some(half) => {
                let root = self.graph.node_of(half);
                grow_anew(&mut self.graph, &mut self.places, side, root);
                self.graph.plant(half);
            }
            None => self.split_off(&side.nodes),
        }
        for walk in &walks {
            for node in &walk.nodes {
                self.places[*node as usize].walked_by = 0;
            }
        }
        self.walks = walks;
    }

    /// Makes a component of its own of some nodes of one, not all.
    fn split_off(&mut self, nodes: &[u32]) {
        let Some(first) = nodes.first().copied() else {
            return;
        };
        let old = self.places[first as usize].component;
        let new = self.ring(first, self.graph.number(first));
        let mut least = self.rings[new as usize].least;
        for node in nodes.iter().copied() {
            let Place { next, prev, .. } = self.places[node as usize];
            if self.rings[old as usize].first == node {
                self.rings[old as usize].first = next;
            }
            self.places[next as usize].prev = prev;
            self.places[prev as usize].next = next;
            let place = &mut self.places[node as usize];
            (place.next, place.prev, place.component) = (node, node, new);
            if node != first {
                self.splice(first, node);
            }
            least = least.min(Some(self.graph.number(node)));
            self.has_moved(node);
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "there are no more nodes than 32-bit handles"
        )]
        let size = nodes.len() as u32;
        let ring = &mut self.rings[new as usize];
        (ring.size, ring.least) = (size, least);
        ring.told = least.unwrap_or(ring.told);
        let left = &mut self.rings[old as usize];
        left.size -= size;
        if left.least == least {
            left.least = None;
            self.has_changed(old);
        }
    }
}
