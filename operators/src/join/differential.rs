//! The island: anything that differential dataflow can do, in the middle of a job.
//!
//! ```text
//! table ─▶ VecCollection ─▶ join, reduce, distinct, iterate… ─▶ VecCollection ─▶ table
//! ```
//!
//! A table is differential's own triple, so both ways are free. Differential keeps all its inputs indexed and repairs
//! the past: 10 to 30 times slower than the operators made for windows, and unmatched for the rest.

use differential_dataflow::{AsCollection, VecCollection};
use thalweg_engine::table::Table;
use thalweg_engine::time::Epoch;
use thalweg_engine::update::{Data, Diff};

/// A table as differential sees it.
pub type Island<'s, D> = VecCollection<'s, Epoch, D, Diff>;

/// Tables as differential collections.
pub trait Differential<'s, D: Data> {
    /// Leaves for the island and comes back.
    #[must_use]
    fn differential<O: Data>(
        &self,
        build: impl FnOnce(Island<'s, D>) -> Island<'s, O>,
    ) -> Table<'s, O>;

    /// The table as a collection, for islands with several inputs.
    fn collection(&self) -> Island<'s, D>;
}

impl<'s, D: Data> Differential<'s, D> for Table<'s, D> {
    fn differential<O: Data>(
        &self,
        build: impl FnOnce(Island<'s, D>) -> Island<'s, O>,
    ) -> Table<'s, O> {
        Table::new(self.graph().clone(), build(self.collection()).inner)
    }

    fn collection(&self) -> Island<'s, D> {
        self.stream().as_collection()
    }
}
