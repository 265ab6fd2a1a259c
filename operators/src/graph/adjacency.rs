//! A graph's nodes and edges in memory, so that an edge is found, added and removed without a look at the others.
//!
//! ```text
//! node ─ index ─▶ handle ─▶ two lists of halves: those of edges in the forest, and the rest
//! edge ─ index ─▶ handle e ─▶ half 2e in a list of its lesser end, half 2e + 1 in one of its greater end
//! ```
//!
//! From a half one crosses the edge by `half ^ 1`. Both halves of an edge from a node to itself hang on that node.

use thalweg_engine::key::Key;
use thalweg_engine::state::{KeyIndex, prefetch};

use crate::graph::Edge;

/// The end of a list.
pub(super) const NONE: u32 = u32::MAX;

/// Which of a node's lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    /// Edges of the spanning forest.
    Forest,
    /// All others.
    Rest,
}

/// One end of an edge, in the list of its node.
#[derive(Clone, Copy)]
struct Half {
    node: u32,
    next: u32,
    prev: u32,
    list: List,
}

/// A node's lists, by their first halves, and how many halves are in both.
#[derive(Clone, Copy)]
struct Ends {
    first: [u32; 2],
    degree: u32,
}

const ALONE: Ends = Ends {
    first: [NONE; 2],
    degree: 0,
};

/// The nodes and edges that are there.
pub(super) struct Adjacency {
    nodes: KeyIndex<u64>,
    ends: Vec<Ends>,
    /// Edges by the handles of their ends.
    edges: KeyIndex<u64>,
    halves: Vec<Half>,
}

/// An edge by the handles of its ends, which is exact.
fn packed(ends: [u32; 2]) -> u64 {
    let [least, greatest] = [ends[0].min(ends[1]), ends[0].max(ends[1])];
    u64::from(least) << 32 | u64::from(greatest)
}

impl Adjacency {
    pub(super) fn new() -> Self {
        Self {
            nodes: KeyIndex::new(),
            ends: Vec::new(),
            edges: KeyIndex::new(),
            halves: Vec::new(),
        }
    }

    /// Asks for the index slots of an edge's ends ahead of their use.
    #[inline]
    pub(super) fn prefetch(&self, edge: &Edge) {
        self.nodes.prefetch(edge.0.tag());
        self.nodes.prefetch(edge.1.tag());
    }

    /// The handle of a node, and whether it is new.
    pub(super) fn node(&mut self, node: u64) -> (u32, bool) {
        let (handle, new) = self.nodes.resolve(&node);
        if new && handle as usize == self.ends.len() {
            self.ends.push(ALONE);
        } else if new {
            self.ends[handle as usize] = ALONE;
        }
        (handle, new)
    }

    /// The handle of a node that is there.
    pub(super) fn known(&self, node: u64) -> Option<u32> {
        self.nodes.find(&node)
    }

    /// The number of a node by its handle.
    pub(super) fn number(&self, node: u32) -> u64 {
        self.nodes.key(node).copied().unwrap_or_default()
    }

    /// Forgets a node without edges.
    pub(super) fn forget(&mut self, node: u32) {
        self.nodes.remove(node);
    }

    /// Asks for the index slot of an edge ahead of its use.
    #[inline]
    pub(super) fn prefetch_edge(&self, ends: [u32; 2]) {
        self.edges.prefetch(packed(ends).tag());
    }

    /// Asks for a node's lists ahead of their use.
    #[inline]
    pub(super) fn prefetch_lists(&self, node: u32) {
        prefetch(&self.ends, node as usize);
    }

    /// Asks for the first half of a list ahead of its use.
    #[inline]
    pub(super) fn prefetch_first(&self, node: u32, list: List) {
        let first = self.first(node, list);
        if first != NONE {
            prefetch(&self.halves, first as usize);
        }
    }

    /// Asks for the halves of an edge ahead of their use.
    #[inline]
    pub(super) fn prefetch_halves(&self, edge: u32) {
        prefetch(&self.halves, edge as usize * 2);
        prefetch(&self.halves, edge as usize * 2 + 1);
    }

    /// Asks for the halves beside those of an edge ahead of its removal.
    #[inline]
    pub(super) fn prefetch_beside(&self, edge: u32) {
        let first = edge as usize * 2;
        for half in self.halves.get(first..first + 2).into_iter().flatten() {
            for beside in [half.next, half.prev] {
                if beside != NONE {
                    prefetch(&self.halves, beside as usize);
                }
            }
        }
    }

