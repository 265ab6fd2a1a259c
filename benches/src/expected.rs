//! What a workload's output must add up to, by brute force: no time is shown of a run that has computed another thing.

use std::collections::BTreeMap;

use thalweg::operators::drift::psi;
use thalweg::prelude::*;

use crate::data::{LATENESS_US, Payment, START_US};

const WEEK_US: i64 = 7 * 86_400_000_000;
const HOUR_US: i64 = 3_600_000_000;
const COUNTRIES: usize = 30;

/// The sum of all amounts.
#[must_use]
pub fn cents(rows: &[Payment]) -> f64 {
    rows.iter().map(|row| row.cents as f64).sum()
}

/// The events in the week of each user that ends with the user's newest event.
#[must_use]
pub fn in_a_week(rows: &[Payment]) -> f64 {
    in_weeks(1, rows, i64::MIN)
}

/// The same of two weeks.
#[must_use]
pub fn in_two_weeks(rows: &[Payment]) -> f64 {
    in_weeks(2, rows, i64::MIN)
}

/// The same of the week before the last watermark, where that is later.
#[must_use]
pub fn in_the_last_week(rows: &[Payment]) -> f64 {
    let newest = rows.iter().map(|row| row.at).max().unwrap_or(0);
    in_weeks(1, rows, newest - LATENESS_US)
}

/// Whether two digests are one but for the order of their additions.
#[must_use]
pub fn agree(ours: f64, theirs: f64) -> bool {
    (ours - theirs).abs() <= 1e-9 * theirs.abs().max(1.0)
}

/// The events in the last weeks of each user, which end with the user's newest event, or at `as_of` if that is later.
fn in_weeks(weeks: i64, rows: &[Payment], as_of: i64) -> f64 {
    let mut newest = BTreeMap::<u64, i64>::new();
    for row in rows {
        let at = newest.entry(row.user).or_insert(row.at);
        *at = row.at.max(*at);
    }
    let is_in = |row: &&Payment| row.at >= newest[&row.user].max(as_of) - weeks * WEEK_US;
    rows.iter().filter(is_in).count() as f64
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
