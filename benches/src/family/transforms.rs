//! Transforms: fitted as rows come, or of a row by itself.

use std::sync::Arc;

use thalweg::operators::transform::{
    Buckets, Categories, Fitted, Impute, Standard, clip, cross, crossed, hashed, log, ratio,
    standard,
};
use thalweg::operators::value::Real;
use thalweg::prelude::*;

use crate::data::Payment;
use crate::digest::{Digest, DigestSink, weight};
use crate::family::by_key;
use crate::workload::{Workload, source};

/// Labels that a merchant is taken to have had beside its own, and their mean.
const PRIOR_ROWS: f64 = 20.0;
const PRIOR: f64 = 0.1;

/// Where amounts are cut off, in cents.
const CUT: (f64, f64) = (100.0, 50_000.0);
/// Edges of the buckets of amounts.
pub(super) const EDGES: [f64; 4] = [500.0, 1_000.0, 5_000.0, 20_000.0];
/// What amounts are scaled by.
const SCALE: Standard = Standard {
    mean: Real(3_000.0),
    stddev: Real(4_000.0),
};
/// Channels that a payment came by, of which the model does not know the last.
pub(super) const CHANNELS: [&str; 4] = ["app", "shop", "web", "phone"];

/// The channel of a payment.
pub(super) fn channel(payment: &Payment) -> usize {
    payment.merchant as usize % CHANNELS.len()
}

/// Cards that payments were made with.
const CARDS: [&str; 3] = ["credit", "debit", "gift"];
/// Buckets of hashed channels, and of channels and cards together.
const HASHED: [u32; 2] = [64, 1_024];

/// The card of a payment.
fn card(payment: &Payment) -> usize {
    payment.country as usize % CARDS.len()
}

pub(super) fn all() -> Vec<Workload> {
    vec![
        Workload::checked("fit_standard", fit_standard, |rows| {
            let countries = by_key(rows, |row| row.country);
            let mean = |rows: &Vec<Payment>| {
                rows.iter().map(|row| row.cents as f64).sum::<f64>() / rows.len() as f64
            };
            countries.values().map(mean).sum()
        }),
        Workload::checked("target_encoded", target_encoded, |rows| {
            let rates = |rows: &Vec<Payment>| -> f64 {
                let mut labels = 0.0;
                let rate = |(before, row): (usize, &Payment)| {
                    let rate = (labels + PRIOR_ROWS * PRIOR) / (before as f64 + PRIOR_ROWS);
                    labels += label(row);
                    rate
                };
                rows.iter().enumerate().map(rate).sum()
            };
            by_key(rows, |row| row.merchant).values().map(rates).sum()
        }),
        Workload::checked("encodings", encodings, |rows| {
            let encoded = |row: &Payment| {
                let cents = row.cents as f64;
                let cut = cents.clamp(CUT.0, CUT.1);
                let bucket = EDGES.iter().filter(|edge| **edge <= cents).count();
                let place = (channel(row) + 1) % CHANNELS.len();
                (cut - SCALE.mean.0) / SCALE.stddev.0
                    + (bucket + place) as f64
                    + cents.ln_1p()
                    + cents / f64::from(row.merchant)
            };
            rows.iter().map(encoded).sum()
        }),
        Workload::checked("encodings_crossed", encodings_crossed, |rows| {
            let (channels, cards) = (0..CHANNELS.len(), 0..CARDS.len());
            let pairs = channels.flat_map(|channel| cards.clone().map(move |card| (channel, card)));
            let of_pair = |(channel, card): (usize, usize)| {
                let theirs = rows
                    .iter()
                    .filter(|row| (self::channel(row), self::card(row)) == (channel, card));
                let weights: i64 = theirs.map(|row| weight(row.at)).sum();
                let (name, other) = (CHANNELS[channel], CARDS[card]);
                let alone = hashed(Some(name), HASHED[0]).unwrap_or_default();
                let both = crossed(Some(name), Some(other), HASHED[1]).unwrap_or_default();
                // The × between them has two bytes.
                let bytes = name.len() + 2 + other.len();
                weights as f64 * (f64::from(alone + both) + (card + bytes) as f64)
            };
            pairs.map(of_pair).sum()
        }),
    ]
}

