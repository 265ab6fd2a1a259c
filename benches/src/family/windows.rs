//! Windows of which no speed is asked.

use std::sync::Arc;
use std::time::Duration;

use thalweg::operators::value::Fixed;
use thalweg::operators::window::decayed::{Decayed, DecayedRow};
use thalweg::operators::window::grouped::GroupRow;
use thalweg::operators::window::last_rows::LastRow;
use thalweg::operators::window::rolling::Rolled;
use thalweg::operators::window::sliding::SlidingRow;
use thalweg::prelude::*;

use crate::data::{LATENESS_US, Payment, START_US};
use crate::digest::{Digest, DigestSink};
use crate::expected;
use crate::family::by_key;
use crate::workload::{Workload, source};

const HOUR_US: i64 = 3_600_000_000;
const DAY_US: i64 = 24 * HOUR_US;
/// How often fading sums are written anew.
const REFRESH_US: i64 = 6 * HOUR_US;
/// Rows that `last_rows` keeps of a user.
const LAST: usize = 10;

pub(super) fn all() -> Vec<Workload> {
    vec![
        Workload::checked("calendar", calendar, |rows| in_new_york(rows, |day| day)),
        Workload::checked("calendar_week", calendar_week, |rows| {
            // 1970 began on a Thursday.
            in_new_york(rows, |day| (day + 3).div_euclid(7))
        }),
        Workload::checked("calendar_month", calendar_month, |rows| {
            // The first payments are made on the last evening of December, all others in January.
            in_new_york(rows, |day| i64::from(day >= START_US / DAY_US))
        }),
        Workload::checked("lifetime", lifetime, |rows| {
            let users = by_key(rows, |row| row.user);
            users.values().map(|rows| squared(rows.len() as i64)).sum()
        }),
        Workload::checked("last_rows", last_rows, |rows| {
            let users = by_key(rows, |row| row.user);
            let last =
                |rows: &Vec<Payment>| expected::cents(&rows[rows.len().saturating_sub(LAST)..]);
            users.values().map(last).sum()
        }),
        Workload::checked("decayed", decayed, |rows| {
            let fading = |rows: &Vec<Payment>| faded(rows, rows.last().map_or(0, |row| row.at));
            by_key(rows, |row| row.user).values().map(fading).sum()
        }),
        Workload::checked("decayed_refreshed", decayed_refreshed, |rows| {
            let newest = rows.iter().map(|row| row.at).max().unwrap_or(0);
            let refreshed = (newest - LATENESS_US).div_euclid(REFRESH_US) * REFRESH_US;
            let fading = |rows: &Vec<Payment>| {
                let own = rows.last().map_or(0, |row| row.at);
                faded(rows, own.max(refreshed))
            };
            by_key(rows, |row| row.user).values().map(fading).sum()
        }),
        Workload::checked("rolling_totals", rolling_totals, |rows| {
            let newest_day = |rows: &Vec<Payment>| -> f64 {
                let newest = rows.last().map_or(0, |row| row.at);
                let inside = rows.iter().filter(|row| row.at >= newest - DAY_US);
                inside
                    .map(|row| row.cents as f64 + f64::from(row.merchant))
                    .sum()
            };
            by_key(rows, |row| row.user).values().map(newest_day).sum()
        }),
        Workload::checked("sliding", sliding, largest_before_each),
    ]
}

/// The squared counts per user and window; `window` numbers windows by the days since 1970 in New York.
fn in_new_york(rows: &[Payment], window: fn(i64) -> i64) -> f64 {
    let of_row = |row: &Payment| {
        // New York is five hours behind all winter.
        let day = (row.at - 5 * HOUR_US).div_euclid(DAY_US);
        (row.user, window(day))
    };
    let mut groups: Vec<(u64, i64)> = rows.iter().map(of_row).collect();
    groups.sort_unstable();
    let groups = groups.chunk_by(|a, b| a == b);
    groups.map(|group| squared(group.len() as i64)).sum()
}

/// A user's amounts as of a moment, halved every day.
fn faded(rows: &[Payment], as_of: i64) -> f64 {
    let weight = |row: &Payment| (-((as_of - row.at) as f64) / DAY_US as f64).exp2();
    rows.iter().map(|row| row.cents as f64 * weight(row)).sum()
}

/// The largest amount in the 24 h before each payment of a user, added up.
pub(super) fn largest_before_each(rows: &[Payment]) -> f64 {
    let of_user = |rows: &Vec<Payment>| -> f64 {
        let mut first = 0;
        let of_row = |(last, row): (usize, &Payment)| {
            while rows[first].at < row.at - DAY_US {
                first += 1;
            }
            let window = rows[first..=last].iter();
            window.map(|row| row.cents).max().unwrap_or(0) as f64
        };
        rows.iter().enumerate().map(of_row).sum()
    };
    by_key(rows, |row| row.user).values().map(of_user).sum()
}

