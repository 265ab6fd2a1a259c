//! A sink that adds an answer up: how many rows, and the sum of every column, each row by a weight of its own.
//!
//! ```text
//! updates of an answer ─ look ─▶ ([i64; I], [f64; F]) × diff ─▶ totals, the same in any order of the rows
//! ```
//!
//! A row's weight depends on what the row is about, so that an answer that belongs to another row shows.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};
use thalweg::engine::sink::{Sink, SinkError, SinkPlace, Writer};
use thalweg::engine::update::Updates;

/// The weight of the row about `number`.
pub(crate) fn weight(number: i64) -> i64 {
    number % 97 + 1
}

/// What an answer adds up to, by name.
#[derive(Clone, Default)]
pub(crate) struct Digest(Arc<Mutex<Map<String, Value>>>);

impl Digest {
    /// The names and their sums.
    pub(crate) fn read(&self) -> Value {
        Value::Object(self.lock().clone())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Map<String, Value>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add_whole(&self, name: &str, number: i64) {
        let mut sums = self.lock();
        let so_far = sums.get(name).and_then(Value::as_i64).unwrap_or_default();
        sums.insert(name.to_owned(), (so_far + number).into());
    }

    fn add_real(&self, name: &str, number: f64) {
        let mut sums = self.lock();
        let so_far = sums.get(name).and_then(Value::as_f64).unwrap_or_default();
        sums.insert(name.to_owned(), (so_far + number).into());
    }
}

/// What is added up of a row: whole numbers, which must come out exactly, and real ones.
pub(crate) struct AddUp<D, const I: usize, const F: usize> {
    pub(crate) digest: Digest,
    pub(crate) whole: [&'static str; I],
    pub(crate) real: [&'static str; F],
    pub(crate) look: fn(&D) -> ([i64; I], [f64; F]),
}

impl<D: Send + 'static, const I: usize, const F: usize> Sink<D> for AddUp<D, I, F> {
    fn open(&self, _: SinkPlace) -> Result<Box<dyn Writer<D>>, SinkError> {
        Ok(Box::new(Adding {
            digest: self.digest.clone(),
            names: (self.whole, self.real),
            look: self.look,
            rows: 0,
            sums: ([0; I], [0.0; F]),
        }))
    }
}

struct Adding<D, const I: usize, const F: usize> {
    digest: Digest,
    names: ([&'static str; I], [&'static str; F]),
    look: fn(&D) -> ([i64; I], [f64; F]),
    rows: i64,
    sums: ([i64; I], [f64; F]),
}

impl<D: Send, const I: usize, const F: usize> Writer<D> for Adding<D, I, F> {
    fn write(&mut self, _: u64, rows: Updates<D>) -> Result<(), SinkError> {
        for (row, _, diff) in rows.iter() {
            let (whole, real) = (self.look)(row);
            self.rows += diff;
            for (sum, number) in self.sums.0.iter_mut().zip(whole) {
                *sum += number * diff;
            }
            for (sum, number) in self.sums.1.iter_mut().zip(real) {
                *sum += number * *diff as f64;
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        self.digest.add_whole("rows", self.rows);
        for (name, sum) in self.names.0.iter().zip(self.sums.0) {
            self.digest.add_whole(name, sum);
        }
        for (name, sum) in self.names.1.iter().zip(self.sums.1) {
            self.digest.add_real(name, sum);
        }
        Ok(())
    }
}
