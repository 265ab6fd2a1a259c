//! Drift as a stream: per window, segment and feature a histogram that rows enter and leave, judged against a baseline.
//!
//! ```text
//! rows ─ combine per epoch ─▶ histograms of each owner ─ exchange by (segment, window) ─▶ histogram ─▶ DriftWindow
//! ```
//!
//! Bins are fixed by the baseline and open at both ends; nulls and infinities are counted apart. Windows are
//! `[start, start + width)`, aligned to 1970-01-01T00:00Z.
//!
//! # Invariants
//! 1. After every epoch a window's row in `latest` is the row by brute force over its rows, judged by
//!    [`DriftRow::new`](crate::drift::DriftRow::new).
//! 2. A window emits at most once per feature and epoch; `finals` emits it once, when the watermark has reached its end.
//!
//! # Cost
//! Per observation a bin and an exact sum, by the column: whole numbers below 2³¹ that come once are the fastest; with
//! baselines of segments, and with [`DriftSpec::exact`], rows are taken one by one. Per epoch and worker one partial, in
//! which each touched window adds its bins. State per window and feature: the bins, and with [`DriftSpec::exact`] the
//! distinct values. A window's place is used again once its rows are gone or its end has come,
//! and the memory of all is given back when no window is left.

mod cells;
mod combine;
mod partial;
mod references;
mod windows;

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thalweg_engine::column::Column;
use thalweg_engine::error::JobError;
use thalweg_engine::key::Key;
use thalweg_engine::table::Table;
use thalweg_engine::time::{EventTime, Timestamp, micros_of};
use thalweg_engine::update::Data;

use crate::drift::stream::partial::Partial;
use crate::drift::stream::references::References;
use crate::drift::{Baselines, DriftRow, Thresholds};

/// One feature in one window of one segment, judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DriftWindow {
    /// The feature.
    pub feature: Arc<str>,
    /// The segment; `None` where the job names none.
    pub segment: Option<Arc<str>>,
    /// The window's first moment.
    pub window: Timestamp,
    /// The figures and the verdict.
    pub drift: DriftRow,
}

/// Watches a table for drift.
pub trait Drift<'s, D: Data> {
    /// Begins to say what to watch; the name shows in the metrics.
    fn drift(&self, name: &str, at: impl Fn(&D) -> EventTime + 'static) -> DriftSpec<'s, D, (), 0>;
}

impl<'s, D: Data> Drift<'s, D> for Table<'s, D> {
    fn drift(&self, name: &str, at: impl Fn(&D) -> EventTime + 'static) -> DriftSpec<'s, D, (), 0> {
        DriftSpec {
            table: self.clone(),
            name: name.to_owned(),
            times: Column::new(at),
            width_us: 3_600_000_000,
            segments: Column::new(|_| ()),
            segment_name: |()| None,
            features: [],
            fill: cells::fill(|_| []),
            thresholds: Thresholds::default(),
            exact: false,
        }
    }
}

/// What to watch, how, and against what.
#[derive(Clone)]
pub struct DriftSpec<'s, D: Data, G: Key, const N: usize> {
    table: Table<'s, D>,
    name: String,
    times: Column<D, EventTime>,
    width_us: i64,
    segments: Column<D, G>,
    segment_name: fn(&G) -> Option<Arc<str>>,
    features: [Arc<str>; N],
    fill: cells::Fill<D, N>,
    thresholds: Thresholds,
    exact: bool,
}

impl<'s, D: Data, G: Key, const N: usize> DriftSpec<'s, D, G, N> {
    /// The width of the windows; an hour unless told otherwise.
    #[must_use]
    pub fn every(mut self, width: Duration) -> Self {
        self.width_us = micros_of(width);
        self
    }

    /// The features: their names, as in the baselines, and their values in a row; `None` and NaN are null.
    #[must_use]
    pub fn features<const M: usize>(
        self,
        names: [&str; M],
        values: impl Fn(&D) -> [Option<f64>; M] + 'static,
    ) -> DriftSpec<'s, D, G, M> {
        DriftSpec {
            table: self.table,
            name: self.name,
            times: self.times,
            width_us: self.width_us,
            segments: self.segments,
            segment_name: self.segment_name,
            features: names.map(Arc::from),
            fill: cells::fill(values),
            thresholds: self.thresholds,
            exact: self.exact,
        }
    }

    /// Watches each segment on its own: against its own baseline where there is one, else the whole feature's.
    #[must_use]
    pub fn segments<H: Key + ToString>(
        self,
        segment: impl Fn(&D) -> H + 'static,
    ) -> DriftSpec<'s, D, H, N> {
        DriftSpec {
            table: self.table,
            name: self.name,
            times: self.times,
            width_us: self.width_us,
            segments: Column::new(segment),
            segment_name: |segment| Some(segment.to_string().into()),
            features: self.features,
            fill: self.fill,
            thresholds: self.thresholds,
            exact: self.exact,
        }
    }

    /// Other thresholds than the default ones.
    #[must_use]
    pub fn thresholds(mut self, thresholds: Thresholds) -> Self {
        self.thresholds = thresholds;
        self
    }

    /// Keeps the distinct values of every window, so that KS is exact and not only bounded. Needs baselines that kept
    /// theirs.
    #[must_use]
    pub fn exact(mut self) -> Self {
        self.exact = true;
        self
    }

    /// One row per window, segment and feature, replaced as rows come and go.
    ///
    /// # Errors
    /// [`JobError::Wrong`] when a feature has no baseline or is named twice, the width is zero, or no feature is named.
    pub fn latest(self, baselines: &Baselines) -> Result<Table<'s, DriftWindow>, JobError> {
        self.run(baselines, windows::Mode::Latest)
    }

    /// One row per window, segment and feature once the watermark has reached the window's end, never changed again.
    ///
    /// # Errors
    /// As [`DriftSpec::latest`].
    pub fn finals(self, baselines: &Baselines) -> Result<Table<'s, DriftWindow>, JobError> {
        self.run(baselines, windows::Mode::Final)
    }

    fn run(
        self,
        baselines: &Baselines,
        mode: windows::Mode,
    ) -> Result<Table<'s, DriftWindow>, JobError> {
        if self.width_us <= 0 || N == 0 {
            return Err(JobError::Wrong(format!(
                "drift '{}' needs a window of at least 1 µs and at least one feature: got {} µs and {N} features",
                self.name, self.width_us
            )));
        }
        let again = |n: &usize| self.features[..*n].contains(&self.features[*n]);
        if let Some(twice) = (0..N).find(again) {
            return Err(JobError::Wrong(format!(
                "drift '{}' tells features apart by their names: got '{}' twice",
                self.name, self.features[twice]
            )));
        }
        let references = References::new(&self.name, &self.features, baselines, self.segment_name)?;
        let combiner = combine::Combine::new(&self, references.clone());
        let partials = self
            .table
            .combine(&format!("{} combine", self.name), combiner);
        let state = windows::Windows::new(
            self.features.clone(),
            references,
            mode,
            self.width_us,
            self.thresholds,
        );
        Ok(partials.keyed(&self.name, Column::new(Partial::tag), state))
    }
}
