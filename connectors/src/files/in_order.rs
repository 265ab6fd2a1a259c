//! Values → a typed row where the values come in the order of the row's fields: no name is looked at, for half of the time
//! that a row of a few numbers takes.
//!
//! ```text
//! (name, value)… ─▶ are these the very names that T declares? ─▶ visit_seq ─▶ T, else `decode.rs`, which goes by names
//! ```

use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use crate::files::decode::DecodeError;

/// Builds a `T` from the values of one row. `None` where they do not come in order, and where one does not fit: names
/// then tell what is wrong, if anything is.
#[inline]
pub(crate) fn row<'a, T, V, I>(values: I) -> Option<T>
where
    T: DeserializeOwned,
    V: Deserializer<'a, Error = DecodeError>,
    I: ExactSizeIterator<Item = (&'static str, V)>,
{
    T::deserialize(Row { values }).ok()
}

struct Row<I> {
    values: I,
}

impl<'de, D, I> Deserializer<'de> for Row<I>
where
    D: Deserializer<'de, Error = DecodeError>,
    I: ExactSizeIterator<Item = (&'static str, D)>,
{
    type Error = DecodeError;

    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        mut self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        if fields.len() != self.values.len() {
            return Err(out_of_order());
        }
        let row = visitor.visit_seq(Elements {
            values: &mut self.values,
            fields: fields.iter(),
        })?;
        // A field of two names is declared twice and asked for once.
        match self.values.next() {
            Some(_) => Err(out_of_order()),
            None => Ok(row),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, DecodeError> {
        Err(out_of_order())
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

struct Elements<'v, I> {
    values: &'v mut I,
    fields: std::slice::Iter<'static, &'static str>,
}

impl<'de, D, I> SeqAccess<'de> for Elements<'_, I>
where
    D: Deserializer<'de, Error = DecodeError>,
    I: Iterator<Item = (&'static str, D)>,
{
    type Error = DecodeError;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, DecodeError> {
        let (Some((name, value)), Some(field)) = (self.values.next(), self.fields.next()) else {
            return Ok(None);
        };
        // The reader has its names from the row's own declaration.
        if !std::ptr::eq(name, *field) {
            return Err(out_of_order());
        }
        seed.deserialize(value).map(Some)
    }
}

#[cold]
fn out_of_order() -> DecodeError {
    DecodeError::custom("the values do not come in the order of the fields")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::cell::Cell;
    use serde::Deserialize;

    #[derive(Deserialize, Debug, PartialEq)]
    struct Two {
        a: u8,
        b: Option<i64>,
    }

    fn names<T: DeserializeOwned>() -> Vec<&'static str> {
        let fields = crate::files::schema::trace::<T>().unwrap();
        fields.iter().map(|field| field.name).collect()
    }

    fn read<T: DeserializeOwned>(names: &[&'static str], cells: &[Cell<'static>]) -> Option<T> {
        row(names.iter().copied().zip(cells.iter().copied()))
    }

    #[test]
    fn only_cells_that_are_the_fields_one_by_one_are_taken() {
        let [a, b] = names::<Two>().try_into().unwrap();
        let of = |a, b| Some(Two { a, b });
        assert_eq!(read(&[a, b], &[Cell::Int(1), Cell::Int(2)]), of(1, Some(2)));
        assert_eq!(read(&[a, b], &[Cell::Int(1), Cell::Null]), of(1, None));
        assert_eq!(read::<Two>(&[b, a], &[Cell::Int(1), Cell::Int(2)]), None);
        assert_eq!(read::<Two>(&[a], &[Cell::Int(1)]), None);
        assert_eq!(read::<Two>(&[a, b], &[Cell::Int(300), Cell::Null]), None);
        assert_eq!(read::<Two>(&[a, b], &[Cell::Null, Cell::Null]), None);
    }
}
