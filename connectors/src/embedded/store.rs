//! The store itself: batches as transactions, reads as snapshots.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use redb::{
    Builder, ConcurrencyMode, Database, DatabaseError, ReadOnlyDatabase, ReadOnlyTable,
    ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition, TableError, TableHandle,
};
use thalweg_engine::env::Clock;
use thalweg_engine::sink::SinkError;
use thalweg_engine::time::{EventTime, micros_of};

use crate::embedded::record::{self, Head, NEVER};
use crate::embedded::runs::next_generation;
use crate::embedded::sweep::Sweeper;
use crate::online::view::{ViewError, check_name};
use crate::online::{OnlineError, OnlineRow, OnlineStore, StoredRow, WriteOutcome, names_in};

/// The file of a store that was named by its directory.
const FILE: &str = "online.redb";

/// Pages that each open store keeps in memory, bytes; redb's own default of 1 GiB is more than a job's share.
const CACHE_BYTES: usize = 128 << 20;

/// How the name of a view's table begins.
const TABLE: &str = "features:";

/// An open embedded store. Reads see the last committed epoch, also while another process writes.
pub struct EmbeddedStore {
    path: PathBuf,
    database: Handle,
    sweeper: Option<Sweeper>,
}

#[derive(Clone)]
enum Handle {
    Write(Arc<Database>),
    Read(Arc<ReadOnlyDatabase>),
}

impl Handle {
    fn begin_read(&self) -> Result<ReadTransaction, redb::TransactionError> {
        match self {
            Self::Write(database) => database.begin_read(),
            Self::Read(database) => database.begin_read(),
        }
    }
}

