//! Features of a random graph: its edges inserted, then, for components, 1 % of them deleted in epochs of a hundred.
//!
//! | workload | what is timed | the loop beside it |
//! |---|---|---|
//! | `components_insert` | the whole job, labels kept as edges come | union-find, labels at the end |
//! | `components_delete` | the same job from its first deletion on | union-find built again for every epoch |
//! | `components_delete_tenth` | the same with a tenth of the edges, to tell what the graph's size adds to a deletion | the same |
//! | `degrees`, `triangles` | the whole job over a tenth of the edges | neighbours as sorted lists |
//! | `flagged_within`, `spread`, `nearest` | the same, of one node in a hundred, two hops far | each flagged node's surroundings |
//! | `flagged_connected` | the same, of one node in a hundred, however far | union-find |
//!
//! Edges are drawn evenly over half as many nodes: one component of nearly all nodes, and chains and islands beside it.

use std::sync::{Arc, Mutex, PoisonError};

use thalweg::connectors::memory::Log;
use thalweg::operators::graph::{Component, Degree, Flagged, Nearest, Spread, Triangles};
use thalweg::prelude::*;

use crate::data::Random;
use crate::digest::{Digest, DigestSink};
use crate::loops;
use crate::measure::{Cost, Stopwatch, measured};

/// Two nodes.
pub type Edge = (u64, u64);

/// Edges that are inserted.
pub const EDGES: usize = 1_000_000;
/// Of how many edges one is deleted: 1 %.
const OF_WHICH_ONE_IS_DELETED: usize = 100;
/// Deletions in an epoch.
pub const EPOCH_DELETIONS: usize = 100;

/// The nodes of a graph of so many edges.
#[must_use]
pub fn nodes(edges: usize) -> usize {
    (edges / 2).max(1)
}

/// Edges drawn evenly: `a` and `b` may be the same, and pairs may come twice.
#[must_use]
pub fn edges(count: usize) -> Vec<Edge> {
    let (mut random, nodes) = (Random::new(20_250_102), nodes(count) as u64);
    (0..count)
        .map(|_| (random.below(nodes), random.below(nodes)))
        .collect()
}

/// A workload over edges.
#[derive(Clone, Copy)]
pub struct GraphWorkload {
    /// The name in the result.
    pub name: &'static str,
    /// Edges that are inserted.
    pub edges: usize,
    /// Whether edges are deleted after all were inserted; then the deletions alone are timed.
    deletes: bool,
    epoch_rows: usize,
    feature: fn(&Table<'_, Edge>, &Digest) -> Result<(), JobError>,
    by_hand: fn(&[Edge]) -> (u64, f64),
}

/// All of them.
#[must_use]
pub fn all() -> [GraphWorkload; 9] {
    let delete = |name, edges| GraphWorkload {
        name,
        edges,
        deletes: true,
        epoch_rows: EPOCH_DELETIONS,
        feature: components,
        by_hand: loops::components_delete,
    };
    let insert = |name, edges, feature, by_hand| GraphWorkload {
        name,
        edges,
        deletes: false,
        epoch_rows: 8_192,
        feature,
        by_hand,
    };
    [
        insert(
            "components_insert",
            EDGES,
            components,
            loops::components_insert,
        ),
        delete("components_delete", EDGES),
        delete("components_delete_tenth", EDGES / 10),
        insert("degrees", EDGES / 10, degrees, loops::degrees),
        insert("triangles", EDGES / 10, triangles, loops::triangles),
        insert(
            "flagged_within",
            EDGES / 10,
            flagged_within,
            loops::flagged_within,
        ),
        insert("spread", EDGES / 10, spread, loops::spread),
        insert("nearest", EDGES / 10, nearest, loops::nearest),
        insert(
            "flagged_connected",
            EDGES / 10,
            flagged_connected,
            loops::flagged_connected,
        ),
    ]
}

/// The edges of a graph that are deleted: the first ones.
#[must_use]
pub fn deleted(edges: &[Edge]) -> &[Edge] {
    &edges[..edges.len() / OF_WHICH_ONE_IS_DELETED]
}

/// What a run did, and what that cost.
pub struct Ran {
    /// Edges that were inserted or deleted while it was timed.
    pub edges: usize,
    /// Their cost.
    pub cost: Cost,
    /// The sum of all labels in the end.
    pub digest: f64,
}

impl GraphWorkload {
    /// Runs the job.
    ///
    /// # Errors
    /// As the job's.
    pub fn job(&self, edges: &[Edge], workers: usize) -> Result<(Ran, Report), JobError> {
        let (digest, watch) = (Digest::default(), Watch::default());
        let rows = self.rows(edges, workers);
        let log = Log::partitions(rows).batch_rows(self.epoch_rows);
        let job = watched(log, self.feature, digest.clone(), Arc::clone(&watch));
        let config = Config::workers(workers)?.epoch_rows(self.epoch_rows)?;
        let (report, whole) = measured(|| job.run(config));
        let first_deletion = watch.lock().unwrap_or_else(PoisonError::into_inner).take();
        let ran = Ran {
            edges: if self.deletes {
                deleted(edges).len()
            } else {
                edges.len()
            },
            cost: first_deletion.map_or(whole, |before| whole - before),
            digest: digest.sum(),
        };
        Ok((ran, report?))
    }

