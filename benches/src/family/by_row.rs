//! Last rows and fading sums with a row per payment, final and repaired.
//!
//! Expected: what a payment's row holds, weighted by its time, so that a row over other payments adds up to something
//! else.

use std::sync::Arc;

use thalweg::operators::window::decayed::{Decayed, DecayedRow};
use thalweg::operators::window::last_rows::{LastRow, LastRows};
use thalweg::prelude::*;

use crate::data::Payment;
use crate::digest::{Digest, DigestSink, weight};
use crate::expected;
use crate::family::by_key;
use crate::workload::{Workload, source};

const DAY_US: i64 = 86_400_000_000;
/// Payments that a row is over, at most.
const LAST: usize = 10;

pub(super) fn all() -> Vec<Workload> {
    vec![
        Workload::checked("last_rows_final", last_rows_final, last_up_to_each),
        Workload::checked(
            "last_rows_corrections",
            last_rows_corrections,
            last_up_to_each,
        ),
        Workload::checked("decayed_final", decayed_final, faded_up_to_each),
        Workload::checked("decayed_corrections", decayed_corrections, faded_up_to_each),
    ]
}

/// The last ten amounts up to each payment.
fn last_up_to_each(rows: &[Payment]) -> f64 {
    let of_user = |rows: &Vec<Payment>| -> f64 {
        let of_row = |(place, row): (usize, &Payment)| {
            let last = &rows[(place + 1).saturating_sub(LAST)..=place];
            expected::cents(last) * weight(row.at) as f64
        };
        rows.iter().enumerate().map(of_row).sum()
    };
    by_key(rows, |row| row.user).values().map(of_user).sum()
}

/// The amounts up to each payment, halved for every day that lies between.
fn faded_up_to_each(rows: &[Payment]) -> f64 {
    let of_user = |rows: &Vec<Payment>| -> f64 {
        let (mut sum, mut before) = (0.0, rows[0].at);
        let of_row = |row: &Payment| {
            sum *= (-((row.at - before) as f64) / DAY_US as f64).exp2();
            sum += row.cents as f64;
            before = row.at;
            sum * weight(row.at) as f64
        };
        rows.iter().map(of_row).sum()
    };
    by_key(rows, |row| row.user).values().map(of_user).sum()
}

fn last_rows_final(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    last_rows((rows, workers, digest), |last| {
        last.finals("spend", cents())
    })
}

fn last_rows_corrections(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    last_rows((rows, workers, digest), |last| {
        last.corrections("spend", cents())
    })
}

fn cents() -> impl Aggregate<Payment, Output = f64> {
    sum(|payment: &Payment| payment.cents)
}

/// The sum of the last ten payments up to each.
fn last_rows(
    (rows, workers, digest): (Arc<Vec<Payment>>, usize, Digest),
    mode: for<'s> fn(LastRows<'s, Payment, u64>) -> Table<'s, (Payment, LastRow<u64, f64>)>,
) -> Job {
    type Row = (Payment, LastRow<u64, f64>);
    let look = |(payment, row): &Row| row.value * weight(payment.at) as f64;
    Job::new("last_rows", move |g| {
        let payments = g.source("payments", source(&rows, workers))?;
        let last = payments
            .key_by(|payment| payment.user)
            .event_time(|payment| payment.at)
            .last_rows(LAST)?;
        mode(last).sink("digest", DigestSink::new(&digest, look))
    })
}

fn decayed_final(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    decayed((rows, workers, digest), |fading| {
        fading.finals("fading", |payment| payment.cents)
    })
}

fn decayed_corrections(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    decayed((rows, workers, digest), |fading| {
        fading.corrections("fading", |payment| payment.cents)
    })
}

/// The user's amounts as of each payment, which halve every day.
fn decayed(
    (rows, workers, digest): (Arc<Vec<Payment>>, usize, Digest),
    mode: for<'s> fn(Decayed<'s, Payment, u64>) -> Table<'s, (Payment, DecayedRow<u64>)>,
) -> Job {
    type Row = (Payment, DecayedRow<u64>);
    let look = |(payment, row): &Row| row.sum * weight(payment.at) as f64;
    Job::new("decayed", move |g| {
        let payments = g.source("payments", source(&rows, workers))?;
        let fading = payments
            .key_by(|payment| payment.user)
            .event_time(|payment| payment.at)
            .decayed(days(1))?;
        mode(fading).sink("digest", DigestSink::new(&digest, look))
    })
}
