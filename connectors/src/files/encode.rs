//! A typed row → cells: serde's serializer that hands each field of a struct on as a [`Cell`].

use serde::ser::{Error as _, Impossible, Serialize, SerializeStruct, Serializer};

use crate::files::cell::Cell;
use crate::files::decode::TIMESTAMP;

/// Why a row could not be taken apart.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EncodeError {
    /// The value is no flat one; the caller falls back on JSON.
    #[error("a list or an object")]
    NotFlat,
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl serde::ser::Error for EncodeError {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self::Other(message.to_string())
    }
}

/// Takes the cells of one row, in the order of its fields.
pub(crate) trait Cells {
    /// Takes the next cell.
    ///
    /// # Errors
    /// A sentence on why the cell does not belong here.
    fn cell(&mut self, name: &'static str, cell: Cell<'_>) -> Result<(), String>;
}

impl<F: FnMut(&'static str, Cell<'_>) -> Result<(), String>> Cells for F {
    fn cell(&mut self, name: &'static str, cell: Cell<'_>) -> Result<(), String> {
        self(name, cell)
    }
}

/// Takes `row`, a struct with named fields, apart.
///
/// # Errors
/// When `row` is no such struct, or `cells` refuses one.
pub(crate) fn row<T: Serialize>(row: &T, cells: &mut impl Cells) -> Result<(), EncodeError> {
    row.serialize(Row(cells))
}

/// The row as one line of JSON, for messages and for JSON Lines; moments as RFC 3339.
pub(crate) fn json<T: Serialize>(row: &T) -> Result<String, EncodeError> {
    let mut text = String::from("{");
    self::row(row, &mut |name: &'static str, cell: Cell<'_>| {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&serde_json::Value::from(name).to_string());
        text.push(':');
        text.push_str(&cell.to_json().to_string());
        Ok(())
    })?;
    text.push('}');
    Ok(text)
}

/// The row for a message, whatever it is.
pub(crate) fn describe<T: Serialize>(row: &T) -> String {
    json(row).unwrap_or_else(|error| format!("a row that cannot be shown ({error})"))
}

fn no_row<T>() -> Result<T, EncodeError> {
    Err(EncodeError::custom(
        "a row must be a struct with named fields",
    ))
}

macro_rules! refuse {
    ($refusal:expr; $($method:ident($($argument:ident: $type:ty),*);)*) => {$(
        fn $method(self, $($argument: $type),*) -> Result<Self::Ok, EncodeError> {
            $refusal
        }
    )*};
}

/// The parts of serde's model that neither a row nor a cell can be.
macro_rules! refuse_compounds {
    ($refusal:expr) => {
        type Ok = ();
        type Error = EncodeError;
        type SerializeSeq = Impossible<(), EncodeError>;
        type SerializeTuple = Impossible<(), EncodeError>;
        type SerializeTupleStruct = Impossible<(), EncodeError>;
        type SerializeTupleVariant = Impossible<(), EncodeError>;
        type SerializeMap = Impossible<(), EncodeError>;
        type SerializeStructVariant = Impossible<(), EncodeError>;

        fn serialize_seq(self, _len: Option<usize>) -> Result<Self::SerializeSeq, EncodeError> {
            $refusal
        }

        fn serialize_tuple(self, _len: usize) -> Result<Self::SerializeTuple, EncodeError> {
            $refusal
        }

        fn serialize_tuple_struct(
            self,
            _name: &'static str,
            _len: usize,
        ) -> Result<Self::SerializeTupleStruct, EncodeError> {
            $refusal
        }

        fn serialize_tuple_variant(
            self,
            _name: &'static str,
            _index: u32,
            _variant: &'static str,
            _len: usize,
        ) -> Result<Self::SerializeTupleVariant, EncodeError> {
            $refusal
        }

        fn serialize_map(self, _len: Option<usize>) -> Result<Self::SerializeMap, EncodeError> {
            $refusal
        }

        fn serialize_struct_variant(
            self,
            _name: &'static str,
            _index: u32,
            _variant: &'static str,
            _len: usize,
        ) -> Result<Self::SerializeStructVariant, EncodeError> {
            $refusal
        }

        fn serialize_newtype_variant<V: Serialize + ?Sized>(
            self,
            _name: &'static str,
            _index: u32,
            _variant: &'static str,
            _value: &V,
        ) -> Result<(), EncodeError> {
            $refusal
        }
    };
}

struct Row<'a, C>(&'a mut C);

impl<'a, C: Cells> Serializer for Row<'a, C> {
    type SerializeStruct = Fields<'a, C>;

    refuse_compounds!(no_row());

