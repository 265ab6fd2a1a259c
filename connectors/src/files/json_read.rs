//! JSON Lines → typed rows: one object a line, a line that does not fit is a dead letter.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use thalweg_engine::source::{Batch, DeadLetter, ReadStatus, Reader, SourceError};
use thalweg_engine::update::Data;

use crate::files::cell::{Cell, cut};
use crate::files::checked::{RECORD_BYTES_MAX, failed};
use crate::files::decode;

/// Rows that one read yields.
const BATCH_ROWS: usize = 1_024;

/// A longer line is skipped without ever being in memory whole.
const LINE_BYTES_MAX: usize = 16 << 20;

/// Opens the file for reading rows of type `T`.
///
/// # Errors
/// [`SourceError::Failed`] when the file cannot be opened.
pub(crate) fn open<T: Data>(path: &Path) -> Result<Box<dyn Reader<T>>, SourceError> {
    let file = File::open(path).map_err(|error| failed(path, error))?;
    Ok(Box::new(JsonReader {
        path: path.to_owned(),
        file: BufReader::with_capacity(1 << 16, file),
        line: Vec::new(),
        lines_read: 0,
        line_bytes_max: LINE_BYTES_MAX,
        row: PhantomData::<fn() -> T>,
    }))
}

struct JsonReader<T, R = BufReader<File>> {
    path: PathBuf,
    file: R,
    line: Vec<u8>,
    lines_read: u64,
    line_bytes_max: usize,
    row: PhantomData<fn() -> T>,
}

impl<T: Data, R: BufRead> JsonReader<T, R> {
    fn decode(&self, line: &[u8]) -> Result<T, String> {
        if self.line.len() > self.line_bytes_max {
            return Err(format!(
                "the line is longer than {} bytes",
                self.line_bytes_max
            ));
        }
        let text = std::str::from_utf8(line).map_err(|error| {
            format!("the line is not UTF-8 after {} bytes", error.valid_up_to())
        })?;
        let object: Map<String, Value> = serde_json::from_str(text)
            .map_err(|error| format!("the line is no JSON object: {error}"))?;
        let cells = object
            .iter()
            .map(|(name, value)| (name.as_str(), Cell::from(value)));
        decode::row(cells).map_err(|error| error.to_string())
    }

    fn dead_letter(&self, line: &[u8], reason: String) -> DeadLetter {
        let head = line.get(..RECORD_BYTES_MAX).unwrap_or(line);
        DeadLetter {
            source: String::new(),
            partition: self.path.display().to_string(),
            position: self.lines_read,
            reason,
            record: cut(&String::from_utf8_lossy(head), RECORD_BYTES_MAX).to_owned(),
        }
    }
}

impl<T: Data, R: BufRead + Send> Reader<T> for JsonReader<T, R> {
    fn read(&mut self, batch: &mut Batch<T>) -> Result<ReadStatus, SourceError> {
        for _ in 0..BATCH_ROWS {
            let more = next_line(&mut self.file, &mut self.line, self.line_bytes_max);
            if !more.map_err(|error| failed(&self.path, error))? {
                return Ok(ReadStatus::End);
            }
            self.lines_read += 1;
            let line = match self.lines_read {
                1 => self
                    .line
                    .strip_prefix(b"\xef\xbb\xbf")
                    .unwrap_or(&self.line),
                _ => &self.line,
            }
            .trim_ascii();
            if line.is_empty() {
                continue;
            }
            match self.decode(line) {
                Ok(row) => batch.push(row),
                Err(reason) => batch.reject(self.dead_letter(line, reason)),
            }
        }
        Ok(ReadStatus::More)
    }
}

