//! The columns of a row type, found by tracing how it deserializes: no macro, no second list of names.
//!
//! ```text
//! struct Trade { at: Timestamp, price: f64, note: Option<String> }
//!     ─▶ [at: Time, price: Float 64, note: Text optional]
//! ```
//!
//! A field of plain type that may be left out (`#[serde(default)]`) is found by leaving it out and seeing whether
//! serde complains. What a tracer cannot see: a default on an `Option` field (it may be left out in any case), and
//! what a hand-written `Deserialize` does. Flattened and aliased fields are refused.

use std::fmt;

use serde::de::value::{BorrowedStrDeserializer, StrDeserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess,
    Visitor,
};
use serde::forward_to_deserialize_any;

use crate::files::decode::{DecodeError, TIMESTAMP};

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `bool`.
    Bool,
    /// An integer.
    Int { bits: u8, signed: bool },
    /// A floating-point number.
    Float { bits: u8 },
    /// `String`, `char`, or an enum of plain names.
    Text,
    /// `Timestamp`: µs since 1970 UTC.
    Time,
    /// Anything that has no column of its own: a list, a map, a struct, bytes, 128 bits.
    Nested(&'static str),
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => write!(f, "bool"),
            Self::Int { bits, signed: true } => write!(f, "i{bits}"),
            Self::Int {
                bits,
                signed: false,
            } => write!(f, "u{bits}"),
            Self::Float { bits } => write!(f, "f{bits}"),
            Self::Text => write!(f, "String"),
            Self::Time => write!(f, "Timestamp"),
            Self::Nested(what) => write!(f, "{what}"),
        }
    }
}

/// One column of a row type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    /// The column's name, after `#[serde(rename)]`.
    pub(crate) name: &'static str,
    /// What it holds.
    pub(crate) kind: Kind,
    /// Whether it is an `Option`.
    pub(crate) optional: bool,
    /// Whether a plain field may be left out: it has `#[serde(default)]`.
    pub(crate) defaulted: bool,
}

/// The columns of `T`, in its order.
///
/// # Errors
/// A sentence on why `T` is no row of flat columns.
pub(crate) fn trace<T: DeserializeOwned>() -> Result<Vec<Field>, String> {
    let type_name = std::any::type_name::<T>();
    let mut names: &'static [&'static str] = &[];
    match T::deserialize(RowProbe {
        names: &mut names,
        fields: &mut Vec::new(),
        only: &|_| false,
    }) {
        Ok(_) | Err(DecodeError::Missing(_)) if !names.is_empty() => {}
        _ => {
            return Err(format!(
                "`{type_name}` is no row: a row is a struct with named fields that derives \
                 Deserialize, without #[serde(flatten)]"
            ));
        }
    }
    let mut fields = Vec::new();
    let whole = RowProbe {
        names: &mut names,
        fields: &mut fields,
        only: &|_| true,
    };
    let whole = T::deserialize(whole);
    if let Err(DecodeError::Twice(name)) = whole {
        return Err(format!(
            "the field `{name}` of `{type_name}` has an alias, which a column cannot have: \
             use #[serde(rename)]"
        ));
    }
    // A value that T refuses (a validated type refusing an empty text) ends a pass: ask field by field then.
    if fields.len() < names.len() {
        fields.clear();
        for wanted in names {
            let only = |name: &str| name == *wanted;
            // The complaint that the other fields are missing is expected.
            let _ = T::deserialize(RowProbe {
                names: &mut &[][..],
                fields: &mut fields,
                only: &only,
            });
        }
    }
    for field in fields.iter_mut().filter(|field| !field.optional) {
        let without = |name: &str| name != field.name;
        let probe = RowProbe {
            names: &mut &[][..],
            fields: &mut Vec::new(),
            only: &without,
        };
        field.defaulted = T::deserialize(probe).is_ok();
    }
    Ok(fields)
}

