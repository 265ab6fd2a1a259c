//! The demo: a whole payments job on embedded defaults, with no server to start.
//!
//! ```text
//! payments ─┬─▶ late.jsonl, dead.jsonl                              what no window may count
//!           └─ lookup merchants ─┬─ rolling 1 h, 24 h, 7 d by user ─┬─ latest ─▶ online store, view `spend`
//!                                │                                  └─ finals ─▶ offline/spend/date=…/*.parquet
//!                                ├─ tumbling 1 h by country ─ finals ─▶ offline/hourly/*.parquet
//!                                └─ drift of the amount, by hour ─ finals ─▶ drift.jsonl
//! ```
//!
//! | file | what it holds |
//! |---|---|
//! | `plan` | what is asked for, checked, and what follows from it: event time, users, epochs |
//! | `rows`, `job` | the rows that come out, and the job itself |
//! | `drift`, `noticed` | the drift stream and its baseline; when it was noticed, and by what |
//! | `folder` | the demo's own folder, and nobody else's |
//! | `live` | the run: progress, a time limit, CPU time |
//! | `look`, `page` | what is read back afterwards, and the page that shows it |

mod drift;
mod folder;
mod job;
mod live;
mod look;
mod noticed;
mod page;
mod plan;
mod rows;
#[cfg(test)]
mod tests;

use thalweg_engine::env::Env;
use thalweg_engine::error::JobError;
use thalweg_engine::job::Report;

use crate::store::StoreError;

pub use folder::FolderError;
pub(crate) use folder::online_elsewhere;
pub use look::Findings;
pub use page::Style;
pub use plan::{Demo, EVENTS_MAX, PlanError};

/// The view that the demo writes online.
pub const VIEW: &str = "spend";

/// A demo that has run: its account, and what was read back from its stores.
pub struct Ran {
    /// The demo as it was asked for.
    pub demo: Demo,
    /// The job's account.
    pub report: Report,
    /// CPU time of the whole process during the run, all threads, in seconds; the making of the rows included.
    pub cpu_s: f64,
    /// What the stores hold.
    pub findings: Findings,
}

impl Ran {
    /// The page of results.
    #[must_use]
    pub fn page(&self, style: &Style) -> String {
        page::render(self, style)
    }
}

/// Runs the demo until its payments have ended, or `env.stop` is raised, and reads back what it wrote.
///
/// # Errors
/// [`DemoError`]: what was attempted, with what, and what to do.
pub fn run(demo: Demo, env: &Env, progress: bool) -> Result<Ran, DemoError> {
    let plan = demo.plan()?;
    let _ours = folder::claim(&demo.dir, &demo.online)?;
    look::nothing_yet(&plan)?;
    let run = live::run(&plan, env, progress)?;
    let findings = look::back(&plan)?;
    Ok(Ran {
        demo,
        report: run.report,
        cpu_s: run.cpu_s,
        findings,
    })
}

/// Why the demo did not end well.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DemoError {
    /// Asked for what cannot be.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The folder is not the demo's, or cannot be written.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The job could not be built, or failed.
    #[error(transparent)]
    Job(#[from] JobError),
    /// The online store could not be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What was written could not be read back.
    #[error("could not read back what the demo wrote: {0}")]
    ReadBack(String),
}
