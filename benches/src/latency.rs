//! Rows at a steady rate, each with the moment that it was due, and how late their answers come out.
//!
//! ```text
//! due ─ source ─ epoch ─ rolling windows ─ epoch acknowledged ─▶ written
//!  ├────────────────── from due ──────────────────────────────────┤      what a row waits
//!   last row of the epoch due ─ epoch closes ─▶ written
//!          ├──────── from the last row ──────────┤                       what the graph takes, and a little more
//! ```
//!
//! A row counts from the moment that it was due, not from when a busy reader got round to it: what a stall delays is
//! counted for every row (no coordinated omission). An epoch is written when it has closed, so the first of the rows of an
//! epoch of 10 ms waits for 10 ms whatever follows. An epoch closes after its last row: from its close to the sink it takes
//! at most what it takes from its last row, which is counted once for each of its answers.

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

/// Latencies of all answers, in µs.
#[derive(Clone)]
pub struct Latencies {
    /// From the moment that the answer's own row was due.
    pub from_due: Histogram<u64>,
    /// From the moment that the last row of its epoch was due: no less than from the epoch's close.
    pub from_last_row: Histogram<u64>,
}

impl Latencies {
    /// From 1 µs to an hour, three significant digits.
    fn new() -> Result<Self, JobError> {
        let histogram = Histogram::new_with_bounds(1, 3_600_000_000, 3)
            .map_err(|error| JobError::System(format!("no histogram of latencies: {error}")))?;
        Ok(Self {
            from_due: histogram.clone(),
            from_last_row: histogram,
        })
    }

    /// Notes an epoch that is written `now`, by when its rows were due.
    fn note(&mut self, now: i64, due: &[i64]) {
        let after = |due: i64| (now - due).max(1) as u64;
        for due in due {
            self.from_due.saturating_record(after(*due));
        }
        if let Some(last) = due.iter().max() {
            self.from_last_row
                .saturating_record_n(after(*last), due.len() as u64);
        }
    }
}

/// What is run.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Rows a second.
    pub rate: u64,
    /// For how long; the first second is not counted.
    pub time: Duration,
    /// Worker threads.
    pub workers: usize,
    /// How long an epoch is open; as the engine decides if none.
    pub epoch: Option<Duration>,
}

impl Load {
    /// The load under which a latency is asked, for ten seconds.
    pub const ASKED: Self = Self {
        rate: 100_000,
        time: Duration::from_secs(10),
        workers: 1,
        epoch: None,
    };

    /// Whether a latency is asked under this load, for however long.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.rate == Self::ASKED.rate && self.workers == Self::ASKED.workers
    }
}

/// How long all epochs are open under which a latency is asked.
pub const EPOCH_ASKED: Duration = Duration::from_millis(10);

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
    latencies: Arc<Mutex<Latencies>>,
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
        let due = rows.iter().filter(|(_, _, diff)| *diff > 0);
        let due = due.map(|((due, _), ..)| due - self.start.wall_us);
        let due: Vec<i64> = due.filter(|due| *due >= counted_from).collect();
        self.latencies
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .note(now, &due);
        Ok(())
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}

/// Within how many milliseconds so great a share of the answers is written.
#[must_use]
pub fn milliseconds(latencies: &Histogram<u64>, share: f64) -> f64 {
    latencies.value_at_quantile(share) as f64 / 1_000.0
}

/// Both runs of a load: with epochs that close as the engine decides, and that are all open for so long.
///
/// # Errors
/// As `Job::run`.
pub fn both(load: Load, epoch: Duration) -> Result<[Latencies; 2], JobError> {
    let as_decided = run(Load {
        epoch: None,
        ..load
    })?;
    let epoch = Some(epoch);
    Ok([as_decided, run(Load { epoch, ..load })?])
}

/// Runs rolling windows over payments, and returns the latencies of all answers after the first second.
///
/// # Errors
/// As `Job::run`.
pub fn run(load: Load) -> Result<Latencies, JobError> {
    let latencies = Arc::new(Mutex::new(Latencies::new()?));
    let noted = Arc::clone(&latencies);
    let start = Start::now();
    let source = Steady {
        start,
        rate: load.rate,
        rows: (load.rate as f64 * load.time.as_secs_f64()) as u64,
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
    let config = Config::workers(load.workers)?;
    job.run(match load.epoch {
        Some(epoch) => config.epoch_interval(epoch),
        None => config,
    })?;
    let latencies = latencies.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(latencies.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_counts_from_its_own_row_and_from_the_last_of_its_epoch() {
        let mut latencies = Latencies::new().unwrap();
        latencies.note(50, &[10, 40, 30]);
        latencies.note(60, &[]);
        let of = |histogram: &Histogram<u64>| {
            let shares = [0.0, 0.5, 1.0];
            shares.map(|share| histogram.value_at_quantile(share))
        };
        assert_eq!(of(&latencies.from_due), [10, 20, 40]);
        assert_eq!(of(&latencies.from_last_row), [10, 10, 10]);
        assert_eq!(latencies.from_last_row.len(), 3);
    }
}
