//! Reads one partition of the payments: rows in order of arrival, each cancellation when it is due.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use thalweg_engine::source::{Batch, ReadStatus, Reader, SourceError};

use crate::clock::{Stopwatch, pause};
use crate::generator::draw::{f64_of, whole};
use crate::generator::payment::{Law, Payment};

/// Rows per call of `read`.
const BATCH_ROWS: u64 = 4_096;

/// The longest that a call of `read` waits for its rate: a stop is noticed between two calls.
const PAUSE_MAX: Duration = Duration::from_millis(10);

/// A reader of the payments whose number leaves a certain rest.
pub(crate) struct PaymentReader {
    law: Law,
    next: u64,
    partitions: u64,
    events: Option<u64>,
    /// Cancellations to come: (the arrival they wait for, the payment). The payment itself is made again when due.
    cancellations: BinaryHeap<Reverse<(u64, u64)>>,
    pace: Option<Pace>,
}

/// At most `rate` rows per second since the first one.
struct Pace {
    rate: f64,
    watch: Option<Stopwatch>,
    rows: u64,
}

impl Pace {
    /// How many rows may come now.
    fn allowed(&mut self) -> u64 {
        let watch = *self.watch.get_or_insert_with(Stopwatch::start);
        let due = whole(watch.elapsed().as_secs_f64() * self.rate).saturating_add(1);
        due.saturating_sub(self.rows)
    }

    /// How long until the next row.
    fn rest(&self) -> Duration {
        let due_s = f64_of(self.rows) / self.rate;
        let elapsed = self.watch.map_or(Duration::ZERO, Stopwatch::elapsed);
        Duration::try_from_secs_f64(due_s)
            .unwrap_or(PAUSE_MAX)
            .saturating_sub(elapsed)
    }
}

impl PaymentReader {
    pub(crate) fn new(
        law: Law,
        first: u64,
        partitions: u64,
        events: Option<u64>,
        rate: Option<f64>,
    ) -> Self {
        let pace = rate.map(|rate| Pace {
            rate,
            watch: None,
            rows: 0,
        });
        Self {
            law,
            next: first,
            partitions,
            events,
            cancellations: BinaryHeap::new(),
            pace,
        }
    }

    /// The next row with its sign; `None` at the end.
    fn row(&mut self) -> Option<(Payment, i64)> {
        let over = self.events.is_some_and(|events| self.next >= events);
        if let Some(&Reverse((due, id))) = self.cancellations.peek()
            && (over || due <= self.next)
        {
            self.cancellations.pop();
            return Some((self.law.payment(id), -1));
        }
        if over {
            return None;
        }
        let id = self.next;
        if let Some(arrivals) = self.law.cancelled_after(id) {
            // At least one arrival later: a row is never taken back before it came.
            self.cancellations
                .push(Reverse((id.saturating_add(arrivals.max(1)), id)));
        }
        self.next = id.saturating_add(self.partitions);
        Some((self.law.payment(id), 1))
    }
}

