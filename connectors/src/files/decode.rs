//! Cells → a typed row: serde's deserializer over the cells of one row.
//!
//! ```text
//! (name, Cell)… ─▶ Row ─▶ visit_map ─▶ T     each value checked: no null where one is needed, no integer cut
//! ```

use serde::de::value::{BorrowedStrDeserializer, StrDeserializer};
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

use crate::files::cell::Cell;
use crate::files::moment;

/// serde's name of [`thalweg_engine::time::Timestamp`]; any newtype of this name is a moment.
pub(crate) const TIMESTAMP: &str = "Timestamp";

/// Beyond ±2⁵³ not every integer is an f64.
const EXACT_FLOAT_MAX: u64 = 1 << 53;

/// Why a row could not be decoded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DecodeError {
    /// A field that the row lacks.
    #[error("the field `{0}` is missing")]
    Missing(&'static str),
    /// Two names of one field are both there.
    #[error("the field `{0}` is there twice")]
    Twice(&'static str),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl serde::de::Error for DecodeError {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self::Other(message.to_string())
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field)
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::Twice(field)
    }
}

/// Builds a `T` from the cells of one row.
pub(crate) fn row<'a, T, I>(cells: I) -> Result<T, DecodeError>
where
    T: DeserializeOwned,
    I: Iterator<Item = (&'a str, Cell<'a>)>,
{
    T::deserialize(Row {
        cells,
        current: None,
    })
}

struct Row<'a, I> {
    cells: I,
    current: Option<(&'a str, Cell<'a>)>,
}

impl<'de, I: Iterator<Item = (&'de str, Cell<'de>)>> Deserializer<'de> for Row<'de, I> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_map(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de, I: Iterator<Item = (&'de str, Cell<'de>)>> MapAccess<'de> for Row<'de, I> {
    type Error = DecodeError;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, DecodeError> {
        self.current = self.cells.next();
        match self.current {
            Some((name, _)) => seed
                .deserialize(BorrowedStrDeserializer::new(name))
                .map(Some),
            None => Ok(None),
        }
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<S::Value, DecodeError> {
        let Some((name, cell)) = self.current else {
            return Err(DecodeError::Other(
                "a value was asked for before its name".to_owned(),
            ));
        };
        seed.deserialize(cell)
            .map_err(|error| DecodeError::Other(format!("in the field `{name}`: {error}")))
    }
}

fn wanted(what: &str, cell: Cell<'_>) -> DecodeError {
    DecodeError::Other(format!(
        "{what} is wanted, but there is {}",
        cell.describe()
    ))
}

impl Cell<'_> {
    #[inline]
    fn int(self) -> Result<i64, DecodeError> {
        match self {
            Self::Int(value) | Self::Time(value) => Ok(value),
            Self::Uint(value) => i64::try_from(value).map_err(|_| wanted("a 64-bit integer", self)),
            Self::Raw(text) => (text.trim().parse().ok().or_else(|| moment::parse(text)))
                .ok_or_else(|| wanted("an integer", self)),
            // A moment's text may stand for its µs; a number in quotes stays a mistake.
            Self::Text(text) if text.parse::<i64>().is_err() => {
                moment::parse(text).ok_or_else(|| wanted("an integer", self))
            }
            _ => Err(wanted("an integer", self)),
        }
    }

    #[inline]
    fn uint(self) -> Result<u64, DecodeError> {
        let value = match self {
            Self::Uint(value) => Some(value),
            Self::Int(value) => u64::try_from(value).ok(),
            Self::Raw(text) => text.trim().parse().ok(),
            _ => None,
        };
        value.ok_or_else(|| wanted("an integer from 0", self))
    }

    #[inline]
    fn float(self) -> Result<f64, DecodeError> {
        match self {
            Self::Float(value) => Ok(value),
            #[expect(clippy::as_conversions, reason = "exact: checked to lie within ±2⁵³")]
            Self::Int(value) if value.unsigned_abs() <= EXACT_FLOAT_MAX => Ok(value as f64),
            #[expect(clippy::as_conversions, reason = "exact: checked to lie within 2⁵³")]
            Self::Uint(value) if value <= EXACT_FLOAT_MAX => Ok(value as f64),
            Self::Raw(text) => text.trim().parse().map_err(|_| wanted("a number", self)),
            _ => Err(wanted("a number", self)),
        }
    }
}

