//! The files as a source: finds them, checks each against the row type, opens the reader of their format.

use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use thalweg_engine::source::{Partition, Reader, Source, SourceError};
use thalweg_engine::update::Data;

use crate::files::find::Select;
use crate::files::schema::{self, Field};
use crate::files::{csv_read, json_read, parquet_read};

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

/// What the check of one file found.
pub(crate) struct Checked {
    /// Its rows, where the file says how many.
    pub(crate) rows: Option<u64>,
    /// The optional columns that it lacks.
    pub(crate) absent: BTreeSet<&'static str>,
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

/// The fields that `columns` lacks though they may be absent.
///
/// # Errors
/// [`SourceError::Wrong`] naming the first field that may not.
pub(crate) fn absent(
    path: &Path,
    fields: &[Field],
    columns: &[&str],
) -> Result<BTreeSet<&'static str>, SourceError> {
    let mut absent = BTreeSet::new();
    for field in fields.iter().filter(|field| !columns.contains(&field.name)) {
        if field.optional {
            absent.insert(field.name);
        } else if !field.defaulted {
            return Err(SourceError::Wrong(format!(
                "{} has no column `{}` ({}); its columns are: {}; correct the field's name with \
                 #[serde(rename)], or make it #[serde(default)]",
                path.display(),
                field.name,
                field.kind,
                columns.join(", ")
            )));
        }
    }
    Ok(absent)
}

/// A file that could not be opened or read on.
pub(crate) fn failed(path: &Path, error: impl std::fmt::Display) -> SourceError {
    SourceError::Failed(format!("cannot read {}: {error}", path.display()))
}
