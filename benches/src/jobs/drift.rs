//! Histograms and their PSI.

use std::sync::Arc;

use thalweg::prelude::*;

use crate::data::Payment;
use crate::digest::{Digest, DigestSink};
use crate::workload::source;

/// A histogram of ten bins and its PSI per hour and country, once the hour has ended: features are the amount, shifted.
pub(super) fn drift<const N: usize>(
    rows: Arc<Vec<Payment>>,
    workers: usize,
    digest: Digest,
) -> Job {
    let names: Vec<String> = (0..N).map(|feature| format!("amount_{feature}")).collect();
    let sample = &rows[..rows.len().min(100_000)];
    let baselines: Baselines = names
        .iter()
        .enumerate()
        .filter_map(|(n, name)| {
            let values = sample.iter().map(|row| Some((row.cents + n as i64) as f64));
            Baseline::fit(name.as_str(), values)
                .ok()
                .map(Baseline::without_values)
        })
        .collect();
    Job::new("drift", move |g| {
        let names: [&str; N] = std::array::from_fn(|n| names[n].as_str());
        let payments = g.source("payments", source(&rows, workers))?;
        payments
            .drift("drift", |payment| payment.at)
            .every(hours(1))
            .segments(|payment| payment.country)
            .features(names, |payment| {
                std::array::from_fn(|n| Some((payment.cents + n as i64) as f64))
            })
            .finals(&baselines)?
            .sink(
                "digest",
                DigestSink::new(&digest, |row: &DriftWindow| row.drift.psi.unwrap_or(0.0)),
            )
    })
}
