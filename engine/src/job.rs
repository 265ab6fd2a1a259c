//! A job: a function that builds a graph, run over real threads or in a simulation, with an account at the end.

use std::sync::Arc;

use crate::config::Config;
use crate::error::JobError;
use crate::graph::Graph;
use crate::metrics::Metrics;
use crate::progress;
pub use crate::report::Report;
use crate::shared::Shared;
use crate::threads;

/// What builds a job's graph: called once on every worker, and must build the same graph each time.
pub(crate) type Build = dyn for<'s> Fn(&Graph<'s>) -> Result<(), JobError> + Send + Sync;

/// A job: a name and the function that builds its graph.
#[derive(Clone)]
pub struct Job {
    name: String,
    pub(crate) build: Arc<Build>,
}

impl Job {
    /// A job built by `build`, which every worker calls once.
    pub fn new(
        name: &str,
        build: impl for<'s> Fn(&Graph<'s>) -> Result<(), JobError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name: name.to_owned(),
            build: Arc::new(build),
        }
    }

    /// The job's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs the job until its sources have ended, a stop is asked for, or something fails.
    ///
    /// # Errors
    /// [`JobError`]: what was attempted, with what, and what to do.
    pub fn run(&self, config: Config) -> Result<Report, JobError> {
        self.run_with(config, |_| ())
    }

    /// As [`Job::run`]; `watch` gets the job's counters before it begins.
    ///
    /// # Errors
    /// As [`Job::run`].
    pub fn run_with(
        &self,
        config: Config,
        watch: impl FnOnce(&Arc<Metrics>),
    ) -> Result<Report, JobError> {
        let shared = Shared::new(config);
        watch(&shared.metrics);
        let clock = Arc::clone(&shared.config.env.clock);
        let started = clock.elapsed();
        let bars = shared
            .config
            .progress
            .then(|| progress::show(&shared.metrics));
        let ran = threads::run(&self.build, &shared);
        drop(bars);
        ran?;
        Ok(Report {
            job: self.name.clone(),
            stopped: shared.was_stopped(),
            elapsed: clock.elapsed().saturating_sub(started),
            metrics: Arc::clone(&shared.metrics),
        })
    }
}
