//! Drift by brute force: a window's rows of a segment, binned and added up anew, then judged by the pure functions.

use std::collections::{BTreeMap, BTreeSet};

use ethnum::I256;
use serde::{Deserialize, Serialize};
use thalweg::operators::drift::{DriftRow, Ecdf, WindowStats};
use thalweg::prelude::{Baseline, Baselines, DriftWindow, Thresholds, Verdict};

use crate::case::Case;
use crate::dice::Dice;
use crate::event::{Event, REAL_UNITS};
use crate::oracle::Net;

/// The features: whole numbers, those that no sum can hold included, and floats with NaN.
pub const FEATURES: [&str; 2] = ["whole", "real"];

/// The features' values in an event.
#[must_use]
pub fn values(event: &Event) -> [Option<f64>; 2] {
    [event.value.map(|value| value as f64), event.float()]
}

/// The segment of an event.
#[must_use]
pub fn segment(event: &Event) -> i64 {
    event.key % 4
}

/// A drift to watch: how, and against what.
#[derive(Clone, Debug)]
pub struct Watch {
    /// The width of the windows.
    pub width_us: i64,
    /// Whether segments are watched on their own.
    pub segmented: bool,
    /// Whether windows keep their values.
    pub exact: bool,
    /// The baselines.
    pub baselines: Baselines,
    /// Few rows are judged already.
    pub thresholds: Thresholds,
}

impl Watch {
    /// Baselines of both features; of one segment both again, of another only one.
    ///
    /// # Panics
    /// When numbers do not make a baseline.
    #[must_use]
    pub fn draw(dice: &mut Dice, case: &Case) -> Self {
        let exact = dice.chance(50);
        let kept = dice.chance(80);
        let mut baselines = Baselines::default();
        for (feature, of) in [
            (0, None),
            (1, None),
            (0, Some(1)),
            (1, Some(1)),
            (1, Some(2)),
        ] {
            let spread = dice.pick(&[3, 40, 2_000]);
            let mut number = || Some((dice.up_to(2 * spread) - spread) as f64 / 2.0);
            let training: Vec<_> = (0..40).map(|_| number()).collect();
            let mut baseline = Baseline::fit(FEATURES[feature], training).unwrap();
            if !kept {
                baseline = baseline.without_values();
            }
            baselines.insert(match of {
                Some(segment) => baseline.for_segment(i32::to_string(&segment)),
                None => baseline,
            });
        }
        Self {
            width_us: case.widths_us[0],
            segmented: dice.chance(60),
            exact,
            baselines,
            thresholds: Thresholds {
                rows_min: 4,
                ..Thresholds::default()
            },
        }
    }
}

/// A row of drift with its floats as bits, so that rows have an order and equality is to the bit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DriftFacts {
    /// The feature.
    pub feature: String,
    /// The segment.
    pub segment: Option<String>,
    /// The window's first moment.
    pub window: i64,
    /// All rows, and the usable ones.
    pub rows: (u64, u64),
    /// The null rate, mean, PSI, KS, its error, its two p-values, the shift of the mean.
    pub figures: [Option<u64>; 8],
    /// The verdict.
    pub verdict: Verdict,
}

impl DriftFacts {
    /// What the engine computed.
    #[must_use]
    pub fn read(row: &DriftWindow) -> Self {
        let name = |name: &std::sync::Arc<str>| name.to_string();
        Self::of(
            &row.feature,
            row.segment.as_ref().map(name),
            row.window.0,
            &row.drift,
        )
    }

    fn of(feature: &str, segment: Option<String>, window: i64, row: &DriftRow) -> Self {
        let figures = [
            row.null_rate,
            row.mean,
            row.psi,
            row.ks,
            row.ks_error,
            row.ks_p,
            row.ks_p_kolmogorov,
            row.mean_shift_z,
        ];
        Self {
            feature: feature.to_owned(),
            segment,
            window,
            rows: (row.n, row.n_ok),
            figures: figures.map(|figure| figure.map(f64::to_bits)),
            verdict: row.verdict,
        }
    }
}

