//! The stream of payments as a source: how many, how fast, in how many partitions.

use thalweg_engine::source::{Partition, Reader, Source, SourceError};
use thalweg_engine::time::EventTime;

use crate::generator::draw::{Zipf, f64_of, whole};
use crate::generator::payment::{CANCEL_EVERY, Law, Payment};
use crate::generator::reader::PaymentReader;

/// 2024-01-01T00:00Z.
const START: EventTime = 1_704_067_200_000_000;

/// 2⁶⁴ as a float.
const WHOLE_SHARE: f64 = 18_446_744_073_709_551_616.0;

/// A source of payments, the same rows for the same seed: see [`Payment`] for what they are.
///
/// Three payments in a hundred are up to an hour late, so that a job declares `lateness(hours(1))`. One in a hundred is
/// cancelled: its row comes a second time with diff −1, still inside that hour. From half way on (of a bounded
/// stream) every amount is 1.42 times as large: the drift.
///
/// Rows do not depend on the number of partitions: partition p of k brings the payments with `id % k = p`.
#[derive(Clone, Debug)]
pub struct Payments {
    seed: u64,
    events: Option<u64>,
    rate: Option<f64>,
    partitions: usize,
    start: EventTime,
    per_event_second: f64,
    users: u64,
    merchants: u32,
    late_share: f64,
    drift_from: Option<u64>,
}

impl Payments {
    /// An endless stream at full speed: 100 payments per second of event time, 100,000 users, 2,000 merchants,
    /// one partition, no drift.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            events: None,
            rate: None,
            partitions: 1,
            start: START,
            per_event_second: 100.0,
            users: 100_000,
            merchants: 2_000,
            late_share: 0.03,
            drift_from: None,
        }
    }

    /// Ends after `n` payments. Their cancellations come on top: one row more per hundred. The drift starts half way.
    #[must_use]
    pub fn events(mut self, n: u64) -> Self {
        self.events = Some(n);
        self
    }

    /// Brings at most so many rows per second of real time, over all partitions. The rows stay the same.
    #[must_use]
    pub fn rate(mut self, rows_per_s: f64) -> Self {
        self.rate = Some(rows_per_s);
        self
    }

    /// How many partitions there are, for as many readers.
    #[must_use]
    pub fn partitions(mut self, partitions: usize) -> Self {
        self.partitions = partitions;
        self
    }

    /// When the first payment comes in, µs since 1970 UTC; 2024-01-01T00:00Z unless told otherwise.
    #[must_use]
    pub fn start(mut self, start: EventTime) -> Self {
        self.start = start;
        self
    }

    /// How many payments come in per second of event time.
    #[must_use]
    pub fn per_event_second(mut self, payments: f64) -> Self {
        self.per_event_second = payments;
        self
    }

    /// How many users there are.
    #[must_use]
    pub fn users(mut self, users: u64) -> Self {
        self.users = users;
        self
    }

    /// How many merchants there are; as many as [`Merchants::count`](crate::generator::Merchants::count).
    #[must_use]
    pub fn merchants(mut self, merchants: u32) -> Self {
        self.merchants = merchants;
        self
    }

    /// The share of payments that come 1 to 60 minutes late; 0.03 unless told otherwise.
    #[must_use]
    pub fn late_share(mut self, share: f64) -> Self {
        self.late_share = share;
        self
    }

    /// The first payment with the drift, instead of half way; `u64::MAX` for never.
    #[must_use]
    pub fn drift_from(mut self, id: u64) -> Self {
        self.drift_from = Some(id);
        self
    }

    /// The amounts of the first `n` payments as they are without the drift: what a model was trained on.
    ///
    /// ```
    /// use thalweg_connectors::generator::Payments;
    /// let sample = Payments::new(7).baseline_sample(10_000);
    /// let mean = sample.iter().sum::<f64>() / 10_000.0;
    /// assert!((45.0..48.0).contains(&mean), "{mean}");
    /// ```
    #[must_use]
    pub fn baseline_sample(&self, n: u64) -> Vec<f64> {
        let law = self.law();
        (0..n).map(|id| law.baseline_amount(id)).collect()
    }

    fn law(&self) -> Law {
        let late_below = whole(self.late_share.clamp(0.0, 1.0) * WHOLE_SHARE);
        Law {
            seed: self.seed,
            start: self.start,
            step_ns: whole(1e9 / self.per_event_second).max(1),
            users: Zipf::new(self.users),
            merchants: Zipf::new(u64::from(self.merchants)),
            late_below,
            drift_from: self.drift_from.or(self.events.map(|n| n / 2)),
        }
    }

    fn check(&self) -> Result<(), SourceError> {
        let wrong = |text: String| Err(SourceError::Wrong(text));
        if self.users == 0 || self.merchants == 0 {
            let (users, merchants) = (self.users, self.merchants);
            return wrong(format!(
                "payments need users and merchants, got {users} users and {merchants} merchants"
            ));
        }
        if self.partitions == 0 {
            return wrong("payments need at least 1 partition, got 0".to_owned());
        }
        if !(0.0..=1.0).contains(&self.late_share) {
            return wrong(format!(
                "late_share is {}; it must lie in 0 ..= 1",
                self.late_share
            ));
        }
        let pace = self.per_event_second;
        if !(pace.is_finite() && (1e-6..=1e9).contains(&pace)) {
            return wrong(format!(
                "per_event_second is {pace}; it must lie in 1e-6 ..= 1e9"
            ));
        }
        match self.rate {
            Some(rate) if !(rate.is_finite() && rate > 0.0) => wrong(format!(
                "rate is {rate} rows/s; it must be finite and above 0"
            )),
            _ => Ok(()),
        }
    }

    /// The rows of one partition, cancellations included; `None` without an end.
    fn rows_in(&self, partition: u64, partitions: u64) -> Option<u64> {
        let events = self.events?;
        let law = self.law();
        let payments = events.saturating_sub(partition).div_ceil(partitions);
        // One payment of each run of a hundred is cancelled: looked up, not counted one by one.
        let runs = 0..events.div_ceil(CANCEL_EVERY);
        let cancelled = runs
            .map(|run| law.cancelled_in(run))
            .filter(|id| *id < events && id % partitions == partition);
        Some(payments.saturating_add(u64::try_from(cancelled.count()).unwrap_or(u64::MAX)))
    }
}

impl Source for Payments {
    type Row = Payment;

    fn partitions(&self) -> Result<Vec<Partition>, SourceError> {
        self.check()?;
        let partitions = u64::try_from(self.partitions).unwrap_or(u64::MAX);
        let partition = |number| Partition {
            name: format!("payments {number} of {partitions}"),
            rows: self.rows_in(number, partitions),
        };
        Ok((0..partitions).map(partition).collect())
    }

    fn open(&self, partition: usize) -> Result<Box<dyn Reader<Payment>>, SourceError> {
        self.check()?;
        if partition >= self.partitions {
            return Err(SourceError::Wrong(format!(
                "there is no partition {partition} of payments: there are {}, from 0",
                self.partitions
            )));
        }
        let first = u64::try_from(partition).unwrap_or(u64::MAX);
        let partitions = u64::try_from(self.partitions).unwrap_or(u64::MAX);
        let rate = self.rate.map(|rate| rate / f64_of(partitions));
        Ok(Box::new(PaymentReader::new(
            self.law(),
            first,
            partitions,
            self.events,
            rate,
        )))
    }

    fn bounded(&self) -> bool {
        self.events.is_some()
    }
}
