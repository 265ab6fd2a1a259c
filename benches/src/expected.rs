//! What a workload's output must add up to, by brute force: no time is shown of a run that has computed another thing.

use std::collections::BTreeMap;

use thalweg::operators::drift::psi;
use thalweg::prelude::*;

use crate::data::{LATENESS_US, Payment, START_US};

const HOUR_US: i64 = 3_600_000_000;
const COUNTRIES: usize = 30;

/// The sum of all amounts.
#[must_use]
pub fn cents(rows: &[Payment]) -> f64 {
    rows.iter().map(|row| row.cents as f64).sum()
}

/// What the windows of 1 h, 24 h and 7 d hold of each user as of the user's newest event: its events and their amounts,
/// of the narrower windows twice and four times.
#[must_use]
pub fn as_of_the_newest(rows: &[Payment]) -> f64 {
    held(7, rows, i64::MIN)
}

/// The same with a widest window of 14 d.
#[must_use]
pub fn over_two_weeks(rows: &[Payment]) -> f64 {
    held(14, rows, i64::MIN)
}

/// The same as of the last watermark, where that is later.
#[must_use]
pub fn as_of_the_watermark(rows: &[Payment]) -> f64 {
    let newest = rows.iter().map(|row| row.at).max().unwrap_or(0);
    held(7, rows, newest - LATENESS_US)
}

/// Whether two digests are one but for the order of their additions.
#[must_use]
pub fn agree(ours: f64, theirs: f64) -> bool {
    (ours - theirs).abs() <= 1e-9 * theirs.abs().max(1.0)
}

fn held(days: i64, rows: &[Payment], as_of: i64) -> f64 {
    let mut newest = BTreeMap::<u64, i64>::new();
    for row in rows {
        let at = newest.entry(row.user).or_insert(row.at);
        *at = row.at.max(*at);
    }
    let widths = [(HOUR_US, 4), (24 * HOUR_US, 2), (days * 24 * HOUR_US, 1)];
    let of = |row: &Payment| -> i64 {
        let before = newest[&row.user].max(as_of) - row.at;
        let windows = widths.iter().filter(|(width, _)| before <= *width);
        windows.map(|(_, times)| times * (1 + row.cents)).sum()
    };
    rows.iter().map(of).sum::<i64>() as f64
}

/// The sum of all PSI, per hour, country and feature.
#[must_use]
pub fn drift<const FEATURES: usize>(rows: &[Payment]) -> f64 {
    let sample = &rows[..rows.len().min(100_000)];
    let fit = |feature: usize| {
        let values = sample
            .iter()
            .map(|row| Some((row.cents + feature as i64) as f64));
        Baseline::fit("amount", values).ok()
    };
    let Some(baselines) = (0..FEATURES).map(fit).collect::<Option<Vec<_>>>() else {
        return f64::NAN;
    };
    let mut windows = BTreeMap::<usize, Vec<Vec<u64>>>::new();
    let empty: Vec<_> = baselines
        .iter()
        .map(|baseline| vec![0; baseline.bins().len()])
        .collect();
    for row in rows {
        let hour = ((row.at - START_US) / HOUR_US) as usize;
        let group = hour * COUNTRIES + row.country as usize;
        let counts = windows.entry(group).or_insert_with(|| empty.clone());
        for (feature, baseline) in baselines.iter().enumerate() {
            counts[feature][baseline.bins().index((row.cents + feature as i64) as f64)] += 1;
        }
    }
    let of = |counts: &Vec<Vec<u64>>| -> f64 {
        let pairs = baselines.iter().zip(counts);
        pairs
            .filter_map(|(baseline, counts)| psi(baseline.counts(), counts))
            .sum()
    };
    windows.values().map(of).sum()
}
