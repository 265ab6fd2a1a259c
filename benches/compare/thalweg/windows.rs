//! The workloads over windows: rolling, tumbling, hopping and session windows of each user, drift of each country.

use std::path::Path;

use thalweg::operators::value::Float;
use thalweg::operators::window::grouped::GroupRow;
use thalweg::operators::window::rolling::{Rolled, Rolling};
use thalweg::operators::window::session::SessionRow;
use thalweg::prelude::*;

use crate::digest::{AddUp, Digest, Store, weight};
use crate::rows::{OfCountry, OfUser, Paid, Spent, micros, payments};

/// The hour of a window that begins at this many µs.
const HOUR_US: i64 = 3_600_000_000;

/// Three rolling windows of a user.
type Spend = Rolled<u64, Float, 1, 3>;

/// The windows of a payment's user, as of the payment.
type OfPayment = (i64, Spend);

/// What becomes of rolling 1 h, 24 h and 7 d of each user.
fn rolling_into<F>(name: &str, folder: &Path, sink: F) -> Job
where
    F: for<'s> Fn(Rolling<'s, OfUser, u64, Float, 1, 3>) -> Result<(), JobError>
        + Send
        + Sync
        + 'static,
{
    let source = payments(folder, |row: &OfUser| row.at_ms);
    Job::new(name, move |g| {
        let spend = g
            .source("payments", source.clone())?
            .key_by(|row| row.user)
            .event_time(|row| micros(row.at_ms))
            .rolling([hours(1), hours(24), days(7)])?
            .moments("spend", |row| row.amount);
        sink(spend)
    })
}

/// Five moments per payment, once nothing can change them any more.
pub(crate) fn rolling(folder: &Path, digest: &Digest) -> Job {
    let digest = digest.clone();
    rolling_into("rolling", folder, move |spend| {
        let sink = moments(&digest, |(id, row): &OfPayment| look(*id, row));
        spend.finals(|row| row.id).sink("digest", sink)
    })
}

/// The same at once, repaired by payments that come late.
pub(crate) fn corrections(folder: &Path, digest: &Digest) -> Job {
    let digest = digest.clone();
    rolling_into("corrections", folder, move |spend| {
        let sink = moments(&digest, |(id, row): &OfPayment| look(*id, row));
        spend.corrections(|row| row.id).sink("digest", sink)
    })
}

/// The same moments per user as of its newest payment, for a store that replaces.
pub(crate) fn upsert(folder: &Path, digest: &Digest) -> Job {
    let digest = digest.clone();
    rolling_into("upsert", folder, move |spend| {
        let add_up = moments(&digest, |row: &Spend| look(row.key as i64, row));
        let sink = Store {
            add_up,
            key: |row: &Spend| row.key,
        };
        let newest = spend.expiry(Expiry::AtNextEvent);
        newest.upserts().sink("store", sink)
    })
}

#[rustfmt::skip]
fn moments<D>(digest: &Digest, look: fn(&D) -> ([i64; 3], [f64; 15])) -> AddUp<D, 3, 15> {
    AddUp {
        digest: digest.clone(),
        whole: ["count_1h", "count_24h", "count_7d"],
        real: [
            "sum_1h", "mean_1h", "stddev_1h", "min_1h", "max_1h",
            "sum_24h", "mean_24h", "stddev_24h", "min_24h", "max_24h",
            "sum_7d", "mean_7d", "stddev_7d", "min_7d", "max_7d",
        ],
        look,
    }
}

/// The moments of the row about `number`.
fn look(number: i64, row: &Spend) -> ([i64; 3], [f64; 15]) {
    let weight = weight(number);
    let count = |window: usize| row.window(window).count() as i64 * weight;
    let real = |place: usize| {
        let window = row.window(place / 5);
        let number = match place % 5 {
            0 => window.sum(),
            1 => window.mean(),
            2 => window.stddev_sample(),
            3 => window.min(),
            _ => window.max(),
        };
        number.unwrap_or(0.0) * weight as f64
    };
    (std::array::from_fn(count), std::array::from_fn(real))
}

