//! The place of the drift stream: the amounts of each hour against those before the drift.
//!
//! Nothing is computed here yet. The operator belongs to `thalweg_operators::drift`; with it this becomes
//! `paid.drift("amount", &baselines).every(hours(1))`, into `drift.jsonl` and a table of the page.

use thalweg_engine::error::JobError;
use thalweg_engine::graph::Graph;
use thalweg_engine::table::Table;

use crate::demo::plan::Plan;
use crate::demo::rows::Paid;

/// Adds the drift stream to the job.
#[expect(
    clippy::unnecessary_wraps,
    reason = "an operator and its sink can be refused"
)]
pub(super) fn attach<'s>(_: &Graph<'s>, _: &Plan, _: &Table<'s, Paid>) -> Result<(), JobError> {
    Ok(())
}