    refuse! { no_row();
        serialize_bool(_value: bool);
        serialize_i8(_value: i8);
        serialize_i16(_value: i16);
        serialize_i32(_value: i32);
        serialize_i64(_value: i64);
        serialize_u8(_value: u8);
        serialize_u16(_value: u16);
        serialize_u32(_value: u32);
        serialize_u64(_value: u64);
        serialize_f32(_value: f32);
        serialize_f64(_value: f64);
        serialize_char(_value: char);
        serialize_str(_value: &str);
        serialize_bytes(_value: &[u8]);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(_name: &'static str);
        serialize_unit_variant(_name: &'static str, _index: u32, _variant: &'static str);
    }

    fn serialize_some<V: Serialize + ?Sized>(self, value: &V) -> Result<(), EncodeError> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<V: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &V,
    ) -> Result<(), EncodeError> {
        value.serialize(self)
    }

    fn serialize_struct(
        self,
        _name: &'static str,
        _len: usize,
    ) -> Result<Fields<'a, C>, EncodeError> {
        Ok(Fields(self.0))
    }
}

struct Fields<'a, C>(&'a mut C);

impl<C: Cells> SerializeStruct for Fields<'_, C> {
    type Ok = ();
    type Error = EncodeError;

    #[inline]
    fn serialize_field<V: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &V,
    ) -> Result<(), EncodeError> {
        match value.serialize(Value {
            name,
            cells: &mut *self.0,
            moment: false,
        }) {
            Err(EncodeError::NotFlat) => {
                let value = serde_json::to_value(value).map_err(EncodeError::custom)?;
                self.0
                    .cell(name, Cell::Nested(&value))
                    .map_err(EncodeError::Other)
            }
            done => done,
        }
    }

    fn end(self) -> Result<(), EncodeError> {
        Ok(())
    }
}

struct Value<'a, C> {
    name: &'static str,
    cells: &'a mut C,
    /// Whether the value stands within a `Timestamp`.
    moment: bool,
}

impl<C: Cells> Value<'_, C> {
    #[inline]
    fn hand(self, cell: Cell<'_>) -> Result<(), EncodeError> {
        self.cells.cell(self.name, cell).map_err(EncodeError::Other)
    }
}

macro_rules! hand {
    ($($method:ident $type:ty, $value:ident => $cell:expr;)*) => {$(
        #[inline]
        fn $method(self, $value: $type) -> Result<(), EncodeError> {
            self.hand($cell)
        }
    )*};
}

impl<C: Cells> Serializer for Value<'_, C> {
    type SerializeStruct = Impossible<(), EncodeError>;

    refuse_compounds!(Err(EncodeError::NotFlat));

    refuse! { Err(EncodeError::NotFlat);
        serialize_bytes(_value: &[u8]);
    }

    hand! {
        serialize_bool bool, value => Cell::Bool(value);
        serialize_i8 i8, value => Cell::Int(value.into());
        serialize_i16 i16, value => Cell::Int(value.into());
        serialize_i32 i32, value => Cell::Int(value.into());
        serialize_u8 u8, value => Cell::Uint(value.into());
        serialize_u16 u16, value => Cell::Uint(value.into());
        serialize_u32 u32, value => Cell::Uint(value.into());
        serialize_u64 u64, value => Cell::Uint(value);
        serialize_f32 f32, value => Cell::Float(value.into());
        serialize_f64 f64, value => Cell::Float(value);
        serialize_str &str, value => Cell::Text(value);
        serialize_char char, value => Cell::Text(value.encode_utf8(&mut [0; 4]));
    }

    #[inline]
    fn serialize_i64(self, value: i64) -> Result<(), EncodeError> {
        let cell = if self.moment {
            Cell::Time(value)
        } else {
            Cell::Int(value)
        };
        self.hand(cell)
    }

    fn serialize_none(self) -> Result<(), EncodeError> {
        self.hand(Cell::Null)
    }

    fn serialize_unit(self) -> Result<(), EncodeError> {
        self.hand(Cell::Null)
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), EncodeError> {
        self.hand(Cell::Null)
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), EncodeError> {
        self.hand(Cell::Text(variant))
    }

    fn serialize_some<V: Serialize + ?Sized>(self, value: &V) -> Result<(), EncodeError> {
        value.serialize(self)
    }

    #[inline]
    fn serialize_newtype_struct<V: Serialize + ?Sized>(
        mut self,
        name: &'static str,
        value: &V,
    ) -> Result<(), EncodeError> {
        self.moment |= name == TIMESTAMP;
        value.serialize(self)
    }

    fn serialize_struct(
        self,
        _name: &'static str,
        _len: usize,
    ) -> Result<Self::SerializeStruct, EncodeError> {
        Err(EncodeError::NotFlat)
    }
}
