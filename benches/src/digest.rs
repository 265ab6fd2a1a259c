//! What a job wrote, as a number that does not depend on the order of its rows: a sink that adds up.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use thalweg::engine::sink::{Sink, SinkError, SinkPlace, UpsertSink, Writer};
use thalweg::engine::update::Updates;

use crate::data::START_US;

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

/// What a window's rows count for, by when it begins: a row in another window adds up to something else.
#[inline(always)]
#[must_use]
pub fn weight(start_us: i64) -> i64 {
    const STEP_US: i64 = 300_000_000;
    1 + (((start_us - START_US) / STEP_US) & 63)
}

/// A window's count and sum, weighted by when it begins.
#[inline(always)]
#[must_use]
pub fn of_window(start_us: i64, count: i64, sum: f64) -> f64 {
    (count as f64 + sum) * weight(start_us) as f64
}

/// What a sink takes out of each row: compiled into its loop, as it is into the loops by hand.
pub trait Look<D>: Fn(&D) -> f64 + Clone + Send + Sync + 'static {}

impl<D, F: Fn(&D) -> f64 + Clone + Send + Sync + 'static> Look<D> for F {}

/// A sink that adds `look` of every row to a digest.
pub struct DigestSink<F> {
    digest: Digest,
    look: F,
}

impl<F> DigestSink<F> {
    /// A sink into `digest`.
    pub fn new<D>(digest: &Digest, look: F) -> Self
    where
        F: Look<D>,
    {
        Self {
            digest: digest.clone(),
            look,
        }
    }
}

impl<D: Send + 'static, F: Look<D>> UpsertSink<D> for DigestSink<F> {}

impl<D: Send + 'static, F: Look<D>> Sink<D> for DigestSink<F> {
    fn open(&self, _: SinkPlace) -> Result<Box<dyn Writer<D>>, SinkError> {
        Ok(Box::new(DigestWriter {
            digest: self.digest.clone(),
            look: self.look.clone(),
        }))
    }

    fn never_waits(&self) -> bool {
        true
    }
}

struct DigestWriter<F> {
    digest: Digest,
    look: F,
}

impl<D: Send, F: Look<D>> Writer<D> for DigestWriter<F> {
    fn write(&mut self, _: u64, rows: Updates<D>) -> Result<(), SinkError> {
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
