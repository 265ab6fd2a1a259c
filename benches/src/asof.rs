//! The workloads of joins as of the event's time.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thalweg::connectors::memory::Log;
use thalweg::operators::value::Fixed;
use thalweg::operators::window::rolling::Rolled;
use thalweg::prelude::*;

use crate::data::{MERCHANTS, Payment, SPAN_US, START_US};
use crate::digest::{Digest, DigestSink};
use crate::workload::source;

/// Rates that a merchant has had, one after another.
const RATES: i64 = 10;

/// Whether a payment brings a label with it: every tenth does.
#[must_use]
pub fn is_label(payment: &Payment) -> bool {
    payment.cents % 10 == 0
}

/// The label that comes with a payment: it asks for the newest payment of another user, of any popularity.
#[must_use]
pub fn label_of(payment: &Payment) -> Payment {
    Payment {
        user: payment.user ^ 1,
        ..*payment
    }
}

/// What an amount is counted at, from a moment to another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rate {
    /// The merchant.
    pub merchant: u32,
    /// From here on.
    pub from: i64,
    /// The first moment that it no longer holds.
    pub to: i64,
    /// Percent.
    pub percent: i32,
}

/// The rates of all merchants: a new one every three days.
#[must_use]
pub fn rates() -> Vec<Rate> {
    let step = SPAN_US / RATES;
    let of_merchant = |merchant: u32| {
        (0..RATES).map(move |n| Rate {
            merchant,
            from: START_US + n * step,
            to: START_US + (n + 1) * step,
            percent: 90 + ((i64::from(merchant) + n) % 20) as i32,
        })
    };
    (1..=MERCHANTS).flat_map(of_merchant).collect()
}

/// The newest payment of a label's user, eagerly and with repairs: user, moment, amount.
pub(crate) fn asof(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    type Row = (u64, i64, i64);
    let row = |payment: &Payment| (payment.user, payment.at, payment.cents);
    Job::new("asof", move |g| {
        let payments = g.source("payments", source(&rows, workers))?;
        let features = payments.map_ref("features", move |payment| row(payment));
        let labels =
            payments.flat_map(move |payment| is_label(&payment).then(|| row(&label_of(&payment))));
        let features = features.key_by(|row| row.0).event_time(|row| row.1);
        labels
            .key_by(|row| row.0)
            .event_time(|row| row.1)
            .asof("newest", &features)
            .latest()
            .sink(
                "digest",
                DigestSink::new(&digest, |(_, found): &(Row, Option<Row>)| {
                    found.map_or(0.0, |found| found.2 as f64)
                }),
            )
    })
}

/// Each payment at its merchant's rate as of the payment, and the mean of the merchant's 24 h as of each.
pub(crate) fn dimension_asof(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    Job::new("dimension_asof", move |g| {
        let payments = g.source("payments", source(&rows, workers))?;
        let rates = g.source("rates", Log::rows(rates()).untimed())?;
        let rates = rates.key_by(|rate: &Rate| rate.merchant);
        payments
            .key_by(|payment| payment.merchant)
            .event_time(|payment| payment.at)
            .lookup_asof("rate", &rates, |rate| rate.from..rate.to)
            .latest()
            .key_by(|(payment, _)| payment.merchant)
            .event_time(|(payment, _)| payment.at)
            .rolling([hours(24)])?
            .totals("amount", |(payment, rate)| {
                let percent = rate.as_ref().map_or(100, |rate| rate.percent);
                payment.cents * i64::from(percent)
            })
            .finals(|_| ())
            .sink(
                "digest",
                DigestSink::new(&digest, |(_, row): &((), Rolled<u32, Fixed<0>, 1, 1>)| {
                    row.window(0).mean().unwrap_or(0.0)
                }),
            )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::payments;
    use crate::{expected, loops};

    #[test]
    fn jobs_and_loops_come_to_the_same() {
        let rows = Arc::new(payments(40_000, 3_000));
        for (job, by_hand) in [
            (
                asof as fn(_, _, _) -> Job,
                loops::asof as fn(&[Payment]) -> (u64, f64),
            ),
            (dimension_asof, loops::dimension_asof),
        ] {
            let digest = Digest::default();
            let config = Config::workers(1).unwrap();
            job(Arc::clone(&rows), 1, digest.clone())
                .run(config)
                .unwrap();
            let (_, by_hand) = by_hand(&rows);
            let sum = digest.sum();
            assert!(expected::agree(sum, by_hand), "{sum} and {by_hand}");
        }
    }
}
