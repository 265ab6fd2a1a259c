//! What is fitted to rows, and what becomes of a row, from the definitions: the numbers of a key laid side by side.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use thalweg::engine::key::{Key, tag_bytes};
use thalweg::operators::transform::{
    Buckets, Categories, Fitted, Impute, Labels, MinMax, Robust, Smoothing, Standard, Targets,
};
use thalweg::operators::value::Real;

use crate::event::{Event, REAL_UNITS};
use crate::oracle::Net;

/// What may be fitted to the rows of a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Params {
    /// Standard scaling.
    Standard(Standard),
    /// Min-max scaling.
    MinMax(MinMax),
    /// Robust scaling.
    Robust(Robust),
    /// Imputation by the mean.
    Mean(Impute<Real>),
    /// By the median.
    Median(Impute<Real>),
    /// By the most frequent number.
    MostFrequent(Impute<Real>),
    /// Buckets between quartiles.
    Buckets(Buckets),
    /// One-hot and ordinal encoding.
    Categories(Categories),
    /// Target encoding as far as labels vary.
    Targets(Targets),
    /// Target encoding by [`SMOOTHING`].
    Smoothed(Targets),
}

impl Params {
    /// Which kind it is, below [`KINDS`].
    #[must_use]
    pub fn kind(&self) -> u8 {
        match self {
            Self::Standard(_) => 0,
            Self::MinMax(_) => 1,
            Self::Robust(_) => 2,
            Self::Mean(_) => 3,
            Self::Median(_) => 4,
            Self::MostFrequent(_) => 5,
            Self::Buckets(_) => 6,
            Self::Categories(_) => 7,
            Self::Targets(_) => 8,
            Self::Smoothed(_) => 9,
        }
    }
}

/// Kinds of parameters.
pub const KINDS: u8 = 10;

/// A kind of transform, the row, and what became of it: one number, or one for each place.
pub type Applied = (u8, Event, Vec<Option<Real>>);

/// The kind of what needs no parameters.
pub const UNFITTED: u8 = KINDS;

/// What the views of a key hold.
pub type Row = Fitted<i64, Params>;

/// How one of the two kinds of targets is smoothed.
pub const SMOOTHING: Smoothing = Smoothing::Rows(Real(1.5));

/// A number of any kind: gaps, infinities, and one of a magnitude that is null to sums.
#[must_use]
pub fn number(event: &Event) -> Option<f64> {
    match event.id % 31 {
        3 => Some(f64::INFINITY),
        5 => Some(f64::NEG_INFINITY),
        7 => Some(5e18),
        _ => event.float(),
    }
}

/// The event's category.
#[must_use]
pub fn category(event: &Event) -> Option<String> {
    event.other.map(|n| format!("c{n}"))
}

/// Another category of the event, which begins with the mark of a cross.
#[must_use]
pub fn channel(event: &Event) -> Option<String> {
    (!event.id.is_multiple_of(5)).then(|| format!("×{}", event.id % 3))
}

/// The rows of a key, by the definitions.
#[derive(Default)]
pub struct Brute {
    /// Numbers in [`REAL_UNITS`], ascending.
    units: Vec<i128>,
    /// How often each number is there that may fill a gap.
    values: BTreeMap<Real, i64>,
    names: BTreeSet<String>,
    /// Labels by category, in [`REAL_UNITS`].
    labels: BTreeMap<String, Vec<i128>>,
}

/// The rows by key.
#[must_use]
pub fn brute_force(input: &Net<Event>) -> BTreeMap<i64, Brute> {
    let mut keys: BTreeMap<i64, Brute> = BTreeMap::new();
    for (event, copies) in input {
        let rows = keys.entry(event.key).or_default();
        rows.names.extend(category(event));
        if let Some(value) = number(event).filter(|n| n.is_finite()) {
            *rows.values.entry(Real(value)).or_insert(0) += copies;
        }
        if let Some(units) = event.real_lane()[0].filter(|_| ![3, 5, 7].contains(&(event.id % 31)))
        {
            for _ in 0..*copies {
                rows.units.push(units.into());
                if let Some(name) = category(event) {
                    rows.labels.entry(name).or_default().push(units.into());
                }
            }
        }
    }
    keys.values_mut()
        .for_each(|rows| rows.units.sort_unstable());
    keys
}

