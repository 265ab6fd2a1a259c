//! What holds of a forest after every epoch, whatever was added and removed, over graphs with long and short ways.

use std::collections::{BTreeMap, BTreeSet};

use super::Forest;
use crate::graph::Edge;
use crate::graph::adjacency::{List, NONE};
use crate::laws::Draws;

/// Takes one of the edges out.
fn take(edges: &mut Vec<Edge>, draws: &mut Draws) -> Edge {
    let at = draws.below(edges.len() as u64) as usize;
    edges.swap_remove(at)
}

fn even(nodes: u64, count: u64, draws: &mut Draws) -> Vec<Edge> {
    (0..count)
        .map(|_| (draws.below(nodes), draws.below(nodes)))
        .collect()
}

/// Graphs of some hundred nodes, more than a search takes before it walks both sides of a cut.
fn shapes(draws: &mut Draws) -> Vec<(&'static str, Vec<Edge>)> {
    let ring = |nodes: u64, chord: u64| {
        (0..nodes)
            .flat_map(move |node| [(node, (node + 1) % nodes), (node, (node + chord) % nodes)])
    };
    let grid = (0..400).flat_map(|node| {
        let right = (node % 20 != 19).then_some((node, node + 1));
        right
            .into_iter()
            .chain((node < 380).then_some((node, node + 20)))
    });
    let hub = (1..300).flat_map(|node| [(0, node), (node, node % 299 + 1)]);
    let crowd = |from: u64, draws: &mut Draws| {
        let edges = even(200, 700, draws).into_iter();
        edges.map(move |(a, b)| (a + from, b + from))
    };
    let (crowd, other) = (crowd(0, draws), crowd(200, draws));
    // A chain of 100 nodes from one crowd to the other, and three short cuts.
    let chain = (400..500).map(|node| (node, node + 1));
    let bridges = [(0, 400), (500, 200), (3, 203), (410, 207), (405, 290)];
    vec![
        ("as many edges as nodes", even(500, 500, draws)),
        ("twice as many edges as nodes", even(300, 600, draws)),
        ("a ring with chords", ring(600, 37).collect()),
        ("a chain that meets itself", ring(400, 1).collect()),
        ("a grid", grid.collect()),
        ("a hub with a rim", hub.collect()),
        (
            "two crowds with bridges",
            crowd.chain(other).chain(chain).chain(bridges).collect(),
        ),
    ]
}

/// The least node that each node with an edge hangs together with: the lesser label of its ends over each edge, until
/// none is left to lower.
fn labels(edges: &BTreeSet<Edge>) -> BTreeMap<u64, u64> {
    let ends = edges.iter().flat_map(|(a, b)| [*a, *b]);
    let mut labels: BTreeMap<u64, u64> = ends.map(|node| (node, node)).collect();
    loop {
        let mut is_done = true;
        for (a, b) in edges.iter().chain(edges.iter().rev()) {
            let least = labels[a].min(labels[b]);
            is_done &= labels[a] == labels[b];
            labels.insert(*a, least);
            labels.insert(*b, least);
        }
        if is_done {
            return labels;
        }
    }
}

impl Forest {
    /// Holds every node and edge to what trees and components promise.
    fn assert_sound(&self, edges: &BTreeSet<Edge>, case: &str) {
        let trees = &self.trees;
        let node = |number: u64| trees.graph.known(number).unwrap();
        let numbers: BTreeSet<u64> = edges.iter().flat_map(|(a, b)| [*a, *b]).collect();
        let mut sizes: BTreeMap<u32, u32> = BTreeMap::new();
        for number in &numbers {
            let place = trees.at(node(*number));
            assert_eq!(place.walked_by, 0, "{case}: {number} is marked");
            *sizes.entry(place.component).or_insert(0) += 1;
            if place.up == NONE {
                let root = self.components[place.component as usize].root;
                assert_eq!((place.parent, root), (NONE, node(*number)), "{case}");
                continue;
            }
            assert_eq!(trees.graph.node_of(place.up), node(*number), "{case}");
            assert_eq!(trees.graph.across(place.up), place.parent, "{case}");
            assert_eq!(trees.graph.list(place.up), List::Forest, "{case}");
            assert!(
                trees.at(place.parent).level < place.level,
                "{case}: {number} is not deeper than what it hangs on"
            );
        }
        for (component, size) in sizes {
            assert_eq!(self.components[component as usize].size, size, "{case}");
        }
        for (a, b) in edges {
            let half = trees.graph.find([node(*a), node(*b)]).unwrap() * 2;
            let [a, b] = [half, half + 1].map(|half| trees.at(trees.graph.node_of(half)));
            assert_eq!(a.component, b.component, "{case}");
            let is_up = a.up / 2 == half / 2 || b.up / 2 == half / 2;
            let is_forest = trees.graph.list(half) == List::Forest;
            assert_eq!(is_up, is_forest, "{case}: an edge that nothing hangs by");
        }
    }
}