    /// Halves that hang on a node.
    pub(super) fn degree(&self, node: u32) -> u32 {
        self.ends[node as usize].degree
    }

    /// The edge between two nodes, if it is there.
    pub(super) fn find(&self, ends: [u32; 2]) -> Option<u32> {
        self.edges.find(&packed(ends))
    }

    /// Adds an edge that is not there, and returns its half at the first end.
    pub(super) fn insert(&mut self, ends: [u32; 2], list: List) -> u32 {
        let (edge, _) = self.edges.resolve(&packed(ends));
        let first = edge as usize * 2;
        if first == self.halves.len() {
            let unlinked = |node| Half {
                node,
                next: NONE,
                prev: NONE,
                list,
            };
            self.halves.extend(ends.map(unlinked));
        }
        for (half, node) in (edge * 2..).zip(ends) {
            self.halves[half as usize].node = node;
            self.hang(half, list);
            self.ends[node as usize].degree += 1;
        }
        edge * 2
    }

    /// Removes an edge, and returns the list that it was in.
    pub(super) fn remove(&mut self, edge: u32) -> List {
        let list = self.halves[edge as usize * 2].list;
        for half in [edge * 2, edge * 2 + 1] {
            self.take_down(half);
            let node = self.halves[half as usize].node;
            self.ends[node as usize].degree -= 1;
        }
        self.edges.remove(edge);
        list
    }

    /// Moves the edge of a half to the forest.
    pub(super) fn plant(&mut self, half: u32) {
        for half in [half, half ^ 1] {
            self.take_down(half);
            self.hang(half, List::Forest);
        }
    }

    /// Moves the edge of a half out of the forest.
    pub(super) fn uproot(&mut self, half: u32) {
        for half in [half, half ^ 1] {
            self.take_down(half);
            self.hang(half, List::Rest);
        }
    }

    /// The first half in a list of a node.
    #[inline]
    pub(super) fn first(&self, node: u32, list: List) -> u32 {
        self.ends[node as usize].first[list as usize]
    }

    /// The half after another.
    #[inline]
    pub(super) fn next(&self, half: u32) -> u32 {
        self.halves[half as usize].next
    }

    /// The node that a half hangs on.
    #[inline]
    pub(super) fn node_of(&self, half: u32) -> u32 {
        self.halves[half as usize].node
    }

    /// The list that a half is in.
    pub(super) fn list(&self, half: u32) -> List {
        self.halves[half as usize].list
    }

    /// The node at the other end of a half's edge.
    #[inline]
    pub(super) fn across(&self, half: u32) -> u32 {
        self.halves[(half ^ 1) as usize].node
    }

    /// The halves in a list of a node.
    pub(super) fn halves(&self, node: u32, list: List) -> impl Iterator<Item = u32> {
        let some = |half: u32| (half != NONE).then_some(half);
        std::iter::successors(some(self.first(node, list)), move |half| {
            some(self.next(*half))
        })
    }

    /// All edges.
    pub(super) fn edges(&self) -> impl Iterator<Item = Edge> {
        let number = |half: usize| self.number(self.halves[half].node);
        self.edges.iter().map(move |(edge, _)| {
            let first = edge as usize * 2;
            (number(first), number(first + 1))
        })
    }

    pub(super) fn nodes_len(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn edges_len(&self) -> usize {
        self.edges.len()
    }

    /// Bytes held, capacity included.
    pub(super) fn bytes(&self) -> usize {
        self.nodes.bytes()
            + self.edges.bytes()
            + self.ends.capacity() * size_of::<Ends>()
            + self.halves.capacity() * size_of::<Half>()
    }

    fn hang(&mut self, half: u32, list: List) {
        let node = self.halves[half as usize].node;
        let first = &mut self.ends[node as usize].first[list as usize];
        let next = std::mem::replace(first, half);
        if next != NONE {
            self.halves[next as usize].prev = half;
        }
        let half = &mut self.halves[half as usize];
        (half.next, half.prev, half.list) = (next, NONE, list);
    }

    fn take_down(&mut self, half: u32) {
        let Half {
            node,
            next,
            prev,
            list,
        } = self.halves[half as usize];
        if next != NONE {
            self.halves[next as usize].prev = prev;
        }
        if prev == NONE {
            self.ends[node as usize].first[list as usize] = next;
        } else {
            self.halves[prev as usize].next = next;
        }
    }
}
