//! Workloads, hand-written loops and measurement for `cargo bench -p benches`.

pub mod asked;
pub mod asof;
pub mod codec;
pub mod data;
pub mod digest;
pub mod expected;
pub mod family;
pub mod feed;
pub mod graph;
pub mod jobs;
pub mod latency;
pub mod loops;
pub mod measure;
pub mod outcome;
pub mod plan;
pub mod run;
pub mod scaling;
pub mod workload;
