//! A table printed: the net rows at the end of a job, aligned.
#![expect(clippy::print_stdout, reason = "printing is what this sink is for")]

use thalweg_engine::sink::{Sink, SinkError, SinkPlace, Writer};
use thalweg_engine::time::Epoch;
use thalweg_engine::update::{Data, Diff, Updates};

use crate::files::cell::Cell;
use crate::files::encode::{self, EncodeError};
use crate::files::net::Net;
use crate::files::{moment, schema};

/// Rows that are printed unless told otherwise.
const ROWS_MAX: usize = 1_000;

/// Prints the net rows of a table to standard output when the job ends, sorted by their `Ord`.
///
/// Floats have six significant digits, timestamps read `2024-02-29 12:00:00` (UTC), `None` is blank. Rows that do not
/// count once get their count in a last column `diff`.
#[derive(Clone, Debug)]
pub struct TableOut {
    title: String,
    rows_max: usize,
}

impl TableOut {
    /// Prints under `title`, at most 1,000 rows.
    #[must_use]
    pub fn stdout(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            rows_max: ROWS_MAX,
        }
    }

    /// Prints at most so many rows, and says how many there are beside.
    #[must_use]
    pub fn rows_max(mut self, rows: usize) -> Self {
        self.rows_max = rows;
        self
    }
}

impl<T: Data + Ord> Sink<T> for TableOut {
    fn open(&self, _place: SinkPlace) -> Result<Box<dyn Writer<T>>, SinkError> {
        let fields = schema::trace::<T>().map_err(|why| {
            SinkError::Wrong(format!("cannot print the table `{}`: {why}", self.title))
        })?;
        let names = fields.iter().map(|field| field.name).collect();
        Ok(Box::new(TableWriter {
            table: self.clone(),
            names,
            net: Net::new(),
        }))
    }

    fn single(&self) -> bool {
        true
    }
}

struct TableWriter<T> {
    table: TableOut,
    names: Vec<&'static str>,
    net: Net<T>,
}

impl<T: Data + Ord> Writer<T> for TableWriter<T> {
    fn write(&mut self, _epoch: Epoch, rows: Updates<T>) -> Result<(), SinkError> {
        rows.into_iter()
            .for_each(|(row, _, diff)| self.net.add(row, diff));
        Ok(())
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        let rows = self.net.take();
        let text = render(&self.table, &self.names, &rows).map_err(|error| {
            SinkError::Failed(format!(
                "cannot print the table `{}`: a row could not be encoded: {error}",
                self.table.title
            ))
        })?;
        print!("{text}");
        Ok(())
    }
}

