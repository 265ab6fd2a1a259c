//! What the law tests share: logs drawn from a seed, oracles that recompute from scratch, and how jobs are run.
//!
//! ```text
//! seed ─▶ dice ─┬─▶ case: signed events in partitions ──┬─▶ oracle ────────────────▶ expected rows
//!               └─▶ lap: workers, epochs, reads, order ──┴─▶ job, simulated twice ──▶ rows, epoch by epoch
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "this is a test: it fails by panicking"
)]

pub mod case;
pub mod decayed;
pub mod dice;
pub mod drift;
pub mod epochs;
pub mod event;
pub mod fitted;
pub mod lap;
pub mod london;
pub mod oracle;
pub mod sliding;
pub mod summary;
pub mod windows;
