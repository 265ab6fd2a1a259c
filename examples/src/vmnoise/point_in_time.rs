//! Labels with what was known at their time: the last value of other metrics, by when it was measured and by when it
//! arrived.
//!
//! ```text
//! metric 84 ─▶ labels ─ as of ─▶ 93 of the machine ─▶ 102 of the machine ─▶ 102 of its kind and region ─▶ vm_asof
//!                                each by event time and by arrival time
//! ```
//!
//! Where the two differ, the join by event time leaks: it sees a value that nobody had yet.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thalweg::prelude::*;

use super::job::Placed;
use super::rows::Measurement;
use crate::places::Places;

/// The metric that is predicted: a benchmark of PostgreSQL.
const LABEL_METRIC: i16 = 84;

/// A feature: the metric, the time that counts, and whether machines of one kind and region share it.
struct Feature {
    metric: i16,
    at: fn(&Measurement) -> EventTime,
    of_cohort: bool,
}

impl Feature {
    const fn measured(metric: i16, of_cohort: bool) -> Self {
        Self {
            metric,
            at: |m| m.event_time,
            of_cohort,
        }
    }

    const fn arrived(metric: i16, of_cohort: bool) -> Self {
        Self {
            metric,
            at: |m| m.arrival_time,
            of_cohort,
        }
    }
}

/// In the order of the answer's columns.
const FEATURES: [Feature; 6] = [
    Feature::measured(93, false),
    Feature::arrived(93, false),
    Feature::measured(102, false),
    Feature::arrived(102, false),
    Feature::measured(102, true),
    Feature::arrived(102, true),
];

/// `vm_asof`: a label with its features, each with the measurement that it comes from; null where there is none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Labelled {
    /// The label's measurement.
    pub seq: i32,
    /// The machine.
    pub vm: i32,
    /// When it was measured.
    pub t: Timestamp,
    /// What it found.
    pub label: Real,
    /// Metric 93 of the machine, by event time: which measurement.
    pub f93_ev_seq: Option<i32>,
    /// Its value.
    pub f93_ev: Option<Real>,
    /// The same by arrival time.
    pub f93_av_seq: Option<i32>,
    /// Its value.
    pub f93_av: Option<Real>,
    /// Metric 102 of the machine, by event time.
    pub f102_ev_seq: Option<i32>,
    /// Its value.
    pub f102_ev: Option<Real>,
    /// The same by arrival time.
    pub f102_av_seq: Option<i32>,
    /// Its value.
    pub f102_av: Option<Real>,
    /// Metric 102 of any machine of the kind in the region, by event time.
    pub c102_ev_seq: Option<i32>,
    /// Its value.
    pub c102_ev: Option<Real>,
    /// The same by arrival time.
    pub c102_av_seq: Option<i32>,
    /// Its value.
    pub c102_av: Option<Real>,
}

/// A measurement at the time that counts for it. Of two of one moment, the one that arrived later is the greater.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Known {
    at: EventTime,
    seq: i32,
    vm: i32,
    value: Real,
    cohort: (Arc<str>, Arc<str>),
}

impl Known {
    fn new(placed: Placed, at: fn(&Measurement) -> EventTime) -> Self {
        Self {
            at: at(&placed.of),
            seq: placed.of.seq,
            vm: placed.of.vm,
            value: placed.of.value,
            cohort: (placed.sku, placed.region),
        }
    }
}

/// A label on its way, with the features that it has found so far.
type Found = (Known, Vec<Option<(i32, Real)>>);

/// Writes `vm_asof`.
pub(super) fn labelled(placed: &Table<'_, Placed>, places: &Places) -> Result<(), JobError> {
    let known = |metric: i16, at: fn(&Measurement) -> EventTime| {
        placed
            .filter(move |m| m.long_lived && m.of.metric == metric)
            .map(move |m| Known::new(m, at))
    };
    let mut labels: Table<'_, Found> =
        known(LABEL_METRIC, |m| m.event_time).map(|label| (label, Vec::new()));
    for feature in &FEATURES {
        let features = known(feature.metric, feature.at);
        let joined = if feature.of_cohort {
            let features = features.key_by(|f| f.cohort.clone()).event_time(|f| f.at);
            let labels = labels.key_by(|(label, _)| label.cohort.clone());
            let labels = labels.event_time(|(label, _)| label.at);
            labels.asof("cohort's value", &features).finals()
        } else {
            let features = features.key_by(|f| f.vm).event_time(|f| f.at);
            let labels = labels.key_by(|(label, _)| label.vm);
            let labels = labels.event_time(|(label, _)| label.at);
            labels.asof("machine's value", &features).finals()
        };
        labels = joined.map(|((label, mut found), feature)| {
            found.push(feature.map(|feature| (feature.seq, feature.value)));
            (label, found)
        });
    }
    labels
        .flat_map(row)
        .sink("vm_asof", places.answer("vm_asof"))
}

fn row((label, found): Found) -> Option<Labelled> {
    let found: [Option<(i32, Real)>; FEATURES.len()] = found.try_into().ok()?;
    let [
        f93_ev_seq,
        f93_av_seq,
        f102_ev_seq,
        f102_av_seq,
        c102_ev_seq,
        c102_av_seq,
    ] = found.map(|found| found.map(|(seq, _)| seq));
    let [f93_ev, f93_av, f102_ev, f102_av, c102_ev, c102_av] =
        found.map(|found| found.map(|(_, value)| value));
    Some(Labelled {
        seq: label.seq,
        vm: label.vm,
        t: Timestamp(label.at),
        label: label.value,
        f93_ev_seq,
        f93_ev,
        f93_av_seq,
        f93_av,
        f102_ev_seq,
        f102_ev,
        f102_av_seq,
        f102_av,
        c102_ev_seq,
        c102_ev,
        c102_av_seq,
        c102_av,
    })
}
