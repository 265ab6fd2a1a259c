//! A flat struct as field names and text values: what an online store keeps and any client can read.
//!
//! ```text
//! integers                 decimal            Timestamp   integer µs
//! floats                   shortest text that reads back to the same bits: 0.1, 1.0, 1e300, NaN, inf
//! bool                     true, false        unit variants   their name
//! strings, characters      as they are        None, ()        the field is absent
//! lists, maps, structs     refused: a view is flat
//! ```

use serde::Serialize;
use serde::ser::{self, Impossible, SerializeMap, SerializeStruct, Serializer};

use crate::online::store::Fields;

/// Names that begin so are the stores' own.
const RESERVED: &str = "__";

/// The fields of a row.
///
/// # Errors
/// [`FieldsError`] when the row is not a flat struct or uses a reserved name.
///
/// ```
/// use thalweg_connectors::online::fields_of;
/// use thalweg_engine::time::Timestamp;
///
/// #[derive(serde::Serialize)]
/// struct Spend { at: Timestamp, total: f64, last: Option<u32> }
///
/// let fields = fields_of(&Spend { at: Timestamp(7), total: 0.1, last: None })?;
/// assert_eq!(fields, [("at".into(), "7".into()), ("total".into(), "0.1".into())]);
/// # Ok::<(), thalweg_connectors::online::FieldsError>(())
/// ```
pub fn fields_of<D: Serialize>(row: &D) -> Result<Fields, FieldsError> {
    row.serialize(Row)
}

/// Why a row cannot be the value of an entity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldsError {
    /// The row is not a struct.
    #[error("a view's row must be a struct with named fields, got {found}")]
    NotAStruct {
        /// What it is.
        found: &'static str,
    },
    /// A field holds more than one value.
    #[error("field {field:?} holds {found}; a view is flat: give each value a field of its own")]
    Nested {
        /// The field.
        field: String,
        /// What it holds.
        found: &'static str,
    },
    /// A field name that the stores use themselves.
    #[error("field {field:?} begins with \"__\", which the store keeps for itself; rename it")]
    Reserved {
        /// The field.
        field: String,
    },
    /// The row's own `Serialize` failed.
    #[error("the row could not be serialised: {0}")]
    Row(String),
}

impl ser::Error for FieldsError {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self::Row(message.to_string())
    }
}

/// Serialises the row itself.
struct Row;

/// Collects the fields of a row.
struct RowFields {
    fields: Fields,
    name: String,
}

impl RowFields {
    fn with_capacity(len: usize) -> Self {
        Self {
            fields: Vec::with_capacity(len),
            name: String::new(),
        }
    }

    fn add<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), FieldsError> {
        if name.starts_with(RESERVED) {
            return Err(FieldsError::Reserved {
                field: name.to_owned(),
            });
        }
        if let Some(text) = value.serialize(Text { field: name })? {
            self.fields.push((name.to_owned(), text));
        }
        Ok(())
    }
}

impl SerializeStruct for RowFields {
    type Ok = Fields;
    type Error = FieldsError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), FieldsError> {
        self.add(name, value)
    }

    fn end(self) -> Result<Fields, FieldsError> {
        Ok(self.fields)
    }
}

impl SerializeMap for RowFields {
    type Ok = Fields;
    type Error = FieldsError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), FieldsError> {
        let name = key.serialize(Text {
            field: "(a map's key)",
        })?;
        self.name = name.ok_or(FieldsError::NotAStruct {
            found: "a map with a null key",
        })?;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), FieldsError> {
        let name = std::mem::take(&mut self.name);
        self.add(&name, value)
    }

    fn end(self) -> Result<Fields, FieldsError> {
        Ok(self.fields)
    }
}

/// Serialises one value to text; `None` for null.
struct Text<'a> {
    field: &'a str,
}

impl<'a> Text<'a> {
    fn nested<T>(self, found: &'static str) -> Result<T, FieldsError> {
        Err(FieldsError::Nested {
            field: self.field.to_owned(),
            found,
        })
    }
}

/// Methods that render a value by a format.
macro_rules! rendered {
    ($($method:ident: $type:ty => $format:literal),* $(,)?) => {
        $(fn $method(self, value: $type) -> Result<Self::Ok, FieldsError> {
            Ok(Some(format!($format, value)))
        })*
    };
}

