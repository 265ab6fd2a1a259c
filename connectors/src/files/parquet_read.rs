//! Parquet → typed rows: the wanted columns of a file, decoded a batch at a time.
//!
//! ```text
//! file ─(footer)─▶ columns checked against T ─▶ record batches of 8,192 rows ─▶ values, or cells ─▶ T | dead letter
//! ```

use std::fs::File;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use arrow::error::ArrowError;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use thalweg_engine::source::{Batch, DeadLetter, ReadStatus, Reader, SourceError};
use thalweg_engine::update::Data;

use crate::files::cell::{Cell, cut};
use crate::files::checked::{Checked, RECORD_BYTES_MAX, absent, failed};
use crate::files::decode;
use crate::files::in_order;
use crate::files::parquet_column::{Column, fits};
use crate::files::parquet_value::Value;
use crate::files::schema::Field;

/// Rows that one read decodes: some hundred KiB of columns, which stay in the cache.
const BATCH_ROWS: usize = 8_192;

/// Reads the footer and checks the columns against the fields of the row.
///
/// # Errors
/// [`SourceError::Failed`] when the file cannot be read, [`SourceError::Wrong`] when it holds other columns.
pub(crate) fn check(path: &Path, fields: &[Field]) -> Result<Checked, SourceError> {
    let builder = footer(path)?;
    let schema = builder.schema();
    let columns: Vec<&str> = schema
        .fields()
        .iter()
        .map(|column| column.name().as_str())
        .collect();
    let absent = absent(path, fields, &columns)?;
    for field in fields {
        let Ok(column) = schema.field_with_name(field.name) else {
            continue;
        };
        if !fits(field, column.data_type()) {
            return Err(SourceError::Wrong(format!(
                "the column `{}` of {} is {}, but {}{} is wanted; change the field's type, or write \
                 the column in another",
                field.name,
                path.display(),
                column.data_type(),
                if field.optional { "an optional " } else { "" },
                field.kind
            )));
        }
    }
    let rows = u64::try_from(builder.metadata().file_metadata().num_rows()).ok();
    Ok(Checked { rows, absent })
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
    let builder = footer(path)?;
    let columns = builder.schema().fields();
    let wanted = |name: &str| fields.iter().find(|field| field.name == name);
    let roots = (0..columns.len()).filter(|at| {
        columns
            .get(*at)
            .is_some_and(|column| wanted(column.name()).is_some())
    });
    let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
    let read: Vec<&str> = columns
        .iter()
        .filter_map(|column| Some(wanted(column.name())?.name))
        .collect();
    let of_name = |name| {
        let places = read.iter().enumerate();
        places.filter_map(move |(place, column)| (*column == name).then_some((name, place)))
    };
    let columns = fields.iter().flat_map(|field| of_name(field.name));
    let columns = columns.collect();
    let builder = builder.with_batch_size(BATCH_ROWS).with_projection(mask);
    let batches = guarded(|| builder.build()).map_err(|error| damaged(path, 0, error))?;
    Ok(Box::new(ParquetReader {
        path: path.to_owned(),
        batches: Some(batches),
        columns,
        in_order: true,
        rows_read: 0,
        row: PhantomData::<fn() -> T>,
    }))
}

fn footer(path: &Path) -> Result<ParquetRecordBatchReaderBuilder<File>, SourceError> {
    let file = File::open(path).map_err(|error| failed(path, error))?;
    guarded(|| ParquetRecordBatchReaderBuilder::try_new(file)).map_err(|error| {
        SourceError::Failed(format!(
            "cannot read the footer of {}: {error}; it is no Parquet file, cut short or damaged: \
             write it again, or leave it out",
            path.display()
        ))
    })
}

/// Runs a decoder of other people's bytes. Flipping bytes at random shows that arrow-ipc and parquet 59 panic on some
/// damaged files (in 95 of 20,000); such a panic is a damaged file to us, and the decoder is not used again.
fn guarded<R, E: std::fmt::Display>(decode: impl FnOnce() -> Result<R, E>) -> Result<R, String> {
    match catch_unwind(AssertUnwindSafe(decode)) {
        Ok(decoded) => decoded.map_err(|error| error.to_string()),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            Err(format!(
                "the decoder gave up: {}",
                text.unwrap_or("without a word")
            ))
        }
    }
}

fn damaged(path: &Path, rows_read: u64, error: impl std::fmt::Display) -> SourceError {
    SourceError::Failed(format!(
        "cannot read {} beyond row {rows_read}: {error}; its pages are damaged: write it again, or \
         leave it out",
        path.display()
    ))
}

