//! Runs a job's workers in one thread, in an order drawn from the seed.

use std::sync::Arc;

use timely::worker::{Config as WorkerConfig, Worker};

use crate::config::Config;
use crate::error::JobError;
use crate::front::Front;
use crate::job::Job;
use crate::metrics::Metrics;
use crate::shared::Shared;
use crate::sim::{Dice, Trace, net};
use crate::threads::build_graph;

/// Turns after which a simulation that has not ended counts as stalled.
const TURNS_MAX: u64 = 5_000_000;

/// A simulation of a job under a seed.
#[derive(Clone)]
pub struct Sim {
    seed: u64,
    config: Config,
}

/// What a simulation came to.
#[derive(Debug)]
pub struct SimReport {
    /// A hash of everything that happened: the same seed gives the same trace.
    pub trace: u64,
    /// Turns of workers.
    pub turns: u64,
    /// The job's counters.
    pub metrics: Arc<Metrics>,
}

impl Sim {
    /// A simulation under `seed` with the workers and epochs of `config`.
    #[must_use]
    pub fn new(seed: u64, config: Config) -> Self {
        Self { seed, config }
    }

    /// Runs the whole job.
    ///
    /// # Errors
    /// As `Job::run`, and [`JobError::System`] when nothing moves any more.
    pub fn run(&self, job: &Job) -> Result<SimReport, JobError> {
        let (dice, trace) = (Dice::new(self.seed), Trace::default());
        let shared = Shared::new(self.config.clone());
        let mut workers = Vec::new();
        for allocator in net::allocators(self.config.worker_count(), &dice, &trace)? {
            workers.push(Worker::new(WorkerConfig::default(), allocator, None));
        }
        let mut drivers = Vec::new();
        for worker in &mut workers {
            let front = Front::Sim(dice.clone(), trace.clone());
            drivers.push(build_graph(worker, &*job.build, &shared, front)?);
        }
        let mut live: Vec<usize> = (0..workers.len()).collect();
        let mut turns = 0;
        while !live.is_empty() {
            turns += 1;
            if turns > TURNS_MAX {
                return Err(JobError::System(format!(
                    "seed {}: stalled after {turns} turns",
                    self.seed
                )));
            }
            let turn = dice.below(live.len());
            let index = live[turn];
            trace.note(&[index as u64]);
            drivers[index].drive()?;
            if !workers[index].step() {
                live.swap_remove(turn);
            }
        }
        for driver in &mut drivers {
            driver.finish();
            while !driver.is_finished()? {}
        }
        Ok(SimReport {
            trace: trace.hash(),
            turns,
            metrics: Arc::clone(&shared.metrics),
        })
    }
}
