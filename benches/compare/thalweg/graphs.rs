//! The workload over a graph, whose edges come and go.

use std::path::Path;

use thalweg::operators::graph::Component;
use thalweg::prelude::*;

use crate::digest::{AddUp, Digest, weight};
use crate::rows::{Link, file};

/// Each node with the least node that it hangs together with, kept as edges come and go.
pub(crate) fn components(folder: &Path, digest: &Digest) -> Job {
    let links = file::<Link>(folder, "links").untimed();
    let digest = digest.clone();
    Job::new("components", move |g| {
        let links = g.source("links", links.clone())?;
        let that = |change| {
            let changed = links.filter(move |link| link.change == change);
            changed.map(|link| (link.a, link.b))
        };
        let edges = that(1).union(&that(-1).negate());
        edges.undirected("links").components().sink(
            "digest",
            AddUp {
                digest: digest.clone(),
                whole: ["label"],
                real: [],
                look: |row: &Component| {
                    let weight = weight(row.node as i64);
                    ([row.label as i64 * weight], [])
                },
            },
        )
    })
}
