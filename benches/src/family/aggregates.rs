//! Aggregates, each per country and day, some thousand payments at the small size: what one costs beside another.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use thalweg::operators::aggregate::LastAt;
use thalweg::operators::drift::Bins;
use thalweg::operators::value::{Fixed, Moments};
use thalweg::operators::window::grouped::GroupRow;
use thalweg::prelude::*;

use crate::data::{Payment, START_US};
use crate::digest::{Digest, DigestSink};
use crate::family::quantile_of;
use crate::workload::{Workload, source};

const DAY_US: i64 = 86_400_000_000;
/// The share within which approximate quantiles are.
const ERROR: f64 = 0.01;
/// What is far below one per second is read per million seconds: a small difference must show.
const PER_MILLION: f64 = 1e6;

/// A workload for each: its name, the aggregate, a number for what it reads, and the same of a group's rows by brute force.
macro_rules! workloads {
    ($($name:literal, $aggregate:expr, $read:expr, $brute:expr;)*) => {
        vec![$(Workload::checked(
            concat!("aggregate_", $name),
            |rows, workers, digest| job((rows, workers, digest), || $aggregate, $read),
            |rows| groups(rows).values().map(|rows| ($brute)(rows)).sum(),
        ),)*]
    };
}

pub(super) fn all() -> Vec<Workload> {
    let parts = [of_sums(), of_order(), of_values()];
    parts.into_iter().flatten().collect()
}

/// Those that add up.
fn of_sums() -> Vec<Workload> {
    workloads! {
        "moments", moments(cents), |amounts: &Moments<Fixed<0>>| {
            or_zero(&amounts.stddev()) + or_zero(&amounts.min()) + or_zero(&amounts.max())
        }, |rows: &Rows| moment(rows, 2).sqrt() + sorted(rows)[0] + sorted(rows)[rows.len() - 1];
        "totals", totals(cents), |amounts: &Moments<Fixed<0>>| or_zero(&amounts.sum()) + or_zero(&amounts.stddev()),
            |rows: &Rows| total(rows) + moment(rows, 2).sqrt();
        "count", (count(), count_where(|row: &Payment| row.cents >= 2_000)), |(rows, dear)| (rows * rows + dear) as f64,
            |rows: &Rows| (rows.len().pow(2) + rows.iter().filter(|row| row.cents >= 2_000).count()) as f64;
        "sum", sum(cents), |sum: &f64| *sum, |rows: &Rows| total(rows);
        "mean", mean(cents), or_zero, |rows: &Rows| total(rows) / rows.len() as f64;
        "variance", variance(cents), or_zero, |rows: &Rows| moment(rows, 2);
        "variance_sample", variance_sample(cents), or_zero, |rows: &Rows| moment(rows, 2) * of_sample(rows);
        "stddev", stddev(cents), or_zero, |rows: &Rows| moment(rows, 2).sqrt();
        "stddev_sample", stddev_sample(cents), or_zero, |rows: &Rows| (moment(rows, 2) * of_sample(rows)).sqrt();
        "skew", skew(cents), |skew| or_zero(skew).abs(),
            |rows: &Rows| (moment(rows, 3) / moment(rows, 2).powf(1.5)).abs();
        "skew_sample", skew_sample(cents), |skew| or_zero(skew).abs(), |rows: &Rows| {
            let n = rows.len() as f64;
            if n > 2.0 { (moment(rows, 3) / moment(rows, 2).powf(1.5)).abs() * (n * (n - 1.0)).sqrt() / (n - 2.0) } else { 0.0 }
        };
        "kurtosis_sample", kurtosis_sample(cents), or_zero, |rows: &Rows| {
            let n = rows.len() as f64;
            let excess = moment(rows, 4) / moment(rows, 2).powi(2) - 3.0;
            if n > 3.0 { (n - 1.0) / ((n - 2.0) * (n - 3.0)) * ((n + 1.0) * excess + 6.0) } else { 0.0 }
        };
        "kurtosis", kurtosis(cents), or_zero, |rows: &Rows| moment(rows, 4) / moment(rows, 2).powi(2) - 3.0;
        "covariance", covariance(cents, mixed), or_zero, |rows: &Rows| together(rows, [cents, mixed]);
        "covariance_sample", covariance_sample(cents, mixed), or_zero,
            |rows: &Rows| together(rows, [cents, mixed]) * of_sample(rows);
        "correlation", correlation(cents, mixed), or_zero, |rows: &Rows| {
            let varies = together(rows, [cents, cents]) * together(rows, [mixed, mixed]);
            if varies > 0.0 { together(rows, [cents, mixed]) / varies.sqrt() } else { 0.0 }
        };
        "trend", trend(|row: &Payment| row.at, cents), |slope| or_zero(slope).abs() * PER_MILLION,
            |rows: &Rows| slope(rows).abs() * PER_MILLION;
        "geometric_mean", geometric_mean(cents), or_zero,
            |rows: &Rows| (rows.iter().map(|row| (row.cents as f64).ln()).sum::<f64>() / rows.len() as f64).exp();
    }
}

