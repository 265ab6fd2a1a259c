//! Files in and out: typed rows from Parquet, CSV and JSON Lines, and tables back into Parquet, CSV, JSON Lines or print.
//!
//! ```text
//! Files::glob("in/*.parquet").parquet::<T>() ─▶ FileSource<T>: a file = a partition, sorted by path
//!
//!                       ┌─▶ ParquetFile   one file, the net table          ┐
//!                       ├─▶ CsvFile       the same                         ├ written under a staging name,
//! table of T ── Sink ───┼─▶ ParquetDir    parts, by date, append-only      │ synced, then renamed: seen whole
//!                       ├─▶ JsonLines     one object per update            ┘ or not at all
//!                       └─▶ TableOut      the net table on the terminal
//! ```
//!
//! A row is a plain serde struct of flat fields: bool, integers up to 64 bits, floats, `String`, `Timestamp`, enums of
//! plain names, and `Option` of these. Its columns are found by tracing it (`schema`), so there is nothing to declare
//! twice. JSON Lines may also hold nested fields; a `Timestamp` in there is whole µs.

mod cell;
mod checked;
mod csv_file;
mod csv_quotes;
mod csv_read;
mod decode;
mod encode;
#[cfg(test)]
mod endings;
mod find;
mod in_order;
mod json_lines;
mod json_read;
pub mod moment;
mod net;
mod net_file;
mod parquet_column;
mod parquet_dir;
mod parquet_file;
mod parquet_parts;
mod parquet_read;
mod parquet_value;
mod parquet_write;
mod schema;
mod source;
mod staged;
mod table_out;
#[cfg(test)]
mod testing;

pub use csv_file::CsvFile;
pub use json_lines::JsonLines;
pub use parquet_dir::ParquetDir;
pub use parquet_file::ParquetFile;
pub use source::{FileSource, Files};
pub use table_out::TableOut;
