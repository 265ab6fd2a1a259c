//! A table as one CSV file: its net rows, sorted, published whole at the end.

use std::fs::File;
use std::path::PathBuf;

use serde::Serialize;
use thalweg_engine::sink::{Sink, SinkError, SinkPlace, Writer};
use thalweg_engine::update::Data;

use crate::files::cell::Cell;
use crate::files::net_file::{Encoder, NetFile, WriteError};
use crate::files::schema::Field;
use crate::files::{encode, moment};

/// Writes the net rows of a table, sorted by their `Ord`, to one CSV file, which replaces what stood there.
///
/// The first line names the columns; lines end with a line feed. Moments are RFC 3339, floats the shortest text that
/// reads back to the same bits, `None` is an empty field: in CSV an empty text cannot be told from it.
/// [`Files::csv`](crate::files::Files::csv) reads such a file back. For large tables take
/// [`ParquetFile`](crate::files::ParquetFile).
/// A job that is stopped before a bounded source has ended publishes nothing, and what stood there stays.
///
/// # Errors
/// A row that was taken back more often than added fails the job at its end, and nothing is published.
#[derive(Clone, Debug)]
pub struct CsvFile {
    path: PathBuf,
}

impl CsvFile {
    /// The file at `path`; its folder is made if need be.
    #[must_use]
    pub fn create(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }
}

impl<T: Data + Ord> Sink<T> for CsvFile {
    fn open(&self, _place: SinkPlace) -> Result<Box<dyn Writer<T>>, SinkError> {
        NetFile::<T, CsvWriter>::create(&self.path)
    }

    fn single(&self) -> bool {
        true
    }
}

/// An open CSV file.
struct CsvWriter(csv::Writer<File>);

impl CsvWriter {
    fn line(&mut self, line: &[impl AsRef<[u8]>]) -> Result<(), WriteError> {
        Ok(self.0.write_record(line).map_err(std::io::Error::from)?)
    }
}

impl Encoder for CsvWriter {
    fn begin(file: File, fields: &[Field]) -> Result<Self, WriteError> {
        let mut lines = Self(csv::Writer::from_writer(file));
        let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
        lines.line(&names)?;
        Ok(lines)
    }

    fn push<T: Serialize>(&mut self, row: &T) -> Result<(), WriteError> {
        let mut line = Vec::new();
        encode::row(row, &mut |_: &'static str, cell: Cell<'_>| {
            line.push(text_of(cell)?);
            Ok(())
        })?;
        self.line(&line)
    }

    fn close(mut self) -> Result<(), WriteError> {
        Ok(self.0.flush()?)
    }
}

fn text_of(cell: Cell<'_>) -> Result<String, String> {
    Ok(match cell {
        Cell::Null => String::new(),
        Cell::Bool(value) => value.to_string(),
        Cell::Int(value) => value.to_string(),
        Cell::Uint(value) => value.to_string(),
        Cell::Float(value) => value.to_string(),
        Cell::Text(value) | Cell::Raw(value) => value.to_owned(),
        Cell::Time(at) => moment::rfc3339(at).unwrap_or_else(|| at.to_string()),
        Cell::Nested(_) => return Err("a list or an object has no CSV field".to_owned()),
        Cell::Bad(reason) => return Err(reason.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Files;
    use crate::files::testing::{Trade, once, read_all, trade, tree, write_all};
    use serde::{Deserialize, Serialize};

    #[test]
    fn what_is_written_reads_back_but_for_empty_texts() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("trades.csv");
        let rows: Vec<Trade> = (0..500).map(trade).collect();
        write_all(&CsvFile::create(&path), once(&rows)).unwrap();
        assert_eq!(tree(dir.path()), ["trades.csv"]);
        let (read, dead) = read_all(&Files::path(&path).csv::<Trade>()).unwrap();
        assert_eq!(dead, []);
        let without_note: Vec<Trade> = (0..500)
            .map(|id| Trade {
                note: None,
                ..trade(id)
            })
            .collect();
        assert!(read == without_note);
    }

    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
    struct Dropped {
        bound_s: i64,
        dropped: Option<i64>,
    }

    #[test]
    fn the_net_rows_stand_below_their_names_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("dropped.csv");
        let row = |bound_s, dropped| Dropped { bound_s, dropped };
        let updates = vec![
            (row(60, Some(2)), 1),
            (row(0, Some(7)), 1),
            (row(60, Some(2)), -1),
            (row(60, None), 1),
        ];
        write_all(&CsvFile::create(&path), updates).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, "bound_s,dropped\n0,7\n60,\n");
    }

    #[test]
    fn a_row_taken_back_too_often_is_named_and_nothing_is_published() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("net.csv");
        let failed = write_all(&CsvFile::create(&path), vec![(trade(1), -1)]).unwrap_err();
        assert!(failed.to_string().contains("counts -1"), "{failed}");
        assert_eq!(tree(dir.path()), [""; 0]);
    }
}
