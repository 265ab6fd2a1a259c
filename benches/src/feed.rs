//! Rows from memory, dealt to as many partitions as there are workers.

use std::sync::Arc;

use thalweg::engine::source::{Batch, Partition, ReadStatus, Reader, Source, SourceError};

use crate::data::Payment;

/// Rows that a reader copies at a time.
const READ_ROWS: usize = 8_192;

/// A source over payments in memory.
#[derive(Clone)]
pub struct Feed {
    /// The rows, in order of arrival.
    pub rows: Arc<Vec<Payment>>,
    /// Partitions: each takes every n-th batch of rows, so that all advance together.
    pub partitions: usize,
}

impl Source for Feed {
    type Row = Payment;

    fn partitions(&self) -> Result<Vec<Partition>, SourceError> {
        Ok((0..self.partitions)
            .map(|n| Partition {
                name: format!("part {n}"),
                rows: None,
            })
            .collect())
    }

    fn open(&self, partition: usize) -> Result<Box<dyn Reader<Payment>>, SourceError> {
        Ok(Box::new(FeedReader {
            feed: self.clone(),
            next: partition * READ_ROWS,
        }))
    }

    fn bounded(&self) -> bool {
        true
    }

    fn never_waits(&self) -> bool {
        true
    }
}

struct FeedReader {
    feed: Feed,
    next: usize,
}

impl Reader<Payment> for FeedReader {
    fn read(&mut self, batch: &mut Batch<Payment>) -> Result<ReadStatus, SourceError> {
        let rows = &self.feed.rows;
        if self.next >= rows.len() {
            return Ok(ReadStatus::End);
        }
        let end = (self.next + READ_ROWS).min(rows.len());
        batch.extend_from_slice(&rows[self.next..end]);
        self.next += READ_ROWS * self.feed.partitions;
        Ok(ReadStatus::More)
    }
}
