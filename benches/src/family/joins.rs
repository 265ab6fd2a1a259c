//! Joins of which no speed is asked.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use thalweg::connectors::memory::Log;
use thalweg::operators::key_by::{Keyed, Timeline};
use thalweg::prelude::*;

use crate::asof::{Rate, is_label, label_of, rates};
use crate::data::{MERCHANTS, Payment};
use crate::digest::{Digest, DigestSink, weight};
use crate::family::by_key;
use crate::family::labels::window;
use crate::workload::{Workload, source};

/// How far from a label a payment may be to be near it.
const NEAR_US: i64 = 3_600_000_000;
/// How old a payment may be to be the newest of a label.
const OLDEST_US: i64 = 24 * NEAR_US;
/// The last of a rate's three days, on which it does not hold: some payments find none.
const LAPSED_US: i64 = 24 * NEAR_US;

type Joined = (Payment, Option<Payment>);

pub(super) fn all() -> Vec<Workload> {
    vec![
        Workload::checked("asof_forward", asof_forward, |rows| {
            asof(rows, |_, next| next)
        }),
        Workload::checked("asof_nearest", asof_nearest, |rows| {
            asof(rows, |older, next| match (older, next) {
                (Some(older), Some(next)) if older.0 <= next.0 => Some(older),
                (older, next) => next.or(older),
            })
        }),
        Workload::checked("asof_final", asof_final, |rows| {
            asof(rows, |older, _| older.filter(|found| found.0 <= OLDEST_US))
        }),
        Workload::checked("lookup_asof_final", lookup_asof_final, at_rates),
        Workload::checked("interval_join", interval_join, |rows| {
            pairs(rows, |label, payment| (label - payment).abs() <= NEAR_US)
        }),
        Workload::checked("interval_join_left", interval_join_left, |rows| {
            near_or_alone(rows, |at| (at - NEAR_US, at + NEAR_US))
        }),
        Workload::checked("windowed_join", windowed_join, |rows| {
            pairs(rows, |label, payment| label / NEAR_US == payment / NEAR_US)
        }),
        Workload::checked("windowed_join_left", windowed_join_left, |rows| {
            near_or_alone(rows, |at| {
                let start = at - at.rem_euclid(NEAR_US);
                (start, start + NEAR_US - 1)
            })
        }),
        Workload::checked("join_inner", join_inner, |rows| {
            on_key(rows, |cents, known| if known { cents } else { 0.0 })
        }),
        Workload::checked("join_left", join_left, |rows| {
            on_key(rows, |cents, known| if known { cents } else { -cents })
        }),
        Workload::checked("join_full", join_full, |rows| {
            let met: BTreeSet<_> = rows.iter().map(|row| row.merchant).collect();
            let alone = known().filter(|merchant| !met.contains(merchant)).count();
            let left = on_key(rows, |cents, known| if known { cents } else { -cents });
            left + alone as f64
        }),
        Workload::checked("join_semi", join_semi, |rows| {
            on_key(rows, |cents, known| if known { cents } else { 0.0 })
        }),
        Workload::checked("join_anti", join_anti, |rows| {
            on_key(rows, |cents, known| if known { 0.0 } else { cents })
        }),
    ]
}

/// The amounts that labels find: of a label's older and next payment, each with how far away it is, `choose` takes one.
fn asof(
    rows: &[Payment],
    choose: fn(Option<(i64, i64)>, Option<(i64, i64)>) -> Option<(i64, i64)>,
) -> f64 {
    let users = by_key(rows, |row| row.user);
    let none = Vec::new();
    let found = |label: Payment| {
        let payments = users.get(&label.user).unwrap_or(&none);
        let away = |row: &Payment| ((row.at - label.at).abs(), row.cents);
        let older = payments.partition_point(|row| row.at <= label.at);
        let next = payments.partition_point(|row| row.at < label.at);
        let older = older.checked_sub(1).map(|place| away(&payments[place]));
        choose(older, payments.get(next).map(away)).map_or(0.0, |found| found.1 as f64)
    };
    let labels = rows.iter().filter(|row| is_label(row)).map(label_of);
    labels.map(found).sum()
}

/// The amounts of the payments that meet labels of their user.
fn pairs(rows: &[Payment], meet: fn(i64, i64) -> bool) -> f64 {
    let of_user = |rows: &Vec<Payment>| -> f64 {
        let mut first = 0;
        let mut sum = 0;
        for label in rows.iter().filter(|row| is_label(row)) {
            while rows[first].at < label.at - NEAR_US {
                first += 1;
            }
            let near = rows[first..]
                .iter()
                .take_while(|row| row.at <= label.at + NEAR_US);
            let met = near.filter(|row| meet(label.at, row.at));
            sum += met.map(|row| row.cents).sum::<i64>();
        }
        sum as f64
    };
    by_key(rows, |row| row.user).values().map(of_user).sum()
}