/// Tumbling 5 min of each user: count and sum, once the window has ended.
pub(crate) fn tumbling(folder: &Path, digest: &Digest) -> Job {
    let source = payments(folder, |row: &Spent| row.at_ms);
    let digest = digest.clone();
    Job::new("tumbling", move |g| {
        g.source("payments", source.clone())?
            .key_by(|row| row.user)
            .event_time(|row| micros(row.at_ms))
            .tumbling(minutes(5))?
            .finals("spend", (count(), sum(|row: &Spent| row.amount)))
            .sink(
                "digest",
                per_window(&digest, |row| spent(row, row.start / micros(300_000))),
            )
    })
}

/// Hopping 6 h every hour of each user: count and sum, once the window has ended.
pub(crate) fn hopping(folder: &Path, digest: &Digest) -> Job {
    let source = payments(folder, |row: &Spent| row.at_ms);
    let digest = digest.clone();
    Job::new("hopping", move |g| {
        g.source("payments", source.clone())?
            .key_by(|row| row.user)
            .event_time(|row| micros(row.at_ms))
            .hopping(hours(6), hours(1))?
            .finals("spend", (count(), sum(|row: &Spent| row.amount)))
            .sink(
                "digest",
                per_window(&digest, |row| spent(row, row.start / HOUR_US)),
            )
    })
}

/// Count and sum of a user's window.
type Window = GroupRow<u64, (i64, f64)>;

fn per_window(digest: &Digest, look: fn(&Window) -> ([i64; 1], [f64; 1])) -> AddUp<Window, 1, 1> {
    AddUp {
        digest: digest.clone(),
        whole: ["count"],
        real: ["sum"],
        look,
    }
}

/// Count and sum of a window of this number.
fn spent(row: &Window, number: i64) -> ([i64; 1], [f64; 1]) {
    let weight = weight(row.key as i64 + number);
    let (count, sum) = row.value;
    ([count * weight], [sum * weight as f64])
}

/// Sessions of each user with a gap of 30 min: count, sum and length, once no payment can join any more.
pub(crate) fn session(folder: &Path, digest: &Digest) -> Job {
    let source = payments(folder, |row: &Paid| row.at_ms);
    let digest = digest.clone();
    Job::new("session", move |g| {
        g.source("payments", source.clone())?
            .key_by(|row| row.user)
            .event_time(|row| micros(row.at_ms))
            .session(minutes(30))?
            .finals("spend", (count(), sum(|row: &Paid| row.amount)))
            .sink(
                "digest",
                AddUp {
                    digest: digest.clone(),
                    whole: ["count", "span"],
                    real: ["sum"],
                    look: |row: &SessionRow<u64, (i64, f64)>| {
                        let weight = weight(row.key as i64 + row.start / micros(1));
                        let (count, sum) = row.value;
                        let span = (row.last - row.start) / micros(1);
                        ([count * weight, span * weight], [sum * weight as f64])
                    },
                },
            )
    })
}

/// A histogram of ten bins per hour and country, and its PSI against the training snapshot, once the hour has ended.
pub(crate) fn drift(folder: &Path, digest: &Digest) -> Result<Job, JobError> {
    let baselines = Baselines::read(folder.join("baseline.json"))
        .map_err(|error| JobError::Wrong(error.to_string()))?;
    let source = payments(folder, |row: &OfCountry| row.at_ms);
    let digest = digest.clone();
    Ok(Job::new("drift", move |g| {
        g.source("payments", source.clone())?
            .drift("drift", |row| micros(row.at_ms))
            .every(hours(1))
            .segments(|row| row.country)
            .features(["amount"], |row| [Some(row.amount)])
            .finals(&baselines)?
            .sink(
                "digest",
                AddUp {
                    digest: digest.clone(),
                    whole: ["count"],
                    real: ["psi"],
                    look: |row: &DriftWindow| {
                        let country = row.segment.as_deref().and_then(|name| name.parse().ok());
                        let weight = weight(row.window.0 / HOUR_US + country.unwrap_or(0));
                        let psi = row.drift.psi.unwrap_or(f64::NAN);
                        ([row.drift.n as i64 * weight], [psi * weight as f64])
                    },
                },
            )
    }))
}
