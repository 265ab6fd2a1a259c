//! Where a job reads and writes: the data set's files, in order of arrival or shuffled, and a file per answer.
//!
//! Rows that no answer counts lie beside the answers, so that none is lost unsaid:
//!
//! ```text
//! dead_<source>.jsonl        records that could not be decoded: file, place, reason, record
//! late_<source>.jsonl        rows that came too late
//! unmatched_<source>.jsonl   rows whose entity no dimension knows
//! ```

use std::path::PathBuf;

use thalweg::connectors::files::{CsvFile, FileSource, Files, JsonLines, ParquetFile};
use thalweg::connectors::shuffle::Shuffled;
use thalweg::engine::graph::Sourced;
use thalweg::engine::update::Data;
use thalweg::prelude::*;

use crate::online::Online;

/// Where a job reads and writes.
#[derive(Clone, Debug)]
pub struct Places {
    /// The folder with the data.
    pub data: PathBuf,
    /// The folder for the answers.
    pub out: PathBuf,
    /// The seed of the order in which rows are read; none for the order of arrival.
    pub shuffle: Option<u64>,
    /// The online store to keep up to date.
    pub online: Option<Online>,
}

impl Places {
    /// The rows of `set/file`, in order of arrival.
    #[must_use]
    pub fn parquet<T: Data>(&self, set: &str, file: &str) -> FileSource<T> {
        Files::path(self.path(set, file)).parquet()
    }

    /// The rows of `set/file`, with the event time that `at` finds in them (µs since 1970 UTC).
    #[must_use]
    pub fn events<T: Data>(
        &self,
        set: &str,
        file: &str,
        at: impl Fn(&T) -> EventTime + Send + Sync + 'static,
    ) -> SourceSpec<T> {
        let files = self.parquet::<T>(set, file);
        match self.shuffle {
            Some(seed) => Shuffled::new(files, seed).event_time(at),
            None => files.event_time(at),
        }
    }

    /// The rows of `set/file` as a dimension: read whole before any event.
    #[must_use]
    pub fn dimension<T: Data>(&self, set: &str, file: &str) -> SourceSpec<T> {
        let files = self.parquet::<T>(set, file);
        match self.shuffle {
            Some(seed) => Shuffled::new(files, seed).untimed(),
            None => files.untimed(),
        }
    }

    /// The Parquet file of an answer.
    #[must_use]
    pub fn answer(&self, name: &str) -> ParquetFile {
        ParquetFile::create(self.out.join(format!("{name}.parquet")))
    }

    /// The CSV file of an answer that is to be read by people.
    #[must_use]
    pub fn answer_csv(&self, name: &str) -> CsvFile {
        CsvFile::create(self.out.join(format!("{name}.csv")))
    }

    /// Writes what is not counted of a source's rows beside the answers: those that could not be decoded, and, where
    /// they have an event time, those that came too late.
    ///
    /// # Errors
    /// [`JobError`] when a file cannot be begun.
    pub fn set_aside<T: Data>(&self, name: &str, rows: &Sourced<'_, T>) -> Result<(), JobError> {
        self.set_aside_dead(name, rows)?;
        let late = format!("late_{name}");
        rows.late().sink(&late, self.aside(&late))
    }

    /// Writes the records of a dimension that could not be decoded beside the answers.
    ///
    /// # Errors
    /// [`JobError`] when the file cannot be begun.
    pub fn set_aside_dead<T: Data>(
        &self,
        name: &str,
        rows: &Sourced<'_, T>,
    ) -> Result<(), JobError> {
        let dead = format!("dead_{name}");
        rows.dead_letters().sink(&dead, self.aside(&dead))
    }

    /// The file of rows that no answer counts.
    #[must_use]
    pub fn aside(&self, name: &str) -> JsonLines {
        JsonLines::create(self.out.join(format!("{name}.jsonl")))
    }

    /// `data/set/file` if there is a folder for the set, otherwise `data/file`.
    fn path(&self, set: &str, file: &str) -> PathBuf {
        let folder = self.data.join(set);
        let folder = if folder.is_dir() {
            folder
        } else {
            self.data.clone()
        };
        folder.join(file)
    }
}