const ONE: f64 = REAL_UNITS as f64;

fn mean(units: &[i128]) -> f64 {
    units.iter().sum::<i128>() as f64 / ONE / units.len() as f64
}

/// (n·Σx² − (Σx)²) / n², exact until it is divided.
fn variance(units: &[i128]) -> f64 {
    let (n, sum) = (units.len() as i128, units.iter().sum::<i128>());
    let squares: i128 = units.iter().map(|x| x * x).sum();
    (n * squares - sum * sum) as f64 / (n * n) as f64 / ONE / ONE
}

/// Type 7, by NumPy's way between two neighbours.
fn quantile(units: &[i128], q: f64) -> f64 {
    let place = q * (units.len() - 1) as f64;
    let (below, t) = (place.floor() as usize, place.fract());
    let at = |place: usize| units[place.min(units.len() - 1)] as f64 / ONE;
    let (low, high) = (at(below), at(below + 1));
    if t < 0.5 {
        low + (high - low) * t
    } else {
        high - (high - low) * (1.0 - t)
    }
}

impl Brute {
    /// What is fitted to the rows, of every kind that has something to fit.
    fn params(&self) -> Vec<Params> {
        let mut all = Vec::new();
        if !self.units.is_empty() {
            let units = &self.units;
            all.push(Params::Standard(Standard {
                mean: Real(mean(units)),
                stddev: Real(variance(units).sqrt()),
            }));
            all.push(Params::MinMax(MinMax {
                min: Real(units[0] as f64 / ONE),
                max: Real(units[units.len() - 1] as f64 / ONE),
            }));
            let [lower_quartile, median, upper_quartile] =
                [0.25, 0.5, 0.75].map(|q| Real(quantile(units, q)));
            all.push(Params::Robust(Robust {
                median,
                lower_quartile,
                upper_quartile,
            }));
            all.push(Params::Mean(Impute::constant(Real(mean(units)))));
            all.push(Params::Median(Impute::constant(median)));
            let mut edges = vec![lower_quartile.0, median.0, upper_quartile.0];
            edges.dedup();
            all.push(Params::Buckets(Buckets::between(edges).unwrap()));
            all.push(Params::Targets(self.targets(Smoothing::Auto)));
            all.push(Params::Smoothed(self.targets(SMOOTHING)));
        }
        let most = self.values.values().max();
        let most = self.values.iter().find(|(_, n)| Some(*n) == most);
        all.extend(most.map(|(value, _)| Params::MostFrequent(Impute::constant(*value))));
        if !self.names.is_empty() {
            all.push(Params::Categories(Categories::new(self.names.clone())));
        }
        all
    }

    fn targets(&self, smoothing: Smoothing) -> Targets {
        let labels = |units: &[i128]| Labels {
            count: units.len() as u64,
            mean: Real(mean(units)),
            variance: Real(variance(units)),
        };
        let categories = self.labels.iter();
        Targets {
            all: labels(&self.units),
            categories: categories
                .map(|(name, units)| (name.clone(), labels(units)))
                .collect(),
            smoothing,
        }
    }

