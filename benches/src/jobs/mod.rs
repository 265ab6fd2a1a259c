//! The jobs of which a speed is asked, and the list of all workloads.
//!
//! | file | workloads |
//! |---|---|
//! | `rolling` | rolling windows in every mode, and as of labels |
//! | `windows` | tumbling, hopping, session |
//! | `lookup`, `drift` | a dimension looked up; histograms and their PSI |
//! | [`asof`](mod@crate::asof) | the newest payment of a label's user; a dimension as of the event |
//! | [`family`] | every other operator, of which no speed is asked |

mod drift;
mod lookup;
mod rolling;
mod windows;

use std::sync::Arc;

use thalweg::prelude::*;

use crate::data::{self, Payment};
use crate::digest::{Digest, DigestSink};
use crate::workload::{Workload, source};
use crate::{asof, expected, family, loops};
use drift::drift;
use lookup::lookup;
use rolling::{
    point_in_time, rolling_compact, rolling_corrections, rolling_final, rolling_latest,
    rolling_latest_doubled_history, rolling_latest_expiring, rolling_upsert,
};
use windows::{hopping, session, tumbling};

/// All workloads.
#[must_use]
pub fn all() -> Vec<Workload> {
    let one = |name, job, by_hand: fn(&[Payment]) -> (u64, f64)| Workload {
        name,
        job,
        by_hand: Some(by_hand),
        expected: None,
        rows: Arc::clone,
        observations_per_row: 1,
    };
    let mut all = vec![
        one("pass", pass, loops::lookup).held_to(expected::cents),
        one("rolling_latest", rolling_latest, loops::rolling).held_to(expected::as_of_the_newest),
        Workload {
            rows: |rows| Arc::new(data::in_whole_millis(rows)),
            ..one("rolling_compact", rolling_compact, loops::rolling)
                .held_to(expected::as_of_the_newest)
        },
        one(
            "rolling_latest_expiring",
            rolling_latest_expiring,
            loops::rolling,
        )
        .held_to(expected::as_of_the_watermark),
        one(
            "rolling_latest_doubled_history",
            rolling_latest_doubled_history,
            loops::rolling_two_weeks,
        )
        .held_to(expected::over_two_weeks),
        one("rolling_upsert", rolling_upsert, loops::rolling),
        Workload {
            rows: |rows| Arc::new(data::with_hot_key(rows)),
            ..one("rolling_hot_key", rolling_latest, loops::rolling)
                .held_to(expected::as_of_the_newest)
        },
        Workload {
            rows: |rows| Arc::new(data::with_zipf_keys(rows)),
            ..one("rolling_zipf", rolling_latest, loops::rolling)
                .held_to(expected::as_of_the_newest)
        },
        one("rolling_final", rolling_final, loops::rolling),
        one("tumbling", tumbling, loops::tumbling),
        one("lookup", lookup, loops::lookup),
        one("drift_1", drift::<1>, |rows| loops::drift(rows, 1)).held_to(expected::drift::<1>),
        Workload {
            observations_per_row: 10,
            ..one("drift_10", drift::<10>, |rows| loops::drift(rows, 10))
                .held_to(expected::drift::<10>)
        },
        one("asof", asof::asof, loops::asof),
        one(
            "dimension_asof",
            asof::dimension_asof,
            loops::dimension_asof,
        ),
        one("hopping", hopping, loops::hopping),
        one("session", session, loops::session),
        one(
            "rolling_corrections",
            rolling_corrections,
            loops::corrections,
        ),
        one("point_in_time", point_in_time, loops::point_in_time),
    ];
    all.extend(family::all());
    all
}

/// Source to sink and nothing between: what everything else has on top.
fn pass(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    Job::new("pass", move |g| {
        let payments = g.source("payments", source(&rows, workers))?;
        payments.sink(
            "digest",
            DigestSink::new(&digest, |row: &Payment| row.cents as f64),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a workload over its rows, and returns what its output adds up to.
    fn sum_of(workload: &Workload, rows: &Arc<Vec<Payment>>, workers: usize) -> f64 {
        let digest = Digest::default();
        let config = Config::workers(workers).unwrap().epoch_rows(700).unwrap();
        let job = (workload.job)(Arc::clone(rows), workers, digest.clone());
        job.run(config).unwrap();
        digest.sum()
    }

    #[test]
    fn every_workload_comes_to_what_its_loop_or_brute_force_says_on_any_number_of_workers() {
        let rows = Arc::new(data::payments(20_000, 500));
        let all = all();
        let ours = all
            .iter()
            .filter(|workload| workload.name != "rolling_upsert");
        for workload in ours {
            let rows = (workload.rows)(&rows);
            let expected = match (workload.expected, workload.by_hand) {
                (Some(expected), _) => expected(&rows),
                (None, by_hand) => by_hand.unwrap()(&rows).1,
            };
            assert!(expected != 0.0, "{}", workload.name);
            for workers in [1, 2] {
                let ours = sum_of(workload, &rows, workers);
                let name = workload.name;
                assert!(
                    expected::agree(ours, expected),
                    "{name}: {ours} and {expected}"
                );
            }
        }
    }
}
