//! A job: a function that builds a graph, run over real threads or in a simulation, with an account at the end.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use crate::config::Config;
use crate::error::JobError;
use crate::graph::Graph;
use crate::metrics::Metrics;
use crate::progress;
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

/// How a job ended: its account, to be printed.
#[derive(Clone, Debug)]
pub struct Report {
    /// The job's name.
    pub job: String,
    /// Whether it was stopped before its sources ended.
    pub stopped: bool,
    /// Wall time from the first to the last moment.
    pub elapsed: Duration,
    /// All counters.
    pub metrics: Arc<Metrics>,
}

impl Report {
    /// Records read from all sources.
    #[must_use]
    pub fn rows_read(&self) -> u64 {
        self.metrics
            .sources()
            .iter()
            .map(|(_, source)| source.read.load(Relaxed))
            .sum()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ended = if self.stopped { "stopped" } else { "ended" };
        let seconds = self.elapsed.as_secs_f64().max(1e-9);
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = self.rows_read() as f64 / seconds;
        writeln!(
            f,
            "job '{}' {ended} after {seconds:.2} s, {rate:.0} rows/s",
            self.job
        )?;
        for (name, source) in self.metrics.sources() {
            let (read, rows) = (source.read.load(Relaxed), source.rows.load(Relaxed));
            let (late, dead) = (source.late.load(Relaxed), source.dead.load(Relaxed));
            writeln!(
                f,
                "  source {name}: {read} read = {rows} in + {late} late + {dead} dead-lettered"
            )?;
        }
        let mut sinks: BTreeMap<String, (u64, bool)> = BTreeMap::new();
        for ((name, _), sink) in self.metrics.sinks() {
            let (rows, held_back) = sinks.entry(name).or_default();
            *rows += sink.rows.load(Relaxed);
            *held_back |= sink.held_back.load(Relaxed);
        }
        for (name, (rows, held_back)) in sinks {
            if held_back {
                writeln!(
                    f,
                    "  sink {name}: nothing written, the sources were stopped before their end; what stood there stays"
                )?;
            } else {
                writeln!(f, "  sink {name}: {rows} updates written")?;
            }
        }
        let (p50, p99) = (self.metrics.latency(0.5), self.metrics.latency(0.99));
        let epochs = self.metrics.epochs.load(Relaxed);
        write!(
            f,
            "  {epochs} epochs, source to sink p50 {p50:.2?}, p99 {p99:.2?}"
        )
    }
}
