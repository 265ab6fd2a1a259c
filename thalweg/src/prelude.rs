//! What a job needs: `use thalweg::prelude::*`.

pub use thalweg_engine::config::Config;
pub use thalweg_engine::error::JobError;
pub use thalweg_engine::graph::Graph;
pub use thalweg_engine::job::{Job, Report};
pub use thalweg_engine::source::{SourceExt, SourceSpec};
pub use thalweg_engine::table::Table;
pub use thalweg_engine::time::{EventTime, Timestamp, days, hours, millis, minutes, seconds};

pub use thalweg_operators::aggregate::{count, count_where, distinct, latest, moments, totals};
pub use thalweg_operators::drift::{Baseline, Baselines, Drift, DriftWindow, Thresholds, Verdict};
pub use thalweg_operators::join::differential::Differential;
pub use thalweg_operators::key_by::KeyBy;
pub use thalweg_operators::table_ops::TableOps;
pub use thalweg_operators::value::{Decimal, Real};
pub use thalweg_operators::window::rolling::Expiry;
