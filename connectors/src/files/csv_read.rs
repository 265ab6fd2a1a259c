//! CSV → typed rows: columns by the header's names, a line that does not fit is a dead letter.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use csv::{ByteRecord, ReaderBuilder, Trim};
use thalweg_engine::source::{Batch, DeadLetter, ReadStatus, Reader, SourceError};
use thalweg_engine::update::Data;

use crate::files::cell::{Cell, cut};
use crate::files::checked::{Checked, RECORD_BYTES_MAX, absent, failed};
use crate::files::csv_quotes::unclosed;
use crate::files::decode;
use crate::files::schema::Field;

/// Rows that one read yields.
const BATCH_ROWS: usize = 1_024;

/// Checks the header against the fields of the row.
///
/// # Errors
/// [`SourceError::Failed`] when the file cannot be read, [`SourceError::Wrong`] when it lacks a column.
pub(crate) fn check(path: &Path, fields: &[Field]) -> Result<Checked, SourceError> {
    let header = reader(path)?
        .headers()
        .cloned()
        .map_err(|error| failed(path, error))?;
    if header.iter().all(str::is_empty) {
        return Err(SourceError::Wrong(format!(
            "{} has no header line: its first line must name the columns",
            path.display()
        )));
    }
    let columns: Vec<&str> = header.iter().collect();
    let mut seen = BTreeSet::new();
    for column in &columns {
        if !seen.insert(column) && fields.iter().any(|field| field.name == *column) {
            return Err(SourceError::Wrong(format!(
                "{} has more than one column `{column}`: rename one, for it is unclear which is wanted",
                path.display()
            )));
        }
    }
    Ok(Checked {
        rows: None,
        absent: absent(path, fields, &columns)?,
    })
}

/// Opens the file for reading rows of type `T`, whose fields these are.
///
/// # Errors
/// As for [`check`].
pub(crate) fn open<T: Data>(
    path: &Path,
    fields: &[Field],
) -> Result<Box<dyn Reader<T>>, SourceError> {
    check(path, fields)?;
    let mut lines = reader(path)?;
    let header = lines
        .headers()
        .cloned()
        .map_err(|error| failed(path, error))?;
    let bytes = lines
        .get_ref()
        .metadata()
        .map_err(|error| failed(path, error))?
        .len();
    let places = fields.iter().filter_map(|field| {
        header
            .iter()
            .position(|column| column == field.name)
            .map(|at| (field.name, at))
    });
    Ok(Box::new(CsvReader {
        path: path.to_owned(),
        places: places.collect(),
        width: header.len(),
        bytes,
        lines,
        record: ByteRecord::new(),
        row: PhantomData::<fn() -> T>,
    }))
}

fn reader(path: &Path) -> Result<csv::Reader<File>, SourceError> {
    let file = File::open(path).map_err(|error| failed(path, error))?;
    // Flexible, so that a line of another width is ours to report with its text.
    let builder = &mut ReaderBuilder::new();
    Ok(builder
        .flexible(true)
        .trim(Trim::Headers)
        .buffer_capacity(1 << 16)
        .from_reader(file))
}

struct CsvReader<T> {
    path: PathBuf,
    lines: csv::Reader<File>,
    record: ByteRecord,
    /// Field by field, where it stands in a line.
    places: Vec<(&'static str, usize)>,
    width: usize,
    /// The length of the file when it was opened.
    bytes: u64,
    row: PhantomData<fn() -> T>,
}

impl<T: Data> CsvReader<T> {
    fn decode(&self) -> Result<T, String> {
        if self.runs_into_the_end() {
            return Err(
                "a quote is opened in here and never closed: all that follows was taken for its text"
                    .to_owned(),
            );
        }
        if self.record.len() != self.width {
            return Err(format!(
                "the line has {} fields, but the header {}",
                self.record.len(),
                self.width
            ));
        }
        let cells = self.places.iter().map(|(name, at)| {
            let text = std::str::from_utf8(self.record.get(*at).unwrap_or_default());
            (
                *name,
                text.map_or(Cell::Bad("text that is not UTF-8"), Cell::Raw),
            )
        });
        decode::row(cells).map_err(|error| error.to_string())
    }

