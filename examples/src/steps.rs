//! A source in steps, each of which waits until something is so: how an example looks at a store before and after a
//! change, within one run.
//!
//! ```text
//! rows ── until(…)? ── no: nothing now, ask again ── yes: rows of the next step ── until(…)? ── … ── end
//! ```

use std::sync::Arc;

use thalweg::engine::source::{Batch, Partition, ReadStatus, Reader, Source, SourceError};
use thalweg::engine::update::Data;

/// How often a step is asked, some milliseconds apart, before the source gives up.
const ASKED_MAX: u32 = 20_000;

type Until = Arc<dyn Fn() -> bool + Send + Sync>;

/// Signed rows, and when they come.
#[derive(Clone)]
struct Step<D> {
    until: Until,
    rows: Vec<(D, i64)>,
}

/// An unbounded source of one partition that ends with its last step.
#[derive(Clone)]
pub struct Steps<D>(Vec<Step<D>>);

impl<D> Steps<D> {
    /// Rows that come at once.
    #[must_use]
    pub fn first(rows: Vec<(D, i64)>) -> Self {
        Self(Vec::new()).then(|| true, rows)
    }

    /// Rows that come after those before them, once `until` says so. It is asked on the reader's thread.
    #[must_use]
    pub fn then(
        mut self,
        until: impl Fn() -> bool + Send + Sync + 'static,
        rows: Vec<(D, i64)>,
    ) -> Self {
        let until = Arc::new(until);
        self.0.push(Step { until, rows });
        self
    }
}

impl<D: Data + Sync> Source for Steps<D> {
    type Row = D;

    fn partitions(&self) -> Result<Vec<Partition>, SourceError> {
        Ok(vec![Partition {
            name: "steps".to_owned(),
            rows: None,
        }])
    }

    fn open(&self, _: usize) -> Result<Box<dyn Reader<D>>, SourceError> {
        let steps = self.0.clone().into_iter();
        Ok(Box::new(StepsReader {
            steps,
            next: None,
            asked: 0,
        }))
    }

    fn bounded(&self) -> bool {
        false
    }
}

struct StepsReader<D> {
    steps: std::vec::IntoIter<Step<D>>,
    next: Option<Step<D>>,
    asked: u32,
}

impl<D: Data + Sync> Reader<D> for StepsReader<D> {
    fn read(&mut self, batch: &mut Batch<D>) -> Result<ReadStatus, SourceError> {
        let Some(step) = self.next.take().or_else(|| self.steps.next()) else {
            return Ok(ReadStatus::End);
        };
        if (step.until)() {
            self.asked = 0;
            for (row, diff) in step.rows {
                batch.push_signed(row, diff);
            }
            return Ok(ReadStatus::More);
        }
        self.next = Some(step);
        self.asked += 1;
        if self.asked > ASKED_MAX {
            let left = self.steps.len() + 1;
            return Err(SourceError::Failed(format!(
                "what the next of {left} steps waits for did not come to be so"
            )));
        }
        Ok(ReadStatus::Pending)
    }
}