#[test]
fn forests_are_sound_and_labels_right_while_graphs_grow_churn_and_vanish() {
    for seed in 1..=3 {
        let mut draws = Draws::seeded(seed);
        for (shape, edges) in shapes(&mut draws) {
            let in_order = edges.into_iter().map(|(a, b)| (a.min(b), a.max(b)));
            let mut out: Vec<Edge> = in_order.collect::<BTreeSet<_>>().into_iter().collect();
            let (mut forest, mut there, mut shown) = (Forest::new(), Vec::new(), BTreeMap::new());
            // Mostly added, then as many added as removed, then mostly removed.
            for epoch in 0.. {
                let case = format!("seed {seed}, {shape}, epoch {epoch}");
                let added = [20, 6, 1][(epoch / 60).min(2)].min(out.len());
                let added: Vec<Edge> = (0..added).map(|_| take(&mut out, &mut draws)).collect();
                forest.insert(added.iter().copied());
                there.extend(added);
                let removed = [2, 6, 12][(epoch / 60).min(2)].min(there.len());
                let removed: Vec<Edge> =
                    (0..removed).map(|_| take(&mut there, &mut draws)).collect();
                forest.remove(removed.iter().copied());
                if epoch < 120 {
                    out.extend(removed);
                }
                forest.settle(|node, told, label| {
                    assert_eq!(shown.get(&node).copied(), told, "{case}");
                    match label {
                        Some(label) => shown.insert(node, label),
                        None => shown.remove(&node),
                    };
                });
                let edges = there.iter().copied().collect();
                forest.assert_sound(&edges, &case);
                assert!(shown == labels(&edges), "{case}: labels");
                if epoch > 120 && there.is_empty() && out.is_empty() {
                    break;
                }
            }
        }
    }
}

#[test]
fn trees_of_a_random_graph_stay_shallow() {
    let mut forest = Forest::new();
    let edges: BTreeSet<Edge> = even(20_000, 40_000, &mut Draws::seeded(7))
        .into_iter()
        .collect();
    let mut mixed: Vec<Edge> = edges.into_iter().collect();
    let mut draws = Draws::seeded(8);
    while !mixed.is_empty() {
        forest.insert([take(&mut mixed, &mut draws)]);
    }
    let depth = |node: u32| {
        let parent = |node: &u32| Some(forest.trees.at(*node).parent).filter(|up| *up != NONE);
        std::iter::successors(Some(node), parent).count() - 1
    };
    let nodes = forest.trees.places.len();
    let depths: usize = (0..nodes as u32).map(depth).sum();
    // 14 by count; some 60 in the order of arrival.
    assert!(depths < 20 * nodes, "{} of {nodes}", depths / nodes);
}

#[test]
fn levels_of_a_chain_that_moves_on_start_again() {
    let mut forest = Forest::new();
    for node in 0..10_000 {
        forest.insert([(node, node + 1)]);
        forest.remove(node.checked_sub(50).map(|node| (node, node + 1)));
        forest.settle(|_, _, _| {});
    }
    let level = forest.trees.places.iter().map(|place| place.level).max();
    assert!(level < Some(200), "{level:?}");
}