    /// Whether this is the last record of the file and ends inside quotes.
    fn runs_into_the_end(&self) -> bool {
        let start = self.record.position().map_or(0, csv::Position::byte);
        self.lines.position().byte() >= self.bytes
            && File::open(&self.path)
                .and_then(|mut file| {
                    file.seek(SeekFrom::Start(start))?;
                    unclosed(file)
                })
                .unwrap_or(false)
    }

    fn dead_letter(&self, reason: String) -> DeadLetter {
        let (line, text) = self.raw();
        DeadLetter {
            source: String::new(),
            partition: self.path.display().to_string(),
            position: line,
            reason,
            record: cut(&text, RECORD_BYTES_MAX).to_owned(),
        }
    }

    /// The line number and the text of the last record as it stands in the file: it is read there again, for only
    /// few are bad.
    fn raw(&self) -> (u64, String) {
        let (line, start) = self
            .record
            .position()
            .map_or((0, 0), |at| (at.line(), at.byte()));
        let length = self.lines.position().byte().saturating_sub(start);
        let length = length.min(u64::try_from(RECORD_BYTES_MAX * 2).unwrap_or(u64::MAX));
        let mut bytes = Vec::new();
        let read = File::open(&self.path).and_then(|mut file| {
            file.seek(SeekFrom::Start(start))?;
            file.take(length).read_to_end(&mut bytes)
        });
        if read.is_err() {
            bytes = self.record.iter().collect::<Vec<_>>().join(&b',');
        }
        let text = String::from_utf8_lossy(&bytes);
        let record = text.trim_start_matches(['\r', '\n']);
        let blank = text.len() - record.len();
        let blank_lines = text
            .bytes()
            .take(blank)
            .filter(|byte| *byte == b'\n')
            .count();
        let line = line + u64::try_from(blank_lines).unwrap_or(0);
        (line, record.trim_end_matches(['\r', '\n']).to_owned())
    }
}

impl<T: Data> Reader<T> for CsvReader<T> {
    fn read(&mut self, batch: &mut Batch<T>) -> Result<ReadStatus, SourceError> {
        for _ in 0..BATCH_ROWS {
            let more = self.lines.read_byte_record(&mut self.record);
            if !more.map_err(|error| failed(&self.path, error))? {
                return Ok(ReadStatus::End);
            }
            match self.decode() {
                Ok(row) => batch.push(row),
                Err(reason) => batch.reject(self.dead_letter(reason)),
            }
        }
        Ok(ReadStatus::More)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Files;
    use crate::files::testing::{NOON, Reading, Trade, read_all, trade};
    use serde::{Deserialize, Serialize};
    use thalweg_engine::time::Timestamp;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Visit {
        at: Timestamp,
        until_us: i64,
        name: String,
        note: Option<String>,
        score: Option<f64>,
    }

    fn read<T: Data>(text: &[u8]) -> Result<(Vec<T>, Vec<DeadLetter>), SourceError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("in.csv");
        std::fs::write(&path, text).unwrap();
        read_all(&Files::path(path).csv::<T>())
    }

    #[test]
    fn columns_go_by_name_and_timestamps_by_any_spelling() {
        let text = "score,extra,note,name, at ,until_us\n\
            1.5,x,,,2024-02-29T12:00:00Z,2024-02-29 12:00:00\n\
            ,y,\"a, \"\"b\"\"\nc\",n,1709208000000000,2024-02-29\n";
        let (rows, dead) = read::<Visit>(text.as_bytes()).unwrap();
        assert_eq!(dead, []);
        let first = Visit {
            at: Timestamp(NOON),
            until_us: NOON,
            name: String::new(),
            note: None,
            score: Some(1.5),
        };
        let second = Visit {
            until_us: NOON - 43_200_000_000,
            name: "n".to_owned(),
            note: Some("a, \"b\"\nc".to_owned()),
            score: None,
            ..first.clone()
        };
        assert_eq!(rows, vec![first, second]);
    }

