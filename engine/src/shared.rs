//! What the workers of one run share: the plan of the sources, the newest epoch, the first failure.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::Config;
use crate::error::JobError;
use crate::metrics::Metrics;
use crate::sink::Ending;
use crate::sink::lifeline::Lifeline;
use crate::source::{Partition, SourceSpec};
use crate::time::{Epoch, EventTime};
use crate::update::Data;

/// The first epoch that holds rows.
pub(crate) const EPOCH_FIRST: Epoch = 1;

/// A source that has been asked for its partitions, once for all workers.
pub(crate) struct PlannedSource<D> {
    pub(crate) spec: SourceSpec<D>,
    pub(crate) partitions: Vec<Partition>,
    /// The job-wide number of the first partition; the others follow.
    pub(crate) first: usize,
}

/// The sources planned so far, and the number that the next partition gets.
#[derive(Default)]
struct Plan {
    by_name: BTreeMap<String, Box<dyn Any + Send>>,
    next_partition: usize,
}

/// Shared by the workers of one run.
pub(crate) struct Shared {
    pub(crate) config: Config,
    /// When the run began, by its clock.
    pub(crate) started: EventTime,
    pub(crate) metrics: Arc<Metrics>,
    /// The newest epoch that any worker has begun: the others follow it.
    pub(crate) epoch: AtomicU64,
    /// Partitions of untimed bounded sources that have not ended: timed sources wait for them.
    pub(crate) dimensions_pending: AtomicUsize,
    /// The first epoch that timed rows may come in: later than the last row of every dimension.
    pub(crate) timed_from: AtomicU64,
    /// Partitions of all sources whose end the watermark waits for.
    pub(crate) partitions: AtomicUsize,
    /// Ends the writers with the run.
    pub(crate) writers: Lifeline,
    /// Whether a source was stopped before its end.
    stopped: AtomicBool,
    /// Whether a bounded one was.
    early: AtomicBool,
    plan: Mutex<Plan>,
    failed: AtomicBool,
    failure: Mutex<Option<JobError>>,
}

impl Shared {
    pub(crate) fn new(config: Config) -> Arc<Self> {
        Arc::new(Self {
            started: config.env.clock.wall(),
            config,
            metrics: Arc::default(),
            epoch: AtomicU64::new(EPOCH_FIRST),
            dimensions_pending: AtomicUsize::new(0),
            timed_from: AtomicU64::new(EPOCH_FIRST),
            partitions: AtomicUsize::new(0),
            writers: Lifeline::new(),
            stopped: AtomicBool::new(false),
            early: AtomicBool::new(false),
            plan: Mutex::default(),
            failed: AtomicBool::new(false),
            failure: Mutex::new(None),
        })
    }

    /// Asks a source for its partitions at the first call for its name, and returns the same plan from then on.
    pub(crate) fn plan<D: Data>(
        &self,
        name: &str,
        spec: &SourceSpec<D>,
    ) -> Result<Arc<PlannedSource<D>>, JobError> {
        let mut plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = plan.by_name.get(name) {
            return known
                .downcast_ref::<Arc<PlannedSource<D>>>()
                .cloned()
                .ok_or_else(|| {
                    JobError::Wrong(format!(
                        "two sources are named '{name}': give each its own name"
                    ))
                });
        }
        let partitions = spec.source.partitions().map_err(|error| JobError::Source {
            source_name: name.to_owned(),
            error,
        })?;
        let (count, bounded) = (partitions.len(), spec.source.bounded());
        if bounded || spec.event_times.is_some() {
            self.partitions.fetch_add(count, SeqCst);
        }
        if bounded && spec.event_times.is_none() {
            self.dimensions_pending.fetch_add(count, SeqCst);
        }
        let expected = partitions.iter().map(|p| p.rows.unwrap_or(0)).sum();
        self.metrics.source(name).expected.store(expected, SeqCst);
        let first = plan.next_partition;
        plan.next_partition += count;
        let planned = Arc::new(PlannedSource {
            spec: spec.clone(),
            partitions,
            first,
        });
        plan.by_name
            .insert(name.to_owned(), Box::new(Arc::clone(&planned)));
        Ok(planned)
    }

    /// The newest epoch begun anywhere.
    pub(crate) fn newest_epoch(&self) -> Epoch {
        self.epoch.load(SeqCst)
    }

    /// Notes that a source is not read to its end.
    pub(crate) fn leave_unread(&self, bounded: bool) {
        self.stopped.store(true, SeqCst);
        self.early.fetch_or(bounded, SeqCst);
    }

    /// Whether a source was left before its end: what a stop that comes later does not change.
    pub(crate) fn was_stopped(&self) -> bool {
        self.stopped.load(SeqCst)
    }

    /// How far the sources were read; final on a worker once its dataflow has ended.
    pub(crate) fn ending(&self) -> Ending {
        if self.early.load(SeqCst) {
            Ending::Early
        } else {
            Ending::Whole
        }
    }

    /// Notes a failure; the first one is kept, and every worker ends.
    pub(crate) fn fail(&self, error: JobError) {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.get_or_insert(error);
        self.failed.store(true, SeqCst);
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.failed.load(SeqCst)
    }

    pub(crate) fn take_failure(&self) -> Option<JobError> {
        self.failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}
