//! Typed rows → one Parquet file: zstd, row groups of 122,880 rows, timestamps in µs without a time zone.
//!
//! ```text
//! T ─▶ cells ─▶ column builders ─(8,192 rows)─▶ record batch ─▶ row group ─▶ file
//! ```

use std::fs::File;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Float64Builder, Int64Builder, RecordBatch, StringBuilder,
    UInt64Builder,
};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field as Column, Schema, SchemaRef, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use serde::Serialize;

use crate::files::cell::Cell;
use crate::files::encode::{self, Cells, EncodeError};
use crate::files::net_file::{Encoder, WriteError};
use crate::files::schema::{Field, Kind};

/// Rows that are gathered before they are handed to the encoder.
const BATCH_ROWS: usize = 8_192;

/// Rows of a row group: DuckDB's own vector multiple, and what bounds the memory of an open file.
const ROW_GROUP_ROWS: usize = 122_880;

/// An open Parquet file.
pub(crate) struct ParquetWriter {
    file: ArrowWriter<File>,
    schema: SchemaRef,
    columns: Columns,
}

impl Encoder for ParquetWriter {
    fn begin(file: File, fields: &[Field]) -> Result<Self, WriteError> {
        let columns = fields
            .iter()
            .map(|field| Column::new(field.name, data_type(field.kind), field.optional));
        let schema = Arc::new(Schema::new(columns.collect::<Vec<_>>()));
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .build();
        let file = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties))?;
        Ok(Self {
            file,
            schema,
            columns: Columns::new(fields),
        })
    }

    fn push<T: Serialize>(&mut self, row: &T) -> Result<(), WriteError> {
        encode::row(row, &mut self.columns)?;
        self.columns.end_row().map_err(EncodeError::Other)?;
        if self.columns.rows >= BATCH_ROWS {
            self.flush()
        } else {
            Ok(())
        }
    }

    fn close(mut self) -> Result<(), WriteError> {
        self.flush()?;
        self.file.close()?;
        Ok(())
    }
}

impl ParquetWriter {
    /// Hands the gathered rows to the encoder.
    fn flush(&mut self) -> Result<(), WriteError> {
        let rows = std::mem::take(&mut self.columns.rows);
        if rows == 0 {
            return Ok(());
        }
        let checked = CastOptions {
            safe: false,
            ..CastOptions::default()
        };
        let mut arrays = Vec::with_capacity(self.columns.builders.len());
        for (builder, column) in self.columns.builders.iter_mut().zip(self.schema.fields()) {
            let array = cast_with_options(&builder.finish(), column.data_type(), &checked);
            arrays.push(array.map_err(ParquetError::from)?);
        }
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays);
        Ok(self.file.write(&batch.map_err(ParquetError::from)?)?)
    }
}

fn data_type(kind: Kind) -> DataType {
    match kind {
        Kind::Bool => DataType::Boolean,
        Kind::Int {
            bits: 8,
            signed: true,
        } => DataType::Int8,
        Kind::Int {
            bits: 16,
            signed: true,
        } => DataType::Int16,
        Kind::Int {
            bits: 32,
            signed: true,
        } => DataType::Int32,
        Kind::Int {
            bits: _,
            signed: true,
        } => DataType::Int64,
        Kind::Int {
            bits: 8,
            signed: false,
        } => DataType::UInt8,
        Kind::Int {
            bits: 16,
            signed: false,
        } => DataType::UInt16,
        Kind::Int {
            bits: 32,
            signed: false,
        } => DataType::UInt32,
        Kind::Int {
            bits: _,
            signed: false,
        } => DataType::UInt64,
        Kind::Float { bits: 32 } => DataType::Float32,
        Kind::Float { .. } => DataType::Float64,
        Kind::Time => DataType::Timestamp(TimeUnit::Microsecond, None),
        Kind::Text | Kind::Nested(_) => DataType::Utf8,
    }
}

/// The rows gathered so far, column by column.
struct Columns {
    names: Vec<&'static str>,
    builders: Vec<Builder>,
    /// The column that the next cell most likely belongs to.
    next: usize,
    rows: usize,
}

enum Builder {
    Bool(BooleanBuilder),
    Int(Int64Builder),
    Uint(UInt64Builder),
    Float(Float64Builder),
    Text(StringBuilder),
}

impl Columns {
    fn new(fields: &[Field]) -> Self {
        let builders = fields.iter().map(|field| match field.kind {
            Kind::Bool => Builder::Bool(BooleanBuilder::new()),
            Kind::Int { signed: true, .. } | Kind::Time => Builder::Int(Int64Builder::new()),
            Kind::Int { signed: false, .. } => Builder::Uint(UInt64Builder::new()),
            Kind::Float { .. } => Builder::Float(Float64Builder::new()),
            Kind::Text | Kind::Nested(_) => Builder::Text(StringBuilder::new()),
        });
        Self {
            names: fields.iter().map(|field| field.name).collect(),
            builders: builders.collect(),
            next: 0,
            rows: 0,
        }
    }

    /// Fields that the row left out become nulls; where none may be, the batch is refused later.
    fn end_row(&mut self) -> Result<(), String> {
        self.next = 0;
        self.rows += 1;
        for builder in self
            .builders
            .iter_mut()
            .filter(|builder| builder.len() < self.rows)
        {
            builder.push(Cell::Null)?;
        }
        Ok(())
    }
}

impl Cells for Columns {
    #[inline]
    fn cell(&mut self, name: &'static str, cell: Cell<'_>) -> Result<(), String> {
        if self.names.get(self.next) != Some(&name) {
            let place = self.names.iter().position(|column| *column == name);
            // A field that is written but not read has no column.
            let Some(place) = place else { return Ok(()) };
            self.next = place;
        }
        let Some(builder) = self.builders.get_mut(self.next) else {
            return Ok(());
        };
        self.next += 1;
        builder
            .push(cell)
            .map_err(|why| format!("in the field `{name}`: {why}"))
    }
}

impl Builder {
    #[inline]
    fn push(&mut self, cell: Cell<'_>) -> Result<(), String> {
        match (self, cell) {
            (Self::Int(values), Cell::Int(value) | Cell::Time(value)) => values.append_value(value),
            (Self::Float(values), Cell::Float(value)) => values.append_value(value),
            (Self::Text(values), Cell::Text(value)) => values.append_value(value),
            (Self::Uint(values), Cell::Uint(value)) => values.append_value(value),
            (Self::Bool(values), Cell::Bool(value)) => values.append_value(value),
            (Self::Int(values), Cell::Null) => values.append_null(),
            (Self::Float(values), Cell::Null) => values.append_null(),
            (Self::Text(values), Cell::Null) => values.append_null(),
            (Self::Uint(values), Cell::Null) => values.append_null(),
            (Self::Bool(values), Cell::Null) => values.append_null(),
            (_, other) => {
                return Err(format!(
                    "it is written as {}, but read as another type; Serialize and Deserialize \
                     must agree",
                    other.describe()
                ));
            }
        }
        Ok(())
    }

    fn len(&self) -> usize {
        use arrow::array::ArrayBuilder;
        match self {
            Self::Bool(values) => values.len(),
            Self::Int(values) => values.len(),
            Self::Uint(values) => values.len(),
            Self::Float(values) => values.len(),
            Self::Text(values) => values.len(),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Bool(values) => Arc::new(values.finish()),
            Self::Int(values) => Arc::new(values.finish()),
            Self::Uint(values) => Arc::new(values.finish()),
            Self::Float(values) => Arc::new(values.finish()),
            Self::Text(values) => Arc::new(values.finish()),
        }
    }
}