    /// No time is shown of a job that has computed another thing.
    ///
    /// # Errors
    /// [`JobError::System`] when its labels do not add up to what is expected.
    pub fn check(&self, digest: f64, expected: f64) -> Result<(), JobError> {
        if digest == expected {
            return Ok(());
        }
        Err(JobError::System(format!(
            "{}: labels add up to {digest}, but {expected} was expected",
            self.name
        )))
    }

    /// Runs the loop.
    #[must_use]
    pub fn loop_by_hand(&self, edges: &[Edge]) -> Ran {
        let ((edges, digest), cost) = measured(|| (self.by_hand)(edges));
        Ran {
            edges: edges as usize,
            cost,
            digest,
        }
    }

    /// The log, dealt to as many partitions as there are workers.
    fn rows(&self, edges: &[Edge], workers: usize) -> Vec<Vec<(Edge, i64)>> {
        let mut dealt = vec![Vec::new(); workers];
        let inserted = edges.iter().map(|edge| (*edge, 1));
        let deleted = if self.deletes { deleted(edges) } else { &[] };
        let deleted = deleted.iter().map(|edge| (*edge, -1));
        for (i, row) in inserted.chain(deleted).enumerate() {
            dealt[i % workers].push(row);
        }
        dealt
    }
}

/// What the job had cost when the first deletion came.
type Watch = Arc<Mutex<Option<Cost>>>;

fn watched(
    log: Log<Edge>,
    feature: fn(&Table<'_, Edge>, &Digest) -> Result<(), JobError>,
    digest: Digest,
    watch: Watch,
) -> Job {
    let started = Stopwatch::start();
    Job::new("graph", move |g| {
        let watch = Arc::clone(&watch);
        let edges = g.source("edges", log.clone().untimed())?;
        let watched = edges.inspect(move |_, _, diff| {
            if diff < 0 {
                let mut watch = watch.lock().unwrap_or_else(PoisonError::into_inner);
                watch.get_or_insert_with(|| started.elapsed());
            }
        });
        feature(&watched, &digest)
    })
}

fn components(edges: &Table<'_, Edge>, digest: &Digest) -> Result<(), JobError> {
    let components = edges.undirected("edges").components();
    let look = |row: &Component| row.label as f64;
    components.sink("digest", DigestSink::new(digest, look))
}

/// Which nodes are flagged: one in a hundred.
#[must_use]
pub fn is_flagged(node: u64) -> bool {
    node.is_multiple_of(100)
}

/// How far a flag is seen, in edges.
pub const HOPS: u32 = 2;

fn flagged<'s>(edges: &Table<'s, Edge>) -> Table<'s, u64> {
    edges.flat_map(|(a, b)| [a, b].into_iter().filter(|node| is_flagged(*node)))
}

fn degrees(edges: &Table<'_, Edge>, digest: &Digest) -> Result<(), JobError> {
    let degrees = edges.undirected("edges").degrees();
    let look = |row: &Degree| (row.neighbours * row.neighbours) as f64;
    degrees.sink("digest", DigestSink::new(digest, look))
}

fn triangles(edges: &Table<'_, Edge>, digest: &Digest) -> Result<(), JobError> {
    let triangles = edges.undirected("edges").triangles();
    let look = |row: &Triangles| row.triangles as f64 * row.node as f64;
    triangles.sink("digest", DigestSink::new(digest, look))
}

fn flagged_within(edges: &Table<'_, Edge>, digest: &Digest) -> Result<(), JobError> {
    let near = edges.undirected("edges");
    let near = near.flagged_within(&flagged(edges), HOPS);
    let look = |row: &Flagged| row.flagged as f64 * row.node as f64;
    near.sink("digest", DigestSink::new(digest, look))
}

fn flagged_connected(edges: &Table<'_, Edge>, digest: &Digest) -> Result<(), JobError> {
    let connected = edges.undirected("edges");
    let connected = connected.flagged_connected(&flagged(edges));
    let look = |row: &Flagged| row.flagged as f64 * row.node as f64;
    connected.sink("digest", DigestSink::new(digest, look))
}

/// Flagged nodes as labels of themselves.
fn labels<'s>(edges: &Table<'s, Edge>) -> Table<'s, (u64, u64)> {
    flagged(edges).map(|node| (node, node))
}

fn spread(edges: &Table<'_, Edge>, digest: &Digest) -> Result<(), JobError> {
    let spread = edges.undirected("edges").spread(&labels(edges), HOPS);
    let look = |row: &Spread| row.hops as f64 * row.node as f64;
    spread.sink("digest", DigestSink::new(digest, look))
}

fn nearest(edges: &Table<'_, Edge>, digest: &Digest) -> Result<(), JobError> {
    let nearest = edges.undirected("edges").nearest(&labels(edges), HOPS);
    let look = |row: &Nearest| ((row.hops + 1) * row.label + row.node) as f64;
    nearest.sink("digest", DigestSink::new(digest, look))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_and_loops_come_to_the_same() {
        for workload in all() {
            let edges = edges(EDGES / 10);
            let (job, _) = workload.job(&edges, 2).unwrap();
            let by_hand = workload.loop_by_hand(&edges);
            let name = workload.name;
            assert!(by_hand.digest != 0.0, "{name}");
            assert_eq!(job.digest, by_hand.digest, "{name}");
        }
    }
}