/// The rows of all windows that `shown` lets pass, which it is told by their first moment.
///
/// # Panics
/// When a feature has no baseline.
#[must_use]
pub fn drift(input: &Net<Event>, watch: &Watch, shown: impl Fn(i64) -> bool) -> Net<DriftFacts> {
    type Rows<'a> = Vec<(&'a Event, i64)>;
    let mut windows: BTreeMap<(i64, i64), Rows<'_>> = BTreeMap::new();
    for (event, copies) in input {
        let start = event.at.div_euclid(watch.width_us) * watch.width_us;
        let segment = if watch.segmented { segment(event) } else { 0 };
        let rows = windows.entry((segment, start)).or_default();
        rows.push((event, *copies));
    }
    let mut facts = Net::new();
    for ((segment, start), rows) in windows.iter().filter(|((_, start), _)| shown(*start)) {
        let name = watch.segmented.then(|| segment.to_string());
        for (feature, feature_name) in FEATURES.iter().enumerate() {
            let own = watch.baselines.get(feature_name, name.as_deref());
            let whole = watch.baselines.get(feature_name, None);
            let baseline = own.or(whole).unwrap();
            let signed = rows.iter().map(|(event, n)| (values(event)[feature], *n));
            if let Some(row) = judged(&signed.collect::<Vec<_>>(), feature, baseline, watch) {
                let row = DriftFacts::of(feature_name, name.clone(), *start, &row);
                facts.insert(row, 1);
            }
        }
    }
    facts
}

/// What can be summed up: neither null nor of a magnitude of 2⁶² and above.
fn is_usable(value: f64) -> bool {
    value.abs() < 4_611_686_018_427_387_904.0
}

/// A feature's figures over signed values. `None` without rows, and while something has been taken back that has not
/// come: a null, an infinity, a row of a bin, or where values are kept one of these.
fn judged(
    signed: &[(Option<f64>, i64)],
    feature: usize,
    baseline: &Baseline,
    watch: &Watch,
) -> Option<DriftRow> {
    let total = |belongs: &dyn Fn(Option<f64>) -> bool| {
        let rows = signed.iter().filter(|(value, _)| belongs(*value));
        u64::try_from(rows.map(|(_, n)| n).sum::<i64>()).ok()
    };
    let is_null = |value: Option<f64>| value.is_none_or(f64::is_nan);
    let n_null = total(&is_null)?;
    let n_infinite = total(&|value| !is_null(value) && value.is_some_and(|x| !is_usable(x)))?;
    let edges = baseline.bins().edges();
    let bin = |x: f64| edges.iter().filter(|edge| **edge <= x).count();
    let counts = (0..=edges.len())
        .map(|number| total(&|value| value.is_some_and(|x| is_usable(x) && bin(x) == number)));
    let counts: Vec<u64> = counts.collect::<Option<_>>()?;
    let usable = signed
        .iter()
        .filter_map(|(value, n)| Some((value.filter(|x| is_usable(*x))?, *n)));
    let distinct: BTreeSet<i64> = usable.clone().map(|(x, _)| in_units(x, feature)).collect();
    let mut sorted = Vec::new();
    for units in distinct {
        let copies: i64 = usable
            .clone()
            .filter(|(x, _)| in_units(*x, feature) == units)
            .map(|(_, n)| n)
            .sum();
        if copies < 0 && watch.exact {
            return None;
        }
        let value = units as f64 / scale(feature);
        sorted.extend((0..copies).map(|_| value));
    }
    let n_ok: u64 = counts.iter().sum();
    let n = n_ok + n_null + n_infinite;
    let sum = usable.fold(I256::ZERO, |sum, (x, n)| {
        sum + I256::from(in_units(x, feature)) * I256::from(n)
    });
    let sum = i128::try_from(sum).unwrap() as f64 / scale(feature);
    let values = Ecdf::from_sorted(&sorted).unwrap();
    let window = WindowStats {
        n,
        n_null,
        n_infinite,
        counts: &counts,
        mean: sum / n_ok as f64,
        values: watch.exact.then_some(&values),
    };
    let row = DriftRow::new(&window, baseline, &watch.thresholds).unwrap();
    (n > 0).then_some(row)
}

/// Units in one: the values of each feature are whole multiples.
fn scale(feature: usize) -> f64 {
    [1.0, REAL_UNITS as f64][feature]
}

fn in_units(value: f64, feature: usize) -> i64 {
    (value * scale(feature)) as i64
}