impl EmbeddedStore {
    /// Opens the store at `path` for reading and writing, and makes it if it is missing: a file if it ends with
    /// `.redb`, otherwise a directory. A store whose writer was killed is repaired.
    ///
    /// # Errors
    /// [`OnlineError::Failed`] when the file cannot be made or opened, or another program holds it alone.
    ///
    /// ```
    /// use thalweg_connectors::embedded::EmbeddedStore;
    /// use thalweg_connectors::online::{OnlineRow, OnlineStore, Version};
    ///
    /// let dir = tempfile::tempdir()?;
    /// let mut store = EmbeddedStore::open(dir.path())?;
    /// let row = OnlineRow::put("7", Version { event_time: 1, epoch: 1 }, vec![("total".into(), "2.5".into())]);
    /// store.write("spend", None, &[row])?;
    /// let row = store.get("spend", "7", 0)?;
    /// assert_eq!(row.as_ref().and_then(|row| row.field("total")), Some("2.5"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OnlineError> {
        let path = file_of(path.as_ref());
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(|error| failed("make", parent, error))?;
        }
        let database = builder()
            .create(&path)
            .map_err(|error| failed("open", &path, error))?;
        Ok(Self {
            path,
            database: Handle::Write(Arc::new(database)),
            sweeper: None,
        })
    }

    /// Opens the store at `path` for reading only; a job may go on writing to it meanwhile.
    ///
    /// A store whose last writer was killed must be repaired before it can be read: that is tried here, and
    /// needs leave to write the file once.
    ///
    /// # Errors
    /// [`OnlineError::Failed`] when there is no store at `path`, or it cannot be opened.
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Self, OnlineError> {
        let path = file_of(path.as_ref());
        let opened = match builder().open_read_only(&path) {
            Err(DatabaseError::RepairAborted) => {
                drop(
                    builder()
                        .open(&path)
                        .map_err(|error| failed("repair", &path, error))?,
                );
                builder().open_read_only(&path)
            }
            opened => opened,
        };
        let database = opened.map_err(|error| failed("read", &path, error))?;
        Ok(Self {
            path,
            database: Handle::Read(Arc::new(database)),
            sweeper: None,
        })
    }

    /// The same open store for another thread, which sweeps the one view that it writes.
    pub(crate) fn sweeping(&self, clock: Arc<dyn Clock>) -> Self {
        Self {
            path: self.path.clone(),
            database: self.database.clone(),
            sweeper: Some(Sweeper::new(clock)),
        }
    }

    fn write_rows(
        &mut self,
        view: &str,
        ttl: Option<Duration>,
        rows: &[OnlineRow],
    ) -> Result<WriteOutcome, Broken> {
        let Handle::Write(database) = &self.database else {
            return Err(Broken::ReadOnly);
        };
        check_name(view).map_err(Broken::View)?;
        let transaction = database.begin_write()?;
        let mut outcome = WriteOutcome::default();
        {
            let name = table_name(view);
            let mut table = transaction.open_table(definition(&name))?;
            let mut bytes = Vec::new();
            for row in rows {
                let stored = match table.get(row.entity.as_str())? {
                    Some(old) => {
                        let stored = record::stored(old.value());
                        Some(stored.ok_or_else(|| Broken::Record(row.entity.clone()))?)
                    }
                    None => None,
                };
                let Some(version) = row.version.against(row.replaces, stored) else {
                    outcome.refused_as_older += 1;
                    continue;
                };
                let expires_at =
                    ttl.map_or(NEVER, |ttl| row.row_time.saturating_add(micros_of(ttl)));
                let head = Head {
                    version,
                    row_time: row.row_time,
                    expires_at,
                };
                record::encode(&mut bytes, head, row.fields.as_ref())
                    .ok_or_else(|| Broken::Record(row.entity.clone()))?;
                table.insert(row.entity.as_str(), bytes.as_slice())?;
                outcome.written += 1;
            }
            if let (Some(sweeper), Some(ttl)) = (&mut self.sweeper, ttl) {
                sweeper.step(&mut table, micros_of(ttl), rows)?;
            }
        }
        transaction.commit().map_err(Broken::Commit)?;
        Ok(outcome)
    }

    /// The views that the store holds, by name.
    ///
    /// # Errors
    /// [`OnlineError`] when the store cannot be read.
    pub fn views(&self) -> Result<Vec<String>, OnlineError> {
        let unread = |error: redb::Error| failed("read", &self.path, error);
        let snapshot = self
            .database
            .begin_read()
            .map_err(|error| unread(error.into()))?;
        let tables = snapshot
            .list_tables()
            .map_err(|error| unread(error.into()))?;
        let names = tables.map(|table| table.name().to_owned());
        let mut views: Vec<String> = names
            .filter_map(|name| Some(name.strip_prefix(TABLE)?.to_owned()))
            .collect();
        views.sort();
        Ok(views)
    }

    /// The fields of the first rows of a view, `rows_max` at most: those of the row that has most of them first. A
    /// field that is null in all of them is not known here.
    ///
    /// # Errors
    /// [`OnlineError`] when the store cannot be read.
    pub fn field_names(&self, view: &str, rows_max: usize) -> Result<Vec<String>, OnlineError> {
        let unread = |error: redb::Error| failed("read", &self.path, error);
        let snapshot = self
            .database
            .begin_read()
            .map_err(|error| unread(error.into()))?;
        let name = table_name(view);
        let table = match snapshot.open_table(definition(&name)) {
            Ok(table) => table,
            Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
            Err(error) => return Err(unread(error.into())),
        };
        let mut rows = Vec::new();
        for record in table
            .iter()
            .map_err(|error| unread(error.into()))?
            .take(rows_max)
        {
            let (_, bytes) = record.map_err(|error| unread(error.into()))?;
            rows.extend(record::decode(bytes.value()).and_then(|(_, fields)| fields));
        }
        Ok(names_in(&rows))
    }

    fn read(
        &self,
        table: &ReadOnlyTable<&'static str, &'static [u8]>,
        entity: &str,
        now: EventTime,
    ) -> Result<Option<StoredRow>, OnlineError> {
        let found = table
            .get(entity)
            .map_err(|error| failed("read", &self.path, error))?;
        let Some(bytes) = found else { return Ok(None) };
        let (head, fields) = record::decode(bytes.value()).ok_or_else(|| {
            OnlineError::Corrupt(format!(
                "the record of entity {entity:?} in {} is damaged or of a newer format; rebuild the view",
                self.path.display()
            ))
        })?;
        let row = fields
            .filter(|_| now < head.expires_at)
            .map(|fields| StoredRow {
                version: head.version,
                row_time: head.row_time,
                fields,
            });
        Ok(row)
    }
}

