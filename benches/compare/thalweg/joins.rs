//! The workloads that join in time: the newest payment as of a label, a merchant's risk as of a payment.

use std::path::Path;

use thalweg::operators::value::{Float, Real};
use thalweg::operators::window::rolling::Rolled;
use thalweg::prelude::*;

use crate::digest::{AddUp, Digest, weight};
use crate::rows::{Label, Merchant, OfMerchant, OfUser, file, micros, payments};

/// The newest payment of a label's user, at or before the label, once nothing can change it any more.
pub(crate) fn asof(folder: &Path, digest: &Digest) -> Job {
    let spent = payments(folder, |row: &OfUser| row.at_ms);
    let labels = file(folder, "labels")
        .event_time(|label: &Label| micros(label.at_ms))
        .lateness(seconds(0));
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
