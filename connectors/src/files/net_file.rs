//! A table's net rows as one file, in any format: gathered, sorted, encoded at the end, published whole.
//!
//! ```text
//! (row, ±n)… ─▶ Net ─(finish)─▶ rows in order ─▶ Encoder ─▶ staging file ─▶ file
//! ```

use std::fs::File;
use std::io;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use parquet::errors::ParquetError;
use serde::Serialize;
use thalweg_engine::sink::{Published, SinkError, Writer};
use thalweg_engine::time::Epoch;
use thalweg_engine::update::{Data, Updates};

use crate::files::encode::EncodeError;
use crate::files::net::Net;
use crate::files::schema::{self, Field};
use crate::files::staged::{StagedFile, unwritten};

/// Rows into the bytes of one file.
pub(crate) trait Encoder: Sized + Send + 'static {
    /// Begins a file with a column per field, which are all flat.
    ///
    /// # Errors
    /// [`WriteError::File`] when the file cannot be begun.
    fn begin(file: File, fields: &[Field]) -> Result<Self, WriteError>;

    /// Adds a row.
    ///
    /// # Errors
    /// [`WriteError`]; the file is then of no use.
    fn push<T: Serialize>(&mut self, row: &T) -> Result<(), WriteError>;

    /// Writes what stands at the end.
    ///
    /// # Errors
    /// [`WriteError`]; the file is then of no use.
    fn close(self) -> Result<(), WriteError>;
}

/// Why a row or a file could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    /// The row does not fit its own columns.
    #[error("a row could not be encoded: {0}")]
    Row(#[from] EncodeError),
    /// The file system refused.
    #[error("{0}")]
    File(#[from] io::Error),
    /// Arrow or Parquet refused.
    #[error("{0}")]
    Parquet(ParquetError),
}

impl From<ParquetError> for WriteError {
    /// The system's own error is brought to the fore.
    fn from(error: ParquetError) -> Self {
        match error {
            ParquetError::External(source) => match source.downcast::<io::Error>() {
                Ok(error) => Self::File(*error),
                Err(source) => Self::Parquet(ParquetError::External(source)),
            },
            error => Self::Parquet(error),
        }
    }
}

impl WriteError {
    /// The error of the sink that writes at `path`.
    pub(crate) fn at(&self, path: &Path) -> SinkError {
        match self {
            Self::File(error) => unwritten(path, error),
            error => SinkError::Failed(format!(
                "cannot write {}: {error}; this file was not published, and what stood there stays",
                path.display()
            )),
        }
    }
}

/// The file on its way.
pub(crate) struct NetFile<T, E> {
    path: PathBuf,
    fields: Vec<Field>,
    staged: StagedFile,
    net: Net<T>,
    encoder: PhantomData<fn() -> E>,
}

impl<T: Data + Ord, E: Encoder> NetFile<T, E> {
    /// Begins the file that shall stand at `path`; makes its folder.
    ///
    /// # Errors
    /// [`SinkError`] when a row is not flat, or the file cannot be begun.
    pub(crate) fn create(path: &Path) -> Result<Box<dyn Writer<T>>, SinkError> {
        let fields = schema::trace_flat::<T>()
            .map_err(|why| SinkError::Wrong(format!("cannot write {}: {why}", path.display())))?;
        Ok(Box::new(Self {
            path: path.to_owned(),
            fields,
            staged: StagedFile::create(path)?,
            net: Net::new(),
            encoder: PhantomData,
        }))
    }

    fn encode(&mut self) -> Result<(), SinkError> {
        let rows = self.net.take_whole(&self.path)?;
        let file = self.staged.file()?;
        let encoded = E::begin(file, &self.fields).and_then(|mut encoder| {
            for (row, diff) in &rows {
                for _ in 0..*diff {
                    encoder.push(row)?;
                }
            }
            encoder.close()
        });
        encoded.map_err(|error| error.at(&self.path))
    }
}

impl<T: Data + Ord, E: Encoder> Writer<T> for NetFile<T, E> {
    fn write(&mut self, _epoch: Epoch, rows: Updates<T>) -> Result<(), SinkError> {
        rows.into_iter()
            .for_each(|(row, _, diff)| self.net.add(row, diff));
        Ok(())
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        self.encode()?;
        self.staged.publish()
    }

    /// A table that is not whole takes nobody's place: the staging file goes with this writer.
    fn finish_early(&mut self) -> Result<Published, SinkError> {
        Ok(Published::Nothing)
    }
}
