//! Workloads, hand-written loops and measurement for `cargo bench -p benches`.

pub mod data;
pub mod feed;
pub mod graph;
pub mod loops;
pub mod measure;
pub mod workload;
