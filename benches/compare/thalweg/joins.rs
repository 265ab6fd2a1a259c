//! The workloads that join: the newest payment and a user's windows as of a label, a merchant's risk as of a payment,
//! and what is known of a user.

use std::path::Path;

use thalweg::operators::value::{Float, Real};
use thalweg::operators::window::rolling::Rolled;
use thalweg::prelude::*;

use crate::digest::{AddUp, Digest, weight};
use crate::rows::{
    Label, LookedUp, Merchant, OfMerchant, OfUser, Paid, User, file, micros, payments,
};

/// The labels, in order of time.
fn labels(folder: &Path) -> SourceSpec<Label> {
    file(folder, "labels")
        .event_time(|label: &Label| micros(label.at_ms))
        .lateness(seconds(0))
}

/// The newest payment of a label's user, at or before the label, once nothing can change it any more.
pub(crate) fn asof(folder: &Path, digest: &Digest) -> Job {
    let spent = payments(folder, |row: &OfUser| row.at_ms);
    let labels = labels(folder);
    let digest = digest.clone();
    Job::new("asof", move |g| {
        let spent = g.source("payments", spent.clone())?;
        let spent = spent
            .key_by(|row| row.user)
            .event_time(|row| micros(row.at_ms));
        g.source("labels", labels.clone())?
            .key_by(|label| label.user)
            .event_time(|label| micros(label.at_ms))
            .asof("newest", &spent)
            .finals()
            .sink(
                "digest",
                AddUp {
                    digest: digest.clone(),
                    whole: ["matched", "found"],
                    real: ["amount"],
                    look: |(label, found): &(Label, Option<OfUser>)| {
                        let Some(found) = found else {
                            return ([0, 0], [0.0]);
                        };
                        let weight = weight(label.id);
                        ([1, found.id * weight], [found.amount.0 * weight as f64])
                    },
                },
            )
    })
}

/// A label with its user's three windows.
type Told = (Label, Option<Rolled<u64, Float, 1, 3>>);

/// The last 1 h, 24 h and 7 d of a label's user, as of the label, once nothing can change them any more.
pub(crate) fn point_in_time(folder: &Path, digest: &Digest) -> Job {
    let spent = payments(folder, |row: &Paid| row.at_ms);
    let labels = labels(folder);
    let digest = digest.clone();
    Job::new("point_in_time", move |g| {
        let labels = g.source("labels", labels.clone())?;
        g.source("payments", spent.clone())?
            .key_by(|row| row.user)
            .event_time(|row| micros(row.at_ms))
            .rolling([hours(1), hours(24), days(7)])?
            .totals("spend", |row| row.amount)
            .at(&labels
                .key_by(|label| label.user)
                .event_time(|label| micros(label.at_ms)))
            .finals()
            .sink(
                "digest",
                AddUp {
                    digest: digest.clone(),
                    whole: ["count_1h", "count_24h", "count_7d"],
                    real: ["sum_1h", "sum_24h", "sum_7d"],
                    look: |(label, row): &Told| {
                        let weight = weight(label.id);
                        let window = |place| row.as_ref().map(|row| row.window(place));
                        let count =
                            |place| window(place).map_or(0, |of| of.count() as i64 * weight);
                        let sum = |place| window(place).and_then(|of| of.sum()).unwrap_or(0.0);
                        let sum = |place| sum(place) * weight as f64;
                        (std::array::from_fn(count), std::array::from_fn(sum))
                    },
                },
            )
    })
}

/// Each payment with what is known of its user.
pub(crate) fn lookup(folder: &Path, digest: &Digest) -> Job {
    let source = payments(folder, |row: &LookedUp| row.at_ms);
    let users = file::<User>(folder, "users").untimed();
    let digest = digest.clone();
    Job::new("lookup", move |g| {
        let users = g.source("users", users.clone())?;
        g.source("payments", source.clone())?
            .key_by(|row| row.user)
            .lookup("user", &users.key_by(|user| user.user))
            .sink(
                "digest",
                AddUp {
                    digest: digest.clone(),
                    whole: ["bound"],
                    real: ["risk"],
                    look: |(payment, user): &(LookedUp, Option<User>)| {
                        let weight = weight(payment.id);
                        let (bound, risk) =
                            user.as_ref().map_or((0, 0.0), |of| (of.bound, of.risk.0));
                        ([bound * weight], [risk * weight as f64])
                    },
                },
            )
    })
}

/// A payment, its merchant's risk, and the merchant's last 24 h.
type Judged = ((i64, Option<Real>), Rolled<u32, Float, 1, 1>);

/// Each payment with its merchant's risk as of the payment, and the mean amount of the merchant's last 24 h.
pub(crate) fn dimension(folder: &Path, digest: &Digest) -> Job {
    let source = payments(folder, |row: &OfMerchant| row.at_ms);
    let merchants = file::<Merchant>(folder, "merchants").untimed();
    let digest = digest.clone();
    Job::new("dimension", move |g| {
        let merchants = g.source("merchants", merchants.clone())?;
        let merchants = merchants.key_by(|row| row.merchant);
        g.source("payments", source.clone())?
            .key_by(|row| row.merchant)
            .event_time(|row| micros(row.at_ms))
            .lookup_asof("risk", &merchants, |row| {
                micros(row.from_ms)..micros(row.to_ms)
            })
            .latest()
            .key_by(|(payment, _)| payment.merchant)
            .event_time(|(payment, _)| micros(payment.at_ms))
            .rolling([hours(24)])?
            .totals("24 h", |(payment, _)| payment.amount)
            .finals(|(payment, merchant)| (payment.id, merchant.as_ref().map(|row| row.risk)))
            .sink(
                "digest",
                AddUp {
                    digest: digest.clone(),
                    whole: [],
                    real: ["risk", "mean"],
                    look: |((id, risk), row): &Judged| {
                        let weight = weight(*id) as f64;
                        let mean = row.window(0).mean().unwrap_or(f64::NAN);
                        (
                            [],
                            [risk.map_or(0.0, |risk| risk.0) * weight, mean * weight],
                        )
                    },
                },
            )
    })
}
