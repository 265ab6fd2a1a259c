//! Where a job reads and writes: the data set's files, in order of arrival or shuffled, and a file per answer.

use std::path::PathBuf;

use thalweg::connectors::files::{CsvFile, FileSource, Files, ParquetFile};
use thalweg::connectors::shuffle::Shuffled;
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