/// The amounts that are near each label of another user, or 1 where there are none, weighted by the label's time;
/// `around` says from when to when they are near, both inside.
fn near_or_alone(rows: &[Payment], around: fn(i64) -> (i64, i64)) -> f64 {
    let users = by_key(rows, |row| row.user);
    let none = Vec::new();
    let of_label = |label: Payment| {
        let (first, last) = around(label.at);
        let near = window(users.get(&label.user).unwrap_or(&none), first, last);
        let sum = if near.is_empty() {
            1
        } else {
            near.iter().map(|row| row.cents).sum::<i64>()
        };
        (sum * weight(label.at)) as f64
    };
    let labels = rows.iter().filter(|row| is_label(row)).map(label_of);
    labels.map(of_label).sum()
}

/// The amounts of all payments, each at its merchant's rate.
fn at_rates(rows: &[Payment]) -> f64 {
    // By merchant, and of a merchant one after another.
    let rates = rates();
    let of_row = |row: &Payment| {
        let moment = (row.merchant, row.at);
        let begun = rates.partition_point(|rate| (rate.merchant, rate.from) <= moment);
        let newest = begun.checked_sub(1).map(|place| &rates[place]);
        let is_its = |rate: &Rate| rate.merchant == row.merchant && held(rate).contains(&row.at);
        at_rate(row, newest.filter(|rate| is_its(rate)))
    };
    rows.iter().map(of_row).sum()
}

/// An amount at a rate, or whole where there is none.
fn at_rate(payment: &Payment, rate: Option<&Rate>) -> f64 {
    let percent = rate.map_or(100, |rate| rate.percent);
    (payment.cents * i64::from(percent)) as f64
}

/// From when to when a rate holds.
fn held(rate: &Rate) -> Range<i64> {
    rate.from..rate.to - LAPSED_US
}

/// What each payment counts, by whether its merchant is known.
fn on_key(rows: &[Payment], counts: fn(f64, bool) -> f64) -> f64 {
    let cents = rows
        .iter()
        .map(|row| counts(row.cents as f64, is_known(row.merchant)));
    cents.sum()
}

fn is_known(merchant: u32) -> bool {
    merchant.is_multiple_of(2)
}

fn known() -> impl Iterator<Item = u32> {
    (1..=MERCHANTS).filter(|merchant| is_known(*merchant))
}

fn timed<'s>(payments: &Table<'s, Payment>) -> Timeline<'s, Payment, u64> {
    payments
        .key_by(|payment| payment.user)
        .event_time(|payment| payment.at)
}

/// Labels and payments, by user.
fn labels_and_payments<'s>(
    g: &Graph<'s>,
    rows: &Arc<Vec<Payment>>,
    workers: usize,
    label: fn(&Payment) -> Payment,
) -> Result<[Timeline<'s, Payment, u64>; 2], JobError> {
    let payments = g.source("payments", source(rows, workers))?;
    let labels = payments.flat_map(move |payment| is_label(&payment).then(|| label(&payment)));
    Ok([timed(&labels), timed(&payments)])
}

/// The next payment of a label's user, once it is known.
fn asof_forward(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    Job::new("asof_forward", move |g| {
        let [labels, payments] = labels_and_payments(g, &rows, workers, label_of)?;
        let next = labels.asof("next", &payments).forward().finals();
        next.sink("digest", DigestSink::new(&digest, found))
    })
}

/// The payment of a label's user that is nearest in time, at once and with repairs.
fn asof_nearest(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    Job::new("asof_nearest", move |g| {
        let [labels, payments] = labels_and_payments(g, &rows, workers, label_of)?;
        let nearest = labels.asof("nearest", &payments).nearest().latest();
        nearest.sink("digest", DigestSink::new(&digest, found))
    })
}

/// The newest payment of a label's user, of one day at most, once it is known.
fn asof_final(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    Job::new("asof_final", move |g| {
        let [labels, payments] = labels_and_payments(g, &rows, workers, label_of)?;
        let newest = labels.asof("newest", &payments).tolerance(hours(24));
        newest
            .finals()
            .sink("digest", DigestSink::new(&digest, found))
    })
}

fn found((_, found): &Joined) -> f64 {
    found.map_or(0.0, |found| found.cents as f64)
}

/// Each payment at its merchant's rate as of the payment, once the watermark has passed it.
fn lookup_asof_final(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    let look = |(payment, rate): &(Payment, Option<Rate>)| at_rate(payment, rate.as_ref());
    Job::new("lookup_asof_final", move |g| {
        let payments = g.source("payments", source(&rows, workers))?;
        let rates = g.source("rates", Log::rows(rates()).untimed())?;
        let rates = rates.key_by(|rate: &Rate| rate.merchant);
        payments
            .key_by(|payment| payment.merchant)
            .event_time(|payment| payment.at)
            .lookup_asof("rate", &rates, held)
            .finals()
            .sink("digest", DigestSink::new(&digest, look))
    })
}

