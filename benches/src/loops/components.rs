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

    /// The sum of the labels of all nodes with an edge.
    fn digest(&mut self, edges: &[Edge]) -> f64 {
        let mut has_edge = vec![false; self.parents.len()];
        for (a, b) in edges {
            (has_edge[*a as usize], has_edge[*b as usize]) = (true, true);
        }
        let nodes = (0..self.parents.len() as u32).filter(|node| has_edge[*node as usize]);
        let labels = nodes.map(|node| {
            let root = self.root(node);
            f64::from(self.least[root as usize])
        });
        labels.sum()
    }
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
    let mut unions = Unions::new(nodes);
    for (a, b) in edges {
        unions.join(*a as u32, *b as u32);
    }
    unions.digest(edges)
}
