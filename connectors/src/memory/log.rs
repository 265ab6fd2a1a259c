//! A source from memory: a list of signed rows per partition.

use std::sync::{Arc, Mutex, PoisonError};

use thalweg_engine::source::{Batch, Partition, ReadStatus, Reader, Source, SourceError};
use thalweg_engine::update::{Data, Diff};

/// Rows that one read yields unless told otherwise: small enough that tests see several reads.
const BATCH_ROWS: usize = 1_024;

/// A bounded source that yields the rows it was given, in their order.
///
/// ```
/// use thalweg_connectors::memory::Log;
/// use thalweg_engine::source::{Batch, ReadStatus, Source};
///
/// let log = Log::signed(vec![("a", 1), ("b", 1), ("a", -1)].into_iter()
///     .map(|(name, diff)| (name.to_owned(), diff)).collect()).batch_rows(2);
/// let mut reader = log.open(0)?;
/// let mut batch = Batch::default();
/// assert_eq!(reader.read(&mut batch)?, ReadStatus::More);
/// assert_eq!(batch.len(), 2);
/// assert_eq!(reader.read(&mut batch)?, ReadStatus::End);
/// # Ok::<(), thalweg_engine::source::SourceError>(())
/// ```
#[derive(Clone)]
pub struct Log<D> {
    /// Each behind a lock only so that rows need not be `Sync`.
    partitions: Arc<Vec<Mutex<Vec<(D, Diff)>>>>,
    batch_rows: usize,
}

impl<D> Log<D> {
    /// One partition; every row counts once.
    #[must_use]
    pub fn rows(rows: Vec<D>) -> Self {
        Self::signed(rows.into_iter().map(|row| (row, 1)).collect())
    }

    /// One partition of signed rows.
    #[must_use]
    pub fn signed(rows: Vec<(D, Diff)>) -> Self {
        Self::partitions(vec![rows])
    }

    /// A list of signed rows for each partition.
    #[must_use]
    pub fn partitions(partitions: Vec<Vec<(D, Diff)>>) -> Self {
        let partitions = partitions.into_iter().map(Mutex::new).collect();
        Self {
            partitions: Arc::new(partitions),
            batch_rows: BATCH_ROWS,
        }
    }

    /// How many rows a read yields, at least 1; 1,024 unless told otherwise.
    #[must_use]
    pub fn batch_rows(mut self, rows: usize) -> Self {
        self.batch_rows = rows.max(1);
        self
    }
}

impl<D: Data> Source for Log<D> {
    type Row = D;

    fn partitions(&self) -> Result<Vec<Partition>, SourceError> {
        let named = self.partitions.iter().enumerate();
        Ok(named
            .map(|(number, rows)| Partition {
                name: format!("memory-{number}"),
                rows: u64::try_from(rows.lock().unwrap_or_else(PoisonError::into_inner).len()).ok(),
            })
            .collect())
    }

    fn open(&self, partition: usize) -> Result<Box<dyn Reader<D>>, SourceError> {
        let rows = self.partitions.get(partition).ok_or_else(|| {
            SourceError::Wrong(format!(
                "cannot open partition {partition} of a log of {}: there is no such partition",
                self.partitions.len()
            ))
        })?;
        let rows = rows.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(Box::new(LogReader {
            rows: rows.into_iter(),
            batch_rows: self.batch_rows,
        }))
    }

    fn bounded(&self) -> bool {
        true
    }

    fn never_waits(&self) -> bool {
        true
    }
}

struct LogReader<D> {
    rows: std::vec::IntoIter<(D, Diff)>,
    batch_rows: usize,
}

impl<D: Send> Reader<D> for LogReader<D> {
    fn read(&mut self, batch: &mut Batch<D>) -> Result<ReadStatus, SourceError> {
        for (row, diff) in self.rows.by_ref().take(self.batch_rows) {
            batch.push_signed(row, diff);
        }
        Ok(if self.rows.len() > 0 {
            ReadStatus::More
        } else {
            ReadStatus::End
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(log: &Log<i64>, partition: usize) -> (Vec<(i64, Diff)>, usize) {
        let mut reader = log.open(partition).unwrap();
        let (mut rows, mut reads) = (Vec::new(), 0);
        loop {
            let mut batch = Batch::default();
            let status = reader.read(&mut batch).unwrap();
            reads += 1;
            rows.extend(batch.take().0);
            if status == ReadStatus::End {
                return (rows, reads);
            }
        }
    }

    #[test]
    fn every_partition_comes_back_in_order_whatever_the_size_of_a_read() {
        let given = vec![
            (0..10).map(|n| (n, 1)).collect::<Vec<_>>(),
            vec![],
            vec![(7, -1)],
        ];
        for rows in [0, 1, 3, 10, 1_000] {
            let log = Log::partitions(given.clone()).batch_rows(rows);
            for (number, expected) in given.iter().enumerate() {
                assert_eq!(&read_all(&log, number).0, expected);
            }
        }
        assert_eq!(
            read_all(&Log::rows((0..10).collect()).batch_rows(3), 0).1,
            4
        );
    }

    #[test]
    fn the_partitions_say_how_many_rows_they_hold() {
        let log = Log::partitions(vec![vec![(1_i64, 1), (2, 1)], vec![]]);
        let rows: Vec<_> = log
            .partitions()
            .unwrap()
            .into_iter()
            .map(|p| p.rows)
            .collect();
        assert_eq!(rows, vec![Some(2), Some(0)]);
    }

    #[test]
    fn a_partition_that_is_not_there_is_wrong_use() {
        let wrong = Log::rows(vec![1_i64]).open(1).err().unwrap();
        assert!(
            wrong.to_string().contains("partition 1 of a log of 1"),
            "{wrong}"
        );
    }
}
