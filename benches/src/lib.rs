//! Workloads, hand-written loops and measurement for `cargo bench -p benches`.

pub mod asof;
pub mod data;
pub mod feed;
pub mod loops;
pub mod measure;
pub mod workload;