fn squared(count: i64) -> f64 {
    (count * count) as f64
}

/// Count and sum per user and day in New York, once the day has ended.
fn calendar(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    calendar_of("calendar", (rows, workers, digest), Calendar::Day)
}

/// The same per week.
fn calendar_week(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    calendar_of("calendar_week", (rows, workers, digest), Calendar::Week)
}

/// The same per month.
fn calendar_month(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    calendar_of("calendar_month", (rows, workers, digest), Calendar::Month)
}

fn calendar_of(
    name: &str,
    (rows, workers, digest): (Arc<Vec<Payment>>, usize, Digest),
    calendar: Calendar,
) -> Job {
    Job::new(name, move |g| {
        let payments = g.source("payments", source(&rows, workers))?;
        payments
            .key_by(|payment| payment.user)
            .event_time(|payment| payment.at)
            .calendar(calendar, "America/New_York")?
            .finals("spend", (count(), sum(|payment: &Payment| payment.cents)))
            .sink("digest", DigestSink::new(&digest, of_group))
    })
}

/// Count and sum per user for ever, at once.
fn lifetime(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    Job::new("lifetime", move |g| {
        let payments = g.source("payments", source(&rows, workers))?;
        payments
            .key_by(|payment| payment.user)
            .lifetime()
            .latest("spend", (count(), sum(|payment: &Payment| payment.cents)))
            .sink("digest", DigestSink::new(&digest, of_group))
    })
}

fn of_group(row: &GroupRow<u64, (i64, f64)>) -> f64 {
    squared(row.value.0)
}

/// The sum of a user's last ten payments.
fn last_rows(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    Job::new("last_rows", move |g| {
        let payments = g.source("payments", source(&rows, workers))?;
        payments
            .key_by(|payment| payment.user)
            .event_time(|payment| payment.at)
            .last_rows(LAST)?
            .latest("spend", sum(|payment: &Payment| payment.cents))
            .sink(
                "digest",
                DigestSink::new(&digest, |row: &LastRow<u64, f64>| row.value),
            )
    })
}

/// A user's amounts, which halve every day.
fn decayed(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    Job::new("decayed", move |g| {
        let fading = fading(g, &rows, workers)?;
        sums(&fading).sink("digest", DigestSink::new(&digest, sum_of))
    })
}

/// The same, and all users are written anew every six hours.
fn decayed_refreshed(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    Job::new("decayed_refreshed", move |g| {
        let every = Duration::from_micros(REFRESH_US.unsigned_abs());
        let fading = fading(g, &rows, workers)?.refreshed(every)?;
        sums(&fading).sink("digest", DigestSink::new(&digest, sum_of))
    })
}

fn fading<'s>(
    g: &Graph<'s>,
    rows: &Arc<Vec<Payment>>,
    workers: usize,
) -> Result<Decayed<'s, Payment, u64>, JobError> {
    let payments = g.source("payments", source(rows, workers))?;
    let by_user = payments.key_by(|payment| payment.user);
    by_user.event_time(|payment| payment.at).decayed(days(1))
}

fn sums<'s>(fading: &Decayed<'s, Payment, u64>) -> Table<'s, DecayedRow<u64>> {
    fading.latest("fading", |payment| payment.cents)
}

fn sum_of(row: &DecayedRow<u64>) -> f64 {
    row.sum
}

/// Amounts and merchants of a user's last 24 h, added up in one pass without extremes.
fn rolling_totals(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    type Totals = Rolled<u64, Fixed<0>, 2, 1>;
    let added = |row: &Totals| {
        let lanes = row.windows[0].iter();
        lanes.map(|lane| lane.sum().unwrap_or(0.0)).sum()
    };
    Job::new("rolling_totals", move |g| {
        let payments = g.source("payments", source(&rows, workers))?;
        payments
            .key_by(|payment| payment.user)
            .event_time(|payment| payment.at)
            .rolling([hours(24)])?
            .totals_of("totals", |payment| {
                [payment.cents, i64::from(payment.merchant)]
            })
            .expiry(Expiry::AtNextEvent)
            .latest()
            .sink("digest", DigestSink::new(&digest, added))
    })
}

/// The largest amount in the 24 h before each payment.
fn sliding(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    type Row = (Payment, SlidingRow<u64, Option<f64>, 1>);
    Job::new("sliding", move |g| {
        let payments = g.source("payments", source(&rows, workers))?;
        payments
            .key_by(|payment| payment.user)
            .event_time(|payment| payment.at)
            .rolling([hours(24)])?
            .aggregate("largest", max(|payment: &Payment| payment.cents))
            .finals()
            .sink(
                "digest",
                DigestSink::new(&digest, |(_, row): &Row| row.windows[0].unwrap_or(0.0)),
            )
    })
}
