//! Transforms fitted per country, as views that follow their rows; and rows through what was fitted to others.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use thalweg::connectors::memory::Log;
use thalweg::engine::update::Data;
use thalweg::operators::transform::{
    Buckets, Categories, Fitted, Impute, MinMax, Robust, Smoothing, Standard, Targets, categories,
    impute_mean, impute_median, impute_most_frequent, min_max, quantile_buckets, robust, standard,
    targets,
};
use thalweg::operators::value::Real;
use thalweg::prelude::*;

use crate::data::Payment;
use crate::digest::{Digest, DigestSink, weight};
use crate::expected;
use crate::family::transforms::{CHANNELS, channel, label};
use crate::family::{by_key, quantile_of};
use crate::workload::{Workload, source};

/// Labels that a channel is taken to have had beside its own, of the mean of all.
const PRIOR_ROWS: f64 = 20.0;
/// The buckets of amounts.
const BUCKETS: u32 = 10;
/// The first payments, to which a transform is fitted before any payment goes through it.
const SAMPLE: usize = 100_000;

/// A workload for each: its name, what is fitted, a number for what it has come to, and the same of a country's rows by
/// brute force.
macro_rules! workloads {
    ($($name:literal, $fit:expr, $read:expr, $brute:expr;)*) => {
        vec![$(Workload::checked(
            concat!("fit_", $name),
            |rows, workers, digest| job((rows, workers, digest), || $fit, $read),
            |rows| {
                let countries = by_key(rows, |row| row.country);
                let of = |(country, rows)| ($brute)(rows) * of_country(country);
                countries.iter().map(of).sum()
            },
        ),)*]
    };
}

pub(super) fn all() -> Vec<Workload> {
    let mut all = workloads! {
        "min_max", Ok(min_max(cents)), |fitted: &MinMax| fitted.min.0 + 2.0 * fitted.max.0,
            |rows: &Rows| quantile_of(rows, 0.0) + 2.0 * quantile_of(rows, 1.0);
        "robust", Ok(robust(cents)),
            |fitted: &Robust| fitted.lower_quartile.0 + 2.0 * fitted.median.0 + 3.0 * fitted.upper_quartile.0,
            |rows: &Rows| {
                quantile_of(rows, 0.25) + 2.0 * quantile_of(rows, 0.5) + 3.0 * quantile_of(rows, 0.75)
            };
        "impute_mean", Ok(impute_mean(cents)), |fitted: &Impute<Real>| fitted.fill.0,
            |rows: &Rows| expected::cents(rows) / rows.len() as f64;
        "impute_median", Ok(impute_median(cents)), |fitted: &Impute<Real>| fitted.fill.0,
            |rows: &Rows| quantile_of(rows, 0.5);
        "impute_most_frequent", Ok(impute_most_frequent(|row: &Payment| Some(row.merchant))),
            |fitted: &Impute<u32>| f64::from(fitted.fill), |rows: &Rows| f64::from(most_frequent_merchant(rows));
        "categories", Ok(categories(category)), |fitted: &Categories| {
            by_place(fitted.names().iter().map(|name| name.len() as f64))
        }, |rows: &Rows| {
            let names: BTreeSet<_> = rows.iter().map(|row| CHANNELS[channel(row)]).collect();
            by_place(names.iter().map(|name| name.len() as f64))
        };
        "targets", targets(Smoothing::Rows(Real(PRIOR_ROWS)), category, label),
            |fitted: &Targets| by_place(CHANNELS.iter().map(|name| fitted.apply(Some(*name)))), encoded;
        "quantile_buckets", quantile_buckets(BUCKETS, cents), |fitted: &Buckets| by_place(fitted.edges()),
            |rows: &Rows| {
                let places = (1..BUCKETS).map(|place| f64::from(place) / f64::from(BUCKETS));
                let mut edges: Vec<f64> = places.map(|place| quantile_of(rows, place)).collect();
                edges.dedup();
                by_place(edges)
            };
    };
    all.push(Workload::checked(
        "transformed_by",
        transformed_by,
        |rows| {
            let countries = by_key(sample(rows), |row| row.country);
            let fitted: BTreeMap<u32, (f64, f64)> = countries
                .into_iter()
                .map(|(country, rows)| (country, mean_and_deviation(&rows)))
                .collect();
            let scaled = |row: &Payment| {
                let (mean, deviation) = fitted.get(&row.country)?;
                Some((row.cents as f64 - mean) / deviation * weight(row.at) as f64)
            };
            rows.iter().filter_map(scaled).sum()
        },
    ));
    all
}