/// Those that go by an order.
fn of_order() -> Vec<Workload> {
    workloads! {
        "min_and_max", (min(cents), max(cents)), |(min, max)| or_zero(min) + or_zero(max),
            |rows: &Rows| sorted(rows)[0] + sorted(rows)[rows.len() - 1];
        "bottom_k", bottom_k(3, cents), |least: &Vec<f64>| least.iter().sum(),
            |rows: &Rows| sorted(rows).iter().take(3).sum::<f64>();
        "top_k", top_k(3, cents), |top: &Vec<f64>| top.iter().sum(),
            |rows: &Rows| sorted(rows).iter().rev().take(3).sum::<f64>();
        "arg_min", arg_min(|row: &Payment| row.at, cents), |cents: &Option<i64>| cents.unwrap_or(0) as f64,
            |rows: &Rows| in_time(rows)[0];
        "arg_max", arg_max(|row: &Payment| row.at, cents), |cents: &Option<i64>| cents.unwrap_or(0) as f64,
            |rows: &Rows| in_time(rows)[rows.len() - 1];
        "first", first(|row: &Payment| row.at, cents), |first: &Option<i64>| first.unwrap_or(0) as f64,
            |rows: &Rows| in_time(rows)[0];
        "first_k", first_k(5, |row: &Payment| row.at, cents), |first: &Vec<i64>| first.iter().sum::<i64>() as f64,
            |rows: &Rows| in_time(rows).iter().take(5).sum::<f64>();
        "last", last(|row: &Payment| row.at, cents), |last: &Option<i64>| last.unwrap_or(0) as f64,
            |rows: &Rows| in_time(rows)[rows.len() - 1];
        "last_k", last_k(5, |row: &Payment| row.at, cents), |last: &Vec<i64>| last.iter().sum::<i64>() as f64,
            |rows: &Rows| in_time(rows).iter().rev().take(5).sum::<f64>();
        "median", median(cents), or_zero, |rows: &Rows| quantile_of(rows, 0.5);
        "quantile", quantile(0.9, cents), or_zero, |rows: &Rows| quantile_of(rows, 0.9);
        "quantiles", quantiles([0.1, 0.5, 0.9], cents), |all: &Option<Vec<f64>>| all.iter().flatten().sum::<f64>(),
            |rows: &Rows| [0.1, 0.5, 0.9].map(|share| quantile_of(rows, share)).iter().sum::<f64>();
        "quantile_discrete", quantile_discrete(0.25, cents), or_zero,
            |rows: &Rows| sorted(rows)[rows.len().div_ceil(4) - 1];
        "quantiles_approx", quantiles_approx([0.5, 0.99], ERROR, cents),
            |all: &Option<Vec<f64>>| all.iter().flatten().sum::<f64>(),
            |rows: &Rows| read(&quantiles_approx([0.5, 0.99], ERROR, cents), rows).iter().flatten().sum::<f64>();
        "median_approx", quantile_approx(0.5, ERROR, cents), or_zero,
            |rows: &Rows| or_zero(&read(&quantile_approx(0.5, ERROR, cents), rows));
    }
}

