//! The files as a source: finds them, checks each against the row type, opens the reader of their format.

use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use thalweg_engine::source::{Partition, Reader, Source, SourceError};
use thalweg_engine::update::Data;

use crate::files::checked::Checked;
use crate::files::find::Select;
use crate::files::schema::{self, Field};
use crate::files::{csv_read, json_read, parquet_read};

/// Some files, by path or by pattern; say next what they hold.
///
/// ```no_run
/// # use serde::{Deserialize, Serialize};
/// use thalweg_connectors::files::Files;
/// use thalweg_engine::time::Timestamp;
///
/// #[derive(Clone, Serialize, Deserialize)]
/// struct Reading { at: Timestamp, sensor: i32, value: Option<f64> }
///
/// let readings = Files::glob("data/2024-*.parquet").parquet::<Reading>();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    select: Select,
}

impl Files {
    /// Every file that matches `pattern`: `*` and `?` within a name, `**` for any folders, `[ab]` for characters.
    /// Names that begin with a dot and what lies in a `_staging` folder are not matched unless spelt out.
    #[must_use]
    pub fn glob(pattern: impl Into<String>) -> Self {
        Self {
            select: Select::Glob(pattern.into()),
        }
    }

    /// The one file at `path`.
    #[must_use]
    pub fn path(path: impl Into<PathBuf>) -> Self {
        Self {
            select: Select::Path(path.into()),
        }
    }

    /// The files are Parquet. Columns are found by name; those that `T` lacks are not decoded.
    ///
    /// Every column of `T` must be there, with a type that fits; a column for an `Option` may be absent from some
    /// files, but not from all; one with `#[serde(default)]` from all. Integers of any width fit an integer if the
    /// value does; any timestamp unit and zone, dates, and 64-bit integers (µs) fit a `Timestamp`, and any of these
    /// an `i64` (µs). A null where none may be and an integer out of range make a dead letter of the row.
    #[must_use]
    pub fn parquet<T: Data>(self) -> FileSource<T> {
        FileSource::new(self.select, Format::Parquet)
    }

    /// The files are CSV: comma-separated, UTF-8, with a header line that names the columns, in any order.
    ///
    /// Timestamps are RFC 3339, `YYYY-MM-DD[ HH:MM:SS[.f]]` (UTC), or whole µs since 1970. An empty field is `None`
    /// for an `Option`. Lines that do not fit are dead letters.
    #[must_use]
    pub fn csv<T: Data>(self) -> FileSource<T> {
        FileSource::new(self.select, Format::Csv)
    }

    /// The files hold one JSON object a line; timestamps as for CSV. Lines that do not fit are dead letters.
    #[must_use]
    pub fn json_lines<T: Data>(self) -> FileSource<T> {
        FileSource::new(self.select, Format::JsonLines)
    }
}

/// Typed rows from files: a file is a partition, sorted by path. Made by [`Files`](crate::files::Files).
///
/// The files are looked up when a job asks for the partitions; what is added later belongs to the next job.
pub struct FileSource<T> {
    select: Select,
    format: Format,
    found: Mutex<Vec<PathBuf>>,
    row: PhantomData<fn() -> T>,
}

/// What the files hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Parquet,
    Csv,
    JsonLines,
}

impl<T> Clone for FileSource<T> {
    fn clone(&self) -> Self {
        let found = self
            .found
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        Self {
            select: self.select.clone(),
            format: self.format,
            found: Mutex::new(found),
            row: PhantomData,
        }
    }
}

impl<T: Data> FileSource<T> {
    pub(crate) fn new(select: Select, format: Format) -> Self {
        Self {
            select,
            format,
            found: Mutex::new(Vec::new()),
            row: PhantomData,
        }
    }

    fn fields(&self) -> Result<Vec<Field>, SourceError> {
        let fields = match self.format {
            Format::JsonLines => Ok(Vec::new()),
            Format::Parquet | Format::Csv => schema::trace_flat::<T>(),
        };
        fields.map_err(|why| SourceError::Wrong(format!("cannot read {:?}: {why}", self.select)))
    }
}

impl<T: Data> Source for FileSource<T> {
    type Row = T;

    fn partitions(&self) -> Result<Vec<Partition>, SourceError> {
        let fields = self.fields()?;
        let files = self.select.find()?;
        let mut partitions = Vec::with_capacity(files.len());
        let mut absent_everywhere: Option<BTreeSet<&'static str>> = None;
        for path in &files {
            let checked = match self.format {
                Format::Parquet => parquet_read::check(path, &fields)?,
                Format::Csv => csv_read::check(path, &fields)?,
                Format::JsonLines => Checked {
                    rows: None,
                    absent: BTreeSet::new(),
                },
            };
            absent_everywhere = Some(match absent_everywhere {
                Some(so_far) => &so_far & &checked.absent,
                None => checked.absent,
            });
            partitions.push(Partition {
                name: path.display().to_string(),
                rows: checked.rows,
            });
        }
        if let Some(name) = absent_everywhere.iter().flatten().next() {
            return Err(SourceError::Wrong(format!(
                "the column `{name}` is in none of the {} file(s) from {}: an Option may be absent \
                 from some files, but not from all; correct the name, or give the field \
                 #[serde(skip)]",
                files.len(),
                files
                    .first()
                    .map(|path| path.display().to_string())
                    .unwrap_or_default(),
            )));
        }
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) = files;
        Ok(partitions)
    }

    fn open(&self, partition: usize) -> Result<Box<dyn Reader<T>>, SourceError> {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if found.is_empty() {
            *found = self.select.find()?;
        }
        let path = found.get(partition).ok_or_else(|| {
            SourceError::Wrong(format!(
                "cannot open file number {partition} of {}: there is no such file",
                found.len()
            ))
        })?;
        match self.format {
            Format::Parquet => parquet_read::open::<T>(path, &self.fields()?),
            Format::Csv => csv_read::open::<T>(path, &self.fields()?),
            Format::JsonLines => json_read::open::<T>(path),
        }
    }

    fn bounded(&self) -> bool {
        true
    }
}
