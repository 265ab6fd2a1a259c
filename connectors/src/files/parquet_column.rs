//! One decoded Arrow column as cells: every flat Arrow type is first brought to one of six plain ones.
//!
//! ```text
//! i8…i64, u8…u32 ─▶ i64      f16, f32, decimals ─▶ f64      any text, dictionaries ─▶ UTF-8
//! u64 ─▶ u64                 timestamps, dates ─▶ i64 × unit ─▶ µs
//! ```

use arrow::array::{
    Array, ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray, UInt64Array,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit};
use arrow::error::ArrowError;

use crate::files::cell::Cell;
use crate::files::schema::{Field, Kind};

/// A column whose values are ready to be handed out.
pub(crate) enum Column {
    Null,
    Bool(BooleanArray),
    Int(Int64Array),
    Uint(UInt64Array),
    Float(Float64Array),
    Text(StringArray),
    Time(Int64Array, Unit),
}

/// How a count becomes µs.
#[derive(Clone, Copy)]
pub(crate) enum Unit {
    /// So many µs each.
    Micros(i64),
    /// So many to a µs; the rest is cut towards the past.
    PerMicro(i64),
}

impl Unit {
    /// The µs of a count; `None` beyond what 64 bits can say.
    #[inline]
    fn micros(self, count: i64) -> Option<i64> {
        match self {
            Self::Micros(each) => count.checked_mul(each),
            Self::PerMicro(per) => Some(count.div_euclid(per)),
        }
    }
}

/// Whether values of `column` can be values of `field`, apart from nulls and integers that are too large.
pub(crate) fn fits(field: &Field, column: &DataType) -> bool {
    let column = match column {
        DataType::Dictionary(_, values) => values,
        other => other,
    };
    let moment = matches!(
        column,
        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64
    );
    match field.kind {
        _ if column.is_null() => field.optional,
        Kind::Bool => *column == DataType::Boolean,
        Kind::Int {
            bits: 64,
            signed: true,
        } => column.is_integer() || moment,
        Kind::Int { .. } => column.is_integer(),
        Kind::Float { .. } => column.is_numeric(),
        Kind::Text => {
            matches!(
                column,
                DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
            )
        }
        Kind::Time => *column == DataType::Int64 || moment,
        Kind::Nested(_) => false,
    }
}

impl Column {
    /// Brings `array` to one of the plain types.
    ///
    /// # Errors
    /// [`ArrowError`] when the array has another type, which [`fits`] rules out.
    pub(crate) fn new(array: &ArrayRef) -> Result<Self, ArrowError> {
        use DataType as Type;
        let target = match array.data_type() {
            Type::Dictionary(_, values) => return Self::new(&cast(array, values)?),
            Type::Null => return Ok(Self::Null),
            Type::Boolean => Type::Boolean,
            Type::UInt64 => Type::UInt64,
            Type::Date32 => return Self::time(&cast(array, &Type::Int32)?, Unit::Micros(DAY_US)),
            Type::Date64 => return Self::time(array, Unit::Micros(1_000)),
            Type::Timestamp(unit, _) => {
                let unit = match unit {
                    TimeUnit::Second => Unit::Micros(1_000_000),
                    TimeUnit::Millisecond => Unit::Micros(1_000),
                    TimeUnit::Microsecond => Unit::Micros(1),
                    TimeUnit::Nanosecond => Unit::PerMicro(1_000),
                };
                return Self::time(array, unit);
            }
            other if other.is_integer() => Type::Int64,
            other if other.is_numeric() => Type::Float64,
            _ => Type::Utf8,
        };
        let plain = cast(array, &target)?;
        let plain = plain.as_any();
        let column = match target {
            Type::Boolean => plain.downcast_ref().cloned().map(Self::Bool),
            Type::UInt64 => plain.downcast_ref().cloned().map(Self::Uint),
            Type::Int64 => plain.downcast_ref().cloned().map(Self::Int),
            Type::Float64 => plain.downcast_ref().cloned().map(Self::Float),
            _ => plain.downcast_ref().cloned().map(Self::Text),
        };
        column.ok_or_else(|| ArrowError::CastError(format!("no plain {target} came out")))
    }

    fn time(array: &ArrayRef, unit: Unit) -> Result<Self, ArrowError> {
        let counts = cast(array, &DataType::Int64)?;
        let counts = counts.as_any().downcast_ref().cloned();
        counts
            .map(|counts| Self::Time(counts, unit))
            .ok_or_else(|| ArrowError::CastError("no 64-bit counts came out".to_owned()))
    }

    /// The integer or the moment in `row`, where the column has these and there is one.
    #[inline(always)]
    pub(crate) fn int(&self, row: usize) -> Option<i64> {
        match self {
            Self::Int(values) if values.is_valid(row) => Some(values.value(row)),
            Self::Time(values, unit) if values.is_valid(row) => unit.micros(values.value(row)),
            _ => None,
        }
    }

    /// The integer in `row`, where the column has unsigned ones of 64 bits and there is one.
    #[inline(always)]
    pub(crate) fn uint(&self, row: usize) -> Option<u64> {
        match self {
            Self::Uint(values) if values.is_valid(row) => Some(values.value(row)),
            _ => None,
        }
    }

    /// The number in `row`, where the column has floats and there is one.
    #[inline(always)]
    pub(crate) fn float(&self, row: usize) -> Option<f64> {
        match self {
            Self::Float(values) if values.is_valid(row) => Some(values.value(row)),
            _ => None,
        }
    }

    /// The text in `row`, where the column has text and there is one.
    #[inline]
    pub(crate) fn text(&self, row: usize) -> Option<&str> {
        match self {
            Self::Text(values) if values.is_valid(row) => Some(values.value(row)),
            _ => None,
        }
    }

    /// Whether there is nothing in `row`.
    #[inline]
    pub(crate) fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Null => true,
            Self::Bool(values) => values.is_null(row),
            Self::Int(values) | Self::Time(values, _) => values.is_null(row),
            Self::Uint(values) => values.is_null(row),
            Self::Float(values) => values.is_null(row),
            Self::Text(values) => values.is_null(row),
        }
    }

    /// The value in `row`, which lies within the column.
    #[inline]
    pub(crate) fn cell(&self, row: usize) -> Cell<'_> {
        match self {
            Self::Int(values) if values.is_valid(row) => Cell::Int(values.value(row)),
            Self::Float(values) if values.is_valid(row) => Cell::Float(values.value(row)),
            Self::Text(values) if values.is_valid(row) => Cell::Text(values.value(row)),
            Self::Time(values, unit) if values.is_valid(row) => {
                let micros = unit.micros(values.value(row));
                micros.map_or(Cell::Bad("a moment beyond the years ±292,000"), Cell::Time)
            }
            Self::Bool(values) if values.is_valid(row) => Cell::Bool(values.value(row)),
            Self::Uint(values) if values.is_valid(row) => Cell::Uint(values.value(row)),
            _ => Cell::Null,
        }
    }
}

/// A day of 24 hours, in µs.
const DAY_US: i64 = 86_400_000_000;
