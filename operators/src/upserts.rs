//! A table for sinks that replace: its new rows alone, without the old ones that they replace.
//!
//! ```text
//! a table      key 1: +10      −10 +30      −30          of an epoch each change, old row and new one
//! as upserts   key 1: +10          +30      −30          put, put over it, delete
//! ```

use thalweg_engine::error::JobError;
use thalweg_engine::sink::UpsertSink;
use thalweg_engine::table::Table;
use thalweg_engine::update::Data;

use crate::table_ops::TableOps;

/// The rows of a table with one row per key: a row that came last replaces its key's, a retraction deletes it.
///
/// It is no [`Table`]: its signs do not add up, so that the only thing to do with it is to sink it, in the shape that the
/// sink wants. An operator that makes one saves computing and moving what a store overwrites anyway, and the look at
/// whether a row has changed: one that reads the same may be put again.
#[derive(Clone)]
pub struct Upserts<'s, D: Data>(Table<'s, D>);

impl<'s, D: Data> Upserts<'s, D> {
    /// The changes as an operator emits them: per key and epoch at most one row, `+1` to put it, `−1` to delete it.
    #[must_use]
    pub fn new(changes: Table<'s, D>) -> Self {
        Self(changes)
    }

    /// Turns each row into the one that a store is to hold. Rows of two keys must stay told apart by what the sink goes
    /// by: of those that are not, whichever comes last stands.
    #[must_use]
    pub fn map<O: Data>(&self, row: impl FnMut(D) -> O + 'static) -> Upserts<'s, O> {
        Upserts(self.0.map(row))
    }

    /// Ends the rows in a sink that replaces. The name is as in [`Table::sink`].
    ///
    /// # Errors
    /// As [`Table::sink`].
    pub fn sink(&self, name: &str, sink: impl UpsertSink<D>) -> Result<(), JobError> {
        self.0.sink(name, sink.told_new_rows())
    }
}
