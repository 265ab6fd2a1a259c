//! Windows as of the moments of labels: in the modes of which no speed is asked, of any aggregate, and by number.
//!
//! ```text
//! labels     (user, t) ─▶ (label, windows [t − width, t] of the user's payments, or the last ten up to t)
//! expected   per label and window: payments and their amounts, weighted by t and by the window
//! ```

use std::sync::Arc;

use thalweg::operators::key_by::Timeline;
use thalweg::operators::value::Fixed;
use thalweg::operators::window::at::{Answer, PointInTime};
use thalweg::operators::window::last_rows::LastRow;
use thalweg::operators::window::rolling::{Rolled, Rolling};
use thalweg::operators::window::sliding::SlidingRow;
use thalweg::prelude::*;

use crate::asof::is_label;
use crate::data::{LATENESS_US, Payment};
use crate::digest::{Digest, DigestSink, weight};
use crate::family::by_key;
use crate::workload::{Workload, source};

const HOUR_US: i64 = 3_600_000_000;
const DAY_US: i64 = 24 * HOUR_US;
const WIDTHS_US: [i64; 3] = [HOUR_US, DAY_US, 7 * DAY_US];
/// Payments that count as a user's last ones.
const LAST: usize = 10;

/// A user and a moment, for which the user's windows are asked.
pub(super) type Asked = (u64, i64);
/// A user's amounts over the three widths.
type Spend = Rolled<u64, Fixed<0>, 1, 3>;
/// The windows as of labels, in no mode yet.
type Asking<'s> = PointInTime<'s, Rolling<'s, Payment, u64, Fixed<0>, 1, 3>, Asked>;

pub(super) fn all() -> Vec<Workload> {
    vec![
        Workload::checked("point_in_time_corrections", corrections, |rows| {
            told(rows, tenths(rows), |_, _| true)
        }),
        Workload::checked("point_in_time_as_known", as_known, |rows| {
            let labels = rows.iter().filter(|row| is_label(row));
            told(rows, labels.map(an_hour_before), |_, _| true)
        }),
        Workload::checked("point_in_time_as_known_by", as_known_by, |rows| {
            told(rows, tenths(rows), |row, at| arrived(row) <= at)
        }),
        Workload::checked("point_in_time_largest", largest, |rows| {
            let users = by_key(rows, |row| row.user);
            let largest = |(user, at): Asked| {
                let inside = window(&users[&user], at - DAY_US, at).iter();
                (inside.map(|row| row.cents).max().unwrap_or(0) * weight(at)) as f64
            };
            tenths(rows).map(largest).sum()
        }),
        Workload::checked("point_in_time_last_rows", last_rows, |rows| {
            let users = by_key(rows, |row| row.user);
            let last = |(user, at): Asked| {
                let until = window(&users[&user], i64::MIN, at);
                let last = &until[until.len().saturating_sub(LAST)..];
                (last.iter().map(|row| row.cents).sum::<i64>() * weight(at)) as f64
            };
            tenths(rows).map(last).sum()
        }),
    ]
}

/// The labels that ask as of every tenth payment.
pub(super) fn tenths(rows: &[Payment]) -> impl Iterator<Item = Asked> {
    rows.iter().step_by(10).map(|row| (row.user, row.at))
}

/// The label that comes with a payment and asks as of an hour before it.
fn an_hour_before(row: &Payment) -> Asked {
    (row.user, row.at - LATENESS_US)
}

/// When a payment says that it arrived: up to two hours after it was made.
fn arrived(row: &Payment) -> i64 {
    row.at + row.cents % 8 * (HOUR_US / 4)
}

/// The payments of a user from a moment to another, both inside.
pub(super) fn window(rows: &[Payment], from: i64, to: i64) -> &[Payment] {
    let [from, until] = [from, to + 1].map(|at| rows.partition_point(|row| row.at < at));
    &rows[from..until]
}

/// What labels are told, added up: of each window the payments that count as of the label's moment.
fn told(
    rows: &[Payment],
    labels: impl Iterator<Item = Asked>,
    counts: fn(&Payment, i64) -> bool,
) -> f64 {
    let users = by_key(rows, |row| row.user);
    let of_label = |(user, at): Asked| {
        let windows = WIDTHS_US.map(|width| {
            let inside = window(&users[&user], at - width, at).iter();
            let inside = inside.filter(|row| counts(row, at));
            inside.map(|row| 1 + row.cents).sum::<i64>() as f64
        });
        weighted(windows, at)
    };
    labels.map(of_label).sum()
}

/// The narrower windows count twice and four times, all of them by the label's moment.
fn weighted([hour, day, week]: [f64; 3], at: i64) -> f64 {
    (4.0 * hour + 2.0 * day + week) * weight(at) as f64
}

