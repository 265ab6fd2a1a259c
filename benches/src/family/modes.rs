//! Windows in the modes of which no speed is asked: rows that are repaired as they change.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use thalweg::operators::window::grouped::GroupRow;
use thalweg::operators::window::session::SessionRow;
use thalweg::operators::window::sliding::SlidingRow;
use thalweg::prelude::*;

use crate::data::{LATENESS_US, Payment};
use crate::digest::{Digest, DigestSink, of_window};
use crate::family::by_key;
use crate::family::windows::largest_before_each;
use crate::loops;
use crate::workload::{Workload, source};

const DAY_US: i64 = 86_400_000_000;
const GAP_US: i64 = 1_800_000_000;

pub(super) fn all() -> Vec<Workload> {
    vec![
        Workload::checked("tumbling_latest", tumbling_latest, |rows| {
            loops::tumbling(rows).1
        }),
        Workload::checked("hopping_latest", hopping_latest, |rows| {
            loops::hopping(rows).1
        }),
        Workload::checked("session_latest", session_latest, sessions),
        Workload::checked("sliding_latest", sliding_latest, |rows| {
            let newest = rows.iter().map(|row| row.at).max().unwrap_or(0);
            let largest = |rows: &Vec<Payment>| {
                let end = rows.last().map_or(0, |row| row.at);
                let from = end.max(newest - LATENESS_US) - DAY_US;
                let inside = rows.iter().filter(|row| row.at >= from);
                inside.map(|row| row.cents).max().unwrap_or(0) as f64
            };
            by_key(rows, |row| row.user).values().map(largest).sum()
        }),
        Workload::checked(
            "sliding_corrections",
            sliding_corrections,
            largest_before_each,
        ),
    ]
}

/// The sessions of each user, weighted by when they begin.
fn sessions(rows: &[Payment]) -> f64 {
    let of_user = |rows: &Vec<Payment>| -> f64 {
        let sessions = rows.chunk_by(|a, b| b.at - a.at <= GAP_US);
        let of = |session: &[Payment]| {
            let sum = session.iter().map(|row| row.cents as f64).sum();
            of_window(session[0].at, session.len() as i64, sum)
        };
        sessions.map(of).sum()
    };
    let users: BTreeMap<u64, Vec<Payment>> = by_key(rows, |row| row.user);
    users.values().map(of_user).sum()
}

/// Tumbling 5 min per user, count and sum, at once.
fn tumbling_latest(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    grouped_latest((rows, workers, digest), minutes(5), minutes(5))
}

/// Hopping 6 h every 1 h per user, count and sum, at once.
fn hopping_latest(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    grouped_latest((rows, workers, digest), hours(6), hours(1))
}

/// Count and sum per user and window, at once; a window goes when it has ended.
fn grouped_latest(
    (rows, workers, digest): (Arc<Vec<Payment>>, usize, Digest),
    width: Duration,
    step: Duration,
) -> Job {
    Job::new("grouped_latest", move |g| {
        let payments = g.source("payments", source(&rows, workers))?;
        payments
            .key_by(|payment| payment.user)
            .event_time(|payment| payment.at)
            .hopping(width, step)?
            .kept_for(Duration::ZERO)
            .latest("spend", (count(), sum(|payment: &Payment| payment.cents)))
            .sink("digest", DigestSink::new(&digest, of_group))
    })
}

fn of_group(row: &GroupRow<u64, (i64, f64)>) -> f64 {
    of_window(row.start, row.value.0, row.value.1)
}

/// Sessions with a gap of 30 min per user, count and sum, at once; late rows join them.
fn session_latest(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    Job::new("session_latest", move |g| {
        let payments = g.source("payments", source(&rows, workers))?;
        payments
            .key_by(|payment| payment.user)
            .event_time(|payment| payment.at)
            .session(minutes(30))?
            .latest("spend", (count(), sum(|payment: &Payment| payment.cents)))
            .sink(
                "digest",
                DigestSink::new(&digest, |row: &SessionRow<u64, (i64, f64)>| {
                    of_window(row.start, row.value.0, row.value.1)
                }),
            )
    })
}

/// The largest amount of a user's last 24 h, at once, falling as the watermark passes.
fn sliding_latest(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    Job::new("sliding_latest", move |g| {
        let payments = g.source("payments", source(&rows, workers))?;
        payments
            .key_by(|payment| payment.user)
            .event_time(|payment| payment.at)
            .rolling([hours(24)])?
            .aggregate("largest", max(|payment: &Payment| payment.cents))
            .latest()
            .sink("digest", DigestSink::new(&digest, largest))
    })
}

/// The largest amount in the 24 h before each payment, at once, and repaired as payments come late.
fn sliding_corrections(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    type Row = (Payment, SlidingRow<u64, Option<f64>, 1>);
    Job::new("sliding_corrections", move |g| {
        let payments = g.source("payments", source(&rows, workers))?;
        payments
            .key_by(|payment| payment.user)
            .event_time(|payment| payment.at)
            .rolling([hours(24)])?
            .aggregate("largest", max(|payment: &Payment| payment.cents))
            .corrections()
            .sink(
                "digest",
                DigestSink::new(&digest, |(_, row): &Row| largest(row)),
            )
    })
}

fn largest(row: &SlidingRow<u64, Option<f64>, 1>) -> f64 {
    row.windows[0].unwrap_or(0.0)
}
