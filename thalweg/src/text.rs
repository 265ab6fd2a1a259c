//! Numbers and tables for people: digits in groups, sizes, lengths of time, columns that fit the terminal.

use std::time::Duration;

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ContentArrangement, Table, TableComponent};

/// A table no wider than `width` columns: the first column to the left, numbers to the right.
pub(crate) fn table(width: u16, header: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    let numeric: Vec<bool> = (0..header.len())
        .map(|column| {
            let mut cells = rows.iter().filter_map(|row| row.get(column));
            column > 0 && cells.all(|cell| cell.is_empty() || cell.starts_with(is_numeric))
        })
        .collect();
    table
        .load_preset(NOTHING)
        .set_style(TableComponent::HeaderLines, '─')
        .set_style(TableComponent::MiddleHeaderIntersections, '─')
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width)
        .set_header(header)
        .add_rows(rows);
    for (column, numeric) in table.column_iter_mut().zip(numeric) {
        if numeric {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let text = table.to_string();
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n")
}

fn is_numeric(character: char) -> bool {
    character.is_ascii_digit() || character == '-'
}

/// `1234567` as `1,234,567`.
pub(crate) fn count(number: u64) -> String {
    grouped(&number.to_string())
}

fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A stored number as a person reads it: integers in groups, others with two digits after the point; what is no
/// number as it is.
pub(crate) fn amount(text: &str) -> String {
    let (sign, digits) = text
        .strip_prefix('-')
        .map_or(("", text), |rest| ("-", rest));
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return format!("{sign}{}", grouped(digits));
    }
    match digits.parse::<f64>() {
        Ok(number) if number.is_finite() && number < 1e15 => {
            let rounded = format!("{number:.2}");
            let (whole, part) = rounded.split_once('.').unwrap_or((&rounded, "00"));
            format!("{sign}{}.{part}", grouped(whole))
        }
        _ => text.to_owned(),
    }
}

/// `1536` as `1.5 KiB`.
#[expect(clippy::cast_precision_loss, reason = "a size for people")]
pub(crate) fn bytes(size: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB"];
    if size < 1_024 {
        return format!("{size} B");
    }
    let mut scaled = size as f64 / 1_024.0;
    let mut units = units.into_iter();
    let mut unit = units.next().unwrap_or_default();
    for larger in units {
        if scaled < 1_024.0 {
            break;
        }
        scaled /= 1_024.0;
        unit = larger;
    }
    format!("{scaled:.1} {unit}")
}

/// A length of time with three digits: `812 µs`, `1.25 s`, `3 min 20 s`.
pub(crate) fn duration(length: Duration) -> String {
    let seconds = length.as_secs_f64();
    if length.as_secs() >= 100 {
        return format!("{} min {} s", length.as_secs() / 60, length.as_secs() % 60);
    }
    let (scaled, unit) = match length.as_micros() {
        0..1_000 => (seconds * 1e6, "µs"),
        1_000..1_000_000 => (seconds * 1e3, "ms"),
        _ => (seconds, "s"),
    };
    let digits = if scaled < 10.0 {
        2
    } else {
        usize::from(scaled < 100.0)
    };
    format!("{scaled:.digits$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_rounded_for_people() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1,234,567");
        for (stored, shown) in [
            ("12", "12"),
            ("-1234", "-1,234"),
            ("1234.5", "1,234.50"),
            ("-0.125", "-0.12"),
            ("NaN", "NaN"),
            ("1e300", "1e300"),
            ("", ""),
            ("DE", "DE"),
        ] {
            assert_eq!(amount(stored), shown);
        }
    }

    #[test]
    fn sizes_and_times_have_their_unit() {
        assert_eq!(bytes(1_023), "1023 B");
        assert_eq!(bytes(1_536), "1.5 KiB");
        assert_eq!(bytes(5 << 30), "5.0 GiB");
        assert_eq!(duration(Duration::from_micros(812)), "812 µs");
        assert_eq!(duration(Duration::from_millis(1_250)), "1.25 s");
        assert_eq!(duration(Duration::from_secs(200)), "3 min 20 s");
    }

    #[test]
    fn a_table_keeps_to_its_width() {
        let rows = vec![vec!["a long name indeed".to_owned(), "1,234".to_owned()]];
        for width in [20, 80] {
            let text = table(width, &["name", "rows"], rows.clone());
            assert!(
                text.lines()
                    .all(|line| line.chars().count() <= width.into()),
                "{text}"
            );
            assert!(text.contains("1,234"));
        }
    }
}