impl Reader<Payment> for PaymentReader {
    fn read(&mut self, batch: &mut Batch<Payment>) -> Result<ReadStatus, SourceError> {
        let allowed = self.pace.as_mut().map_or(u64::MAX, Pace::allowed);
        if allowed == 0 {
            pause(
                self.pace
                    .as_ref()
                    .map_or(PAUSE_MAX, Pace::rest)
                    .min(PAUSE_MAX),
            );
            return Ok(ReadStatus::Pending);
        }
        let rows = allowed.min(BATCH_ROWS);
        for _ in 0..rows {
            let Some((payment, diff)) = self.row() else {
                return Ok(ReadStatus::End);
            };
            batch.push_signed(payment, diff);
        }
        if let Some(pace) = &mut self.pace {
            pace.rows = pace.rows.saturating_add(rows);
        }
        Ok(ReadStatus::More)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use thalweg_engine::source::Source;
    use thalweg_engine::time::EventTime;

    use super::*;
    use crate::generator::Payments;

    fn partition(source: &Payments, number: usize) -> Vec<(Payment, i64)> {
        let mut reader = source.open(number).unwrap();
        let mut rows = Vec::new();
        loop {
            let mut batch = Batch::default();
            let status = reader.read(&mut batch).unwrap();
            rows.extend(batch.take().0);
            if status == ReadStatus::End {
                return rows;
            }
        }
    }

    fn by_id(rows: Vec<(Payment, i64)>) -> BTreeMap<(u64, i64), Payment> {
        let len = rows.len();
        let rows: BTreeMap<_, _> = rows
            .into_iter()
            .map(|(p, diff)| ((p.id, diff), p))
            .collect();
        assert_eq!(rows.len(), len, "a row came twice");
        rows
    }

    #[test]
    fn the_rows_do_not_depend_on_partitions_or_readers() {
        let source = Payments::new(7).events(20_000);
        let one = by_id(partition(&source, 0));
        for k in [2, 3, 7] {
            let source = source.clone().partitions(k);
            let listed = Source::partitions(&source).unwrap();
            let mut all = Vec::new();
            for (number, listed) in listed.iter().enumerate().rev() {
                let rows = partition(&source, number);
                assert_eq!(
                    listed.rows,
                    u64::try_from(rows.len()).ok(),
                    "{}",
                    listed.name
                );
                all.extend(rows);
            }
            assert_eq!(by_id(all), one, "{k} partitions");
        }
        assert_ne!(by_id(partition(&Payments::new(8).events(20_000), 0)), one);
    }

    /// The rows are a promise to whoever has golden answers: no refactoring, platform or release changes them.
    #[test]
    fn the_first_rows_are_these() {
        let rows = partition(&Payments::new(7).events(3), 0);
        let line = |(p, diff): &(Payment, i64)| {
            let Payment {
                id,
                at,
                user,
                merchant,
                country,
                amount,
            } = p;
            format!(
                "{id} {} {user} {merchant} {country} {amount} {diff:+}",
                at.0
            )
        };
        let text: Vec<_> = rows.iter().map(line).collect();
        assert_eq!(text.join("\n"), include_str!("first_rows.txt").trim_end());
    }

    #[test]
    fn every_row_and_every_retraction_is_inside_the_lateness() {
        for pace in [0.5, 100.0, 50_000.0] {
            let source = Payments::new(3)
                .events(60_000)
                .per_event_second(pace)
                .partitions(2);
            let (mut late, mut cancelled) = (0_u32, 0_u32);
            for number in 0..2 {
                let mut seen = BTreeMap::new();
                let mut newest = EventTime::MIN;
                for (payment, diff) in partition(&source, number) {
                    let behind = newest.saturating_sub(payment.at.0);
                    assert!(behind <= 3_600_000_000, "{behind} µs late, pace {pace}");
                    newest = newest.max(payment.at.0);
                    late += u32::from(diff > 0 && behind > 60_000_000);
                    cancelled += u32::from(diff < 0);
                    if diff < 0 {
                        assert_eq!(
                            seen.get(&payment.id),
                            Some(&payment),
                            "taken back before it came"
                        );
                    } else {
                        seen.insert(payment.id, payment);
                    }
                }
            }
            assert_eq!(cancelled, 600);
            assert!(
                (1_500..2_100).contains(&late),
                "{late} late rows of 60,000, pace {pace}"
            );
        }
    }

    #[test]
    fn amounts_drift_from_half_way_on() {
        let rows = partition(&Payments::new(1).events(40_000), 0);
        let mean = |from: u64| {
            let half = rows
                .iter()
                .filter(|(p, diff)| *diff > 0 && (p.id < 20_000) == (from == 0));
            let amounts: Vec<f64> = half.map(|(p, _)| p.amount).collect();
            assert!(
                amounts
                    .iter()
                    .all(|a| *a == (a * 100.0).round() / 100.0 && *a > 0.0)
            );
            amounts.iter().map(|a| a.ln()).sum::<f64>() / 20_000.0
        };
        let (before, after) = (mean(0), mean(20_000));
        assert!((before - 3.555).abs() < 0.02, "{before}");
        assert!((after - before - 0.35).abs() < 0.03, "{before} {after}");
        let sample = Payments::new(1).events(40_000).baseline_sample(30_000);
        let first = rows.iter().find(|(p, _)| p.id == 9).map(|(p, _)| p.amount);
        assert_eq!(sample.get(9).copied(), first);
        let log = sample.iter().map(|a| a.ln()).sum::<f64>() / 30_000.0;
        assert!(
            (log - 3.555).abs() < 0.02,
            "the sample holds no drift: {log}"
        );
    }

    #[test]
    fn a_paced_reader_says_pending_and_brings_the_same_rows() {
        let source = Payments::new(7).events(50);
        let paced = source.clone().rate(2_000.0);
        let mut reader = paced.open(0).unwrap();
        let (mut batch, mut pending) = (Batch::default(), 0);
        let watch = Stopwatch::start();
        loop {
            match reader.read(&mut batch).unwrap() {
                ReadStatus::End => break,
                ReadStatus::Pending => pending += 1,
                ReadStatus::More => {}
            }
        }
        assert!(pending > 5, "{pending}");
        assert!(
            watch.elapsed() >= Duration::from_millis(24),
            "{:?}",
            watch.elapsed()
        );
        assert_eq!(batch.take().0, partition(&source, 0));
    }

    #[test]
    fn wrong_use_names_the_value() {
        let text = |source: Payments| Source::partitions(&source).unwrap_err().to_string();
        assert!(text(Payments::new(1).users(0)).contains("0 users"));
        assert!(text(Payments::new(1).partitions(0)).contains("got 0"));
        assert!(text(Payments::new(1).late_share(1.5)).contains("1.5"));
        assert!(text(Payments::new(1).rate(0.0)).contains("0 rows/s"));
        assert!(text(Payments::new(1).per_event_second(f64::NAN)).contains("NaN"));
        assert!(Payments::new(1).open(1).is_err());
        assert!(!Payments::new(1).bounded());
    }

    /// Not a test of what is right: `cargo test --release generator_speed -- --ignored --nocapture`.
    #[test]
    #[ignore = "a measurement"]
    fn generator_speed() {
        let source = Payments::new(1).events(10_000_000);
        let mut reader = source.open(0).unwrap();
        let (watch, mut rows) = (Stopwatch::start(), 0);
        loop {
            let mut batch = Batch::default();
            let status = reader.read(&mut batch).unwrap();
            rows += batch.len();
            if status == ReadStatus::End {
                break;
            }
        }
        eprintln!("{rows} rows in {:?}", watch.elapsed());
    }
}
