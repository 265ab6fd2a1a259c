//! An answer, and the baselines that it was judged by: published together, when the job has ended well.

use std::path::PathBuf;

use thalweg::connectors::files::ParquetFile;
use thalweg::engine::sink::{Published, Sink, SinkError, SinkPlace, Writer};
use thalweg::engine::time::Epoch;
use thalweg::engine::update::Updates;
use thalweg::prelude::*;

use super::drift::Numeric;

/// The answer's file, with the baselines beside it.
pub(super) struct Judged {
    pub(super) answer: ParquetFile,
    pub(super) baselines: Baselines,
    pub(super) path: PathBuf,
}

impl Sink<Numeric> for Judged {
    fn open(&self, place: SinkPlace) -> Result<Box<dyn Writer<Numeric>>, SinkError> {
        Ok(Box::new(JudgedWriter {
            answer: Sink::<Numeric>::open(&self.answer, place)?,
            baselines: self.baselines.clone(),
            path: self.path.clone(),
        }))
    }

    fn single(&self) -> bool {
        Sink::<Numeric>::single(&self.answer)
    }
}

struct JudgedWriter {
    answer: Box<dyn Writer<Numeric>>,
    baselines: Baselines,
    path: PathBuf,
}

impl Writer<Numeric> for JudgedWriter {
    fn write(&mut self, epoch: Epoch, rows: Updates<Numeric>) -> Result<(), SinkError> {
        self.answer.write(epoch, rows)
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        self.answer.finish()?;
        let written = self.baselines.write(&self.path);
        written.map_err(|error| SinkError::Failed(error.to_string()))
    }

    fn finish_early(&mut self) -> Result<Published, SinkError> {
        self.answer.finish_early()
    }
}