macro_rules! integers {
    ($($method:ident $type:ident $wide:ident $visit:ident $what:literal;)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
            match $type::try_from(self.$wide()?) {
                Ok(value) => visitor.$visit(value),
                Err(_) => Err(wanted($what, self)),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Cell<'de> {
    type Error = DecodeError;

    integers! {
        deserialize_i8 i8 int visit_i8 "an integer of 8 bits, -128 to 127,";
        deserialize_i16 i16 int visit_i16 "an integer of 16 bits, -32768 to 32767,";
        deserialize_i32 i32 int visit_i32 "an integer of 32 bits, -2147483648 to 2147483647,";
        deserialize_i64 i64 int visit_i64 "an integer of 64 bits";
        deserialize_u8 u8 uint visit_u8 "an integer from 0 to 255";
        deserialize_u16 u16 uint visit_u16 "an integer from 0 to 65535";
        deserialize_u32 u32 uint visit_u32 "an integer from 0 to 4294967295";
        deserialize_u64 u64 uint visit_u64 "an integer from 0";
        deserialize_i128 i128 int visit_i128 "an integer";
        deserialize_u128 u128 uint visit_u128 "an integer from 0";
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self {
            Self::Null => visitor.visit_unit(),
            Self::Bool(value) => visitor.visit_bool(value),
            Self::Int(value) | Self::Time(value) => visitor.visit_i64(value),
            Self::Uint(value) => visitor.visit_u64(value),
            Self::Float(value) => visitor.visit_f64(value),
            Self::Text(value) | Self::Raw(value) => visitor.visit_borrowed_str(value),
            Self::Nested(value) => value.deserialize_any(visitor).map_err(DecodeError::custom),
            Self::Bad(reason) => Err(DecodeError::Other(reason.to_owned())),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self {
            Self::Bool(value) => visitor.visit_bool(value),
            Self::Raw(text) => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "1" => visitor.visit_bool(true),
                "false" | "0" => visitor.visit_bool(false),
                _ => Err(wanted("true or false", self)),
            },
            _ => Err(wanted("true or false", self)),
        }
    }

    #[inline]
    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let value = self.float()?;
        if value.is_finite() && value.abs() > f64::from(f32::MAX) {
            return Err(wanted("a number of 32 bits, within ±3.4e38,", self));
        }
        visitor.visit_f64(value)
    }

    #[inline]
    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_f64(self.float()?)
    }

    #[inline]
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self {
            Self::Text(text) | Self::Raw(text) => visitor.visit_borrowed_str(text),
            _ => Err(wanted("text", self)),
        }
    }

    #[inline]
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self {
            Self::Null | Self::Raw("") => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        if name != TIMESTAMP {
            return visitor.visit_newtype_struct(self);
        }
        let at = match self {
            Self::Time(at) | Self::Int(at) => Some(at),
            Self::Text(text) | Self::Raw(text) => moment::parse(text),
            _ => None,
        };
        let at = at.ok_or_else(|| {
            wanted(
                "a timestamp (RFC 3339, `YYYY-MM-DD[ HH:MM:SS[.f]]` or whole µs)",
                self,
            )
        })?;
        visitor.visit_newtype_struct(Cell::Int(at))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match self {
            Self::Text(text) | Self::Raw(text) => visitor.visit_enum(StrDeserializer::new(text)),
            _ => Err(wanted("the name of a variant", self)),
        }
    }

    forward_to_deserialize_any! {
        bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}
