//! What the world hands in: the clock, the seed, the wish to stop. The only file that reads a clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::time::{EventTime, micros_of};

/// Tells the time. Operators never see it: it bounds epochs, measures latency and catches bad event times.
pub trait Clock: Send + Sync {
    /// The wall clock, in µs since 1970 UTC.
    fn wall(&self) -> EventTime;
    /// Time since some fixed moment; never goes back.
    fn elapsed(&self) -> Duration;
}

/// The machine's own clock.
struct SystemClock {
    started: Instant,
}

impl SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one file that owns the clock"
    )]
    fn new() -> Self {
        Self {
            started: Instant::now(),
        }
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one file that owns the clock"
    )]
    fn wall(&self) -> EventTime {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, micros_of)
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

/// What timely counts a worker's time from. Without one it takes every worker for busy, and none ever parks.
#[expect(
    clippy::disallowed_methods,
    reason = "the one file that owns the clock"
)]
pub(crate) fn worker_timer() -> Instant {
    Instant::now()
}

/// A wish to stop that any thread may raise: the job then reads no further, drains, flushes and reports.
#[derive(Clone, Debug, Default)]
pub struct StopHandle(Arc<AtomicBool>);

impl StopHandle {
    /// Asks the job to stop. Asking twice is the same as asking once.
    pub fn stop(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether a stop was asked for.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// The world as a job may know it.
#[derive(Clone)]
pub struct Env {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Raised by Ctrl-C.
    pub stop: StopHandle,
}

impl Default for Env {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock::new()),
            stop: StopHandle::default(),
        }
    }
}
