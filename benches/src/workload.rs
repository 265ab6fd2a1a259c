//! The workloads on Thalweg: jobs over generated payments, into a sink that only adds up a digest.

use std::sync::Arc;
use std::time::Duration;

use thalweg::connectors::memory::Log;
use thalweg::operators::value::Fixed;
use thalweg::operators::window::grouped::GroupRow;
use thalweg::operators::window::rolling::{Rolled, Rolling};
use thalweg::operators::window::session::SessionRow;
use thalweg::prelude::*;

use crate::data::{self, LATENESS_US, MERCHANTS, Payment};
use crate::digest::{Digest, DigestSink, Look, of_window};
use crate::feed::Feed;
use crate::{asof, expected, family, loops};

/// The payments as a source with an hour of lateness.
#[must_use]
pub fn source(rows: &Arc<Vec<Payment>>, workers: usize) -> SourceSpec<Payment> {
    Feed {
        rows: Arc::clone(rows),
        partitions: workers,
    }
    .event_time(|payment| payment.at)
    .lateness(Duration::from_micros(LATENESS_US as u64))
}

/// A workload: its job, the loop beside it, and how many observations a row is.
pub struct Workload {
    /// The name in the result.
    pub name: &'static str,
    /// Builds the job.
    pub job: fn(Arc<Vec<Payment>>, usize, Digest) -> Job,
    /// The loop that one would write by hand, where a speed is asked.
    pub by_hand: Option<fn(&[Payment]) -> (u64, f64)>,
    /// What its output adds up to, where that is not what the loop's does.
    pub expected: Option<fn(&[Payment]) -> f64>,
    /// The rows it runs over, made from those of all workloads.
    pub rows: fn(&Arc<Vec<Payment>>) -> Arc<Vec<Payment>>,
    /// Observations per row: features, for drift.
    pub observations_per_row: usize,
}

impl Workload {
    /// A workload of which no speed is asked, held to brute force.
    pub(crate) fn checked(
        name: &'static str,
        job: fn(Arc<Vec<Payment>>, usize, Digest) -> Job,
        expected: fn(&[Payment]) -> f64,
    ) -> Self {
        Self {
            name,
            job,
            by_hand: None,
            expected: Some(expected),
            rows: Arc::clone,
            observations_per_row: 1,
        }
    }

    /// The same workload, held to brute force instead of the loop.
    fn held_to(self, expected: fn(&[Payment]) -> f64) -> Self {
        Self {
            expected: Some(expected),
            ..self
        }
    }
}

/// All workloads.
#[must_use]
pub fn all() -> Vec<Workload> {
    let one = |name, job, by_hand: fn(&[Payment]) -> (u64, f64)| Workload {
        name,
        job,
        by_hand: Some(by_hand),
        expected: None,
        rows: Arc::clone,
        observations_per_row: 1,
    };
    let mut all = vec![
        one("pass", pass, loops::lookup).held_to(expected::cents),
        one("rolling_latest", rolling_latest, loops::rolling).held_to(expected::as_of_the_newest),
        Workload {
            rows: |rows| Arc::new(data::in_whole_millis(rows)),
            ..one("rolling_compact", rolling_compact, loops::rolling)
                .held_to(expected::as_of_the_newest)
        },
        one(
            "rolling_latest_expiring",
            rolling_latest_expiring,
            loops::rolling,
        )
        .held_to(expected::as_of_the_watermark),
        one(
            "rolling_latest_doubled_history",
            rolling_latest_doubled_history,
            loops::rolling_two_weeks,
        )
        .held_to(expected::over_two_weeks),
        one("rolling_upsert", rolling_upsert, loops::rolling),
        Workload {
            rows: |rows| Arc::new(data::with_hot_key(rows)),
            ..one("rolling_hot_key", rolling_latest, loops::rolling)
                .held_to(expected::as_of_the_newest)
        },
        Workload {
            rows: |rows| Arc::new(data::with_zipf_keys(rows)),
            ..one("rolling_zipf", rolling_latest, loops::rolling)
                .held_to(expected::as_of_the_newest)
        },
        one("rolling_final", rolling_final, loops::rolling),
        one("tumbling", tumbling, loops::tumbling),
        one("lookup", lookup, loops::lookup),
        one("drift_1", drift::<1>, |rows| loops::drift(rows, 1)).held_to(expected::drift::<1>),
        Workload {
            observations_per_row: 10,
            ..one("drift_10", drift::<10>, |rows| loops::drift(rows, 10))
                .held_to(expected::drift::<10>)
        },
        one("asof", asof::asof, loops::asof),
        one(
            "dimension_asof",
            asof::dimension_asof,
            loops::dimension_asof,
        ),
        one("hopping", hopping, loops::hopping),
        one("session", session, loops::session),
        one(
            "rolling_corrections",
            rolling_corrections,
            loops::corrections,
        ),
        one("point_in_time", point_in_time, loops::point_in_time),
    ];
    all.extend(family::all());
    all
}