    #[test]
    fn a_missing_column_is_named_with_the_file_and_those_that_are_there() {
        let wrong = read::<Reading>(b"sensor,vlaue\n1,2\n").unwrap_err();
        assert!(matches!(wrong, SourceError::Wrong(_)));
        let text = wrong.to_string();
        assert!(
            text.contains("`value`") && text.contains("in.csv"),
            "{text}"
        );
        assert!(text.contains("sensor, vlaue"), "{text}");
        assert!(
            read::<Reading>(b"")
                .unwrap_err()
                .to_string()
                .contains("no header")
        );
        assert!(
            read::<Reading>(b"sensor,value,value\n")
                .unwrap_err()
                .to_string()
                .contains("more")
        );
    }

    #[test]
    fn an_optional_column_that_is_nowhere_is_a_mistake() {
        let wrong = read::<Visit>(b"at,until_us,name,note\n")
            .unwrap_err()
            .to_string();
        assert!(
            wrong.contains("`score`") && wrong.contains("Option"),
            "{wrong}"
        );
    }

    #[test]
    fn a_bad_line_is_a_dead_letter_with_its_number_and_text_and_the_others_go_on() {
        let text = b"sensor,value\n1,1\nx,2\n\n3\n40000,4\n5,\n\"6\",\"6\"\n7,\xff\r\n8,8";
        let (rows, dead) = read::<Reading>(text).unwrap();
        assert_eq!(
            rows.iter().map(|row| row.sensor).collect::<Vec<_>>(),
            [1, 6, 8]
        );
        let found: Vec<_> = dead
            .iter()
            .map(|letter| (letter.position, letter.record.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                (3, "x,2"),
                (5, "3"),
                (6, "40000,4"),
                (7, "5,"),
                (9, "7,\u{fffd}")
            ]
        );
        let reasons = [
            "`sensor`",
            "1 fields",
            "16 bits",
            "empty field",
            "not UTF-8",
        ];
        for (letter, reason) in dead.iter().zip(reasons) {
            assert!(letter.reason.contains(reason), "{}", letter.reason);
            assert!(letter.partition.ends_with("in.csv"));
        }
    }

    /// The reader underneath ends the field where the file ends: lines went missing with no word about them.
    #[test]
    fn a_quote_that_is_never_closed_is_a_dead_letter_and_no_lost_lines() {
        for end in ["\"6\n7,7\n8,8\n", "\"6", "6,\"\n", "6,\"6\"\"\n"] {
            let text = format!("sensor,value\n1,1\n{end}");
            let (rows, dead) = read::<Reading>(text.as_bytes()).unwrap();
            assert_eq!((rows.len(), dead.len()), (1, 1), "{end}");
            assert!(dead[0].reason.contains("never closed"), "{end}");
            assert_eq!(
                (dead[0].position, dead[0].record.as_str()),
                (3, end.trim_end())
            );
        }
        let closed = b"sensor,value\n1,1\n6,\"6\"";
        assert_eq!(read::<Reading>(closed).unwrap().0.len(), 2);
    }

    #[test]
    fn a_row_with_every_kind_of_field_is_read() {
        let text = "at,venue,id,open,name,seen,note,depth,side\n\
            1709208000000002,-32768,2,FALSE,\"näme, \"\"2\"\"\",,,,Sell\n";
        let (rows, dead) = read::<Trade>(text.as_bytes()).unwrap();
        assert_eq!(dead, []);
        assert_eq!(rows, vec![trade(2)]);
    }
}