/// The columns of `T` where all of them must be flat.
///
/// # Errors
/// A sentence that names the field which is not.
pub(crate) fn trace_flat<T: DeserializeOwned>() -> Result<Vec<Field>, String> {
    let fields = trace::<T>()?;
    match fields
        .iter()
        .find(|field| matches!(field.kind, Kind::Nested(_)))
    {
        Some(Field { name, kind, .. }) => Err(format!(
            "the field `{name}` of `{}` is {kind}, which has no column: split it into plain fields \
             (bool, integers up to 64 bits, floats, String, Timestamp, Option of these)",
            std::any::type_name::<T>()
        )),
        None => Ok(fields),
    }
}

/// Feeds a row type the fields that `only` lets through, each with an empty value, and notes what they ask for.
struct RowProbe<'a> {
    names: &'a mut &'static [&'static str],
    fields: &'a mut Vec<Field>,
    only: &'a dyn Fn(&str) -> bool,
}

impl<'de> Deserializer<'de> for RowProbe<'_> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, DecodeError> {
        Err(DecodeError::custom("no struct"))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        *self.names = names;
        visitor.visit_map(FieldProbes {
            names: names.iter(),
            row: self,
            current: "",
        })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

struct FieldProbes<'a> {
    names: std::slice::Iter<'static, &'static str>,
    row: RowProbe<'a>,
    current: &'static str,
}

impl<'de> MapAccess<'de> for FieldProbes<'_> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, DecodeError> {
        let Some(name) = self.names.find(|name| (self.row.only)(name)) else {
            return Ok(None);
        };
        self.current = name;
        seed.deserialize(BorrowedStrDeserializer::new(name))
            .map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<S::Value, DecodeError> {
        let kind = Kind::Nested("of a type that decides by what it is given");
        let field = Field {
            name: self.current,
            kind,
            optional: false,
            defaulted: false,
        };
        self.row.fields.push(field);
        match self.row.fields.last_mut() {
            Some(field) => seed.deserialize(FieldProbe(field)),
            None => Err(DecodeError::custom("no field")),
        }
    }
}

struct FieldProbe<'a>(&'a mut Field);

macro_rules! flat {
    ($($method:ident $visit:ident $empty:expr, $kind:expr;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
            self.0.kind = $kind;
            visitor.$visit($empty)
        }
    )*};
}

impl FieldProbe<'_> {
    fn nested<T>(self, what: &'static str) -> Result<T, DecodeError> {
        self.0.kind = Kind::Nested(what);
        Err(DecodeError::custom("no flat column"))
    }
}

macro_rules! nested {
    ($($method:ident($($argument:ident: $type:ty),*) $what:literal;)*) => {$(
        fn $method<V: Visitor<'de>>(self, $($argument: $type,)* _visitor: V)
            -> Result<V::Value, DecodeError>
        {
            self.nested($what)
        }
    )*};
}

