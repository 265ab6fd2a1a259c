//! Rows through transforms that were frozen to files and read back, as a training run leaves them for serving.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use thalweg::operators::transform::{
    Buckets, Categories, Frozen, Impute, Labels, MinMax, Robust, Smoothing, Targets, Transform,
};
use thalweg::operators::value::Real;
use thalweg::prelude::*;

use crate::data::Payment;
use crate::digest::{Digest, DigestSink, weight};
use crate::family::transforms::{CHANNELS, EDGES, channel};
use crate::workload::{Workload, source};

/// The least and the greatest amount, in cents.
const RANGE: (f64, f64) = (1.0, 100_000.0);
/// Lower quartile, median and upper quartile of the amounts, in cents.
const QUARTILES: [f64; 3] = [1_250.0, 2_500.0, 5_000.0];
/// What stands for an amount that is missing, in cents.
const MISSING: f64 = 2_000.0;
/// The rates of fraud of all channels, of the first two by themselves, and in how many rows each was found.
const RATES: ([f64; 3], u64) = ([0.1, 0.05, 0.2], 100);
/// Rows that pull a channel towards the rate of all.
const PRIOR_ROWS: f64 = 25.0;

pub(super) fn all() -> Vec<Workload> {
    vec![Workload::checked("frozen", frozen, |rows| {
        let ([all, app, shop], n) = RATES;
        let rate = |own: f64| (n as f64 * own + PRIOR_ROWS * all) / (n as f64 + PRIOR_ROWS);
        let rates = [rate(app), rate(shop), all, all];
        // In order of their names: app, phone, shop, web.
        let places = [0.0, 2.0, 3.0, 1.0];
        let encoded = |row: &Payment| {
            let cents = amount(row).unwrap_or(MISSING);
            let bucket = EDGES.iter().filter(|edge| **edge <= cents).count();
            let channel = channel(row);
            let range = (cents - RANGE.0) / (RANGE.1 - RANGE.0);
            let spread = (cents - QUARTILES[1]) / (QUARTILES[2] - QUARTILES[0]);
            let sum = range + spread + bucket as f64 + places[channel] + rates[channel];
            sum * weight(row.at) as f64
        };
        rows.iter().map(encoded).sum()
    })]
}

/// A payment's amount in cents, which every seventh is without.
fn amount(row: &Payment) -> Option<f64> {
    (row.cents % 7 != 0).then_some(row.cents as f64)
}

/// What a training run leaves.
struct Model {
    gaps: Impute<Real>,
    range: MinMax,
    spread: Robust,
    buckets: Buckets,
    channels: Categories,
    rates: Targets,
}

impl Model {
    fn fitted() -> Result<Self, JobError> {
        let [lower_quartile, median, upper_quartile] = QUARTILES.map(Real);
        let ([all, app, shop], count) = RATES;
        let labels = |mean: f64| Labels {
            count,
            mean: Real(mean),
            variance: Real(mean * (1.0 - mean)),
        };
        let by_name = [(CHANNELS[0], labels(app)), (CHANNELS[1], labels(shop))];
        let categories = by_name.map(|(name, labels)| (name.to_owned(), labels));
        Ok(Self {
            gaps: Impute::constant(Real(MISSING)),
            range: MinMax {
                min: Real(RANGE.0),
                max: Real(RANGE.1),
            },
            spread: Robust {
                median,
                lower_quartile,
                upper_quartile,
            },
            buckets: Buckets::between(EDGES)?,
            channels: Categories::new(CHANNELS.map(str::to_owned)),
            rates: Targets {
                all: labels(all),
                categories: BTreeMap::from(categories),
                smoothing: Smoothing::Rows(Real(PRIOR_ROWS)),
            },
        })
    }

    /// The same, each of them written to a file and read back.
    fn frozen(self) -> Result<Self, JobError> {
        Ok(Self {
            gaps: through_file(self.gaps)?,
            range: through_file(self.range)?,
            spread: through_file(self.spread)?,
            buckets: through_file(self.buckets)?,
            channels: through_file(self.channels)?,
            rates: through_file(self.rates)?,
        })
    }

    fn apply(&self, payment: &Payment) -> f64 {
        let cents = Some(self.gaps.apply_number(amount(payment)));
        let channel = Some(CHANNELS[channel(payment)]);
        let numbers = [
            self.range.apply(cents),
            self.spread.apply(cents),
            self.buckets.apply(cents).map(|bucket| bucket as f64),
            self.channels.ordinal(channel).map(|place| place as f64),
            Some(self.rates.apply(channel)),
        ];
        numbers.into_iter().flatten().sum()
    }
}

/// A path that no other run has.
fn scratch() -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let (process, run) = (std::process::id(), NEXT.fetch_add(1, Relaxed));
    std::env::temp_dir().join(format!("thalweg-bench-{process}-{run}.json"))
}

fn through_file<F: Transform>(fitted: F) -> Result<F, JobError> {
    let path = scratch();
    let feature = "amount";
    let written = Frozen {
        feature: feature.to_owned(),
        version: 1,
        fitted,
    };
    let read = written
        .write(&path)
        .and_then(|()| Frozen::read(&path, feature));
    let removed = std::fs::remove_file(&path);
    let read = read.map_err(|error| JobError::System(error.to_string()))?;
    removed.map_err(|error| {
        JobError::System(format!("could not remove {}: {error}", path.display()))
    })?;
    Ok(read.fitted)
}

/// A payment's number by all that is frozen: gaps filled, scaled by range and by quartiles, bucketed, its channel as an
/// ordinal and as a rate.
fn frozen(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    Job::new("frozen", move |g| {
        let model = Model::fitted()?.frozen()?;
        let payments = g.source("payments", source(&rows, workers))?;
        let encoded =
            payments.map(move |payment| model.apply(&payment) * weight(payment.at) as f64);
        encoded.sink("digest", DigestSink::new(&digest, |number: &f64| *number))
    })
}
