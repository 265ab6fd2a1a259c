//! The port of an online store: write a batch under versions, read one entity or many.

use std::cmp::Reverse;
use std::time::Duration;

use thalweg_engine::sink::SinkError;
use thalweg_engine::time::EventTime;

use crate::online::version::{Replaces, Version};

/// A row as a store holds it: field name and value as text, in the order of the struct.
pub type Fields = Vec<(String, String)>;

/// The names of the fields of some rows: those of the row that has most of them first, in its order, then what only
/// others have. A null field is absent from a row, so that one row alone may not show them all.
#[must_use]
pub fn names_in<'a>(rows: impl IntoIterator<Item = &'a Fields>) -> Vec<String> {
    let mut rows: Vec<&Fields> = rows.into_iter().collect();
    rows.sort_by_key(|fields| Reverse(fields.len()));
    let mut names: Vec<String> = Vec::new();
    for (name, _) in rows.into_iter().flatten() {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

/// The final state of one entity in one epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnlineRow {
    /// The entity's key as text.
    pub entity: String,
    /// What the write is ordered by.
    pub version: Version,
    /// The row's own event time, in µs; below `version.event_time` after a correction.
    pub row_time: EventTime,
    /// The row that this one follows, as far as the writer knows.
    pub replaces: Replaces,
    /// The row; `None` when it is gone: then the version alone stays and keeps blocking older writes.
    pub fields: Option<Fields>,
}

impl OnlineRow {
    /// A row of a writer that knows only the new state.
    #[must_use]
    pub fn put(entity: impl Into<String>, version: Version, fields: Fields) -> Self {
        let fields = Some(fields);
        let row_time = version.event_time;
        Self {
            entity: entity.into(),
            version,
            row_time,
            replaces: Replaces::Unknown,
            fields,
        }
    }

    /// A deletion by a writer that knows nothing of the old state.
    #[must_use]
    pub fn delete(entity: impl Into<String>, version: Version) -> Self {
        Self {
            fields: None,
            ..Self::put(entity, version, Vec::new())
        }
    }
}

/// What became of a batch; `written + refused_as_older` is its length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriteOutcome {
    /// Rows that were set, deletions included.
    pub written: usize,
    /// Rows that were refused because the store holds a newer version. A repeated correction may be counted here.
    pub refused_as_older: usize,
}

/// A row as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRow {
    /// What it was written under.
    pub version: Version,
    /// Its own event time, in µs: how old the served values are.
    pub row_time: EventTime,
    /// The row. Embedded keeps the order of the struct, Redis promises none.
    pub fields: Fields,
}

impl StoredRow {
    /// The value of a field, where it is not null.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(field, _)| field == name)
            .map(|(_, value)| value.as_str())
    }
}

/// A store that holds one row per view and entity, the newest under [`Version::against`].
pub trait OnlineStore: Send {
    /// The number of this run among all that have written the view: one more than the last, the same however often
    /// the run that began at `started` asks. It is the upper half of the epochs in versions, so that of two rows of
    /// one event time that of the later run stands, however either run was cut into epochs.
    ///
    /// # Errors
    /// [`OnlineError`] when the store cannot be read or written.
    fn begin(&mut self, view: &str, started: EventTime) -> Result<u64, OnlineError>;

    /// Writes the final states of an epoch, or a part of them, in one round trip or one transaction.
    ///
    /// Each entity stands in `rows` at most once. Repeating a write changes nothing, so an unknown outcome is
    /// retried in here. `ttl` is the view's time to live; what it counts from is the store's to say.
    ///
    /// # Errors
    /// [`SinkError`]; an outage is retried first for as long as the store promises.
    fn write(
        &mut self,
        view: &str,
        ttl: Option<Duration>,
        rows: &[OnlineRow],
    ) -> Result<WriteOutcome, SinkError>;

    /// The most rows that [`OnlineStore::write`] takes at once.
    fn batch_entities_max(&self) -> usize {
        10_000
    }

    /// The row of an entity; `None` if there is none, it was deleted, or it has expired at `now`.
    ///
    /// `now` is the moment, in µs since 1970 UTC, that stores with an event-time TTL compare with; no store reads
    /// a clock for it. `EventTime::MIN` shows expired rows too.
    ///
    /// # Errors
    /// [`OnlineError`] when the store cannot be read.
    fn get(
        &mut self,
        view: &str,
        entity: &str,
        now: EventTime,
    ) -> Result<Option<StoredRow>, OnlineError> {
        Ok(self.get_many(view, &[entity], now)?.pop().flatten())
    }

    /// The rows of many entities, in the order asked for, in one round trip.
    ///
    /// # Errors
    /// [`OnlineError`] when the store cannot be read.
    fn get_many(
        &mut self,
        view: &str,
        entities: &[&str],
        now: EventTime,
    ) -> Result<Vec<Option<StoredRow>>, OnlineError>;
}

/// Why a store could not be opened or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OnlineError {
    /// Wrong use: trying again cannot help.
    #[error("{0}")]
    Wrong(String),
    /// The store cannot be reached or refused; nothing was read.
    #[error("{0}")]
    Failed(String),
    /// What is stored was not written by this version of Thalweg, or is damaged.
    #[error("{0}")]
    Corrupt(String),
}

impl From<OnlineError> for SinkError {
    fn from(error: OnlineError) -> Self {
        match error {
            OnlineError::Wrong(text) => Self::Wrong(text),
            OnlineError::Failed(text) | OnlineError::Corrupt(text) => Self::Failed(text),
        }
    }
}
