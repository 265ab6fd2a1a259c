//! The one place of these connectors that reads a clock or waits: backoff, time limits, paced generation.

use std::time::{Duration, Instant};

/// Measures how long something has taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(
        clippy::disallowed_methods,
        reason = "how long an outage lasts and how fast rows may come are matters of real time; no value depends on it"
    )]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// Blocks this thread for `length`, whoever unparks it.
pub(crate) fn pause(length: Duration) {
    let watch = Stopwatch::start();
    while let Some(rest) = length
        .checked_sub(watch.elapsed())
        .filter(|rest| !rest.is_zero())
    {
        std::thread::park_timeout(rest);
    }
}
