//! `retail_hourly_numeric`: how far each hour's quantities and prices have drifted from the first month's.
//!
//! ```text
//! lines ─ before midnight of the first day + 31 d ─▶ baselines ─┐
//!       └ from then on ─ by hour ─▶ n, null rate, PSI, KS with p, mean shift ─▶ retail_hourly_numeric, baselines.json
//! ```
//!
//! The baselines are published with the answer that was judged by them: a run that fails or is stopped leaves both of
//! an earlier one.

use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};
use thalweg::engine::source::SourceError;
use thalweg::engine::time::{micros_of, window_start};
use thalweg::prelude::*;

use super::judged::Judged;
use super::rows::Line;
use crate::columns::{real, whole};
use crate::places::Places;
use crate::read::read_all;

/// How long the shop is watched before it is judged.
const TRAINING_DAYS: u64 = 31;

/// The features, as they are called in the answer.
const FEATURES: [&str; 2] = ["quantity", "unit_price"];

/// A row of the answer, with the columns of the golden one that drift has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Numeric {
    /// The feature.
    pub feature: Arc<str>,
    /// The hour.
    pub window: Timestamp,
    /// Rows.
    pub n: i64,
    /// Share of nulls.
    pub null_rate: Option<Real>,
    /// Rows that count.
    pub n_ok: i64,
    /// Their mean.
    pub mean: Option<Real>,
    /// How many training deviations the mean has moved.
    pub mean_shift_z: Option<Real>,
    /// Population stability index over ten bins, open at both ends.
    pub psi_open10: Option<Real>,
    /// Kolmogorov–Smirnov statistic.
    pub ks: Option<Real>,
    /// Its p-value at finite n.
    pub ks_p_asymp: Option<Real>,
    /// Its p-value in the limit.
    pub ks_p_kolmogorov: Option<Real>,
}

/// What was learnt from the first month.
#[derive(Clone)]
pub(super) struct Training {
    baselines: Baselines,
    /// The first moment that is judged.
    until: EventTime,
}

/// The training of a job: read by the first worker that needs it.
pub(super) type Trained = Arc<OnceLock<Result<Training, String>>>;

/// Writes `retail_hourly_numeric`.
pub(super) fn hourly(
    lines: &Table<'_, Line>,
    places: &Places,
    trained: &Trained,
) -> Result<(), JobError> {
    let training = trained.get_or_init(|| train(places));
    let Training { baselines, until } = training.clone().map_err(JobError::Wrong)?;
    lines
        .filter(move |line| line.event_time >= until)
        .drift("drift", |line| line.event_time)
        .every(hours(1))
        .features(FEATURES, values)
        .exact()
        .finals(&baselines)?
        .map(|window| Numeric {
            feature: window.feature,
            window: window.window,
            n: whole(window.drift.n),
            null_rate: real(window.drift.null_rate),
            n_ok: whole(window.drift.n_ok),
            mean: real(window.drift.mean),
            mean_shift_z: real(window.drift.mean_shift_z),
            psi_open10: real(window.drift.psi),
            ks: real(window.drift.ks),
            ks_p_asymp: real(window.drift.ks_p),
            ks_p_kolmogorov: real(window.drift.ks_p_kolmogorov),
        })
        .sink(
            "retail_hourly_numeric",
            Judged {
                answer: places.answer("retail_hourly_numeric"),
                baselines: baselines.clone(),
                path: places.out.join("baselines.json"),
            },
        )
}

fn values(line: &Line) -> [Option<f64>; 2] {
    [Some(f64::from(line.quantity)), Some(line.unit_price.0)]
}

/// Fits the baselines on the first month.
fn train(places: &Places) -> Result<Training, String> {
    let lines: Vec<Line> = read_all(&places.parquet("retail", "lines.parquet"))
        .map_err(|error: SourceError| format!("could not read the training rows: {error}"))?;
    let first = lines.iter().map(|line| line.event_time).min();
    let first = first.ok_or("there are no lines to learn from: is this the right folder?")?;
    let until = window_start(first, micros_of(days(1))) + micros_of(days(TRAINING_DAYS));
    let mut baselines = Baselines::default();
    for (feature, name) in FEATURES.into_iter().enumerate() {
        let training = lines.iter().filter(|line| line.event_time < until);
        let baseline = Baseline::fit(name, training.map(|line| values(line)[feature]))
            .map_err(|error| format!("could not fit a baseline of '{name}': {error}"))?;
        baselines.insert(baseline);
    }
    Ok(Training { baselines, until })
}