type Rows = Vec<Payment>;

fn cents(row: &Payment) -> i64 {
    row.cents
}

fn category(row: &Payment) -> Option<String> {
    Some(CHANNELS[channel(row)].to_owned())
}

/// What a country's parameters count for: those of another add up to something else.
fn of_country(country: &u32) -> f64 {
    f64::from(1 + country)
}

/// Numbers added up, the n-th n times.
fn by_place(numbers: impl IntoIterator<Item = f64>) -> f64 {
    (1..)
        .zip(numbers)
        .map(|(n, number)| f64::from(n) * number)
        .sum()
}

fn most_frequent_merchant(rows: &Rows) -> u32 {
    let mut counts = BTreeMap::<u32, usize>::new();
    for row in rows {
        *counts.entry(row.merchant).or_default() += 1;
    }
    let most = counts
        .into_iter()
        .max_by_key(|(merchant, count)| (*count, std::cmp::Reverse(*merchant)));
    most.map_or(0, |(merchant, _)| merchant)
}

/// The smoothed rates of fraud of all channels.
fn encoded(rows: &Rows) -> f64 {
    let sum = |rows: &Rows| rows.iter().map(label).sum::<f64>();
    let all = sum(rows) / rows.len() as f64;
    let channels = by_key(rows, channel);
    let rate = |rows: &Rows| (sum(rows) + PRIOR_ROWS * all) / (rows.len() as f64 + PRIOR_ROWS);
    let rates = (0..CHANNELS.len()).map(|channel| channels.get(&channel).map_or(all, rate));
    by_place(rates)
}

fn mean_and_deviation(rows: &Rows) -> (f64, f64) {
    let n = rows.len() as f64;
    let mean = expected::cents(rows) / n;
    let squares = rows.iter().map(|row| (row.cents as f64 - mean).powi(2));
    (mean, (squares.sum::<f64>() / n).sqrt())
}

fn sample(rows: &[Payment]) -> &[Payment] {
    &rows[..rows.len().min(SAMPLE)]
}

/// A transform per country, kept up as payments come.
fn job<F: Data + PartialEq, A: Aggregate<Payment, Output = Option<F>>>(
    (rows, workers, digest): (Arc<Vec<Payment>>, usize, Digest),
    fit: fn() -> Result<A, JobError>,
    read: fn(&F) -> f64,
) -> Job {
    Job::new("fit", move |g| {
        let payments = g.source("payments", source(&rows, workers))?;
        let look = move |row: &Fitted<u32, F>| read(&row.params) * of_country(&row.key);
        payments
            .key_by(|payment| payment.country)
            .fit("fitted", fit()?)
            .sink("digest", DigestSink::new(&digest, look))
    })
}

/// Each payment through the mean and deviation that its country's amounts had in a sample, which is read before.
fn transformed_by(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    let sample = Log::rows(sample(&rows).to_vec());
    Job::new("transformed_by", move |g| {
        let payments = g.source("payments", source(&rows, workers))?;
        let sample = g.source("sample", sample.clone().untimed())?;
        let fitted = sample
            .key_by(|payment: &Payment| payment.country)
            .fit("amount", standard(cents));
        let scale = |payment: Payment, fitted: Option<&Standard>| {
            let scaled = fitted.and_then(|fitted| fitted.apply(Some(payment.cents as f64)));
            scaled.unwrap_or(0.0) * weight(payment.at) as f64
        };
        payments
            .key_by(|payment| payment.country)
            .transformed_by("scaled", &fitted, scale)
            .sink("digest", DigestSink::new(&digest, |scaled: &f64| *scaled))
    })
}
