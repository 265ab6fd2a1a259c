//! A quote that is never closed: a CSV reader takes the rest of the file for its field, and so loses lines in silence.
//!
//! ```text
//! begin ──"──▶ quoted ──"──▶ closing ──"──▶ quoted (a doubled quote is one quote of the text)
//!   │ text        └──(end of the file)──▶ unclosed
//!   └─────▶ plain: a quote in there is text
//! ```

use std::io::{self, Read};

/// Where in a field a byte stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Begin,
    Plain,
    Quoted,
    Closing,
}

/// Whether what is read, from the begin of a record on, ends inside a quoted field.
///
/// # Errors
/// As the reader says it.
pub(crate) fn unclosed(from: impl Read) -> io::Result<bool> {
    let mut place = Place::Begin;
    for byte in io::BufReader::new(from).bytes() {
        place = match (place, byte?) {
            (Place::Begin | Place::Closing, b'"') => Place::Quoted,
            (Place::Quoted, b'"') => Place::Closing,
            (Place::Quoted, _) => Place::Quoted,
            (_, b',' | b'\n' | b'\r') => Place::Begin,
            _ => Place::Plain,
        };
    }
    Ok(place == Place::Quoted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_field_that_begins_with_a_quote_can_be_left_open() {
        for (text, open) in [
            ("", false),
            ("1,2\n", false),
            ("1,\"a\"", false),
            ("1,\"a\"\"\"\n", false),
            ("1,\"\"", false),
            ("1,5\" disk\n", false),
            ("1,\"a\"b\"\n", false),
            ("1,\"", true),
            ("1,\"a\n2,b\n", true),
            ("1,\"a\"\"\n", true),
            ("1,5\" disk\n2,\"b", true),
        ] {
            assert_eq!(unclosed(text.as_bytes()).unwrap(), open, "{text}");
        }
    }
}
