//! Windows that write once they have ended: count and sum per user.

use std::sync::Arc;

use thalweg::operators::window::grouped::GroupRow;
use thalweg::operators::window::session::SessionRow;
use thalweg::prelude::*;

use crate::data::Payment;
use crate::digest::{Digest, DigestSink, of_window};
use crate::workload::source;

/// Tumbling 5 min per user, count and sum, once the window has ended.
pub(super) fn tumbling(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    Job::new("tumbling", move |g| {
        let payments = g.source("payments", source(&rows, workers))?;
        payments
            .key_by(|payment| payment.user)
            .event_time(|payment| payment.at)
            .tumbling(minutes(5))?
            .finals("spend", (count(), sum(|payment: &Payment| payment.cents)))
            .sink(
                "digest",
                DigestSink::new(&digest, |row: &GroupRow<u64, (i64, f64)>| {
                    of_window(row.start, row.value.0, row.value.1)
                }),
            )
    })
}

/// Hopping 6 h every 1 h per user, count and sum, once the window has ended.
pub(super) fn hopping(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    Job::new("hopping", move |g| {
        let payments = g.source("payments", source(&rows, workers))?;
        payments
            .key_by(|payment| payment.user)
            .event_time(|payment| payment.at)
            .hopping(hours(6), hours(1))?
            .finals("spend", (count(), sum(|payment: &Payment| payment.cents)))
            .sink(
                "digest",
                DigestSink::new(&digest, |row: &GroupRow<u64, (i64, f64)>| {
                    of_window(row.start, row.value.0, row.value.1)
                }),
            )
    })
}

/// Sessions with a gap of 30 min per user, count and sum, once they have ended.
pub(super) fn session(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    Job::new("session", move |g| {
        let payments = g.source("payments", source(&rows, workers))?;
        payments
            .key_by(|payment| payment.user)
            .event_time(|payment| payment.at)
            .session(minutes(30))?
            .finals("spend", (count(), sum(|payment: &Payment| payment.cents)))
            .sink(
                "digest",
                DigestSink::new(&digest, |row: &SessionRow<u64, (i64, f64)>| {
                    of_window(row.start, row.value.0, row.value.1)
                }),
            )
    })
}