fn look(((_, at), row): &Answer<Asked, Spend>) -> f64 {
    let held = |row: &Spend, w| {
        let moments = row.window(w);
        moments.count() as f64 + moments.sum().unwrap_or(f64::NAN)
    };
    let windows = |row| weighted([0, 1, 2].map(|w| held(row, w)), *at);
    row.as_ref().map_or(0.0, windows)
}

/// The three windows of payments, as of labels.
fn spend<'s>(
    payments: &Table<'s, Payment>,
    labels: &Table<'s, Asked>,
) -> Result<Asking<'s>, JobError> {
    let windows = payments
        .key_by(|payment| payment.user)
        .event_time(|payment| payment.at)
        .rolling([hours(1), hours(24), days(7)])?
        .moments("amount", |payment| payment.cents);
    Ok(windows.at(&labels
        .key_by(|label: &Asked| label.0)
        .event_time(|label| label.1)))
}

/// Payments, and labels as of every tenth of them, from a source of their own.
fn payments_and_tenths<'s>(
    g: &Graph<'s>,
    rows: &Arc<Vec<Payment>>,
    workers: usize,
) -> Result<(Table<'s, Payment>, Table<'s, Asked>), JobError> {
    let labels = Arc::new(rows.iter().step_by(10).copied().collect());
    let payments = g.source("payments", source(rows, workers))?;
    let labels = g.source("labels", source(&labels, workers))?;
    let labels = labels.map(|label| (label.user, label.at));
    Ok((payments.clone(), labels))
}

/// A user's payments by time, and labels as of every tenth of all by user and time.
pub(super) type Timelines<'s> = (Timeline<'s, Payment, u64>, Timeline<'s, Asked, u64>);

pub(super) fn timelines<'s>(
    g: &Graph<'s>,
    rows: &Arc<Vec<Payment>>,
    workers: usize,
) -> Result<Timelines<'s>, JobError> {
    let (payments, labels) = payments_and_tenths(g, rows, workers)?;
    let payments = payments.key_by(|payment| payment.user);
    let labels = labels.key_by(|label: &Asked| label.0);
    Ok((
        payments.event_time(|payment| payment.at),
        labels.event_time(|label| label.1),
    ))
}

/// The three windows at once, and repaired as payments come late.
fn corrections(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    Job::new("point_in_time_corrections", move |g| {
        let (payments, labels) = payments_and_tenths(g, &rows, workers)?;
        let answers = spend(&payments, &labels)?.corrections();
        answers.sink("digest", DigestSink::new(&digest, look))
    })
}

/// The three windows as they are known. Labels come with payments and ask as of an hour before them, of which all has
/// arrived: so the answers do not depend on how rows are cut into epochs. There is one partition for any number of
/// workers, for with several a label may be read before what had arrived by then.
fn as_known(rows: Arc<Vec<Payment>>, _: usize, digest: Digest) -> Job {
    Job::new("point_in_time_as_known", move |g| {
        let payments = g.source("payments", source(&rows, 1))?;
        let labels =
            payments.flat_map(|payment| is_label(&payment).then(|| an_hour_before(&payment)));
        let answers = spend(&payments, &labels)?.history(hours(1)).as_known();
        answers.sink("digest", DigestSink::new(&digest, look))
    })
}

/// The three windows, over the payments that say that they had arrived by the label's moment.
fn as_known_by(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    Job::new("point_in_time_as_known_by", move |g| {
        let (payments, labels) = payments_and_tenths(g, &rows, workers)?;
        let answers = spend(&payments, &labels)?.as_known_by(arrived);
        answers.sink("digest", DigestSink::new(&digest, look))
    })
}

/// The largest amount of the 24 h before each label.
fn largest(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    type Row = Answer<Asked, SlidingRow<u64, Option<f64>, 1>>;
    let look = |((_, at), row): &Row| {
        let largest = row.as_ref().and_then(|row| row.windows[0]);
        largest.unwrap_or(0.0) * weight(*at) as f64
    };
    Job::new("point_in_time_largest", move |g| {
        let (payments, labels) = timelines(g, &rows, workers)?;
        payments
            .rolling([hours(24)])?
            .aggregate("largest", max(|payment: &Payment| payment.cents))
            .at(&labels)
            .finals()
            .sink("digest", DigestSink::new(&digest, look))
    })
}

/// The sum of a user's last ten payments up to each label.
fn last_rows(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    type Row = Answer<Asked, LastRow<u64, f64>>;
    let look = |((_, at), row): &Row| {
        let spent = row.as_ref().map_or(f64::NAN, |row| row.value);
        spent * weight(*at) as f64
    };
    Job::new("point_in_time_last_rows", move |g| {
        let (payments, labels) = timelines(g, &rows, workers)?;
        payments
            .last_rows(LAST)?
            .at("last ten", sum(|payment: &Payment| payment.cents), &labels)
            .finals()
            .sink("digest", DigestSink::new(&digest, look))
    })
}
