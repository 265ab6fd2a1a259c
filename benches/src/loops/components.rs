//! Connected components: union-find with path halving and union by size, over nodes that are known to be dense.

use crate::graph::{self, Edge};

/// A union-find forest with the least node of each tree.
struct Unions {
    parents: Vec<u32>,
    sizes: Vec<u32>,
    least: Vec<u32>,
}

impl Unions {
    fn new(nodes: usize) -> Self {
        let all: Vec<u32> = (0..nodes as u32).collect();
        Self {
            parents: all.clone(),
            sizes: vec![1; nodes],
            least: all,
        }
    }

    fn root(&mut self, mut node: u32) -> u32 {
        while self.parents[node as usize] != node {
            let up = self.parents[self.parents[node as usize] as usize];
            self.parents[node as usize] = up;
            node = up;
        }
        node
    }

    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        if a == b {
            return;
        }
        let (small, large) = if self.sizes[a as usize] < self.sizes[b as usize] {
            (a, b)
        } else {
            (b, a)
        };
        self.parents[small as usize] = large;
        self.sizes[large as usize] += self.sizes[small as usize];
        self.least[large as usize] = self.least[large as usize].min(self.least[small as usize]);
    }

    fn of(nodes: usize, edges: &[Edge]) -> Self {
        let mut unions = Self::new(nodes);
        for (a, b) in edges {
            unions.join(*a as u32, *b as u32);
        }
        unions
    }

    /// The sum of the labels of all nodes with an edge.
    fn digest(&mut self, edges: &[Edge]) -> f64 {
        let labels = with_edge(self.parents.len(), edges).map(|node| {
            let root = self.root(node);
            f64::from(self.least[root as usize])
        });
        labels.sum()
    }
}

/// The nodes that have an edge, in order.
fn with_edge(nodes: usize, edges: &[Edge]) -> impl Iterator<Item = u32> {
    let mut has_edge = vec![false; nodes];
    for (a, b) in edges {
        (has_edge[*a as usize], has_edge[*b as usize]) = (true, true);
    }
    (0..nodes as u32).filter(move |node| has_edge[*node as usize])
}

/// All edges once; the labels are known at the end alone.
#[must_use]
pub fn components_insert(edges: &[Edge]) -> (u64, f64) {
    (edges.len() as u64, labels(graph::nodes(edges.len()), edges))
}

/// Deletions, a hundred at a time: a union-find cannot take an edge back, so it is built again for each epoch. Ten
/// epochs are run, the last of which is that of the job.
#[must_use]
pub fn components_delete(edges: &[Edge]) -> (u64, f64) {
    let (nodes, step) = (graph::nodes(edges.len()), graph::EPOCH_DELETIONS);
    let last = graph::deleted(edges).len() / step;
    let mut digest = 0.0;
    for epoch in last - 9..=last {
        digest = labels(nodes, &edges[epoch * step..]);
    }
    (10 * step as u64, digest)
}

fn labels(nodes: usize, edges: &[Edge]) -> f64 {
    Unions::of(nodes, edges).digest(edges)
}

/// The digest is the sum, over all nodes with an edge, of the node as often as others of its component are flagged.
#[must_use]
pub fn flagged_connected(edges: &[Edge]) -> (u64, f64) {
    let nodes = graph::nodes(edges.len());
    let mut unions = Unions::of(nodes, edges);
    let is_flagged = |node: u32| graph::is_flagged(u64::from(node));
    let mut flags = vec![0_u32; nodes];
    for node in with_edge(nodes, edges).filter(|node| is_flagged(*node)) {
        flags[unions.root(node) as usize] += 1;
    }
    let of = |node: u32| {
        let others = flags[unions.root(node) as usize] - u32::from(is_flagged(node));
        f64::from(others) * f64::from(node)
    };
    let sum = with_edge(nodes, edges).map(of).sum();
    (edges.len() as u64, sum)
}