struct ParquetReader<T> {
    path: PathBuf,
    /// Nothing once the file has ended, or failed.
    batches: Option<ParquetRecordBatchReader>,
    /// The columns and their places in each batch, in the order of the row's fields.
    columns: Vec<(&'static str, usize)>,
    /// Whether rows may be built without looking at names: so long as none is found that can only be built by them.
    in_order: bool,
    rows_read: u64,
    row: PhantomData<fn() -> T>,
}

/// How many rows, and their columns by name.
type Columns = (usize, Vec<(&'static str, Column)>);

impl<T: Data> ParquetReader<T> {
    fn next_columns(&mut self) -> Result<Option<Columns>, String> {
        let Some(mut batches) = self.batches.take() else {
            return Ok(None);
        };
        let wanted = &self.columns;
        let columns = guarded(|| {
            let Some(records) = batches.next().transpose()? else {
                return Ok(None);
            };
            let columns = wanted.iter();
            let columns =
                columns.map(|(name, place)| Ok((*name, Column::new(records.column(*place))?)));
            columns
                .collect::<Result<_, ArrowError>>()
                .map(|all| Some((records.num_rows(), all)))
        })?;
        if columns.is_some() {
            self.batches = Some(batches);
        }
        Ok(columns)
    }
}

impl<T: Data> Reader<T> for ParquetReader<T> {
    fn read(&mut self, batch: &mut Batch<T>) -> Result<ReadStatus, SourceError> {
        let columns = self.next_columns();
        let columns = columns.map_err(|error| damaged(&self.path, self.rows_read, error))?;
        let Some((rows, columns)) = columns else {
            return Ok(ReadStatus::End);
        };
        for row in 0..rows {
            self.rows_read += 1;
            let values = columns
                .iter()
                .map(|(name, column)| (*name, Value { column, row }));
            if self.in_order
                && let Some(row) = in_order::row(values)
            {
                batch.push(row);
                continue;
            }
            let cells = || {
                columns
                    .iter()
                    .map(|(name, column)| by_name((*name, column.cell(row))))
            };
            match decode::row::<T, _>(cells()) {
                Ok(row) => {
                    self.in_order = false;
                    batch.push(row);
                }
                Err(error) => batch.reject(DeadLetter {
                    source: String::new(),
                    partition: self.path.display().to_string(),
                    position: self.rows_read,
                    reason: error.to_string(),
                    record: as_text(cells()),
                }),
            }
        }
        Ok(ReadStatus::More)
    }
}

/// A name that lives as long as its cell.
fn by_name<'a>((name, cell): (&'static str, Cell<'a>)) -> (&'a str, Cell<'a>) {
    (name, cell)
}

/// The row as JSON, for the dead letter.
fn as_text<'a>(cells: impl Iterator<Item = (&'a str, Cell<'a>)>) -> String {
    let cells: Vec<String> = cells
        .map(|(name, cell)| format!("{name:?}:{}", cell.to_json()))
        .collect();
    cut(&format!("{{{}}}", cells.join(",")), RECORD_BYTES_MAX).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::testing::{NOON, Reading, Trade, once, read_all, trade, write_all};
    use crate::files::{Files, ParquetFile};
    use arrow::array::{
        ArrayRef, Date32Array, DictionaryArray, Float64Array, Int64Array, LargeStringArray,
        RecordBatch, StringViewArray, TimestampMillisecondArray, TimestampNanosecondArray,
        UInt64Array,
    };
    use arrow::datatypes::Int32Type;
    use parquet::arrow::ArrowWriter;
    use serde::{Deserialize, Serialize};
    use std::sync::Arc;
    use thalweg_engine::time::Timestamp;

    fn file(columns: Vec<(&str, ArrayRef)>) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("in.parquet");
        let batch = RecordBatch::try_from_iter_with_nullable(
            columns.into_iter().map(|(name, array)| (name, array, true)),
        )
        .unwrap();
        let file = File::create(&path).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        (dir, path)
    }

    fn read<T: Data>(path: &Path) -> Result<(Vec<T>, Vec<DeadLetter>), SourceError> {
        read_all(&Files::path(path).parquet::<T>())
    }

