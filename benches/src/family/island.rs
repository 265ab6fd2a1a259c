//! The differential island: a join of two tables on it, and a count of what is distinct.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use thalweg::connectors::memory::Log;
use thalweg::prelude::*;

use crate::data::{MERCHANTS, Payment};
use crate::digest::{Digest, DigestSink, weight};
use crate::workload::{Workload, source};

/// A merchant that is known, and its share of an amount in percent.
type Share = (u32, i64);

pub(super) fn all() -> Vec<Workload> {
    vec![
        Workload::checked("differential_join", join, |rows| {
            let shares: BTreeMap<u32, i64> = shares().collect();
            let share = |row: &Payment| {
                let percent = shares.get(&row.merchant).copied().unwrap_or(0);
                (row.cents * percent * weight(row.at)) as f64
            };
            rows.iter().map(share).sum()
        }),
        Workload::checked("differential_distinct", distinct_merchants, |rows| {
            let pairs: BTreeSet<_> = rows.iter().map(|row| (row.user, row.merchant)).collect();
            let mut merchants = BTreeMap::<u64, i64>::new();
            for (user, _) in pairs {
                *merchants.entry(user).or_default() += 1;
            }
            merchants.iter().map(squared).sum()
        }),
    ]
}

/// Every other merchant has a share, which differs from the next one's.
fn shares() -> impl Iterator<Item = Share> {
    let known = (1..=MERCHANTS).step_by(2);
    known.map(|merchant| (merchant, 1 + i64::from(merchant % 90)))
}

/// A count's square, weighted by its user.
fn squared((user, count): (&u64, &i64)) -> f64 {
    (count * count) as f64 * (1 + user % 64) as f64
}

/// Payments with their merchant's share, both sides held by differential.
fn join(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    type Row = ((i64, i64), i64);
    let look = |((at, cents), percent): &Row| (cents * percent * weight(*at)) as f64;
    Job::new("differential_join", move |g| {
        let payments = g.source("payments", source(&rows, workers))?;
        let shares = g.source("shares", Log::rows(shares().collect()).untimed())?;
        payments
            .map(|payment| (payment.merchant, (payment.at, payment.cents)))
            .differential(|payments| payments.join(shares.collection()).map(|(_, pair)| pair))
            .sink("digest", DigestSink::new(&digest, look))
    })
}

/// How many different merchants each user has paid.
fn distinct_merchants(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    let look = |(user, count): &(u64, i64)| squared((user, count));
    Job::new("differential_distinct", move |g| {
        let payments = g.source("payments", source(&rows, workers))?;
        payments
            .map(|payment| (payment.user, payment.merchant))
            .differential(|pairs| {
                let pairs = pairs.distinct_core::<i64>();
                pairs.map(|(user, _)| user).count_core::<i64>()
            })
            .sink("digest", DigestSink::new(&digest, look))
    })
}
