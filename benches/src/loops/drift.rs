//! A histogram of ten bins per hour and country, over one or ten features, and its PSI when the hour ends.

use crate::data::{Payment, START_US};

const HOUR_US: i64 = 3_600_000_000;
const COUNTRIES: usize = 30;

/// Runs the loop over `features` features, each the amount shifted a little; the digest is the sum of all PSI.
#[must_use]
pub fn drift(rows: &[Payment], features: usize) -> (u64, f64) {
    let edges = edges(rows);
    let hours = rows
        .iter()
        .map(|row| (row.at - START_US) / HOUR_US)
        .max()
        .unwrap_or(0) as usize
        + 1;
    let mut counts = vec![[0_u32; 10]; hours * COUNTRIES * features];
    for row in rows {
        let hour = ((row.at - START_US) / HOUR_US) as usize;
        let group = (hour * COUNTRIES + row.country as usize) * features;
        for feature in 0..features {
            let value = (row.cents + feature as i64) as f64;
            let bin: usize = edges.iter().map(|edge| usize::from(*edge <= value)).sum();
            counts[group + feature][bin] += 1;
        }
    }
    let mut digest = 0.0;
    let mut groups = 0;
    for bins in &counts {
        let n: u32 = bins.iter().sum();
        if n > 0 {
            groups += 1;
            digest += psi(bins, f64::from(n));
        }
    }
    (groups, digest)
}

/// The inner deciles of the first amounts.
fn edges(rows: &[Payment]) -> [f64; 9] {
    let mut sample: Vec<i64> = rows.iter().take(100_000).map(|row| row.cents).collect();
    sample.sort_unstable();
    std::array::from_fn(|n| sample[sample.len() * (n + 1) / 10] as f64)
}

fn psi(bins: &[u32; 10], n: f64) -> f64 {
    let terms = bins.iter().map(|count| {
        let (actual, expected) = (f64::from(*count) / n, 0.1);
        (actual - expected) * ((actual + 1e-4) / (expected + 1e-4)).ln()
    });
    terms.sum()
}
