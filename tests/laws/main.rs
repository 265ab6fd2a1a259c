//! The laws of the engine and its operators, over simulated runs drawn from seeds and over real threads.
//!
//! | module | laws |
//! |---|---|
//! | `rolling`, `grouped`, `stateless` | the net output is brute force's, for any workers, slicing and order |
//! | `every_epoch` | so it is at every epoch; signs per key add to 0 or 1; nothing unchanged is written, nothing final taken back |
//! | `sliding`, `drift`, `windows`, `corrections`, `point_in_time` | both of these |
//! | `last_rows`, `decayed` | both of these |
//! | `upserts` | a store that replaces holds brute force, after every epoch and in the end |
//! | `joins`, `joins_in_time`, `graph`, `fitted`, `transform` | both of these |
//! | `aggregates` | every aggregate reads in windows of each kind what it reads alone, for any workers, slicing and order |
//! | `account` | read = rows + late + dead, each where it belongs |
//! | `threads` | rolling and tumbling windows on real threads are brute force |
//! | `endings` | stop, panic, failing sources and sinks |
//! | `pace` | at most two epochs are in flight |
//! | `wrong_use` | what makes no sense is refused before anything runs |
//! | `regressions` | what these laws have found, as small logs |
//!
//! A test tries its law on 12 to 1,024 seeds. `THALWEG_CASES` says on how many instead, from its first seed on; those of
//! rolling windows on 100,000:
//!
//! ```sh
//! THALWEG_CASES=100000 cargo test -p tests --test laws --release rolling::
//! ```

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

/// Runs a law for many seeds, as many as `THALWEG_CASES` says if it is set; the seed of a failure is in its message.
fn for_seeds(seeds: std::ops::Range<u64>, mut law: impl FnMut(u64)) {
    for seed in wanted(seeds, cases_said().as_deref()) {
        let run = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| law(seed)));
        if let Err(panic) = run {
            eprintln!("seed {seed} broke the law");
            std::panic::resume_unwind(panic);
        }
    }
}

/// How many seeds are wanted, if anyone said so.
#[expect(
    clippy::disallowed_methods,
    reason = "the file that reads the settings of these tests"
)]
fn cases_said() -> Option<String> {
    match std::env::var("THALWEG_CASES") {
        Ok(said) => Some(said),
        Err(std::env::VarError::NotPresent) => None,
        Err(error) => panic!("THALWEG_CASES must be a number of seeds: {error}"),
    }
}

/// The seeds of a test, or as many from its first on as are said.
///
/// # Panics
/// When what is said is no number, or none at all: a law that is tried on nothing must not look as if it held.
fn wanted(seeds: std::ops::Range<u64>, said: Option<&str>) -> std::ops::Range<u64> {
    let Some(said) = said else { return seeds };
    let cases = said.parse::<u64>().ok().filter(|cases| *cases > 0);
    let cases = cases.unwrap_or_else(|| {
        panic!("THALWEG_CASES must be a number of seeds above 0, as in 100000, not {said:?}")
    });
    seeds.start..seeds.start.saturating_add(cases)
}

#[test]
fn a_test_takes_its_own_seeds_unless_told_how_many() {
    assert_eq!(wanted(500..620, None), 500..620);
    assert_eq!(wanted(500..620, Some("3")), 500..503);
    assert_eq!(wanted(500..620, Some("100000")), 500..100_500);
}

#[test]
fn a_number_of_seeds_that_is_none_is_refused() {
    for said in ["", "0", "-1", "100,000", "many"] {
        let refused = std::panic::catch_unwind(|| wanted(0..1, Some(said)));
        let refused = refused.expect_err("it is no number of seeds");
        let text = refused.downcast_ref::<String>().unwrap();
        assert!(
            text.contains("THALWEG_CASES") && text.contains(&format!("{said:?}")),
            "{text}"
        );
    }
}
