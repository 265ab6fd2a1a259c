//! Every feature of a graph over a handful of edges, one of which is taken back.
//!
//! ```text
//!     1 ─── 2
//!      ╲   ╱             4 ─── 5   6 ─── 7        1 and 7 are flagged; 1, 5 and 7 carry labels
//!        3 ── ── ── ── ── ┘                        6 ─── 4 was there, and is not any more
//! ```
//!
//! Runs alone and asserts every row that it prints.

use std::process::ExitCode;

use examples::shown::{ended, show};
use thalweg::connectors::memory::{Collect, Log};
use thalweg::operators::graph::{Component, Degree, Edge, Flagged, Nearest, Spread, Triangles};
use thalweg::prelude::*;

/// Edges, each added (+1) or taken back (−1).
const EDGES: [((u64, u64), i64); 8] = [
    ((1, 2), 1),
    ((2, 3), 1),
    ((3, 1), 1),
    ((3, 4), 1),
    ((4, 5), 1),
    ((6, 7), 1),
    ((6, 4), 1),
    ((6, 4), -1),
];

/// What each feature writes, added up.
#[derive(Clone, Default)]
struct Answers {
    degrees: Collect<Degree>,
    components: Collect<Component>,
    triangles: Collect<Triangles>,
    there: Collect<Edge>,
    spread: Collect<Spread>,
    nearest: Collect<Nearest>,
    near: Collect<Flagged>,
    connected: Collect<Flagged>,
}

fn job(answers: Answers) -> Job {
    Job::new("graphs", move |g| {
        let edges = g.source("edges", Log::signed(EDGES.to_vec()).untimed())?;
        let flagged = g.source("flagged", Log::rows(vec![1, 7]).untimed())?;
        let graph = edges.undirected("edges");
        graph.degrees().sink("degrees", answers.degrees.clone())?;
        let components = graph.components();
        components.sink("components", answers.components.clone())?;
        let triangles = graph.triangles();
        triangles.sink("triangles", answers.triangles.clone())?;
        graph.edges().sink("there", answers.there.clone())?;
        let labels = Log::rows(vec![(1, 101), (5, 105), (7, 107)]).untimed();
        let labels = g.source("labels", labels)?;
        let spread = graph.spread(&labels, 2);
        spread.sink("spread", answers.spread.clone())?;
        let nearest = graph.nearest(&labels, 2);
        nearest.sink("nearest", answers.nearest.clone())?;
        let near = graph.flagged_within(&flagged, 2);
        near.sink("near", answers.near.clone())?;
        let connected = graph.flagged_connected(&flagged);
        connected.sink("connected", answers.connected.clone())
    })
}

fn run() -> Result<(), JobError> {
    let answers = Answers::default();
    job(answers.clone()).run(Config::workers(2)?)?;
    show(
        "edges: those that are there, the lesser node first",
        &answers.there,
        &[(1, 2), (1, 3), (2, 3), (3, 4), (4, 5), (6, 7)],
    );
    let degrees = [(1, 2), (2, 2), (3, 3), (4, 2), (5, 1), (6, 1), (7, 1)];
    show(
        "degrees: neighbours of each node",
        &answers.degrees,
        &degrees.map(|(node, neighbours)| Degree { node, neighbours }),
    );
    let labels = [(1, 1), (2, 1), (3, 1), (4, 1), (5, 1), (6, 6), (7, 6)];
    show(
        "components: the least node that one hangs together with",
        &answers.components,
        &labels.map(|(node, label)| Component { node, label }),
    );
    let corners = [(1, 1), (2, 1), (3, 1), (4, 0), (5, 0), (6, 0), (7, 0)];
    show(
        "triangles: those that a node is a corner of",
        &answers.triangles,
        &corners.map(|(node, triangles)| Triangles { node, triangles }),
    );
    let spread = [
        (1, 101, 0),
        (2, 101, 1),
        (3, 101, 1),
        (3, 105, 2),
        (4, 101, 2),
        (4, 105, 1),
        (5, 105, 0),
        (6, 107, 1),
        (7, 107, 0),
    ];
    show(
        "spread: each label with each node at most two edges away",
        &answers.spread,
        &spread.map(|(node, label, hops)| Spread { node, label, hops }),
    );
    let nearest = [
        (1, 101, 0),
        (2, 101, 1),
        (3, 101, 1),
        (4, 105, 1),
        (5, 105, 0),
        (6, 107, 1),
        (7, 107, 0),
    ];
    show(
        "nearest: the label of the fewest edges away, at most two",
        &answers.nearest,
        &nearest.map(|(node, label, hops)| Nearest { node, label, hops }),
    );
    let flagged = |(node, flagged)| Flagged { node, flagged };
    let near = [(1, 0), (2, 1), (3, 1), (4, 1), (5, 0), (6, 1), (7, 0)];
    show(
        "flagged_within: flagged nodes at most two edges away",
        &answers.near,
        &near.map(flagged),
    );
    let connected = [(1, 0), (2, 1), (3, 1), (4, 1), (5, 1), (6, 1), (7, 0)];
    show(
        "flagged_connected: flagged nodes however far away",
        &answers.connected,
        &connected.map(flagged),
    );
    Ok(())
}

fn main() -> ExitCode {
    ended(run())
}
