//! The drift stream: the amounts of each hour against those that a model was trained on.
//!
//! ```text
//! payments before the drift ─ Baseline::fit ─▶ baselines.json
//! payments ─ by hour ─ finals, judged against it ─▶ drift.jsonl
//! ```
//!
//! From half way on every amount is 1.42 times as large, so that the hours turn from stable to drifted there.

use serde::{Deserialize, Serialize};
use thalweg_connectors::files::JsonLines;
use thalweg_engine::time::Timestamp;
use thalweg_operators::drift::BaselinesError;

use crate::demo::folder::Layout;
use crate::demo::plan::Plan;
use crate::demo::rows::{Paid, units};
use crate::prelude::*;

/// The feature that is watched.
const FEATURE: &str = "amount";

/// Payments that the baseline is fitted on.
const SAMPLE: u64 = 50_000;

/// An hour of the drift stream: the whole drift row, flat.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct DriftHour {
    pub(super) hour: Timestamp,
    pub(super) feature: String,
    pub(super) n: u64,
    pub(super) n_ok: u64,
    pub(super) null_rate: Option<f64>,
    pub(super) mean: Option<f64>,
    pub(super) psi: Option<f64>,
    pub(super) ks: Option<f64>,
    pub(super) ks_error: Option<f64>,
    pub(super) ks_p: Option<f64>,
    pub(super) ks_p_kolmogorov: Option<f64>,
    pub(super) mean_shift_z: Option<f64>,
    pub(super) verdict: Verdict,
}

impl From<DriftWindow> for DriftHour {
    fn from(window: DriftWindow) -> Self {
        let row = window.drift;
        Self {
            hour: window.window,
            feature: window.feature.to_string(),
            n: row.n,
            n_ok: row.n_ok,
            null_rate: row.null_rate,
            mean: row.mean,
            psi: row.psi,
            ks: row.ks,
            ks_error: row.ks_error,
            ks_p: row.ks_p,
            ks_p_kolmogorov: row.ks_p_kolmogorov,
            mean_shift_z: row.mean_shift_z,
            verdict: row.verdict,
        }
    }
}

/// Fits the baseline, and writes it beside the rest.
pub(super) fn fit(plan: &Plan) -> Result<Baselines, JobError> {
    let sample = plan.payments().baseline_sample(SAMPLE);
    let baseline = Baseline::fit(FEATURE, sample.into_iter().map(Some))
        .map_err(|error| JobError::Wrong(format!("could not fit the baseline: {error}")))?;
    let baselines: Baselines = [baseline.without_values()].into_iter().collect();
    let written = baselines.write(Layout::of(&plan.demo.dir).baselines());
    written.map_err(|error: BaselinesError| JobError::System(error.to_string()))?;
    Ok(baselines)
}

/// Adds the drift stream to the job.
pub(super) fn attach(
    paid: &Table<'_, Paid>,
    files: &Layout,
    baselines: &Baselines,
) -> Result<(), JobError> {
    paid.drift("drift", |p| p.event_time.0)
        .every(hours(1))
        .features([FEATURE], |p| [p.amount.map(units)])
        .finals(baselines)?
        .map(DriftHour::from)
        .sink("drift hours", JsonLines::create(files.drift()))
}
