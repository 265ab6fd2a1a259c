//! Every update of a table as a line of JSON: what came, and what was taken back.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use thalweg_engine::sink::{Sink, SinkError, SinkPlace, Writer};
use thalweg_engine::time::Epoch;
use thalweg_engine::update::{Data, Updates};

use crate::files::staged::{StagedFile, unwritten};
use crate::files::{encode, schema};

/// The field that says how often a row is added, or taken back where negative.
const DIFF: &str = "diff";

/// Appends each update as one JSON object with a further field `diff`: `{"sensor":7,"value":1.5,"diff":1}`.
///
/// Timestamps are RFC 3339 text; NaN and infinite floats are null, for JSON has no word for them. The file is
/// published whole at the end of the job and replaces what stood there.
#[derive(Clone, Debug)]
pub struct JsonLines {
    path: PathBuf,
}

impl JsonLines {
    /// The file at `path`; its folder is made if need be.
    #[must_use]
    pub fn create(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }
}

impl<T: Data> Sink<T> for JsonLines {
    fn open(&self, _place: SinkPlace) -> Result<Box<dyn Writer<T>>, SinkError> {
        let wrong = |why| SinkError::Wrong(format!("cannot write {}: {why}", self.path.display()));
        let fields = schema::trace::<T>().map_err(wrong)?;
        if fields.iter().any(|field| field.name == DIFF) {
            return Err(wrong(format!(
                "`{}` has a field `{DIFF}`, which is the name of the update's sign; rename it",
                std::any::type_name::<T>()
            )));
        }
        let staged = StagedFile::create(&self.path)?;
        let lines = BufWriter::new(staged.file()?);
        Ok(Box::new(LinesWriter {
            path: self.path.clone(),
            lines,
            staged,
        }))
    }

    fn single(&self) -> bool {
        true
    }
}

struct LinesWriter {
    path: PathBuf,
    lines: BufWriter<File>,
    staged: StagedFile,
}

impl<T: Data> Writer<T> for LinesWriter {
    fn write(&mut self, _epoch: Epoch, rows: Updates<T>) -> Result<(), SinkError> {
        for (row, _, diff) in &rows {
            let mut line = encode::json(row).map_err(|error| {
                SinkError::Failed(format!(
                    "cannot write {}: a row could not be encoded: {error}; this file was not published, and \
                     what stood there stays",
                    self.path.display()
                ))
            })?;
            line.pop();
            let comma = if line.len() > 1 { "," } else { "" };
            writeln!(self.lines, "{line}{comma}\"{DIFF}\":{diff}}}")
                .map_err(|error| unwritten(&self.path, &error))?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        self.lines
            .flush()
            .map_err(|error| unwritten(&self.path, &error))?;
        self.staged.publish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Files;
    use crate::files::testing::{Reading, Trade, once, read_all, trade, tree, write_all};

    #[test]
    fn every_update_is_a_line_with_its_sign() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out.jsonl");
        let rows = vec![
            (
                Reading {
                    sensor: 1,
                    value: 0.1,
                },
                1,
            ),
            (
                Reading {
                    sensor: 1,
                    value: 0.1,
                },
                -1,
            ),
            (
                Reading {
                    sensor: 2,
                    value: f64::NAN,
                },
                2,
            ),
        ];
        write_all(&JsonLines::create(&path), rows).unwrap();
        let expected = concat!(
            "{\"sensor\":1,\"value\":0.1,\"diff\":1}\n",
            "{\"sensor\":1,\"value\":0.1,\"diff\":-1}\n",
            "{\"sensor\":2,\"value\":null,\"diff\":2}\n",
        );
        assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
    }

    #[test]
    fn what_is_written_can_be_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out.jsonl");
        let rows: Vec<Trade> = (0..3_000).map(trade).collect();
        write_all(&JsonLines::create(&path), once(&rows)).unwrap();
        let (read, dead) = read_all(&Files::path(&path).json_lines::<Trade>()).unwrap();
        assert_eq!(dead, []);
        assert!(read == rows);
    }

    #[derive(Clone, serde::Serialize, serde::Deserialize)]
    struct Signed {
        diff: i64,
    }

    #[test]
    fn a_field_named_as_the_sign_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let sink = JsonLines::create(dir.path().join("out.jsonl"));
        let wrong = Sink::<Signed>::open(&sink, SinkPlace::alone())
            .err()
            .unwrap();
        assert!(wrong.to_string().contains("`diff`"), "{wrong}");
        assert_eq!(tree(dir.path()), [""; 0]);
    }
}