/// Methods that refuse what is no single value.
macro_rules! nested {
    ($($method:ident($($argument:ident: $type:ty),*) -> $ok:ty, $found:literal;)*) => {
        $(fn $method(self, $($argument: $type),*) -> Result<$ok, FieldsError> {
            self.nested($found)
        })*
    };
}

type No<T> = Impossible<T, FieldsError>;

impl Serializer for Text<'_> {
    type Ok = Option<String>;
    type Error = FieldsError;
    type SerializeSeq = No<Self::Ok>;
    type SerializeTuple = No<Self::Ok>;
    type SerializeTupleStruct = No<Self::Ok>;
    type SerializeTupleVariant = No<Self::Ok>;
    type SerializeMap = No<Self::Ok>;
    type SerializeStruct = No<Self::Ok>;
    type SerializeStructVariant = No<Self::Ok>;

    rendered! {
        serialize_bool: bool => "{}", serialize_char: char => "{}", serialize_str: &str => "{}",
        serialize_i8: i8 => "{}", serialize_i16: i16 => "{}", serialize_i32: i32 => "{}",
        serialize_i64: i64 => "{}", serialize_i128: i128 => "{}",
        serialize_u8: u8 => "{}", serialize_u16: u16 => "{}", serialize_u32: u32 => "{}",
        serialize_u64: u64 => "{}", serialize_u128: u128 => "{}",
        serialize_f32: f32 => "{:?}", serialize_f64: f64 => "{:?}",
    }

    nested! {
        serialize_bytes(_bytes: &[u8]) -> Self::Ok, "bytes";
        serialize_seq(_len: Option<usize>) -> Self::SerializeSeq, "a list";
        serialize_tuple(_len: usize) -> Self::SerializeTuple, "a tuple";
        serialize_tuple_struct(_name: &'static str, _len: usize) -> Self::SerializeTupleStruct, "a tuple";
        serialize_tuple_variant(_name: &'static str, _index: u32, _variant: &'static str, _len: usize)
            -> Self::SerializeTupleVariant, "an enum with values";
        serialize_map(_len: Option<usize>) -> Self::SerializeMap, "a map";
        serialize_struct(_name: &'static str, _len: usize) -> Self::SerializeStruct, "a struct";
        serialize_struct_variant(_name: &'static str, _index: u32, _variant: &'static str, _len: usize)
            -> Self::SerializeStructVariant, "an enum with values";
    }

    fn serialize_none(self) -> Result<Self::Ok, FieldsError> {
        Ok(None)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Self::Ok, FieldsError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Self::Ok, FieldsError> {
        Ok(None)
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<Self::Ok, FieldsError> {
        Ok(None)
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<Self::Ok, FieldsError> {
        Ok(Some(variant.to_owned()))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<Self::Ok, FieldsError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _value: &T,
    ) -> Result<Self::Ok, FieldsError> {
        self.nested("an enum with values")
    }
}

/// Methods that refuse what has no named fields.
macro_rules! no_struct {
    ($($method:ident($($argument:ident: $type:ty),*) -> $ok:ty, $found:literal;)*) => {
        $(fn $method(self, $($argument: $type),*) -> Result<$ok, FieldsError> {
            Err(FieldsError::NotAStruct { found: $found })
        })*
    };
}

impl Serializer for Row {
    type Ok = Fields;
    type Error = FieldsError;
    type SerializeSeq = No<Fields>;
    type SerializeTuple = No<Fields>;
    type SerializeTupleStruct = No<Fields>;
    type SerializeTupleVariant = No<Fields>;
    type SerializeMap = RowFields;
    type SerializeStruct = RowFields;
    type SerializeStructVariant = No<Fields>;

    no_struct! {
        serialize_bool(_v: bool) -> Fields, "a bool"; serialize_char(_v: char) -> Fields, "a character";
        serialize_i8(_v: i8) -> Fields, "a number"; serialize_i16(_v: i16) -> Fields, "a number";
        serialize_i32(_v: i32) -> Fields, "a number"; serialize_i64(_v: i64) -> Fields, "a number";
        serialize_u8(_v: u8) -> Fields, "a number"; serialize_u16(_v: u16) -> Fields, "a number";
        serialize_u32(_v: u32) -> Fields, "a number"; serialize_u64(_v: u64) -> Fields, "a number";
        serialize_f32(_v: f32) -> Fields, "a number"; serialize_f64(_v: f64) -> Fields, "a number";
        serialize_str(_v: &str) -> Fields, "a string"; serialize_bytes(_v: &[u8]) -> Fields, "bytes";
        serialize_none() -> Fields, "null"; serialize_unit() -> Fields, "null";
        serialize_unit_struct(_name: &'static str) -> Fields, "a struct without fields";
        serialize_unit_variant(_name: &'static str, _index: u32, _variant: &'static str) -> Fields, "an enum";
        serialize_seq(_len: Option<usize>) -> Self::SerializeSeq, "a list";
        serialize_tuple(_len: usize) -> Self::SerializeTuple, "a tuple";
        serialize_tuple_struct(_name: &'static str, _len: usize) -> Self::SerializeTupleStruct, "a tuple";
        serialize_tuple_variant(_name: &'static str, _index: u32, _variant: &'static str, _len: usize)
            -> Self::SerializeTupleVariant, "an enum";
        serialize_struct_variant(_name: &'static str, _index: u32, _variant: &'static str, _len: usize)
            -> Self::SerializeStructVariant, "an enum";
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Fields, FieldsError> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<Fields, FieldsError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _value: &T,
    ) -> Result<Fields, FieldsError> {
        Err(FieldsError::NotAStruct { found: "an enum" })
    }

    fn serialize_map(self, len: Option<usize>) -> Result<RowFields, FieldsError> {
        Ok(RowFields::with_capacity(len.unwrap_or(0)))
    }

    fn serialize_struct(self, _name: &'static str, len: usize) -> Result<RowFields, FieldsError> {
        Ok(RowFields::with_capacity(len))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use thalweg_engine::time::Timestamp;

    #[derive(Serialize)]
    enum Level {
        High,
    }

    #[derive(Serialize)]
    struct Flat {
        at: Timestamp,
        small: f32,
        total: f64,
        count: i64,
        good: bool,
        name: String,
        level: Level,
        gone: Option<u8>,
        here: Option<u8>,
    }

    #[derive(Serialize)]
    struct Wrapped(Flat);

    #[test]
    fn a_flat_struct_becomes_its_fields() {
        let flat = Flat {
            at: Timestamp(-5),
            small: 0.1,
            total: 1e300,
            count: -3,
            good: true,
            name: "a b".into(),
            level: Level::High,
            gone: None,
            here: Some(9),
        };
        let text = |fields: Fields| {
            fields
                .iter()
                .map(|(n, v)| format!("{n}={v}"))
                .collect::<Vec<_>>()
                .join("|")
        };
        let golden = "at=-5|small=0.1|total=1e300|count=-3|good=true|name=a b|level=High|here=9";
        assert_eq!(text(fields_of(&flat).unwrap()), golden);
        assert_eq!(text(fields_of(&Wrapped(flat)).unwrap()), golden);
    }

    #[test]
    fn a_float_reads_back_to_the_same_bits() {
        #[derive(Serialize)]
        struct One {
            x: f64,
        }
        for x in [
            0.1 + 0.2,
            1.0,
            -0.0,
            5e-324,
            f64::MAX,
            f64::INFINITY,
            f64::NAN,
            1e16,
            123456.789,
        ] {
            let fields = fields_of(&One { x }).unwrap();
            let back: f64 = fields.first().unwrap().1.parse().unwrap();
            assert_eq!(back.to_bits(), x.to_bits(), "{fields:?}");
        }
    }

    #[test]
    fn what_is_not_flat_is_refused_by_name() {
        #[derive(Serialize)]
        struct Nested {
            list: Vec<u8>,
        }
        #[derive(Serialize)]
        struct Reserved {
            __epoch: u8,
        }
        let nested = fields_of(&Nested { list: vec![] });
        assert_eq!(
            nested,
            Err(FieldsError::Nested {
                field: "list".into(),
                found: "a list"
            })
        );
        let reserved = fields_of(&Reserved { __epoch: 1 });
        assert_eq!(
            reserved,
            Err(FieldsError::Reserved {
                field: "__epoch".into()
            })
        );
        assert_eq!(
            fields_of(&7_u8),
            Err(FieldsError::NotAStruct { found: "a number" })
        );
        assert_eq!(
            fields_of(&(1, 2)),
            Err(FieldsError::NotAStruct { found: "a tuple" })
        );
    }
}