/// Whether a payment was fraud, for a model to learn.
pub(super) fn label(payment: &Payment) -> f64 {
    f64::from(u8::from(payment.cents % 10 == 0))
}

/// Mean and deviation of the amounts per country, kept up as payments come.
fn fit_standard(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    Job::new("fit_standard", move |g| {
        let payments = g.source("payments", source(&rows, workers))?;
        payments
            .key_by(|payment| payment.country)
            .fit("amount", standard(|payment: &Payment| payment.cents))
            .sink(
                "digest",
                DigestSink::new(&digest, |row: &Fitted<u32, Standard>| row.params.mean.0),
            )
    })
}

/// The rate of fraud of the merchant before each payment.
fn target_encoded(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    Job::new("target_encoded", move |g| {
        let payments = g.source("payments", source(&rows, workers))?;
        payments
            .key_by(|payment| payment.merchant)
            .event_time(|payment| payment.at)
            .target_encoded(
                "fraud rate",
                days(31),
                |payment| Some(label(payment)),
                PRIOR_ROWS,
                PRIOR,
            )?
            .sink(
                "digest",
                DigestSink::new(&digest, |(_, rate): &(Payment, f64)| *rate),
            )
    })
}

/// A row's number by all that encodes it without looking at others: scaled, cut, bucketed, one-hot, hashed, as a
/// logarithm and as a ratio.
fn encodings(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    Job::new("encodings", move |g| {
        let payments = g.source("payments", source(&rows, workers))?;
        let buckets = Buckets::between(EDGES)?;
        let known = &CHANNELS[..CHANNELS.len() - 1];
        let channels = Categories::new(known.iter().map(|channel| (*channel).to_owned()));
        let missing = Impute::constant(Real(0.0));
        let encoded = payments.map(move |payment| {
            let cents = Some(payment.cents as f64);
            let channel = Some(CHANNELS[channel(&payment)]);
            let scaled = SCALE.apply(clip(cents, CUT.0, CUT.1));
            let one_hot = channels.one_hot(channel).into_iter();
            let place: f64 = (1..).zip(one_hot).map(|(n, hot)| f64::from(n) * hot).sum();
            let bucket = buckets.apply(cents).map(|bucket| bucket as f64);
            let spread = hashed(channel, 1).map(f64::from);
            let ratio = ratio(cents, Some(f64::from(payment.merchant)));
            let numbers = [scaled, bucket, Some(place), spread, log(cents), ratio];
            let there = numbers.map(|number| missing.apply_number(number));
            there.iter().sum::<f64>()
        });
        encoded.sink("digest", DigestSink::new(&digest, |number: &f64| *number))
    })
}

/// A row's number by what encodes categories beside one-hot: a channel hashed, a card as an ordinal, and both crossed, as a
/// bucket and as a name.
fn encodings_crossed(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    Job::new("encodings_crossed", move |g| {
        let payments = g.source("payments", source(&rows, workers))?;
        let cards = Categories::new(CARDS.map(str::to_owned));
        let encoded = payments.map(move |payment| {
            let (name, other) = (
                Some(CHANNELS[channel(&payment)]),
                Some(CARDS[card(&payment)]),
            );
            let buckets = [hashed(name, HASHED[0]), crossed(name, other, HASHED[1])];
            let numbers = [
                cards.ordinal(other),
                cross(name, other).map(|both| both.len()),
            ];
            let buckets = buckets.into_iter().flatten().map(f64::from);
            let numbers = numbers.into_iter().flatten().map(|number| number as f64);
            buckets.chain(numbers).sum::<f64>() * weight(payment.at) as f64
        });
        encoded.sink("digest", DigestSink::new(&digest, |number: &f64| *number))
    })
}
