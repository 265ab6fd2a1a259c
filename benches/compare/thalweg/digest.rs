//! A sink that adds an answer up: how many rows, and the sum of every column, each row by a weight of its own.
//!
//! ```text
//! updates of an answer ─ look ─▶ ([i64; I], [f64; F]) × diff ─▶ totals, the same in any order of the rows
//! ```
//!
//! A row's weight depends on what the row is about, so that an answer that belongs to another row shows. Rows of which
//! the last of each key counts are kept until the end ([`Store`]).

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};
use thalweg::engine::key::Key;
use thalweg::engine::sink::{Sink, SinkError, SinkPlace, UpsertSink, Writer};
use thalweg::engine::state::KeyIndex;
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

impl<D, const I: usize, const F: usize> AddUp<D, I, F> {
    fn adding(&self) -> Adding<D, I, F> {
        Adding {
            digest: self.digest.clone(),
            names: (self.whole, self.real),
            look: self.look,
            rows: 0,
            sums: ([0; I], [0.0; F]),
        }
    }
}

impl<D: Send + 'static, const I: usize, const F: usize> Sink<D> for AddUp<D, I, F> {
    fn open(&self, _: SinkPlace) -> Result<Box<dyn Writer<D>>, SinkError> {
        Ok(Box::new(self.adding()))
    }
}

struct Adding<D, const I: usize, const F: usize> {
    digest: Digest,
    names: ([&'static str; I], [&'static str; F]),
    look: fn(&D) -> ([i64; I], [f64; F]),
    rows: i64,
    sums: ([i64; I], [f64; F]),
}

impl<D, const I: usize, const F: usize> Adding<D, I, F> {
    fn add(&mut self, row: &D, diff: i64) {
        let (whole, real) = (self.look)(row);
        self.rows += diff;
        for (sum, number) in self.sums.0.iter_mut().zip(whole) {
            *sum += number * diff;
        }
        for (sum, number) in self.sums.1.iter_mut().zip(real) {
            *sum += number * diff as f64;
        }
    }
}

impl<D: Send, const I: usize, const F: usize> Writer<D> for Adding<D, I, F> {
    fn write(&mut self, _: u64, rows: Updates<D>) -> Result<(), SinkError> {
        for (row, _, diff) in rows.iter() {
            self.add(row, *diff);
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

/// A store of one row per key, which the next of the key replaces: added up when the last has come.
pub(crate) struct Store<D, K, const I: usize, const F: usize> {
    pub(crate) add_up: AddUp<D, I, F>,
    pub(crate) key: fn(&D) -> K,
}

impl<D: Send + 'static, K: Key, const I: usize, const F: usize> UpsertSink<D>
    for Store<D, K, I, F>
{
}

impl<D: Send + 'static, K: Key, const I: usize, const F: usize> Sink<D> for Store<D, K, I, F> {
    fn open(&self, _: SinkPlace) -> Result<Box<dyn Writer<D>>, SinkError> {
        Ok(Box::new(Keeping {
            adding: self.add_up.adding(),
            key: self.key,
            keys: KeyIndex::new(),
            rows: Vec::new(),
        }))
    }
}

struct Keeping<D, K, const I: usize, const F: usize> {
    adding: Adding<D, I, F>,
    key: fn(&D) -> K,
    keys: KeyIndex<K>,
    /// By the key's handle; none where the row was deleted.
    rows: Vec<Option<D>>,
}

impl<D: Send, K: Key, const I: usize, const F: usize> Writer<D> for Keeping<D, K, I, F> {
    fn write(&mut self, _: u64, rows: Updates<D>) -> Result<(), SinkError> {
        for (row, _, diff) in rows {
            let (handle, _) = self.keys.resolve(&(self.key)(&row));
            let place = handle as usize;
            if place >= self.rows.len() {
                self.rows.resize_with(place + 1, || None);
            }
            self.rows[place] = (diff > 0).then_some(row);
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        for row in self.rows.drain(..).flatten() {
            self.adding.add(&row, 1);
        }
        self.adding.finish()
    }
}
