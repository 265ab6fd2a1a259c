//! One value of a decoded column on its way into a field, without becoming a cell in between: what is most common goes from
//! the column's memory into the row's, everything else by way of [`Cell`], which knows all spellings and words all errors.

use serde::de::{Deserializer, Visitor};
use serde::forward_to_deserialize_any;

use crate::files::cell::Cell;
use crate::files::decode::{DecodeError, TIMESTAMP};
use crate::files::parquet_column::Column;

/// The value of a column in a row of it.
#[derive(Clone, Copy)]
pub(crate) struct Value<'a> {
    pub(crate) column: &'a Column,
    pub(crate) row: usize,
}

impl<'a> Value<'a> {
    #[inline]
    fn cell(self) -> Cell<'a> {
        self.column.cell(self.row)
    }
}

/// Methods for integers that are none too large, or too small, for their type.
macro_rules! integers {
    ($($method:ident $type:ident $visit:ident;)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
            let int = self.column.int(self.row).and_then(|value| $type::try_from(value).ok());
            let value = int.or_else(|| $type::try_from(self.column.uint(self.row)?).ok());
            match value {
                Some(value) => visitor.$visit(value),
                None => self.cell().$method(visitor),
            }
        }
    )*};
}

/// Methods that go by way of the cell.
macro_rules! by_cell {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
            self.cell().$method(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for Value<'de> {
    type Error = DecodeError;

    integers! {
        deserialize_i8 i8 visit_i8;
        deserialize_i16 i16 visit_i16;
        deserialize_i32 i32 visit_i32;
        deserialize_i64 i64 visit_i64;
        deserialize_u8 u8 visit_u8;
        deserialize_u16 u16 visit_u16;
        deserialize_u32 u32 visit_u32;
        deserialize_u64 u64 visit_u64;
    }

    by_cell! {
        deserialize_any deserialize_bool deserialize_i128 deserialize_u128 deserialize_f32 deserialize_char
    }

    #[inline]
    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.column.float(self.row) {
            Some(value) => visitor.visit_f64(value),
            None => self.cell().deserialize_f64(visitor),
        }
    }

    #[inline]
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.column.text(self.row) {
            Some(text) => visitor.visit_borrowed_str(text),
            None => self.cell().deserialize_str(visitor),
        }
    }

    #[inline]
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if self.column.is_null(self.row) {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
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
        match self.column.int(self.row) {
            Some(at) => visitor.visit_newtype_struct(Cell::Int(at)),
            None => self.cell().deserialize_newtype_struct(name, visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.cell().deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}
