//! Graph features: brute force at every epoch, over edges, flags and labels that come and go.

use std::collections::{BTreeMap, BTreeSet};

use tests::case::{Case, Retractions};
use tests::dice::Dice;
use tests::epochs::{Witness, assert_every_epoch, once};
use tests::event::Event;
use tests::lap::Lap;
use tests::oracle::{Net, net};
use thalweg::connectors::memory::Collect;
use thalweg::prelude::*;

use crate::for_seeds;

/// What a feature says of a node: feature, node, label where there are several per node, value.
type Fact = (&'static str, u64, u64, u64);

/// A fact as it travels: the feature by its place in [`FEATURES`].
type Row = (u8, u64, u64, u64);

const FEATURES: [&str; 7] = [
    "degree",
    "component",
    "triangles",
    "spread",
    "nearest",
    "flagged within",
    "flagged connected",
];

/// How an event is read: nodes from its key and number, so that edges repeat, meet themselves and close triangles.
#[derive(Clone, Copy, Debug)]
struct Shape {
    nodes: u64,
    hops: u32,
}

impl Shape {
    fn edge(self, event: &Event) -> (u64, u64) {
        (
            event.key.unsigned_abs() % self.nodes,
            u64::from(event.id) * 7 % self.nodes,
        )
    }

    fn flag(self, event: &Event) -> Option<u64> {
        (event.id % 6 == 1).then(|| u64::from(event.id) % (self.nodes + 1))
    }

    fn label(self, event: &Event) -> Option<(u64, u64)> {
        (event.id % 7 == 2).then(|| {
            (
                u64::from(event.id) % (self.nodes + 1),
                u64::from(event.id) % 3,
            )
        })
    }
}

fn job(case: &Case, shape: Shape, lap: &Lap, witness: &Witness, out: Collect<Row>) -> Job {
    let (case, lap, witness) = (case.clone(), *lap, witness.clone());
    Job::new("graph", move |g| {
        let events = g.source("events", case.source(&lap))?;
        witness.watch(&events);
        let graph = events
            .map(move |event| shape.edge(&event))
            .undirected("graph");
        let flagged = events.flat_map(move |event| shape.flag(&event));
        let labels = events.flat_map(move |event| shape.label(&event));
        let hops = shape.hops;
        let facts = graph.degrees().map(|row| (0, row.node, 0, row.neighbours));
        let facts = facts
            .union(&graph.components().map(|row| (1, row.node, 0, row.label)))
            .union(&graph.triangles().map(|row| (2, row.node, 0, row.triangles)))
            .union(
                &graph
                    .spread(&labels, hops)
                    .map(|row| (3, row.node, row.label, row.hops)),
            )
            .union(
                &graph
                    .nearest(&labels, hops)
                    .map(|row| (4, row.node, 0, row.label * 100 + row.hops)),
            )
            .union(
                &graph
                    .flagged_within(&flagged, hops)
                    .map(|row| (5, row.node, 0, row.flagged)),
            )
            .union(
                &graph
                    .flagged_connected(&flagged)
                    .map(|row| (6, row.node, 0, row.flagged)),
            );
        facts.sink("out", out.clone())
    })
}

/// How many hops away each node is that can be reached within some.
fn distances(near: &BTreeMap<u64, BTreeSet<u64>>, from: u64, hops_max: u64) -> BTreeMap<u64, u64> {
    let mut found = BTreeMap::from([(from, 0)]);
    let mut ring = vec![from];
    for hops in 1..=hops_max {
        let next: BTreeSet<u64> = ring
            .iter()
            .filter_map(|node| near.get(node))
            .flatten()
            .copied()
            .collect();
        ring = next
            .into_iter()
            .filter(|node| !found.contains_key(node))
            .collect();
        found.extend(ring.iter().map(|node| (*node, hops)));
    }
    found
}

/// All features, from the definitions.
fn brute_force(input: &Net<Event>, shape: Shape) -> Net<Row> {
    fn there<T: Ord>(rows: impl Iterator<Item = (T, i64)>) -> BTreeSet<T> {
        let rows = net(rows).into_iter().filter(|(_, copies)| *copies > 0);
        rows.map(|(row, _)| row).collect()
    }
    let edges = there(input.iter().map(|(event, n)| {
        let (a, b) = shape.edge(event);
        ((a.min(b), a.max(b)), *n)
    }));
    let flagged = there(
        input
            .iter()
            .filter_map(|(event, n)| shape.flag(event).map(|node| (node, *n))),
    );
    let labels = there(
        input
            .iter()
            .filter_map(|(event, n)| shape.label(event).map(|label| (label, *n))),
    );
    let mut near: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
    for (a, b) in &edges {
        near.entry(*a).or_default().insert(*b);
        near.entry(*b).or_default().insert(*a);
    }
    let mut facts: BTreeSet<Row> = BTreeSet::new();
    for (node, neighbours) in &near {
        let others: Vec<u64> = neighbours
            .iter()
            .copied()
            .filter(|other| other != node)
            .collect();
        let closed = |a: &u64| {
            others
                .iter()
                .filter(|b| *b > a && near[a].contains(b))
                .count() as u64
        };
        let all = distances(&near, *node, near.len() as u64);
        let close = distances(&near, *node, u64::from(shape.hops));
        let flagged_in = |nodes: &BTreeMap<u64, u64>| {
            let others = nodes.keys().filter(|other| *other != node);
            others.filter(|other| flagged.contains(other)).count() as u64
        };
        facts.insert((0, *node, 0, others.len() as u64));
        facts.insert((1, *node, 0, *all.keys().next().unwrap()));
        facts.insert((2, *node, 0, others.iter().map(closed).sum()));
        facts.insert((5, *node, 0, flagged_in(&close)));
        facts.insert((6, *node, 0, flagged_in(&all)));
    }
    let mut spread: BTreeMap<(u64, u64), u64> = BTreeMap::new();
    for (from, label) in labels {
        for (node, hops) in distances(&near, from, u64::from(shape.hops)) {
            let least = spread.entry((node, label)).or_insert(hops);
            *least = hops.min(*least);
        }
    }
    let mut nearest: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
    for ((node, label), hops) in spread {
        facts.insert((3, node, label, hops));
        let best = nearest.entry(node).or_insert((hops, label));
        *best = (hops, label).min(*best);
    }
    facts.extend(
        nearest
            .into_iter()
            .map(|(node, (hops, label))| (4, node, 0, label * 100 + hops)),
    );
    facts.into_iter().map(|fact| (fact, 1)).collect()
}

fn named((feature, node, label, _): &Row) -> Fact {
    (FEATURES[usize::from(*feature)], *node, *label, 0)
}

#[test]
fn graph_features_are_brute_force_at_every_epoch() {
    for_seeds(0..300, |seed| {
        let mut dice = Dice::new(seed);
        let case = Case::draw(&mut dice, 120, Retractions::Anywhere);
        let shape = Shape {
            nodes: dice.pick(&[2, 5, 13, 31]),
            hops: dice.below(4) as u32,
        };
        let (lap, witness) = (Lap::draw(&mut dice), Witness::default());
        let written = once(&lap, |out| job(&case, shape, &lap, &witness, out));
        assert_every_epoch(
            &(seed, lap, shape, &case),
            &witness.seen(),
            &written,
            named,
            |input, _| brute_force(input, shape),
        );
    });
}

#[test]
fn graph_features_are_the_same_in_any_order() {
    for_seeds(1_000..1_060, |seed| {
        let mut dice = Dice::new(seed);
        let case = Case::draw(&mut dice, 150, Retractions::Anywhere).unlimited();
        let shape = Shape { nodes: 17, hops: 2 };
        let expected = brute_force(&net(case.rows()), shape);
        for case in [case.clone(), case.shuffled(&mut dice)] {
            let (lap, quiet) = (Lap::draw(&mut dice), Witness::default());
            let (written, _) = lap.simulate(|out| job(&case, shape, &lap, &quiet, out));
            let found = net(written.into_iter().map(|(row, _, diff)| (row, diff)));
            tests::oracle::assert_same(&found, &expected, &(seed, &lap, &case));
        }
    });
}