/// Source to sink and nothing between: what everything else has on top.
fn pass(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    Job::new("pass", move |g| {
        let payments = g.source("payments", source(&rows, workers))?;
        payments.sink(
            "digest",
            DigestSink::new(&digest, |row: &Payment| row.cents as f64),
        )
    })
}

/// A user's amounts over three windows.
type Spend = Rolled<u64, Fixed<0>, 1, 3>;

/// A user's amounts over 1 h, 24 h and a widest window, in no mode yet.
fn spend<'s>(
    g: &Graph<'s>,
    rows: &Arc<Vec<Payment>>,
    workers: usize,
    widest: Duration,
) -> Result<Rolling<'s, Payment, u64, Fixed<0>, 1, 3>, JobError> {
    let payments = g.source("payments", source(rows, workers))?;
    let windows = payments
        .key_by(|payment| payment.user)
        .event_time(|payment| payment.at)
        .rolling([hours(1), hours(24), widest])?;
    Ok(windows.moments("amount", |payment| payment.cents))
}

/// Adds up what the windows hold: events and amounts, those of the narrower ones twice and four times.
fn held(digest: &Digest) -> DigestSink<impl Look<Spend>> {
    DigestSink::new(digest, |row: &Spend| {
        let window = |w| row.window(w).count() as f64 + row.window(w).sum().unwrap_or(f64::NAN);
        4.0 * window(0) + 2.0 * window(1) + window(2)
    })
}

/// Rolling 1 h, 24 h and 7 d, five moments, one row per user, −1/+1, as of the user's newest event: the loop's work.
fn rolling_latest(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    latest(rows, workers, (days(7), Expiry::AtNextEvent), digest)
}

/// The same with the compact state, over payments whose times are whole milliseconds, as most sources' are.
fn rolling_compact(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    Job::new("rolling_compact", move |g| {
        spend(g, &rows, workers, days(7))?
            .expiry(Expiry::AtNextEvent)
            .compact()
            .latest()
            .sink("digest", held(&digest))
    })
}

/// The same over 1 h, 24 h and 14 d, so that each user holds twice the events: an event must not cost more than memory
/// twice as large makes it cost the loop, which holds two weeks too.
fn rolling_latest_doubled_history(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    latest(rows, workers, (days(14), Expiry::AtNextEvent), digest)
}

/// The same, and rows fall as the watermark passes: up to three more changes per event, which no loop makes.
fn rolling_latest_expiring(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    latest(rows, workers, (days(7), Expiry::AtWatermark), digest)
}

fn latest(
    rows: Arc<Vec<Payment>>,
    workers: usize,
    (widest, expiry): (Duration, Expiry),
    digest: Digest,
) -> Job {
    Job::new("rolling_latest", move |g| {
        spend(g, &rows, workers, widest)?
            .expiry(expiry)
            .latest()
            .sink("digest", held(&digest))
    })
}

/// The same as `rolling_latest` into a sink that replaces.
fn rolling_upsert(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    Job::new("rolling_upsert", move |g| {
        spend(g, &rows, workers, days(7))?
            .expiry(Expiry::AtNextEvent)
            .upserts()
            .sink("digest", held(&digest))
    })
}

/// Means and deviations of the three windows.
fn finished(row: &Spend) -> f64 {
    let window =
        |w| row.window(w).mean().unwrap_or(0.0) + row.window(w).stddev_sample().unwrap_or(0.0);
    (0..3).map(window).sum()
}

/// One row per event once the watermark has passed it, mean and stddev finished.
fn rolling_final(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    let finished = |(_, row): &((), Spend)| finished(row);
    Job::new("rolling_final", move |g| {
        spend(g, &rows, workers, days(7))?
            .finals(|_| ())
            .sink("digest", DigestSink::new(&digest, finished))
    })
}

