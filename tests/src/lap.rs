//! One way of running a job: workers, epochs, reads and the order of everything. Nothing here may change a result.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use thalweg::connectors::memory::Collect;
use thalweg::engine::env::{Clock, Env, StopHandle};
use thalweg::engine::metrics::Metrics;
use thalweg::engine::sim::Sim;
use thalweg::engine::update::{Data, Update};
use thalweg::prelude::{Config, EventTime, Job, JobError};

use crate::dice::Dice;

/// How a job is run.
#[derive(Clone, Copy, Debug)]
pub struct Lap {
    /// The seed of the simulation's order.
    pub seed: u64,
    /// Workers.
    pub workers: usize,
    /// Rows of an epoch.
    pub epoch_rows: usize,
    /// Rows of a read.
    pub batch_rows: usize,
}

impl Lap {
    /// Any lap.
    #[must_use]
    pub fn draw(dice: &mut Dice) -> Self {
        Self {
            seed: dice.bits(),
            workers: 1 + dice.below(4),
            epoch_rows: dice.pick(&[1, 2, 3, 7, 20, 50, 200]),
            batch_rows: dice.pick(&[1, 2, 5, 30, 1_000]),
        }
    }

    /// The lap as a job's configuration, under a clock that stands still in 2033.
    ///
    /// # Errors
    /// As [`Config::workers`] and [`Config::epoch_rows`].
    pub fn config(&self) -> Result<Config, JobError> {
        Ok(Config::workers(self.workers)?
            .epoch_rows(self.epoch_rows)?
            .env(still_env()))
    }

    /// Simulates a job twice, sees to it that both runs are the same to the last update, and returns these with the
    /// job's counters.
    ///
    /// # Panics
    /// When a run fails, or the two differ.
    pub fn simulate<O: Data + PartialEq + Debug>(
        &self,
        job: impl Fn(Collect<O>) -> Job,
    ) -> (Vec<Update<O>>, Arc<Metrics>) {
        let run = || {
            let seen = Collect::new();
            let ran = self
                .config()
                .and_then(|config| Sim::new(self.seed, config).run(&job(seen.clone())));
            let report = ran.unwrap_or_else(|error| panic!("{self:?}: {error}"));
            (report.trace, seen.updates(), report.metrics)
        };
        let (first, second) = (run(), run());
        assert_eq!(
            first.0, second.0,
            "{self:?}: the same seed must give the same trace"
        );
        assert!(
            first.1 == second.1,
            "{self:?}: the same seed must give the same updates"
        );
        (first.1, first.2)
    }
}

/// A world whose clock stands still.
#[must_use]
pub fn still_env() -> Env {
    Env {
        clock: Arc::new(StillClock),
        stop: StopHandle::default(),
    }
}

/// 2033-05-18, and no time passes.
struct StillClock;

impl Clock for StillClock {
    fn wall(&self) -> EventTime {
        2_000_000_000_000_000
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}