    #[test]
    fn a_null_or_an_integer_out_of_range_makes_a_dead_letter_of_its_row_only() {
        let sensors = Int64Array::from(vec![Some(1), None, Some(3), Some(70_000), Some(5)]);
        let values = Float64Array::from(vec![Some(1.0), Some(2.0), None, Some(4.0), Some(5.0)]);
        let (_dir, path) = file(vec![
            ("sensor", Arc::new(sensors)),
            ("value", Arc::new(values)),
        ]);
        let (rows, dead) = read::<Reading>(&path).unwrap();
        assert_eq!(
            rows.iter().map(|row| row.sensor).collect::<Vec<_>>(),
            [1, 5]
        );
        assert_eq!(
            dead.iter()
                .map(|letter| letter.position)
                .collect::<Vec<_>>(),
            [2, 3, 4]
        );
        assert!(dead[0].reason.contains("`sensor`") && dead[0].reason.contains("null"));
        assert!(dead[2].reason.contains("70000") && dead[2].reason.contains("16 bits"));
        assert_eq!(dead[2].record, "{\"sensor\":70000,\"value\":4.0}");
        assert_eq!(dead[2].partition, path.display().to_string());
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Mixed {
        day: Timestamp,
        at: Timestamp,
        at_us: i64,
        name: String,
        city: String,
        kind: Option<String>,
        big: u64,
        ratio: f64,
        #[serde(default)]
        later: u8,
    }

    #[test]
    fn every_spelling_of_a_type_is_brought_to_the_plain_one() {
        let kinds: DictionaryArray<Int32Type> = vec![Some("k"), None].into_iter().collect();
        let nanos = vec![NOON * 1_000 + 999, -1];
        let (_dir, path) = file(vec![
            ("extra", Arc::new(Int64Array::from(vec![1, 2]))),
            ("day", Arc::new(Date32Array::from(vec![0, -1]))),
            (
                "at",
                Arc::new(TimestampNanosecondArray::from(nanos).with_timezone("+02:00")),
            ),
            (
                "at_us",
                Arc::new(TimestampMillisecondArray::from(vec![NOON / 1_000, -1])),
            ),
            ("name", Arc::new(LargeStringArray::from(vec!["a", "b"]))),
            (
                "city",
                Arc::new(StringViewArray::from(vec![
                    "c",
                    "a longer name than twelve",
                ])),
            ),
            ("kind", Arc::new(kinds)),
            ("big", Arc::new(UInt64Array::from(vec![u64::MAX, 0]))),
            ("ratio", Arc::new(Int64Array::from(vec![3, -4]))),
        ]);
        let (rows, dead) = read::<Mixed>(&path).unwrap();
        assert_eq!(dead, []);
        let first = Mixed {
            day: Timestamp(0),
            at: Timestamp(NOON),
            at_us: NOON,
            name: "a".to_owned(),
            city: "c".to_owned(),
            kind: Some("k".to_owned()),
            big: u64::MAX,
            ratio: 3.0,
            later: 0,
        };
        let second = Mixed {
            day: Timestamp(-86_400_000_000),
            at: Timestamp(-1),
            at_us: -1_000,
            name: "b".to_owned(),
            city: "a longer name than twelve".to_owned(),
            kind: None,
            big: 0,
            ratio: -4.0,
            later: 0,
        };
        assert_eq!(rows, vec![first, second]);
    }

    #[test]
    fn a_missing_column_is_named_with_the_file_and_those_that_are_there() {
        let (_dir, path) = file(vec![
            ("sensor", Arc::new(Int64Array::from(vec![1]))),
            ("vlaue", Arc::new(Int64Array::from(vec![1]))),
        ]);
        let wrong = read::<Reading>(&path).unwrap_err();
        assert!(matches!(wrong, SourceError::Wrong(_)));
        let text = wrong.to_string();
        assert!(
            text.contains("`value`") && text.contains("in.parquet"),
            "{text}"
        );
        assert!(text.contains("sensor, vlaue"), "{text}");
    }

    #[test]
    fn a_column_of_another_type_is_named_with_both_types() {
        let (_dir, path) = file(vec![
            ("sensor", Arc::new(Float64Array::from(vec![1.0]))),
            ("value", Arc::new(Float64Array::from(vec![1.0]))),
        ]);
        let text = read::<Reading>(&path).unwrap_err().to_string();
        assert!(
            text.contains("`sensor`") && text.contains("Float64"),
            "{text}"
        );
        assert!(
            text.contains("i16") && text.contains("in.parquet"),
            "{text}"
        );
    }

    fn trades() -> (tempfile::TempDir, PathBuf, Vec<u8>) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("trades.parquet");
        let rows: Vec<Trade> = (0..500).map(trade).collect();
        write_all(&ParquetFile::create(&path), once(&rows)).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        (dir, path, bytes)
    }

    #[test]
    fn a_file_cut_short_is_named_with_the_reason() {
        let (_dir, path, bytes) = trades();
        for length in [0, 3, bytes.len() / 2, bytes.len() - 1] {
            std::fs::write(&path, &bytes[..length]).unwrap();
            let failed = read::<Trade>(&path).unwrap_err();
            assert!(matches!(failed, SourceError::Failed(_)));
            let text = failed.to_string();
            assert!(
                text.contains("trades.parquet") && text.contains("footer"),
                "{text}"
            );
        }
    }

    #[test]
    fn damaged_pages_are_an_error_at_reading() {
        let (_dir, path, mut bytes) = trades();
        let middle = bytes.len() / 3;
        bytes[4..middle].fill(0xa5);
        std::fs::write(&path, &bytes).unwrap();
        let source = Files::path(&path).parquet::<Trade>();
        use thalweg_engine::source::Source;
        assert_eq!(source.partitions().unwrap()[0].rows, Some(500));
        let text = read_all(&source).unwrap_err().to_string();
        assert!(
            text.contains("trades.parquet") && text.contains("beyond row 0"),
            "{text}"
        );
    }

    /// Some damaged bytes make arrow-ipc and parquet 59 panic; a worker never panics on data.
    #[test]
    fn no_damaged_byte_makes_it_panic() {
        let (_dir, path, bytes) = trades();
        let mut refused = 0;
        for at in (0..bytes.len()).rev().take(4_000).step_by(7) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0xff;
            std::fs::write(&path, &damaged).unwrap();
            refused += usize::from(read::<Trade>(&path).is_err());
        }
        assert!(refused > 100, "much damage is found, here {refused} of 572");
    }
}