/// Reads up to the next line feed or the end; of a line beyond `bytes_max` only the first `bytes_max` + 1 bytes are
/// kept. False at the end of the file.
fn next_line(file: &mut impl BufRead, line: &mut Vec<u8>, bytes_max: usize) -> io::Result<bool> {
    line.clear();
    let mut any = false;
    loop {
        let available = match file.fill_buf() {
            Ok(available) => available,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if available.is_empty() {
            return Ok(any);
        }
        any = true;
        let end = available.iter().position(|byte| *byte == b'\n');
        let part = available
            .get(..end.unwrap_or(available.len()))
            .unwrap_or(available);
        let room = (bytes_max + 1).saturating_sub(line.len());
        line.extend_from_slice(part.get(..room).unwrap_or(part));
        let used = part.len() + usize::from(end.is_some());
        file.consume(used);
        if end.is_some() {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Files;
    use crate::files::testing::{NOON, Reading, read_all};
    use serde::{Deserialize, Serialize};
    use thalweg_engine::time::Timestamp;

    fn read<T: Data>(text: &[u8]) -> (Vec<T>, Vec<DeadLetter>) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("in.jsonl");
        std::fs::write(&path, text).unwrap();
        read_all(&Files::path(path).json_lines::<T>()).unwrap()
    }

    #[test]
    fn a_bad_line_is_a_dead_letter_with_its_number_and_text_and_the_others_go_on() {
        let text = b"\xef\xbb\xbf{\"sensor\":1,\"value\":1}\r\n\n  \n{\"sensor\":2,\"val\n\
            [1,2]\n{\"sensor\":3}\n{\"sensor\":4,\"value\":\"\xff\"}\n\
            {\"sensor\":70000,\"value\":1}\n{\"sensor\":5,\"value\":null}\n\
            {\"value\":6.5,\"sensor\":6,\"more\":{\"a\":[1]}}\n{\"sensor\":7,\"value\":1";
        let (rows, dead) = read::<Reading>(text);
        assert_eq!(
            rows.iter().map(|row| row.sensor).collect::<Vec<_>>(),
            [1, 6]
        );
        let found: Vec<_> = dead.iter().map(|letter| letter.position).collect();
        assert_eq!(found, [4, 5, 6, 7, 8, 9, 11]);
        let reasons = [
            "no JSON",
            "no JSON",
            "`value` is missing",
            "not UTF-8 after 21 bytes",
            "70000",
            "null",
            "no JSON",
        ];
        for (letter, reason) in dead.iter().zip(reasons) {
            assert!(letter.reason.contains(reason), "{}", letter.reason);
        }
        assert_eq!(dead[0].record, "{\"sensor\":2,\"val");
    }

    #[test]
    fn a_line_beyond_the_limit_is_skipped_and_its_beginning_kept() {
        for length in [9_999, 10_000, 10_001, 50_000] {
            let long = format!("{{\"sensor\":1,\"value\":{}}}", "1".repeat(length));
            let text = format!("{long}\n{{\"sensor\":2,\"value\":2}}\n");
            let mut reader = JsonReader {
                path: PathBuf::from("in.jsonl"),
                file: BufReader::with_capacity(64, text.as_bytes()),
                line: Vec::new(),
                lines_read: 0,
                line_bytes_max: 10_000,
                row: PhantomData::<fn() -> Reading>,
            };
            let mut batch = Batch::default();
            reader.read(&mut batch).unwrap();
            let (rows, dead) = batch.take();
            assert_eq!(rows.len(), 1);
            assert!(dead[0].reason.contains("10000 bytes"), "{}", dead[0].reason);
            assert_eq!(dead[0].record, long[..RECORD_BYTES_MAX]);
            assert!(reader.line.capacity() < 40_000);
        }
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Visit {
        at: Timestamp,
        until_us: i64,
        tags: Vec<String>,
        note: Option<String>,
        #[serde(default)]
        count: u8,
    }

    #[test]
    fn timestamps_lists_and_absent_options_are_read() {
        let text = b"{\"at\":\"2024-02-29 12:00:00\",\"until_us\":\"2024-02-29T12:00:00Z\",\"tags\":[\"a\"]}\n\
            {\"at\":1709208000000000,\"until_us\":5,\"tags\":[],\"note\":\"\",\"count\":3}\n\
            {\"at\":\"noon\",\"until_us\":5,\"tags\":[]}\n{\"at\":1,\"until_us\":\"5\",\"tags\":[]}\n";
        let (rows, dead) = read::<Visit>(text);
        let first = Visit {
            at: Timestamp(NOON),
            until_us: NOON,
            tags: vec!["a".to_owned()],
            note: None,
            count: 0,
        };
        let second = Visit {
            until_us: 5,
            tags: vec![],
            note: Some(String::new()),
            count: 3,
            ..first.clone()
        };
        assert_eq!(rows, vec![first, second]);
        assert!(dead[0].reason.contains("`at`") && dead[0].reason.contains("noon"));
        assert!(dead[1].reason.contains("`until_us`"));
    }

    #[test]
    fn floats_are_read_to_the_last_bit() {
        let values: [f64; 5] = [
            0.1,
            1.0 / 3.0,
            5e-324,
            1.797_693_134_862_315_7e308,
            123_456.789_012_345_67,
        ];
        for value in values {
            let text = format!("{{\"sensor\":1,\"value\":{value:e}}}\n");
            assert_eq!(
                read::<Reading>(text.as_bytes()).0[0].value.to_bits(),
                value.to_bits()
            );
        }
    }
}