    /// What a row becomes by each kind, from the numbers and not from any parameters.
    #[must_use]
    pub fn applied(&self, event: &Event) -> Vec<Applied> {
        let x = number(event);
        let there = x.filter(|x| !x.is_nan());
        let one = |number: Option<f64>| vec![number.map(Real)];
        let mut rows: Vec<Vec<Option<Real>>> = vec![Vec::new(); usize::from(KINDS)];
        let name = category(event);
        if let (Some(least), Some(greatest)) = (self.units.first(), self.units.last()) {
            let scaled = |origin: f64, unit: f64| {
                let unit = if unit == 0.0 { 1.0 } else { unit };
                one(there.map(|x| (x - origin) / unit).filter(|x| x.is_finite()))
            };
            let [q1, q2, q3] = [0.25, 0.5, 0.75].map(|q| quantile(&self.units, q));
            let (least, greatest) = (*least as f64 / ONE, *greatest as f64 / ONE);
            let mean_of_all = mean(&self.units);
            rows[0] = scaled(mean_of_all, variance(&self.units).sqrt());
            rows[1] = scaled(least, greatest - least);
            rows[2] = scaled(q2, q3 - q1);
            rows[3] = one(Some(there.unwrap_or(mean_of_all)));
            rows[4] = one(Some(there.unwrap_or(q2)));
            let edges: BTreeSet<Real> = [q1, q2, q3].map(Real).into();
            let reached = |x: f64| edges.iter().filter(|edge| edge.0 <= x).count() as f64;
            rows[6] = one(there.map(reached));
            let labels = name.as_ref().and_then(|name| self.labels.get(name));
            for (kind, smoothing) in [(8, Smoothing::Auto), (9, SMOOTHING)] {
                rows[kind] = one(Some(labels.map_or(mean_of_all, |own| {
                    let (n, own_mean) = (own.len() as f64, mean(own));
                    match smoothing {
                        Smoothing::Rows(Real(m)) => (n * own_mean + m * mean_of_all) / (n + m),
                        Smoothing::Auto => {
                            let between = n * variance(&self.units);
                            let share = between / (between + variance(own));
                            match share.is_nan() {
                                true => mean_of_all,
                                false => share * own_mean + (1.0 - share) * mean_of_all,
                            }
                        }
                    }
                })));
            }
        }
        let most = self.values.values().max();
        if let Some((most, _)) = self.values.iter().find(|(_, n)| Some(*n) == most) {
            rows[5] = vec![Some(there.map_or(*most, Real))];
        }
        if !self.names.is_empty() {
            let is_here = |known: &String| Some(known) == name.as_ref();
            let hot = |known| Some(Real(f64::from(u8::from(is_here(known)))));
            let place = self.names.iter().position(is_here);
            let one_hot = self.names.iter().map(hot);
            rows[7] = one_hot
                .chain([place.map(|place| Real(place as f64))])
                .collect();
        }
        let rows = (0..).zip(rows).map(|(kind, row)| (kind, *event, row));
        rows.chain([(UNFITTED, *event, unfitted_by_hand(event))])
            .collect()
    }
}

fn unfitted_by_hand(event: &Event) -> Vec<Option<Real>> {
    let there = number(event).filter(|x| !x.is_nan());
    let (a, b) = (category(event), channel(event));
    let in_buckets = |tag: u64, buckets: u128| ((u128::from(tag) * buckets) >> 64) as f64;
    let both = a.clone().zip(b.clone());
    // No category holds a mark; channels begin with one.
    let text = both.as_ref().map(|(a, b)| format!("{a}×\\{b}"));
    let whole = event.other.filter(|whole| *whole != 0);
    let numbers = [
        there.map(|x| x.clamp(-1.5, 40.0)),
        there
            .filter(|x| x.is_finite())
            .map(|x| if x < 0.0 { -((-x).ln_1p()) } else { x.ln_1p() }),
        there
            .zip(whole)
            .map(|(x, whole)| x / whole as f64)
            .filter(|x| x.is_finite()),
        a.map(|a| in_buckets(tag_bytes(a.as_bytes()), 7)),
        both.map(|both| in_buckets(both.tag(), 5)),
        text.map(|text| tag_bytes(text.as_bytes()) as f64),
    ];
    numbers.map(|number| number.map(Real)).to_vec()
}

/// The views of all kinds.
#[must_use]
pub fn views(input: &Net<Event>) -> Net<Row> {
    let keys = brute_force(input).into_iter();
    keys.flat_map(|(key, rows)| {
        let params = rows.params().into_iter();
        params.map(move |params| (Fitted { key, params }, 1))
    })
    .collect()
}
