//! Answers beside golden answers, column by column.
//!
//! Counts, ids, texts and moments must be equal. A float may differ by 1e-9 of its magnitude (1e-6 in a column of
//! standard deviations), since the golden sums depend on the order of addition and ours do not; where terms cancel
//! out, by 1e-9 itself, because what is left of them in the golden answer is rounding.

use std::path::Path;

use serde_json::{Map, Value};
use thalweg::connectors::files::Files;
use thalweg::engine::source::{Batch, ReadStatus, Source};
use thalweg::engine::update::Data;

/// Compares a file with its golden answer: the rows that match, or the first difference.
pub(crate) type Compare = fn(&Path, &Path) -> Result<usize, String>;

const TOLERANCE: f64 = 1e-9;
const TOLERANCE_SD: f64 = 1e-6;
/// The column of standard deviations.
const SD: &str = "sd";

/// Two Parquet files of rows of one type, in the same order.
pub(crate) fn columns<T: Data>(ours: &Path, golden: &Path) -> Result<usize, String> {
    let (ours, golden) = (rows::<T>(ours)?, rows::<T>(golden)?);
    if ours.len() != golden.len() {
        return Err(format!("{} rows, golden {}", ours.len(), golden.len()));
    }
    for (number, (our, golden)) in ours.iter().zip(&golden).enumerate() {
        for (column, value) in our {
            let wanted = golden.get(column).unwrap_or(&Value::Null);
            if !equal(column, value, wanted) {
                return Err(format!("row {number}, {column}: {value}, golden {wanted}"));
            }
        }
    }
    Ok(ours.len())
}

/// Two text files.
pub(crate) fn text(ours: &Path, golden: &Path) -> Result<usize, String> {
    let read = |path| std::fs::read_to_string(path).map_err(|error| error.to_string());
    let (ours, golden) = (read(ours)?, read(golden)?);
    if ours != golden {
        return Err(format!("{ours}\ngolden:\n{golden}"));
    }
    Ok(ours.lines().count() - 1)
}

/// A file that has no golden answer: it must only be the same in every run.
pub(crate) fn unjudged(ours: &Path, _: &Path) -> Result<usize, String> {
    let read = std::fs::read(ours).map_err(|error| error.to_string())?;
    if read.is_empty() {
        Err("the file is empty".to_owned())
    } else {
        Ok(0)
    }
}

fn equal(column: &str, ours: &Value, golden: &Value) -> bool {
    match (ours, golden) {
        (Value::Number(a), Value::Number(b)) if a.is_f64() && b.is_f64() => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            let tolerance = if column == SD {
                TOLERANCE_SD
            } else {
                TOLERANCE
            };
            (a - b).abs() <= tolerance * a.abs().max(b.abs()).max(1.0)
        }
        _ => ours == golden,
    }
}

/// The rows of a Parquet file, each as its columns by name.
fn rows<T: Data>(path: &Path) -> Result<Vec<Map<String, Value>>, String> {
    let row = |row: &T| match serde_json::to_value(row) {
        Ok(Value::Object(row)) => Ok(row),
        other => Err(format!("{}: no row: {other:?}", path.display())),
    };
    typed(path)?.iter().map(row).collect()
}

/// The rows of a Parquet file.
pub(crate) fn typed<T: Data>(path: &Path) -> Result<Vec<T>, String> {
    let source = Files::path(path).parquet::<T>();
    let mut batch = Batch::default();
    let mut reader = source.open(0).map_err(|error| error.to_string())?;
    while reader.read(&mut batch).map_err(|error| error.to_string())? != ReadStatus::End {}
    let (rows, dead) = batch.take();
    match dead.first() {
        Some(letter) => Err(format!("{}: {}", path.display(), letter.reason)),
        None => Ok(rows.into_iter().map(|(row, _)| row).collect()),
    }
}

#[test]
fn a_number_that_is_off_is_found_and_rounding_is_not() {
    let equal = |column, a: f64, b: f64| equal(column, &a.into(), &b.into());
    assert!(equal("s", 1e9, 1e9 + 0.5));
    assert!(!equal("s", 1e9, 1e9 + 2.0));
    assert!(equal("net", 0.0, -3.6e-15));
    assert!(!equal("mean", 0.5, 0.500_001));
    assert!(equal("sd", 0.5, 0.500_000_1));
    assert!(!super::compare::equal("n", &1.into(), &2.into()));
    assert!(!super::compare::equal("mn", &Value::Null, &0.0.into()));
}