/// Those that count values, and those made of others.
fn of_values() -> Vec<Workload> {
    workloads! {
        "histogram", histogram(bins(), cents), |counts: &Vec<u64>| weighted(counts),
            |rows: &Rows| rows.iter().map(|row| 1.0 + bins().index(row.cents as f64) as f64).sum::<f64>();
        "distinct", distinct(user), |users: &u64| *users as f64,
            |rows: &Rows| rows.iter().map(|row| row.user).collect::<BTreeSet<_>>().len() as f64;
        "distinct_approx", distinct_approx(user), |users: &u64| *users as f64,
            |rows: &Rows| read(&distinct_approx(user), rows) as f64;
        "most_frequent", most_frequent(2, merchant), |most: &Vec<(u32, u64)>| most.iter().map(|(_, n)| *n as f64).sum(),
            |rows: &Rows| shares(rows).iter().rev().take(2).sum::<f64>() * rows.len() as f64;
        "entropy", entropy(merchant), or_zero,
            |rows: &Rows| -> f64 { shares(rows).iter().map(|share| -share * share.ln()).sum() };
        "concentration", concentration(merchant), or_zero,
            |rows: &Rows| -> f64 { shares(rows).iter().map(|share| share * share).sum() };
        "rate", rate(|row: &Payment| row.at), |rate| or_zero(rate) * PER_MILLION, |rows: &Rows| {
            let times = times(rows);
            let span_us = times[times.len() - 1] - times[0];
            if span_us > 0 { (times.len() - 1) as f64 * 1e6 / span_us as f64 * PER_MILLION } else { 0.0 }
        };
        "last_times", (time_since_last(|row: &Payment| row.at), last_gap(|row: &Payment| row.at)),
            |(last, gap)| (last.map_or(0, |last: LastAt| -last.since_us(START_US)) + gap.unwrap_or(0)) as f64,
            |rows: &Rows| {
                let times = times(rows);
                let last = times[times.len() - 1];
                let before = times.len().checked_sub(2).map_or(last, |place| times[place]);
                (last - START_US + last - before) as f64
            };
        "by", by(|row: &Payment| row.user % 8, count()),
            |counts: &BTreeMap<u64, i64>| counts.values().map(|n| (n * n) as f64).sum(),
            |rows: &Rows| -> f64 {
                let of = |part| rows.iter().filter(|row| row.user % 8 == part).count() as f64;
                (0..8).map(|part| of(part).powi(2)).sum()
            };
        "only_if", only_if(|row: &Payment| row.user.is_multiple_of(2), sum(cents)), |sum: &f64| *sum,
            |rows: &Rows| -> f64 { rows.iter().filter(|row| row.user.is_multiple_of(2)).map(|row| row.cents as f64).sum() };
        "several", (count(), sum(cents), distinct(merchant), median(cents)),
            |(rows, sum, merchants, median)| *rows as f64 + sum + *merchants as f64 + or_zero(median),
            |rows: &Rows| rows.len() as f64 + total(rows) + shares(rows).len() as f64 + quantile_of(rows, 0.5);
    }
}

type Rows = Vec<Payment>;

fn cents(row: &Payment) -> i64 {
    row.cents
}

/// A number that goes with the amount, but not alone.
fn mixed(row: &Payment) -> i64 {
    row.cents + i64::from(row.merchant)
}

fn user(row: &Payment) -> Option<u64> {
    Some(row.user)
}

fn merchant(row: &Payment) -> Option<u32> {
    Some(row.merchant)
}

#[expect(
    clippy::expect_used,
    reason = "the edges are constants that are in order"
)]
fn bins() -> Bins {
    Bins::new(vec![500.0, 1_000.0, 2_000.0, 4_000.0, 8_000.0]).expect("constant edges")
}

fn or_zero(number: &Option<f64>) -> f64 {
    number.unwrap_or(0.0)
}

fn weighted(counts: &[u64]) -> f64 {
    (1_u64..)
        .zip(counts)
        .map(|(bin, count)| (bin * count) as f64)
        .sum()
}

