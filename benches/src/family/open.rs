//! Windows that are not trailing as of the moments of labels: what those that hold the moment had come to by then.
//!
//! ```text
//! labels     (user, t) ─▶ (label, the user's payments of the hour, of six hours from each hour on, of the day, of the
//!                         session, of all, or fading, up to t)
//! expected   per label: their amounts, weighted by t; of windows that overlap also by when each begins
//! ```

use std::sync::Arc;

use thalweg::operators::window::at::Answer;
use thalweg::operators::window::decayed::DecayedRow;
use thalweg::operators::window::grouped::WindowsAt;
use thalweg::operators::window::session::SessionAt;
use thalweg::prelude::*;

use crate::data::Payment;
use crate::digest::{Digest, DigestSink, weight};
use crate::family::by_key;
use crate::family::labels::{Asked, tenths, timelines, window};
use crate::workload::Workload;

const HOUR_US: i64 = 3_600_000_000;
const DAY_US: i64 = 24 * HOUR_US;
/// Windows of six hours that hold a moment: one begins every hour.
const OVERLAPPING: i64 = 6;
/// What ends a session.
const GAP_US: i64 = HOUR_US / 2;

pub(super) fn all() -> Vec<Workload> {
    vec![
        Workload::checked("point_in_time_hour", this_hour, |rows| {
            spent(rows, |of_user, at| {
                window(of_user, at - at.rem_euclid(HOUR_US), at)
            })
        }),
        Workload::checked("point_in_time_hopping", hopping, |rows| {
            let users = by_key(rows, |row| row.user);
            let held = |(user, at): Asked| {
                let newest = at - at.rem_euclid(HOUR_US);
                let starts = (0..OVERLAPPING).map(|older| newest - older * HOUR_US);
                let cents = starts.map(|start| {
                    let open = window(&users[&user], start, at).iter();
                    open.map(|row| row.cents).sum::<i64>() * weight(start)
                });
                (cents.sum::<i64>() * weight(at)) as f64
            };
            tenths(rows).map(held).sum()
        }),
        Workload::checked("point_in_time_day", this_day, |rows| {
            spent(rows, |of_user, at| {
                // New York is five hours behind all winter.
                let start = at - (at - 5 * HOUR_US).rem_euclid(DAY_US);
                window(of_user, start, at)
            })
        }),
        Workload::checked("point_in_time_session", session, |rows| {
            spent(rows, |of_user, at| {
                let until = window(of_user, i64::MIN, at);
                let mut next = at;
                let before = until.iter().rposition(|row| {
                    let is_apart = next - row.at > GAP_US;
                    next = row.at;
                    is_apart
                });
                &until[before.map_or(0, |place| place + 1)..]
            })
        }),
        Workload::checked("point_in_time_lifetime", lifetime, |rows| {
            spent(rows, |of_user, at| window(of_user, i64::MIN, at))
        }),
        Workload::checked("point_in_time_decayed", decayed, |rows| {
            let users = by_key(rows, |row| row.user);
            let faded = |(user, at): Asked| {
                let until = window(&users[&user], i64::MIN, at).iter();
                let cents = until.map(|row| {
                    let hours = (at - row.at) as f64 / HOUR_US as f64;
                    row.cents as f64 * (-hours).exp2()
                });
                cents.sum::<f64>() * weight(at) as f64
            };
            tenths(rows).map(faded).sum()
        }),
    ]
}

/// The amounts of the payments that count for each label, of its user's by time.
fn spent(rows: &[Payment], counts: impl Fn(&[Payment], i64) -> &[Payment]) -> f64 {
    let users = by_key(rows, |row| row.user);
    let of_label = |(user, at): Asked| {
        let counted = counts(&users[&user], at).iter();
        (counted.map(|row| row.cents).sum::<i64>() * weight(at)) as f64
    };
    tenths(rows).map(of_label).sum()
}

/// The sum of a user's payments in the hour of the clock, up to each label.
fn this_hour(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    Job::new("point_in_time_hour", move |g| {
        let (payments, labels) = timelines(g, &rows, workers)?;
        let hour = payments.tumbling(hours(1))?;
        let answers = hour.at("hour", sum(|payment: &Payment| payment.cents), &labels);
        answers
            .finals()
            .sink("digest", DigestSink::new(&digest, opened))
    })
}

/// The sums of a user's payments in the windows of six hours, one from each hour on, that hold a label, up to it.
fn hopping(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    Job::new("point_in_time_hopping", move |g| {
        let (payments, labels) = timelines(g, &rows, workers)?;
        let windows = payments.hopping(hours(6), hours(1))?;
        let answers = windows.at("six hours", sum(|payment: &Payment| payment.cents), &labels);
        answers
            .finals()
            .sink("digest", DigestSink::new(&digest, overlapping))
    })
}

fn overlapping(((_, at), row): &Answer<Asked, WindowsAt<u64, f64>>) -> f64 {
    let cents = row.as_ref().map(|row| {
        let windows = row.windows.iter();
        let weighted = windows.map(|window| window.value * weight(window.start) as f64);
        weighted.sum::<f64>()
    });
    cents.unwrap_or(f64::NAN) * weight(*at) as f64
}

/// The sum of a user's payments in the day in New York, up to each label.
fn this_day(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    Job::new("point_in_time_day", move |g| {
        let (payments, labels) = timelines(g, &rows, workers)?;
        let day = payments.calendar(Calendar::Day, "America/New_York")?;
        let answers = day.at("day", sum(|payment: &Payment| payment.cents), &labels);
        answers
            .finals()
            .sink("digest", DigestSink::new(&digest, opened))
    })
}

/// The sum of a user's payments in the session that is open, up to each label.
fn session(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    type Row = Answer<Asked, SessionAt<u64, f64>>;
    let look = |((_, at), row): &Row| {
        let open = row.as_ref().map(|row| row.session.as_ref());
        let cents = open.map(|open| open.map_or(0.0, |open| open.value));
        cents.unwrap_or(f64::NAN) * weight(*at) as f64
    };
    Job::new("point_in_time_session", move |g| {
        let (payments, labels) = timelines(g, &rows, workers)?;
        let sessions = payments.session(minutes(30))?;
        let answers = sessions.at("session", sum(|payment: &Payment| payment.cents), &labels);
        answers
            .finals()
            .sink("digest", DigestSink::new(&digest, look))
    })
}

/// The sum of all payments of a user, up to each label.
fn lifetime(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    Job::new("point_in_time_lifetime", move |g| {
        let (payments, labels) = timelines(g, &rows, workers)?;
        let spent = sum(|payment: &Payment| payment.cents);
        let answers = payments.lifetime().at("lifetime", spent, &labels);
        answers
            .finals()
            .sink("digest", DigestSink::new(&digest, opened))
    })
}

fn opened(((_, at), row): &Answer<Asked, WindowsAt<u64, f64>>) -> f64 {
    let cents = row.as_ref().and_then(WindowsAt::value);
    cents.copied().unwrap_or(f64::NAN) * weight(*at) as f64
}

/// The sum of a user's payments, half of which is gone after each hour, as of each label.
fn decayed(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    let look = |((_, at), row): &Answer<Asked, DecayedRow<u64>>| {
        row.as_ref().map_or(f64::NAN, |row| row.sum) * weight(*at) as f64
    };
    Job::new("point_in_time_decayed", move |g| {
        let (payments, labels) = timelines(g, &rows, workers)?;
        let fading = payments.decayed(hours(1))?;
        let answers = fading.at("fading", |payment| payment.cents, &labels);
        answers
            .finals()
            .sink("digest", DigestSink::new(&digest, look))
    })
}
