//! A side of a cut grown anew, so that the next cut in it walks less.
//!
//! ```text
//! before   ●─●─●─●─●─●─●─●─●     a tree in the order in which edges came: some n^⅓ to n^½ nodes deep in a random graph
//! after    ●─┬─●─┬─●             breadth first from the bridge: some log n deep
//!            ├─● └─●
//!            └─●…
//! ```
//!
//! A cut walks its lesser side, which holds as many nodes on average as the tree is deep. In a random graph of 500,000
//! nodes and a million edges these are 182 in the order of arrival, and 9 breadth first; in one of a tenth 71 and 8. A
//! side that was long to walk is therefore grown anew, at a few times the walk's own cost.

use crate::graph::adjacency::{Adjacency, List, NONE};
use crate::graph::forest::Place;
use crate::graph::walk::{Walk, look_ahead};

/// Nodes from which on a side is grown anew.
const LONG: usize = 256;

/// Edges per node up to which it is: more would cost more to look at than the walk that they spare.
const FEW_EDGES: u64 = 16;

/// How nodes of the new tree are marked: as no walk is.
const GROWN: u8 = u8::MAX;

/// Grows the tree of a side that was walked through anew from `root`, one of its nodes, if that is worth it.
pub(super) fn grow_anew(graph: &mut Adjacency, places: &mut [Place], side: &mut Walk, root: u32) {
    if side.nodes.len() < LONG {
        return;
    }
    let degrees = side.nodes.iter().map(|node| u64::from(graph.degree(*node)));
    if degrees.sum::<u64>() > FEW_EDGES * side.nodes.len() as u64 {
        return;
    }
    for node in &side.nodes {
        loop {
            let half = graph.first(*node, List::Forest);
            if half == NONE {
                break;
            }
            graph.uproot(half);
        }
    }
    side.nodes.clear();
    side.nodes.push(root);
    places[root as usize].walked_by = GROWN;
    let mut at = 0;
    while let Some(node) = side.nodes.get(at) {
        let mut half = graph.first(*node, List::Rest);
        while half != NONE {
            let next = graph.next(half);
            let there = graph.across(half);
            let place = &mut places[there as usize];
            if place.walked_by == side.name {
                place.walked_by = GROWN;
                graph.plant(half);
                side.nodes.push(there);
                graph.prefetch_lists(there);
            }
            half = next;
        }
        at += 1;
        look_ahead(graph, places, (&side.nodes, at), List::Rest);
    }
}

#[cfg(test)]
mod tests {
    use crate::graph::Edge;
    use crate::graph::forest::Forest;

    /// A ring of a thousand nodes with a chord from each to the node that lies 37 further on.
    fn edges() -> Vec<Edge> {
        let ring = (0..1_000).map(|node| (node, (node + 1) % 1_000));
        let chords = (0..1_000).map(|node| (node, (node + 37) % 1_000));
        ring.chain(chords).collect()
    }

    /// Labels of all nodes by union of the edges left, a pass at a time.
    fn labels(edges: &[Edge]) -> Vec<Option<u64>> {
        let mut labels: Vec<_> = (0..1_000).map(|_| None).collect();
        for (a, b) in edges {
            labels[*a as usize] = Some(*a);
            labels[*b as usize] = Some(*b);
        }
        loop {
            let before = labels.clone();
            for (a, b) in edges {
                let least = labels[*a as usize].min(labels[*b as usize]);
                (labels[*a as usize], labels[*b as usize]) = (least, least);
            }
            if before == labels {
                return labels;
            }
        }
    }

    #[test]
    fn components_are_right_as_long_sides_are_grown_anew_until_no_edge_is_left() {
        let (mut forest, mut left) = (Forest::new(), edges());
        let (mut shown, mut cut) = (vec![None; 1_000], 0);
        for edge in &left {
            forest.insert(*edge);
        }
        while !left.is_empty() {
            for _ in 0..10.min(left.len()) {
                // From many places: the ring, which is the first tree, is cut in the middle too.
                cut += 7_919;
                forest.remove(left.remove(cut % left.len()));
            }
            forest.settle(|node, told, label| {
                *told = label;
                shown[node as usize] = label;
            });
            assert!(shown == labels(&left), "{} edges are left", left.len());
        }
    }
}