/// The table as text, a line feed at its end.
fn render<T: Data>(
    table: &TableOut,
    names: &[&'static str],
    rows: &[(T, Diff)],
) -> Result<String, EncodeError> {
    let counted = rows.iter().any(|(_, diff)| *diff != 1);
    let mut header: Vec<(String, bool)> = names
        .iter()
        .map(|name| ((*name).to_owned(), false))
        .collect();
    if counted {
        header.push(("diff".to_owned(), true));
    }
    let mut lines = vec![header];
    for (row, diff) in rows.iter().take(table.rows_max) {
        let mut line = vec![(String::new(), false); names.len()];
        encode::row(row, &mut |name: &'static str, cell: Cell<'_>| {
            let place = names.iter().position(|column| *column == name);
            if let Some(slot) = place.and_then(|place| line.get_mut(place)) {
                *slot = text_of(cell);
            }
            Ok(())
        })?;
        if counted {
            line.push((diff.to_string(), true));
        }
        lines.push(line);
    }
    let hidden = rows.len().saturating_sub(table.rows_max);
    Ok(format!(
        "{}\n{}{}",
        table.title,
        align(&mut lines),
        remark(rows.len(), hidden)
    ))
}

fn remark(rows: usize, hidden: usize) -> String {
    match (rows, hidden) {
        (0, _) => "(no rows)\n".to_owned(),
        (_, 0) => String::new(),
        (_, hidden) => format!("… and {hidden} more rows\n"),
    }
}

/// Lines up the columns: numbers to the right, with their header, everything else to the left.
fn align(lines: &mut [Vec<(String, bool)>]) -> String {
    let columns = lines.first().map_or(0, Vec::len);
    let mut text = vec![String::new(); lines.len()];
    for column in 0..columns {
        let cells = || lines.iter().filter_map(|line| line.get(column));
        let width = cells()
            .map(|(cell, _)| cell.chars().count())
            .max()
            .unwrap_or(0);
        let right = cells().any(|(_, right)| *right);
        for (text, (cell, _)) in text.iter_mut().zip(cells()) {
            let gap = if column == 0 { "" } else { "  " };
            let padded = if right {
                format!("{cell:>width$}")
            } else {
                format!("{cell:<width$}")
            };
            text.push_str(gap);
            text.push_str(&padded);
        }
    }
    text.iter()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect()
}

/// The cell's text, and whether it is a number.
fn text_of(cell: Cell<'_>) -> (String, bool) {
    match cell {
        Cell::Null | Cell::Bad(_) => (String::new(), false),
        Cell::Float(value) => (six_digits(value), true),
        Cell::Int(value) => (value.to_string(), true),
        Cell::Uint(value) => (value.to_string(), true),
        Cell::Bool(value) => (value.to_string(), false),
        Cell::Text(value) | Cell::Raw(value) => (value.escape_debug().to_string(), false),
        Cell::Time(at) => (moment::plain(at).unwrap_or_else(|| at.to_string()), false),
        Cell::Nested(value) => (value.to_string(), false),
    }
}

/// Six significant digits; in powers of ten from 10¹⁵ and below 10⁻⁵.
fn six_digits(value: f64) -> String {
    let scientific = format!("{value:.5e}");
    let rounded: f64 = scientific.parse().unwrap_or(value);
    let size = rounded.abs();
    let plain = rounded == 0.0 || !size.is_finite() || (1e-5..1e15).contains(&size);
    if plain {
        format!("{rounded}")
    } else {
        format!("{rounded:e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::{Deserialize, Serialize};
    use thalweg_engine::time::Timestamp;

    #[derive(Clone, Serialize, Deserialize)]
    struct Line {
        name: String,
        at: Timestamp,
        value: f64,
        note: Option<i64>,
    }

    fn line(name: &str, value: f64, note: Option<i64>) -> Line {
        Line {
            name: name.to_owned(),
            at: Timestamp(1_709_208_000_000_000),
            value,
            note,
        }
    }

    fn shown(table: &TableOut, rows: &[(Line, Diff)]) -> String {
        render(table, &["name", "at", "value", "note"], rows).unwrap()
    }

    #[test]
    fn numbers_stand_to_the_right_and_all_else_to_the_left() {
        let rows = [
            (line("a", 1.0, None), 1),
            (line("bäc", 1234.5678, Some(-5)), 1),
        ];
        let expected = "\
totals
name  at                     value  note
a     2024-02-29 12:00:00        1
bäc   2024-02-29 12:00:00  1234.57    -5
";
        assert_eq!(shown(&TableOut::stdout("totals"), &rows), expected);
    }

    #[test]
    fn counts_other_than_one_and_hidden_rows_are_shown() {
        let rows = [(line("a", 0.5, None), 2), (line("b", 0.5, None), 1)];
        let text = shown(&TableOut::stdout("t").rows_max(1), &rows);
        assert!(
            text.contains("note  diff\n") && text.contains("     2\n"),
            "{text}"
        );
        assert!(text.ends_with("… and 1 more rows\n"), "{text}");
        assert!(shown(&TableOut::stdout("t"), &[]).ends_with("(no rows)\n"));
    }

    #[test]
    fn floats_have_six_significant_digits() {
        let cases = [
            (0.1 + 0.2, "0.3"),
            (1.0 / 3.0, "0.333333"),
            (123_456_789.0, "123457000"),
            (-0.000_012_345_678, "-0.0000123457"),
            (1e-7, "1e-7"),
            (6.022_140_76e23, "6.02214e23"),
            (0.0, "0"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "inf"),
        ];
        for (value, text) in cases {
            assert_eq!(six_digits(value), text);
        }
    }
}