impl<'de> Deserializer<'de> for FieldProbe<'_> {
    type Error = DecodeError;

    flat! {
        deserialize_bool visit_bool false, Kind::Bool;
        deserialize_i8 visit_i8 0, Kind::Int { bits: 8, signed: true };
        deserialize_i16 visit_i16 0, Kind::Int { bits: 16, signed: true };
        deserialize_i32 visit_i32 0, Kind::Int { bits: 32, signed: true };
        deserialize_i64 visit_i64 0, Kind::Int { bits: 64, signed: true };
        deserialize_u8 visit_u8 0, Kind::Int { bits: 8, signed: false };
        deserialize_u16 visit_u16 0, Kind::Int { bits: 16, signed: false };
        deserialize_u32 visit_u32 0, Kind::Int { bits: 32, signed: false };
        deserialize_u64 visit_u64 0, Kind::Int { bits: 64, signed: false };
        deserialize_f32 visit_f32 0.0, Kind::Float { bits: 32 };
        deserialize_f64 visit_f64 0.0, Kind::Float { bits: 64 };
        deserialize_char visit_char ' ', Kind::Text;
        deserialize_str visit_borrowed_str "", Kind::Text;
        deserialize_string visit_borrowed_str "", Kind::Text;
    }

    nested! {
        deserialize_any() "of a type that decides by what it is given";
        deserialize_ignored_any() "of a type that takes anything";
        deserialize_i128() "an i128";
        deserialize_u128() "a u128";
        deserialize_bytes() "a list of bytes";
        deserialize_byte_buf() "a list of bytes";
        deserialize_unit() "a unit";
        deserialize_unit_struct(_name: &'static str) "a unit";
        deserialize_seq() "a list";
        deserialize_tuple(_len: usize) "a tuple";
        deserialize_tuple_struct(_name: &'static str, _len: usize) "a tuple";
        deserialize_map() "a map";
        deserialize_struct(_name: &'static str, _fields: &'static [&'static str]) "a struct";
        deserialize_identifier() "an identifier";
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.0.optional = true;
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        if name == TIMESTAMP {
            self.0.kind = Kind::Time;
            return visitor.visit_newtype_struct(0_i64.into_deserializer());
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.0.kind = Kind::Text;
        visitor.visit_enum(StrDeserializer::new(
            variants.first().copied().unwrap_or_default(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::{Deserialize, Serialize};
    use thalweg_engine::time::Timestamp;

    #[derive(Deserialize, Serialize)]
    enum Side {
        Buy,
        Sell,
    }

    #[derive(Deserialize, Serialize)]
    #[expect(dead_code, reason = "only its fields' types are looked at")]
    struct Wide {
        ok: bool,
        tiny: i8,
        port: u16,
        ratio: f32,
        #[serde(rename = "Price")]
        price: f64,
        at: Timestamp,
        seen: Option<Timestamp>,
        note: Option<String>,
        side: Side,
        #[serde(default)]
        retries: u32,
        #[serde(skip)]
        scratch: u64,
    }

    fn field(name: &'static str, kind: Kind) -> Field {
        Field {
            name,
            kind,
            optional: false,
            defaulted: false,
        }
    }

    #[test]
    fn every_kind_of_field_is_seen_in_order() {
        let optional = |name, kind| Field {
            optional: true,
            ..field(name, kind)
        };
        let expected = vec![
            field("ok", Kind::Bool),
            field(
                "tiny",
                Kind::Int {
                    bits: 8,
                    signed: true,
                },
            ),
            field(
                "port",
                Kind::Int {
                    bits: 16,
                    signed: false,
                },
            ),
            field("ratio", Kind::Float { bits: 32 }),
            field("Price", Kind::Float { bits: 64 }),
            field("at", Kind::Time),
            optional("seen", Kind::Time),
            optional("note", Kind::Text),
            field("side", Kind::Text),
            Field {
                defaulted: true,
                ..field(
                    "retries",
                    Kind::Int {
                        bits: 32,
                        signed: false,
                    },
                )
            },
        ];
        assert_eq!(trace_flat::<Wide>().unwrap(), expected);
    }

    #[derive(Deserialize)]
    #[serde(try_from = "String")]
    struct Code;

    impl TryFrom<String> for Code {
        type Error = &'static str;
        fn try_from(text: String) -> Result<Self, Self::Error> {
            if text.is_empty() {
                Err("a code has letters")
            } else {
                Ok(Self)
            }
        }
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its fields' types are looked at")]
    struct Validated {
        code: Code,
        n: i64,
    }

    #[test]
    fn a_type_that_refuses_empty_values_is_traced_all_the_same() {
        let expected = vec![
            field("code", Kind::Text),
            field(
                "n",
                Kind::Int {
                    bits: 64,
                    signed: true,
                },
            ),
        ];
        assert_eq!(trace_flat::<Validated>().unwrap(), expected);
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its fields' types are looked at")]
    struct Nested {
        n: i64,
        tags: Vec<String>,
        last: i64,
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its fields' types are looked at")]
    struct Aliased {
        #[serde(alias = "number")]
        n: i64,
    }

    #[test]
    fn what_is_no_flat_row_is_refused_by_name() {
        assert_eq!(trace::<Nested>().unwrap().len(), 3);
        let wrong = trace_flat::<Nested>().unwrap_err();
        assert!(
            wrong.contains("`tags`") && wrong.contains("a list"),
            "{wrong}"
        );
        let wrong = trace_flat::<Aliased>().unwrap_err();
        assert!(wrong.contains("`n`") && wrong.contains("alias"), "{wrong}");
        assert!(trace::<i64>().unwrap_err().contains("is no row"));
        assert!(trace::<(i64, i64)>().unwrap_err().contains("is no row"));
    }
}
