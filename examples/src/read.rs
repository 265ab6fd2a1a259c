//! A source read whole, outside of any job: for what must be known before the graph is built.

use thalweg::engine::source::{Batch, ReadStatus, Source, SourceError};

/// All rows of a bounded source, partition by partition.
///
/// # Errors
/// [`SourceError`] as the source says it.
pub(crate) fn read_all<S: Source>(source: &S) -> Result<Vec<S::Row>, SourceError> {
    let mut rows = Vec::new();
    for partition in 0..source.partitions()?.len() {
        let mut reader = source.open(partition)?;
        let mut batch = Batch::default();
        loop {
            let status = reader.read(&mut batch)?;
            rows.extend(batch.take().0.into_iter().map(|(row, _)| row));
            if status == ReadStatus::End {
                break;
            }
        }
    }
    Ok(rows)
}
