//! What a running job tells about itself: counters that every worker adds to, read by progress bars and reports.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::keyed::StateSize;
use crate::source::DeadLetter;
use crate::time::{EventTime, WATERMARK_NONE};

/// One source's account: `read = rows + late + dead`, always.
#[derive(Debug, Default)]
pub struct SourceMetrics {
    /// Records taken from the source, decoded or not.
    pub read: AtomicU64,
    /// Rows that entered the graph.
    pub rows: AtomicU64,
    /// Rows behind the watermark or too far in the future: in the late output.
    pub late: AtomicU64,
    /// Records that could not be decoded: in the dead-letter output.
    pub dead: AtomicU64,
    /// Records that the source holds in all, where known; 0 where not.
    pub expected: AtomicU64,
    first_dead: OnceLock<String>,
}

impl SourceMetrics {
    /// Where the first dead letter stood that any worker met, and why it could not be used.
    #[must_use]
    pub fn first_dead(&self) -> Option<&str> {
        self.first_dead.get().map(String::as_str)
    }

    pub(crate) fn note_dead(&self, letter: &DeadLetter) {
        self.first_dead.get_or_init(|| {
            let DeadLetter {
                partition,
                position,
                reason,
                ..
            } = letter;
            format!("{partition}, record {position}: {reason}")
        });
    }
}

/// One stateful operator on one worker.
#[derive(Debug, Default)]
pub struct OperatorMetrics {
    /// Updates received.
    pub rows_in: AtomicU64,
    /// Updates emitted.
    pub rows_out: AtomicU64,
    /// Updates that came for what had been written for good, such as a window that has ended: they changed nothing.
    pub forgotten: AtomicU64,
    /// Keys held.
    pub keys: AtomicU64,
    /// Events held.
    pub events: AtomicU64,
    /// Bytes of state, capacity included.
    pub bytes: AtomicU64,
    /// The most bytes that there were after any epoch.
    pub bytes_peak: AtomicU64,
    /// The events held when the bytes were at their peak.
    pub events_at_peak: AtomicU64,
    /// The keys held when the bytes were at their peak.
    pub keys_at_peak: AtomicU64,
}

impl OperatorMetrics {
    /// An epoch's updates came in.
    pub(crate) fn took(&self, updates: usize) {
        self.rows_in.fetch_add(updates as u64, Relaxed);
    }

    /// Of an epoch's updates so many changed nothing.
    pub(crate) fn forgot(&self, updates: u64) {
        if updates > 0 {
            self.forgotten.fetch_add(updates, Relaxed);
        }
    }

    /// An epoch's updates went out, and left the state at this size.
    pub(crate) fn gave(&self, updates: u64, size: StateSize) {
        self.rows_out.fetch_add(updates, Relaxed);
        self.keys.store(size.keys as u64, Relaxed);
        self.events.store(size.events as u64, Relaxed);
        self.bytes.store(size.bytes as u64, Relaxed);
        if self.bytes_peak.fetch_max(size.bytes as u64, Relaxed) <= size.bytes as u64 {
            self.events_at_peak.store(size.events as u64, Relaxed);
            self.keys_at_peak.store(size.keys as u64, Relaxed);
        }
    }
}

/// One sink on one worker.
#[derive(Debug, Default)]
pub struct SinkMetrics {
    /// Updates acknowledged.
    pub rows: AtomicU64,
    /// Epochs acknowledged.
    pub epochs: AtomicU64,
    /// Whether the rows were held back at the end, for the job was stopped before they were whole.
    pub held_back: AtomicBool,
}

/// All counters of a job.
#[derive(Debug)]
pub struct Metrics {
    sources: Mutex<BTreeMap<String, Arc<SourceMetrics>>>,
    operators: Mutex<BTreeMap<(String, usize), Arc<OperatorMetrics>>>,
    sinks: Mutex<BTreeMap<(String, usize), Arc<SinkMetrics>>>,
    /// Epochs that all sinks have acknowledged.
    pub epochs: AtomicU64,
    /// The global watermark.
    pub watermark: AtomicI64,
    /// The newest event time read.
    pub newest: AtomicI64,
    latency_us: Mutex<Histogram<u64>>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            sources: Mutex::default(),
            operators: Mutex::default(),
            sinks: Mutex::default(),
            epochs: AtomicU64::new(0),
            watermark: AtomicI64::new(WATERMARK_NONE),
            newest: AtomicI64::new(WATERMARK_NONE),
            latency_us: Mutex::new(new_histogram()),
        }
    }
}

/// From 1 µs to an hour, three significant digits.
fn new_histogram() -> Histogram<u64> {
    #[expect(
        clippy::expect_used,
        reason = "the bounds are constants that the library accepts"
    )]
    Histogram::new_with_bounds(1, 3_600_000_000, 3).expect("constant bounds")
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Metrics {
    /// The counters of a source, made at the first call.
    pub fn source(&self, name: &str) -> Arc<SourceMetrics> {
        Arc::clone(locked(&self.sources).entry(name.to_owned()).or_default())
    }

    /// The counters of an operator on a worker.
    pub fn operator(&self, name: &str, worker: usize) -> Arc<OperatorMetrics> {
        Arc::clone(
            locked(&self.operators)
                .entry((name.to_owned(), worker))
                .or_default(),
        )
    }

    /// The counters of a sink on a worker.
    pub fn sink(&self, name: &str, worker: usize) -> Arc<SinkMetrics> {
        Arc::clone(
            locked(&self.sinks)
                .entry((name.to_owned(), worker))
                .or_default(),
        )
    }

    /// All sources by name.
    pub fn sources(&self) -> Vec<(String, Arc<SourceMetrics>)> {
        locked(&self.sources)
            .iter()
            .map(|(name, m)| (name.clone(), Arc::clone(m)))
            .collect()
    }

    /// All operators by name and worker.
    pub fn operators(&self) -> Vec<((String, usize), Arc<OperatorMetrics>)> {
        locked(&self.operators)
            .iter()
            .map(|(name, m)| (name.clone(), Arc::clone(m)))
            .collect()
    }

    /// All sinks by name and worker.
    pub fn sinks(&self) -> Vec<((String, usize), Arc<SinkMetrics>)> {
        locked(&self.sinks)
            .iter()
            .map(|(name, m)| (name.clone(), Arc::clone(m)))
            .collect()
    }

    /// Notes how long an epoch took from its first row to the last acknowledgement.
    pub fn record_latency(&self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        locked(&self.latency_us).saturating_record(micros.max(1));
    }

    /// The latency below which this share (0 to 1) of the epochs stayed; zero when there was none.
    #[must_use]
    pub fn latency(&self, share: f64) -> Duration {
        Duration::from_micros(locked(&self.latency_us).value_at_quantile(share))
    }

    /// How far the watermark is behind the newest event time, in µs; 0 until both are known.
    #[must_use]
    pub fn lag_us(&self) -> i64 {
        let (newest, watermark) = (self.newest.load(Relaxed), self.watermark.load(Relaxed));
        if newest == WATERMARK_NONE || watermark == WATERMARK_NONE {
            return 0;
        }
        newest.saturating_sub(watermark).max(0)
    }

    pub(crate) fn see_event_time(&self, at: EventTime) {
        self.newest.fetch_max(at, Relaxed);
    }
}
