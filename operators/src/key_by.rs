//! Keys and event time: `payments.key_by(|p| p.user).event_time(|p| p.at)` reads as what it is. What follows after it,
//! windows and joins, stands with each of them.

use std::rc::Rc;
use std::time::Duration;

use thalweg_engine::column::Column;
use thalweg_engine::error::JobError;
use thalweg_engine::key::Key;
use thalweg_engine::table::Table;
use thalweg_engine::time::{EventTime, micros_of};
use thalweg_engine::update::Data;

/// Gives a table a key.
pub trait KeyBy<'s, D: Data> {
    /// The table, keyed by what `key` takes out of each row.
    #[must_use]
    fn key_by<K: Key>(&self, key: impl Fn(&D) -> K + 'static) -> Keyed<'s, D, K>;
}

impl<'s, D: Data> KeyBy<'s, D> for Table<'s, D> {
    fn key_by<K: Key>(&self, key: impl Fn(&D) -> K + 'static) -> Keyed<'s, D, K> {
        let key = Rc::new(key);
        let (of, tag) = (Rc::clone(&key), Rc::clone(&key));
        Keyed {
            table: self.clone(),
            keys: Column::new(move |row| of(row)),
            tags: Column::new(move |row| tag(row).tag()),
            key,
        }
    }
}

/// A table with a key.
#[derive(Clone)]
pub struct Keyed<'s, D: Data, K: Key> {
    pub(crate) table: Table<'s, D>,
    pub(crate) key: Rc<dyn Fn(&D) -> K>,
    pub(crate) keys: Column<D, K>,
    pub(crate) tags: Column<D, u64>,
}

impl<'s, D: Data, K: Key> Keyed<'s, D, K> {
    /// Says where the event time stands: µs since 1970 UTC. Windows in time need it.
    #[must_use]
    pub fn event_time(&self, at: impl Fn(&D) -> EventTime + 'static) -> Timeline<'s, D, K> {
        let at = Rc::new(at);
        let of = Rc::clone(&at);
        Timeline {
            keyed: self.clone(),
            times: Column::new(move |row| of(row)),
            at,
        }
    }
}

/// A keyed table with an event time.
#[derive(Clone)]
pub struct Timeline<'s, D: Data, K: Key> {
    pub(crate) keyed: Keyed<'s, D, K>,
    pub(crate) at: Rc<dyn Fn(&D) -> EventTime>,
    pub(crate) times: Column<D, EventTime>,
}

/// A length of time in whole µs, of which there must be one.
pub(crate) fn micros(what: &str, length: Duration) -> Result<i64, JobError> {
    match micros_of(length) {
        0 => Err(JobError::Wrong(format!(
            "{what} is at least 1 µs: got {length:?}"
        ))),
        length_us => Ok(length_us),
    }
}
