//! The workloads on Thalweg: jobs over generated payments, into a sink that only adds up a digest.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use thalweg::engine::sink::{Sink, SinkError, SinkPlace, Writer};
use thalweg::engine::update::Update;
use thalweg::operators::value::Fixed;
use thalweg::operators::window::rolling::Rolled;
use thalweg::prelude::*;

use crate::data::{LATENESS_US, Payment};
use crate::feed::Feed;

/// What a job wrote: updates, and a sum over them that does not depend on their order.
#[derive(Clone, Default)]
pub struct Digest {
    rows: Arc<AtomicU64>,
    sum: Arc<Mutex<f64>>,
}

impl Digest {
    /// Updates written.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows.load(Relaxed)
    }

    /// The signed sum of what `look` takes out of each row.
    #[must_use]
    pub fn sum(&self) -> f64 {
        *self.sum.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A sink that adds `look` of every row to a digest.
pub struct DigestSink<D> {
    digest: Digest,
    look: fn(&D) -> f64,
}

impl<D> DigestSink<D> {
    /// A sink into `digest`.
    pub fn new(digest: &Digest, look: fn(&D) -> f64) -> Self {
        Self {
            digest: digest.clone(),
            look,
        }
    }
}

impl<D: Send + 'static> Sink<D> for DigestSink<D> {
    fn open(&self, _: SinkPlace) -> Result<Box<dyn Writer<D>>, SinkError> {
        Ok(Box::new(DigestWriter {
            digest: self.digest.clone(),
            look: self.look,
        }))
    }
}

struct DigestWriter<D> {
    digest: Digest,
    look: fn(&D) -> f64,
}

impl<D: Send> Writer<D> for DigestWriter<D> {
    fn write(&mut self, _: u64, rows: Vec<Update<D>>) -> Result<(), SinkError> {
        let sum: f64 = rows
            .iter()
            .map(|(row, _, diff)| (self.look)(row) * *diff as f64)
            .sum();
        self.digest.rows.fetch_add(rows.len() as u64, Relaxed);
        *self
            .digest
            .sum
            .lock()
            .unwrap_or_else(PoisonError::into_inner) += sum;
        Ok(())
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}

/// The payments as a source with an hour of lateness.
#[must_use]
pub fn source(rows: &Arc<Vec<Payment>>, workers: usize) -> SourceSpec<Payment> {
    Feed {
        rows: Arc::clone(rows),
        partitions: workers,
    }
    .event_time(|payment| payment.at)
    .lateness(Duration::from_micros(LATENESS_US as u64))
}

/// A user's amounts over three windows.
type Spend = Rolled<u64, Fixed<0>, 1, 3>;

/// Rolling 1 h, 24 h and 7 d, five moments, one row per user, −1/+1.
#[must_use]
pub fn rolling_latest(
    rows: Arc<Vec<Payment>>,
    workers: usize,
    expiry: Expiry,
    digest: Digest,
) -> Job {
    Job::new("rolling_latest", move |g| {
        let payments = g.source("payments", source(&rows, workers))?;
        payments
            .key_by(|payment| payment.user)
            .event_time(|payment| payment.at)
            .rolling([hours(1), hours(24), days(7)])?
            .moments("amount", |payment| payment.cents)
            .expiry(expiry)
            .latest()
            .sink(
                "digest",
                DigestSink::new(&digest, |row: &Spend| row.window(2).count() as f64),
            )
    })
}

/// The same, one row per event once the watermark has passed it, mean and stddev finished.
#[must_use]
pub fn rolling_final(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    Job::new("rolling_final", move |g| {
        let payments = g.source("payments", source(&rows, workers))?;
        payments
            .key_by(|payment| payment.user)
            .event_time(|payment| payment.at)
            .rolling([hours(1), hours(24), days(7)])?
            .moments("amount", |payment| payment.cents)
            .finals(|_| ())
            .sink(
                "digest",
                DigestSink::new(&digest, |(_, row): &((), Spend)| {
                    (0..3)
                        .map(|w| {
                            row.window(w).mean().unwrap_or(0.0)
                                + row.window(w).stddev_sample().unwrap_or(0.0)
                        })
                        .sum()
                }),
            )
    })
}
