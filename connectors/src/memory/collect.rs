//! A sink into memory: every update that a job wrote, and their net.

use std::sync::{Arc, Mutex, PoisonError};

use thalweg_engine::sink::{Sink, SinkError, SinkPlace, Writer};
use thalweg_engine::time::Epoch;
use thalweg_engine::update::{Diff, Update, Updates};

use crate::memory::consolidate::consolidate;

/// Keeps every update that is written to it; clones share one list, so keep a clone to look at it.
///
/// ```
/// use thalweg_connectors::memory::Collect;
/// use thalweg_engine::sink::{Sink, SinkPlace};
///
/// let seen = Collect::new();
/// let mut writer = seen.clone().open(SinkPlace::alone())?;
/// writer.write(1, vec![("b", 1, 1), ("a", 1, 1)].into())?;
/// writer.write(2, vec![("b", 2, -1)].into())?;
/// assert_eq!(seen.net(), vec![("a", 1)]);
/// assert_eq!(seen.updates().len(), 3);
/// # Ok::<(), thalweg_engine::sink::SinkError>(())
/// ```
pub struct Collect<D> {
    updates: Arc<Mutex<Vec<Update<D>>>>,
}

impl<D> Clone for Collect<D> {
    fn clone(&self) -> Self {
        Self {
            updates: Arc::clone(&self.updates),
        }
    }
}

impl<D> Default for Collect<D> {
    fn default() -> Self {
        Self::new()
    }
}

impl<D> Collect<D> {
    /// An empty list.
    #[must_use]
    pub fn new() -> Self {
        Self {
            updates: Arc::new(Mutex::new(Vec::new())),
        }
    }
}

impl<D: Clone> Collect<D> {
    /// Every update so far, in the order of writing; several workers interleave.
    #[must_use]
    pub fn updates(&self) -> Vec<Update<D>> {
        self.updates
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl<D: Clone + Ord> Collect<D> {
    /// The table that the updates add up to: sorted by row, each row once, zeros removed.
    #[must_use]
    pub fn net(&self) -> Vec<(D, Diff)> {
        let mut rows = self
            .updates()
            .into_iter()
            .map(|(row, _, diff)| (row, diff))
            .collect();
        consolidate(&mut rows);
        rows
    }
}

impl<D: Send + 'static> Sink<D> for Collect<D> {
    fn open(&self, _place: SinkPlace) -> Result<Box<dyn Writer<D>>, SinkError> {
        Ok(Box::new(self.clone()))
    }

    fn never_waits(&self) -> bool {
        true
    }
}

impl<D: Send> Writer<D> for Collect<D> {
    fn write(&mut self, _epoch: Epoch, rows: Updates<D>) -> Result<(), SinkError> {
        self.updates
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(rows);
        Ok(())
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}
