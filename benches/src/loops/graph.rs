//! Features of a graph over nodes that are known to be dense: neighbours as sorted lists, once all edges have come.

use crate::graph::{self, Edge, HOPS};

/// The other nodes that each node has an edge to, each once, in order.
fn neighbours(edges: &[Edge]) -> Vec<Vec<u32>> {
    let mut neighbours = vec![Vec::new(); graph::nodes(edges.len())];
    for (a, b) in edges.iter().filter(|(a, b)| a != b) {
        neighbours[*a as usize].push(*b as u32);
        neighbours[*b as usize].push(*a as u32);
    }
    for others in &mut neighbours {
        others.sort_unstable();
        others.dedup();
    }
    neighbours
}

fn nodes(neighbours: &[Vec<u32>]) -> impl Iterator<Item = u32> {
    0..neighbours.len() as u32
}

/// The digest is the sum of the degrees' squares.
#[must_use]
pub fn degrees(edges: &[Edge]) -> (u64, f64) {
    let degrees = neighbours(edges)
        .into_iter()
        .map(|others| others.len() as f64);
    let squares = degrees.map(|degree| degree * degree);
    (edges.len() as u64, squares.sum())
}

/// The digest is the sum of the corners of all triangles.
#[must_use]
pub fn triangles(edges: &[Edge]) -> (u64, f64) {
    let neighbours = neighbours(edges);
    let mut corners = 0.0;
    for a in nodes(&neighbours) {
        let above = |node: u32, least: u32| {
            let others = &neighbours[node as usize];
            &others[others.partition_point(|other| *other <= least)..]
        };
        for b in above(a, a) {
            for c in above(*b, *b) {
                if neighbours[a as usize].binary_search(c).is_ok() {
                    corners += f64::from(a) + f64::from(*b) + f64::from(*c);
                }
            }
        }
    }
    (edges.len() as u64, corners)
}

/// Calls `see` for each flagged node with an edge and each node that is at most so many hops from it, and how many.
fn around_flagged(edges: &[Edge], mut see: impl FnMut(u32, u32, u32)) {
    let neighbours = neighbours(edges);
    let mut has_edge = vec![false; neighbours.len()];
    for (a, b) in edges {
        (has_edge[*a as usize], has_edge[*b as usize]) = (true, true);
    }
    let mut seen = vec![u32::MAX; neighbours.len()];
    let flagged = |node: &u32| graph::is_flagged(u64::from(*node)) && has_edge[*node as usize];
    for from in nodes(&neighbours).filter(flagged) {
        let (mut ring, mut next) = (vec![from], Vec::new());
        seen[from as usize] = from;
        for hops in 0..=HOPS {
            for node in ring.drain(..) {
                see(from, node, hops);
                for other in &neighbours[node as usize] {
                    if seen[*other as usize] != from {
                        seen[*other as usize] = from;
                        next.push(*other);
                    }
                }
            }
            std::mem::swap(&mut ring, &mut next);
        }
    }
}

/// The digest is the sum, over all pairs of a flagged node and another near it, of the other.
#[must_use]
pub fn flagged_within(edges: &[Edge]) -> (u64, f64) {
    let mut sum = 0.0;
    around_flagged(edges, |from, node, _| {
        sum += if from == node { 0.0 } else { f64::from(node) };
    });
    (edges.len() as u64, sum)
}

/// The digest is the sum, over all pairs of a flagged node and another near it, of the other as often as there are hops.
#[must_use]
pub fn spread(edges: &[Edge]) -> (u64, f64) {
    let mut sum = 0.0;
    around_flagged(edges, |_, node, hops| {
        sum += f64::from(hops) * f64::from(node)
    });
    (edges.len() as u64, sum)
}

/// The digest is the sum, over all nodes near a flagged one, of the node, and of the nearest label as often as there are
/// hops and once more.
#[must_use]
pub fn nearest(edges: &[Edge]) -> (u64, f64) {
    let mut nearest = vec![None; graph::nodes(edges.len())];
    around_flagged(edges, |from, node, hops| {
        let label = &mut nearest[node as usize];
        *label = Some(label.map_or((hops, from), |label: (u32, u32)| label.min((hops, from))));
    });
    let of = |(node, label): (u32, Option<(u32, u32)>)| {
        label.map_or(0.0, |(hops, label)| f64::from((hops + 1) * label + node))
    };
    let sum = (0..).zip(nearest).map(of).sum();
    (edges.len() as u64, sum)
}