/// The payments of a label's user an hour before and after it.
fn interval_join(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    Job::new("interval_join", move |g| {
        let [labels, payments] = labels_and_payments(g, &rows, workers, |row| *row)?;
        let near = labels.interval_join("near", &payments, -NEAR_US..=NEAR_US)?;
        near.finals().sink("digest", DigestSink::new(&digest, met))
    })
}

/// The same of another user, or the label alone, at once and with repairs.
fn interval_join_left(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    Job::new("interval_join_left", move |g| {
        let [labels, payments] = labels_and_payments(g, &rows, workers, label_of)?;
        let near = labels.interval_join("near", &payments, -NEAR_US..=NEAR_US)?;
        near.left()
            .latest()
            .sink("digest", DigestSink::new(&digest, met_or_alone))
    })
}

fn met_or_alone((label, payment): &Joined) -> f64 {
    let cents = payment.map_or(1, |payment| payment.cents);
    (cents * weight(label.at)) as f64
}

/// The payments of a label's user in the same hour.
fn windowed_join(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    Job::new("windowed_join", move |g| {
        let [labels, payments] = labels_and_payments(g, &rows, workers, |row| *row)?;
        let together = labels.windowed_join("together", &payments, hours(1))?;
        together
            .finals()
            .sink("digest", DigestSink::new(&digest, met))
    })
}

/// The same of another user, or the label alone, once the watermark has passed the hour.
fn windowed_join_left(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    Job::new("windowed_join_left", move |g| {
        let [labels, payments] = labels_and_payments(g, &rows, workers, label_of)?;
        let together = labels.windowed_join("together", &payments, hours(1))?;
        together
            .left()
            .finals()
            .sink("digest", DigestSink::new(&digest, met_or_alone))
    })
}

fn met((_, payment): &(Payment, Payment)) -> f64 {
    payment.cents as f64
}

/// Payments, and the merchants that are known, by merchant.
type Sides<'s> = (Keyed<'s, Payment, u32>, Keyed<'s, u32, u32>);

fn sides<'s>(
    g: &Graph<'s>,
    rows: &Arc<Vec<Payment>>,
    workers: usize,
) -> Result<Sides<'s>, JobError> {
    let payments = g.source("payments", source(rows, workers))?;
    let merchants = g.source("merchants", Log::rows(known().collect()).untimed())?;
    Ok((
        payments.key_by(|payment| payment.merchant),
        merchants.key_by(|merchant| *merchant),
    ))
}

/// Payments with their known merchant.
fn join_inner(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    Job::new("join_inner", move |g| {
        let (payments, merchants) = sides(g, &rows, workers)?;
        let cents = |(payment, _): &(Payment, u32)| payment.cents as f64;
        payments
            .join("merchant", &merchants)
            .sink("digest", DigestSink::new(&digest, cents))
    })
}

/// All payments, with their merchant where it is known.
fn join_left(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    Job::new("join_left", move |g| {
        let (payments, merchants) = sides(g, &rows, workers)?;
        let signed = |(payment, merchant): &(Payment, Option<u32>)| signed(payment, merchant);
        payments
            .left_join("merchant", &merchants)
            .sink("digest", DigestSink::new(&digest, signed))
    })
}

/// All payments, and all known merchants.
fn join_full(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    Job::new("join_full", move |g| {
        let (payments, merchants) = sides(g, &rows, workers)?;
        let signed = |(payment, merchant): &(Option<Payment>, Option<u32>)| {
            payment.map_or(1.0, |payment| signed(&payment, merchant))
        };
        payments
            .full_join("merchant", &merchants)
            .sink("digest", DigestSink::new(&digest, signed))
    })
}

fn signed(payment: &Payment, merchant: &Option<u32>) -> f64 {
    let cents = payment.cents as f64;
    if merchant.is_some() { cents } else { -cents }
}

/// Payments whose merchant is known.
fn join_semi(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    Job::new("join_semi", move |g| {
        let (payments, merchants) = sides(g, &rows, workers)?;
        payments
            .semi_join("known", &merchants)
            .sink("digest", DigestSink::new(&digest, cents))
    })
}

/// Payments whose merchant is not known.
fn join_anti(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    Job::new("join_anti", move |g| {
        let (payments, merchants) = sides(g, &rows, workers)?;
        payments
            .anti_join("unknown", &merchants)
            .sink("digest", DigestSink::new(&digest, cents))
    })
}

fn cents(payment: &Payment) -> f64 {
    payment.cents as f64
}