/// Tumbling 5 min per user, count and sum, once the window has ended.
fn tumbling(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    Job::new("tumbling", move |g| {
        let payments = g.source("payments", source(&rows, workers))?;
        payments
            .key_by(|payment| payment.user)
            .event_time(|payment| payment.at)
            .tumbling(minutes(5))?
            .finals("spend", (count(), sum(|payment: &Payment| payment.cents)))
            .sink(
                "digest",
                DigestSink::new(&digest, |row: &GroupRow<u64, (i64, f64)>| {
                    of_window(row.start, row.value.0, row.value.1)
                }),
            )
    })
}

/// Each payment with its merchant's row.
fn lookup(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    Job::new("lookup", move |g| {
        let payments = g.source("payments", source(&rows, workers))?;
        let merchants = (1..=MERCHANTS)
            .map(|merchant| (merchant, f64_bits(merchant)))
            .collect();
        let merchants = g.source("merchants", Log::rows(merchants).untimed())?;
        payments
            .key_by(|payment| payment.merchant)
            .lookup(
                "merchant",
                &merchants.key_by(|merchant: &(u32, u64)| merchant.0),
            )
            .sink(
                "digest",
                DigestSink::new(&digest, |(_, found): &(Payment, Option<(u32, u64)>)| {
                    found.map_or(0.0, |merchant| f64::from_bits(merchant.1))
                }),
            )
    })
}

/// A merchant's risk, as bits: floats have no order to be told apart by.
pub(crate) fn f64_bits(merchant: u32) -> u64 {
    (f64::from(merchant % 100) / 100.0).to_bits()
}

/// A histogram of ten bins and its PSI per hour and country, once the hour has ended: features are the amount, shifted.
fn drift<const N: usize>(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    let names: Vec<String> = (0..N).map(|feature| format!("amount_{feature}")).collect();
    let sample = &rows[..rows.len().min(100_000)];
    let baselines: Baselines = names
        .iter()
        .enumerate()
        .filter_map(|(n, name)| {
            let values = sample.iter().map(|row| Some((row.cents + n as i64) as f64));
            Baseline::fit(name.as_str(), values)
                .ok()
                .map(Baseline::without_values)
        })
        .collect();
    Job::new("drift", move |g| {
        let names: [&str; N] = std::array::from_fn(|n| names[n].as_str());
        let payments = g.source("payments", source(&rows, workers))?;
        payments
            .drift("drift", |payment| payment.at)
            .every(hours(1))
            .segments(|payment| payment.country)
            .features(names, |payment| {
                std::array::from_fn(|n| Some((payment.cents + n as i64) as f64))
            })
            .finals(&baselines)?
            .sink(
                "digest",
                DigestSink::new(&digest, |row: &DriftWindow| row.drift.psi.unwrap_or(0.0)),
            )
    })
}

/// Hopping 6 h every 1 h per user, count and sum, once the window has ended.
fn hopping(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    Job::new("hopping", move |g| {
        let payments = g.source("payments", source(&rows, workers))?;
        payments
            .key_by(|payment| payment.user)
            .event_time(|payment| payment.at)
            .hopping(hours(6), hours(1))?
            .finals("spend", (count(), sum(|payment: &Payment| payment.cents)))
            .sink(
                "digest",
                DigestSink::new(&digest, |row: &GroupRow<u64, (i64, f64)>| {
                    of_window(row.start, row.value.0, row.value.1)
                }),
            )
    })
}

/// Sessions with a gap of 30 min per user, count and sum, once they have ended.
fn session(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    Job::new("session", move |g| {
        let payments = g.source("payments", source(&rows, workers))?;
        payments
            .key_by(|payment| payment.user)
            .event_time(|payment| payment.at)
            .session(minutes(30))?
            .finals("spend", (count(), sum(|payment: &Payment| payment.cents)))
            .sink(
                "digest",
                DigestSink::new(&digest, |row: &SessionRow<u64, (i64, f64)>| {
                    of_window(row.start, row.value.0, row.value.1)
                }),
            )
    })
}

/// One row per event at once, and −1/+1 of those that a late event changes.
fn rolling_corrections(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    let finished = |(_, row): &((), Spend)| finished(row);
    Job::new("rolling_corrections", move |g| {
        spend(g, &rows, workers, days(7))?
            .corrections(|_| ())
            .sink("digest", DigestSink::new(&digest, finished))
    })
}

