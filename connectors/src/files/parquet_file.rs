//! A table as one Parquet file: its net rows, sorted, published whole at the end.

use std::path::PathBuf;

use thalweg_engine::sink::{Sink, SinkError, SinkPlace, Writer};
use thalweg_engine::update::Data;

use crate::files::net_file::NetFile;
use crate::files::parquet_write::ParquetWriter;

/// Writes the net rows of a table, sorted by their `Ord`, to one Parquet file, which replaces what stood there.
///
/// The table is held in memory until the job ends (at most about twice its net rows); a row that counts twice is
/// written twice. Until the end nothing is seen but a hidden staging file beside the target.
/// A job that is stopped before a bounded source has ended publishes nothing, and what stood there stays.
///
/// # Errors
/// A row that was taken back more often than added fails the job at its end, and nothing is published.
#[derive(Clone, Debug)]
pub struct ParquetFile {
    path: PathBuf,
}

impl ParquetFile {
    /// The file at `path`; its folder is made if need be.
    #[must_use]
    pub fn create(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }
}

impl<T: Data + Ord> Sink<T> for ParquetFile {
    fn open(&self, _place: SinkPlace) -> Result<Box<dyn Writer<T>>, SinkError> {
        NetFile::<T, ParquetWriter>::create(&self.path)
    }

    fn single(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Files;
    use crate::files::testing::{Trade, once, read_all, trade, tree, write_all};

    #[test]
    fn every_kind_of_field_comes_back_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("trades.parquet");
        let rows: Vec<Trade> = (0..20_000).map(trade).collect();
        write_all(&ParquetFile::create(&path), once(&rows)).unwrap();
        assert_eq!(tree(dir.path()), ["trades.parquet"]);
        let source = Files::path(&path).parquet::<Trade>();
        use thalweg_engine::source::Source;
        assert_eq!(source.partitions().unwrap()[0].rows, Some(20_000));
        let (read, dead) = read_all(&source).unwrap();
        assert_eq!(dead, []);
        assert!(
            read == rows,
            "rows come back sorted, which is how they were"
        );
    }

    #[test]
    fn what_was_taken_back_is_not_written_and_what_counts_twice_is_written_twice() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("net.parquet");
        let updates = vec![
            (trade(3), 1),
            (trade(1), 1),
            (trade(2), 1),
            (trade(1), -1),
            (trade(3), 1),
        ];
        write_all(&ParquetFile::create(&path), updates).unwrap();
        let (read, _) = read_all(&Files::path(&path).parquet::<Trade>()).unwrap();
        assert_eq!(read, vec![trade(2), trade(3), trade(3)]);
    }

    #[test]
    fn a_row_taken_back_too_often_is_named_and_nothing_is_published() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("net.parquet");
        let failed = write_all(&ParquetFile::create(&path), vec![(trade(1), -1)]).unwrap_err();
        let text = failed.to_string();
        assert!(
            text.contains("\"id\":1,") && text.contains("counts -1"),
            "{text}"
        );
        assert_eq!(tree(dir.path()), [""; 0]);
    }

    #[test]
    fn an_empty_table_is_a_file_with_the_columns() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("empty.parquet");
        write_all::<Trade>(&ParquetFile::create(&path), vec![]).unwrap();
        assert_eq!(
            read_all(&Files::path(&path).parquet::<Trade>()).unwrap().0,
            []
        );
    }

    #[test]
    fn nothing_is_seen_before_the_end_and_nothing_stays_of_a_failed_run() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("net.parquet");
        let mut writer = ParquetFile::create(&path).open(SinkPlace::alone()).unwrap();
        writer.write(1, vec![(trade(1), 1, 1)].into()).unwrap();
        assert!(!path.exists());
        assert_eq!(
            std::fs::read_dir(dir.path()).unwrap().count(),
            1,
            "the staging file"
        );
        drop(writer);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
