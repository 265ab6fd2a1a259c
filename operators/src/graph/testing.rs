//! Graphs drawn from a seed, and a state over their edges held to brute force at every epoch.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use thalweg_engine::key::GOLDEN;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyedState};
use thalweg_engine::update::Updates;

use crate::graph::Edge;
use crate::laws::{Draws, Epochs};

/// Forty epochs of edges that come and go, as `undirected` writes them: the lesser node first, each once.
pub(super) fn clean_log(seed: u64) -> Epochs<Edge> {
    let mut draws = Draws::seeded(seed.wrapping_mul(GOLDEN) | 1);
    let nodes = [3, 6, 12, 40][seed as usize % 4];
    let (mut there, mut time) = (BTreeSet::new(), EpochTime::default());
    let mut epochs = Vec::new();
    for number in 1..=40 {
        time.epoch = number;
        let mut changes: BTreeMap<Edge, i64> = BTreeMap::new();
        for _ in 0..draws.below(9) {
            // Chains and stars beside random graphs.
            let a = draws.below(nodes);
            let b = match seed % 3 {
                0 => draws.below(nodes),
                1 => a + 1,
                _ => draws.below(2),
            };
            let edge = (a.min(b), a.max(b));
            let goes = there.contains(&edge);
            if draws.below(3) > 0 || goes {
                changes.insert(edge, if goes { -1 } else { 1 });
            }
        }
        for (edge, diff) in &changes {
            if *diff > 0 {
                there.insert(*edge);
            } else {
                there.remove(edge);
            }
        }
        epochs.push((time, changes.into_iter().collect()));
    }
    epochs
}

/// Runs a state over such a log: after every epoch its rows are `oracle` of the edges, each change written once.
pub(super) fn assert_brute_force<S: KeyedState<In = Edge>>(
    seed: u64,
    mut state: S,
    oracle: impl Fn(&[Edge]) -> Vec<S::Out>,
) where
    S::Out: Ord + Debug,
{
    let (mut there, mut rows) = (BTreeSet::new(), BTreeMap::new());
    for (time, changes) in clean_log(seed) {
        let epoch: Updates<Edge> = changes.iter().map(|(e, d)| (*e, time.epoch, *d)).collect();
        let (mut buffer, mut written) = (Vec::new(), Vec::new());
        let mut pass_on = |full: &mut Vec<_>| written.append(full);
        let mut out = Emitter::new(time.epoch, &mut buffer, &mut pass_on);
        state.epoch(&time, epoch, &mut out);
        out.finish();
        for (edge, diff) in changes {
            if diff > 0 {
                there.insert(edge);
            } else {
                there.remove(&edge);
            }
        }
        let mut changed = BTreeSet::new();
        for (row, _, diff) in written {
            assert!(changed.insert(row.clone()), "seed {seed}: {row:?} twice");
            *rows.entry(row).or_insert(0) += diff;
        }
        rows.retain(|_, count| *count != 0);
        let edges: Vec<Edge> = there.iter().copied().collect();
        let expected: BTreeMap<_, _> = oracle(&edges).into_iter().map(|row| (row, 1)).collect();
        assert_eq!(rows, expected, "seed {seed}, {time:?}, {edges:?}");
    }
}

/// The neighbours of each node that has an edge, itself only by an edge to itself.
pub(super) fn neighbours(edges: &[Edge]) -> BTreeMap<u64, BTreeSet<u64>> {
    let mut near: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
    for (a, b) in edges {
        near.entry(*a).or_default().insert(*b);
        near.entry(*b).or_default().insert(*a);
    }
    near
}

/// Every node that each node with an edge hangs together with, itself included.
pub(super) fn reach(edges: &[Edge]) -> BTreeMap<u64, Vec<u64>> {
    let near = neighbours(edges);
    let walk = |node: &u64| {
        let (mut seen, mut next) = (BTreeSet::from([*node]), vec![*node]);
        while let Some(node) = next.pop() {
            next.extend(near[&node].iter().filter(|there| seen.insert(**there)));
        }
        (*node, seen.into_iter().collect())
    };
    near.keys().map(walk).collect()
}