/// A user and a moment, for which the user's windows are asked.
type Asked = (u64, i64);

/// The three windows as of every tenth payment, which is a label besides; labels do not count as events.
fn point_in_time(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    let labels: Arc<Vec<Payment>> = Arc::new(rows.iter().step_by(10).copied().collect());
    let finished = |(_, row): &(Asked, Option<Spend>)| row.as_ref().map_or(0.0, finished);
    Job::new("point_in_time", move |g| {
        let payments = g.source("payments", source(&rows, workers))?;
        let labels = g.source("labels", source(&labels, workers))?;
        let labels = labels.map(|label| (label.user, label.at));
        payments
            .key_by(|payment| payment.user)
            .event_time(|payment| payment.at)
            .rolling([hours(1), hours(24), days(7)])?
            .moments("amount", |payment| payment.cents)
            .at(&labels
                .key_by(|label: &Asked| label.0)
                .event_time(|label| label.1))
            .finals()
            .sink("digest", DigestSink::new(&digest, finished))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use thalweg::connectors::memory::Collect;
    use thalweg::engine::sink::{Sink, SinkError, SinkPlace, UpsertSink, Writer};

    use super::*;

    /// Runs a workload over its rows, and returns what its output adds up to.
    fn sum_of(workload: &Workload, rows: &Arc<Vec<Payment>>, workers: usize) -> f64 {
        let digest = Digest::default();
        let config = Config::workers(workers).unwrap().epoch_rows(700).unwrap();
        let job = (workload.job)(Arc::clone(rows), workers, digest.clone());
        job.run(config).unwrap();
        digest.sum()
    }

    #[test]
    fn every_workload_comes_to_what_its_loop_or_brute_force_says_on_any_number_of_workers() {
        let rows = Arc::new(data::payments(20_000, 500));
        let all = all();
        let ours = all
            .iter()
            .filter(|workload| workload.name != "rolling_upsert");
        for workload in ours {
            let rows = (workload.rows)(&rows);
            let expected = match (workload.expected, workload.by_hand) {
                (Some(expected), _) => expected(&rows),
                (None, by_hand) => by_hand.unwrap()(&rows).1,
            };
            assert!(expected != 0.0, "{}", workload.name);
            for workers in [1, 2] {
                let ours = sum_of(workload, &rows, workers);
                let name = workload.name;
                assert!(
                    expected::agree(ours, expected),
                    "{name}: {ours} and {expected}"
                );
            }
        }
    }

    /// Stands for a store: the test replaces.
    struct Store(Collect<Spend>);

    impl UpsertSink<Spend> for Store {}

    impl Sink<Spend> for Store {
        fn open(&self, place: SinkPlace) -> Result<Box<dyn Writer<Spend>>, SinkError> {
            self.0.open(place)
        }
    }

    /// What a store that replaces holds in the end is what the table of latest rows holds.
    #[test]
    fn upserts_leave_what_latest_rows_are() {
        let rows = Arc::new(data::payments(20_000, 500));
        let config = || Config::workers(2).unwrap().epoch_rows(700).unwrap();
        let (upserts, latest) = (Collect::new(), Collect::new());
        let (to_store, to_table, from) = (upserts.clone(), latest.clone(), Arc::clone(&rows));
        let job = Job::new("both", move |g| {
            let spend = spend(g, &from, 2, days(7))?.expiry(Expiry::AtNextEvent);
            spend.upserts().sink("store", Store(to_store.clone()))?;
            spend.latest().sink("table", to_table.clone())
        });
        job.run(config()).unwrap();
        let mut updates = upserts.updates();
        updates.sort_by_key(|(_, epoch, _)| *epoch);
        let read = |row: &Spend| format!("{row:?}");
        let mut store = BTreeMap::new();
        for (row, _, diff) in &updates {
            assert_eq!(*diff, 1);
            store.insert(row.key, read(row));
        }
        let mut table: BTreeMap<String, i64> = BTreeMap::new();
        for (row, _, diff) in latest.updates() {
            *table.entry(read(&row)).or_default() += diff;
        }
        table.retain(|_, count| *count != 0);
        let store = store.into_values().map(|row| (row, 1)).collect();
        assert_eq!(table, store);
    }
}
