//! The laws of the engine and its operators, over simulated runs drawn from seeds and over real threads.
//!
//! | module | laws |
//! |---|---|
//! | `rolling`, `grouped`, `joins`, `stateless` | the net output is brute force's, for any workers, slicing and order |
//! | `every_epoch` | so it is at every epoch; signs per key add to 0 or 1; nothing unchanged is written, nothing final taken back |
//! | `sliding`, `drift`, `windows`, `corrections`, `point_in_time` | both of these |
//! | `last_rows`, `decayed` | both of these |
//! | `upserts` | a store that replaces holds brute force, after every epoch and in the end |
//! | `graph`, `fitted`, `transform`, `joins_in_time` | both of these |
//! | `aggregates` | every aggregate reads in windows of each kind what it reads alone, for any workers, slicing and order |
//! | `account` | read = rows + late + dead, each where it belongs |
//! | `threads` | rolling and tumbling windows on real threads are brute force |
//! | `endings` | stop, panic, failing sources and sinks |
//! | `pace` | at most two epochs are in flight |
//! | `wrong_use` | what makes no sense is refused before anything runs |
//! | `regressions` | what these laws have found, as small logs |

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "this is a test: it fails by panicking"
)]

mod account;
mod aggregates;
mod corrections;
mod decayed;
mod drift;
mod endings;
mod every_epoch;
mod fitted;
mod graph;
mod grouped;
mod jobs;
mod joins;
mod joins_in_time;
mod last_rows;
mod pace;
mod point_in_time;
mod regressions;
mod rolling;
mod sliding;
mod stateless;
mod threads;
mod transform;
mod upserts;
mod windows;
mod wrong_use;

/// Runs a law for many seeds; the seed of a failure is in its message.
fn for_seeds(seeds: std::ops::Range<u64>, mut law: impl FnMut(u64)) {
    for seed in seeds {
        let run = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| law(seed)));
        if let Err(panic) = run {
            eprintln!("seed {seed} broke the law");
            std::panic::resume_unwind(panic);
        }
    }
}
