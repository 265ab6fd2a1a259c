//! One value of one row on its way between a file and a typed struct: the format's side knows nothing of types,
//! the struct's side knows nothing of formats.
//!
//! ```text
//! Parquet column ─┐                                  ┌─▶ Parquet column builder
//! CSV field ──────┼─▶ Cell ─▶ decode ─▶ T ─▶ encode ─▶ Cell ┼─▶ JSON object
//! JSON value ─────┘                                  └─▶ table on the terminal
//! ```

use serde_json::Value;

use crate::files::moment;

/// A value of a row, borrowed from where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cell<'a> {
    /// Nothing is there.
    Null,
    /// A truth value.
    Bool(bool),
    /// A signed integer.
    Int(i64),
    /// An unsigned integer; may exceed the signed ones.
    Uint(u64),
    /// A floating-point number.
    Float(f64),
    /// Text from a format that tells text from numbers.
    Text(&'a str),
    /// Text from a format that knows only text: read as whatever the field wants.
    Raw(&'a str),
    /// A moment, µs since 1970 UTC.
    Time(i64),
    /// A list or an object.
    Nested(&'a Value),
    /// A value that cannot be represented, and why.
    Bad(&'static str),
}

impl<'a> From<&'a Value> for Cell<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(value), _) => Self::Int(value),
                (None, Some(value)) => Self::Uint(value),
                (None, None) => number
                    .as_f64()
                    .map_or(Self::Bad("not a number"), Self::Float),
            },
            Value::String(value) => Self::Text(value),
            Value::Array(_) | Value::Object(_) => Self::Nested(value),
        }
    }
}

impl Cell<'_> {
    /// The value as JSON: moments as RFC 3339, floats that JSON lacks (NaN, ±∞) as null.
    pub(crate) fn to_json(self) -> Value {
        match self {
            Self::Null | Self::Bad(_) => Value::Null,
            Self::Bool(value) => value.into(),
            Self::Int(value) => value.into(),
            Self::Uint(value) => value.into(),
            Self::Float(value) => value.into(),
            Self::Text(value) | Self::Raw(value) => value.into(),
            Self::Time(at) => moment::rfc3339(at).map_or_else(|| at.into(), Value::from),
            Self::Nested(value) => value.clone(),
        }
    }

    /// What the cell holds, for messages: `text "abc"`.
    pub(crate) fn describe(self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(value) => format!("{value}"),
            Self::Int(value) => format!("the integer {value}"),
            Self::Uint(value) => format!("the integer {value}"),
            Self::Float(value) => format!("the number {value}"),
            Self::Raw("") => "an empty field".to_owned(),
            Self::Text(value) | Self::Raw(value) => format!("the text {:?}", cut(value, 64)),
            Self::Time(at) => {
                let text = moment::rfc3339(at).unwrap_or_else(|| format!("{at} µs"));
                format!("the timestamp {text}")
            }
            Self::Nested(_) => "a list or an object".to_owned(),
            Self::Bad(reason) => reason.to_owned(),
        }
    }
}

/// The beginning of `text`, at most `bytes_max` long, cut between characters.
pub(crate) fn cut(text: &str, bytes_max: usize) -> &str {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_falls_between_characters() {
        assert_eq!(cut("aé", 2), "a");
        assert_eq!(cut("aé", 3), "aé");
        assert_eq!(cut("", 3), "");
    }
}