impl OnlineStore for EmbeddedStore {
    fn begin(&mut self, view: &str, started: EventTime) -> Result<u64, OnlineError> {
        let Handle::Write(database) = &self.database else {
            return Err(OnlineError::Wrong(read_only("write to", &self.path)));
        };
        let counted = next_generation(database, view, started);
        counted.map_err(|error| failed("count the runs in", &self.path, error))
    }

    fn write(
        &mut self,
        view: &str,
        ttl: Option<Duration>,
        rows: &[OnlineRow],
    ) -> Result<WriteOutcome, SinkError> {
        if rows.is_empty() {
            return Ok(WriteOutcome::default());
        }
        let written = self.write_rows(view, ttl, rows);
        let path = self.path.display();
        written.map_err(|broken| match broken {
            Broken::ReadOnly => SinkError::Wrong(read_only("write to", &self.path)),
            Broken::View(error) => SinkError::Wrong(error.to_string()),
            Broken::Record(entity) => SinkError::Failed(format!(
                "could not write view {view:?} to {path}: entity {entity:?} has a damaged record, one of a newer \
                 format, or more than 4 GiB of fields"
            )),
            Broken::Redb(error) => SinkError::Failed(format!(
                "could not write {} entities of view {view:?} to {path}: {error}; check the disk and its free \
                 space",
                rows.len()
            )),
            Broken::Commit(error) => SinkError::Unknown(format!(
                "could not commit {} entities of view {view:?} to {path}: {error}; check the disk and its free \
                 space",
                rows.len()
            )),
        })
    }

    /// No limit: one epoch is one transaction.
    fn batch_entities_max(&self) -> usize {
        usize::MAX
    }

    fn get_many(
        &mut self,
        view: &str,
        entities: &[&str],
        now: EventTime,
    ) -> Result<Vec<Option<StoredRow>>, OnlineError> {
        let snapshot = self
            .database
            .begin_read()
            .map_err(|error| failed("read", &self.path, error))?;
        let name = table_name(view);
        let table = match snapshot.open_table(definition(&name)) {
            Ok(table) => table,
            Err(TableError::TableDoesNotExist(_)) => return Ok(vec![None; entities.len()]),
            Err(error) => return Err(failed("read", &self.path, error)),
        };
        entities
            .iter()
            .map(|entity| self.read(&table, entity, now))
            .collect()
    }
}

/// Why a batch was not written.
enum Broken {
    ReadOnly,
    Record(String),
    View(ViewError),
    Redb(redb::Error),
    Commit(redb::CommitError),
}

/// Before the commit nothing has happened.
macro_rules! before_the_commit {
    ($($error:ty),*) => {
        $(impl From<$error> for Broken {
            fn from(error: $error) -> Self {
                Self::Redb(error.into())
            }
        })*
    };
}

before_the_commit!(redb::TransactionError, TableError, redb::StorageError);

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder
        .set_concurrency_mode(ConcurrencyMode::MultiWriter)
        .set_cache_size(CACHE_BYTES);
    builder
}

fn file_of(path: &Path) -> PathBuf {
    if path
        .extension()
        .is_some_and(|extension| extension == "redb")
    {
        path.to_owned()
    } else {
        path.join(FILE)
    }
}

fn table_name(view: &str) -> String {
    format!("{TABLE}{view}")
}

fn definition(name: &str) -> TableDefinition<'_, &'static str, &'static [u8]> {
    TableDefinition::new(name)
}

fn read_only(attempt: &str, path: &Path) -> String {
    format!(
        "cannot {attempt} {}: it was opened for reading only",
        path.display()
    )
}

fn failed(attempt: &str, path: &Path, error: impl std::fmt::Display) -> OnlineError {
    OnlineError::Failed(format!(
        "could not {attempt} the online store {}: {error}; check that the path is right, that this user may \
         use it, and that no other program holds it",
        path.display()
    ))
}