/// The aggregate per country and day, once the day has ended.
fn job<A: Aggregate<Payment>>(
    (rows, workers, digest): (Arc<Vec<Payment>>, usize, Digest),
    aggregate: impl Fn() -> A + Copy + Send + Sync + 'static,
    read: fn(&A::Output) -> f64,
) -> Job {
    Job::new("aggregate", move |g| {
        let payments = g.source("payments", source(&rows, workers))?;
        let look = move |row: &GroupRow<u32, A::Output>| read(&row.value);
        payments
            .key_by(|payment| payment.country)
            .event_time(|payment| payment.at)
            .tumbling(days(1))?
            .finals("aggregate", aggregate())
            .sink("digest", DigestSink::new(&digest, look))
    })
}

/// The rows per country and day.
fn groups(rows: &[Payment]) -> BTreeMap<(u32, i64), Rows> {
    let mut groups = BTreeMap::<_, Rows>::new();
    for row in rows {
        let day = row.at.div_euclid(DAY_US);
        groups.entry((row.country, day)).or_default().push(*row);
    }
    groups
}

/// What an aggregate that is not exact reads: it does not depend on the window.
fn read<A: Aggregate<Payment>>(aggregate: &A, rows: &Rows) -> A::Output {
    let mut state = A::State::default();
    rows.iter()
        .for_each(|row| aggregate.update(&mut state, row, 1));
    aggregate.read(&state)
}

fn total(rows: &Rows) -> f64 {
    rows.iter().map(|row| row.cents as f64).sum()
}

/// A central moment of the amounts.
fn moment(rows: &Rows, power: i32) -> f64 {
    let mean = total(rows) / rows.len() as f64;
    let powers = rows.iter().map(|row| (row.cents as f64 - mean).powi(power));
    powers.sum::<f64>() / rows.len() as f64
}

/// What makes a variance that of a sample.
fn of_sample(rows: &Rows) -> f64 {
    let n = rows.len() as f64;
    if n > 1.0 { n / (n - 1.0) } else { 0.0 }
}

/// The covariance of two numbers.
fn together(rows: &Rows, [x, y]: [fn(&Payment) -> i64; 2]) -> f64 {
    let n = rows.len() as f64;
    let mean = |of: fn(&Payment) -> i64| rows.iter().map(|row| of(row) as f64).sum::<f64>() / n;
    let (mean_x, mean_y) = (mean(x), mean(y));
    let products = rows
        .iter()
        .map(|row| (x(row) as f64 - mean_x) * (y(row) as f64 - mean_y));
    products.sum::<f64>() / n
}

/// How fast the amounts rise, per second.
fn slope(rows: &Rows) -> f64 {
    let n = rows.len() as f64;
    let seconds = |row: &Payment| (row.at - rows[0].at) as f64 / 1e6;
    let mean = rows.iter().map(seconds).sum::<f64>() / n;
    let squares = rows.iter().map(|row| (seconds(row) - mean).powi(2));
    let products = rows
        .iter()
        .map(|row| (seconds(row) - mean) * row.cents as f64);
    let (squares, products) = (squares.sum::<f64>(), products.sum::<f64>());
    if squares > 0.0 {
        products / squares
    } else {
        0.0
    }
}

/// The event times, ascending.
fn times(rows: &Rows) -> Vec<i64> {
    let mut times: Vec<i64> = rows.iter().map(|row| row.at).collect();
    times.sort_unstable();
    times
}

fn sorted(rows: &Rows) -> Vec<f64> {
    let mut amounts: Vec<f64> = rows.iter().map(|row| row.cents as f64).collect();
    amounts.sort_by(f64::total_cmp);
    amounts
}

/// The amounts in order of time.
fn in_time(rows: &Rows) -> Vec<f64> {
    let mut rows = rows.clone();
    rows.sort_by_key(|row| (row.at, row.cents));
    rows.iter().map(|row| row.cents as f64).collect()
}

/// The share of each merchant, from the least to the greatest.
fn shares(rows: &Rows) -> Vec<f64> {
    let mut counts = BTreeMap::<u32, u32>::new();
    for row in rows {
        *counts.entry(row.merchant).or_default() += 1;
    }
    let shares = counts
        .values()
        .map(|count| f64::from(*count) / rows.len() as f64);
    let mut shares: Vec<f64> = shares.collect();
    shares.sort_by(f64::total_cmp);
    shares
}
