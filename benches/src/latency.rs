//! Rows at a steady rate, each with the moment that it was due, and how late their answers come out.
//!
//! ```text
//! due ─ source ─ epoch ─ rolling windows ─ epoch acknowledged ─▶ written      latency = written − due
//! ```
//!
//! A row counts from the moment that it was due, not from when a busy reader got round to it: what a stall delays is
//! counted for every row (no coordinated omission).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hdrhistogram::Histogram;
use thalweg::engine::sink::{Sink, SinkError, SinkPlace, Writer};
use thalweg::engine::source::{Batch, Partition, ReadStatus, Reader, Source, SourceError};
use thalweg::engine::update::Updates;
use thalweg::operators::value::Fixed;
use thalweg::operators::window::rolling::Rolled;
use thalweg::prelude::*;

use crate::data::{Payment, Random};

/// Users that pay.
const USERS: u64 = 100_000;
/// The most rows of a read.
const READ_ROWS: u64 = 1_024;
/// What is not counted: memory is still being taken.
const WARM_UP: Duration = Duration::from_secs(1);

/// What a row comes out with: when it was due, and its user's windows.
type Answer = (i64, Rolled<u64, Fixed<0>, 1, 3>);

/// Latencies in µs.
pub type Latencies = Arc<Mutex<Histogram<u64>>>;

/// The moment that a run begins, by both clocks.
#[derive(Clone, Copy)]
struct Start {
    instant: Instant,
    wall_us: i64,
}

impl Start {
    #[expect(clippy::disallowed_methods, reason = "a bench reads the clock")]
    fn now() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH);
        let wall_us = wall.unwrap_or_default().as_micros();
        Self {
            instant: Instant::now(),
            wall_us: i64::try_from(wall_us).unwrap_or(i64::MAX),
        }
    }
}

/// A source of so many payments a second, for a while.
#[derive(Clone)]
struct Steady {
    start: Start,
    rate: u64,
    rows: u64,
}

impl Source for Steady {
    type Row = Payment;

    fn partitions(&self) -> Result<Vec<Partition>, SourceError> {
        Ok(vec![Partition {
            name: "clock".into(),
            rows: None,
        }])
    }

    fn open(&self, _: usize) -> Result<Box<dyn Reader<Payment>>, SourceError> {
        Ok(Box::new(SteadyReader {
            of: self.clone(),
            next: 0,
            random: Random::new(1),
        }))
    }

    /// It is a stream to the job: epochs close by time.
    fn bounded(&self) -> bool {
        false
    }
}

struct SteadyReader {
    of: Steady,
    next: u64,
    random: Random,
}

impl Reader<Payment> for SteadyReader {
    fn read(&mut self, batch: &mut Batch<Payment>) -> Result<ReadStatus, SourceError> {
        if self.next == self.of.rows {
            return Ok(ReadStatus::End);
        }
        let elapsed = self.of.start.instant.elapsed().as_secs_f64();
        let due = ((elapsed * self.of.rate as f64) as u64).min(self.of.rows);
        if due == self.next {
            return Ok(ReadStatus::Pending);
        }
        for row in self.next..due.min(self.next + READ_ROWS) {
            let after_us = (row as f64 / self.of.rate as f64 * 1e6) as i64;
            batch.push(Payment {
                user: 1 + self.random.below(USERS),
                at: self.of.start.wall_us + after_us,
                cents: 1 + self.random.below(10_000) as i64,
                merchant: 1,
                country: 0,
            });
            self.next = row + 1;
        }
        Ok(ReadStatus::More)
    }
}

/// A sink that notes how long after it was due each answer is written.
struct Stopped {
    start: Start,
    latencies: Latencies,
}

impl Sink<Answer> for Stopped {
    fn open(&self, _: SinkPlace) -> Result<Box<dyn Writer<Answer>>, SinkError> {
        Ok(Box::new(Self {
            start: self.start,
            latencies: Arc::clone(&self.latencies),
        }))
    }
}

impl Writer<Answer> for Stopped {
    fn write(&mut self, _: u64, rows: Updates<Answer>) -> Result<(), SinkError> {
        let now = i64::try_from(self.start.instant.elapsed().as_micros()).unwrap_or(i64::MAX);
        let counted_from = WARM_UP.as_micros() as i64;
        let mut latencies = self
            .latencies
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for ((due, _), _, diff) in &rows {
            let due = due - self.start.wall_us;
            if *diff > 0 && due >= counted_from {
                latencies.saturating_record((now - due).max(1) as u64);
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}

/// Runs rolling windows over payments at `rate` a second for `time`, and returns the latencies of all answers after the
/// first second.
///
/// # Errors
/// As `Job::run`.
pub fn run(rate: u64, time: Duration, workers: usize) -> Result<Histogram<u64>, JobError> {
    // From 1 µs to an hour, three significant digits.
    let histogram = Histogram::new_with_bounds(1, 3_600_000_000, 3)
        .map_err(|error| JobError::System(format!("no histogram of latencies: {error}")))?;
    let latencies = Latencies::new(Mutex::new(histogram));
    let noted = Arc::clone(&latencies);
    let start = Start::now();
    let source = Steady {
        start,
        rate,
        rows: (rate as f64 * time.as_secs_f64()) as u64,
    };
    let job = Job::new("latency", move |g| {
        let payments = source.clone().event_time(|payment: &Payment| payment.at);
        let payments = g.source("payments", payments.lateness(Duration::from_secs(60)))?;
        let sink = Stopped {
            start,
            latencies: Arc::clone(&noted),
        };
        payments
            .key_by(|payment| payment.user)
            .event_time(|payment| payment.at)
            .rolling([hours(1), hours(24), days(7)])?
            .moments("amount", |payment| payment.cents)
            .corrections(|payment| payment.at)
            .sink("stopwatch", sink)
    });
    job.run(Config::workers(workers)?)?;
    let latencies = latencies.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(latencies.clone())
}
