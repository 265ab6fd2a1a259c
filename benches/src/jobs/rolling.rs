//! Rolling windows of 1 h, 24 h and 7 d, five moments, in every mode, and as of labels.

use std::sync::Arc;
use std::time::Duration;

use thalweg::operators::value::Fixed;
use thalweg::operators::window::rolling::{Rolled, Rolling};
use thalweg::prelude::*;

use crate::data::Payment;
use crate::digest::{Digest, DigestSink, Look};
use crate::workload::source;

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

/// Rolling 1 h, 24 h and 7 d, five moments, one row per user, −1/+1, as of the user's newest event. The loop
/// beside it writes final rows: one per event, reordered, where this writes the new row and the old.
pub(super) fn rolling_latest(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    latest(rows, workers, (days(7), Expiry::AtNextEvent), digest)
}

/// The same with the compact state, over payments whose times are whole milliseconds, as most sources' are.
pub(super) fn rolling_compact(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
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
pub(super) fn rolling_latest_doubled_history(
    rows: Arc<Vec<Payment>>,
    workers: usize,
    digest: Digest,
) -> Job {
    latest(rows, workers, (days(14), Expiry::AtNextEvent), digest)
}

/// The same, and rows fall as the watermark passes: up to three more changes per event, which no loop makes.
pub(super) fn rolling_latest_expiring(
    rows: Arc<Vec<Payment>>,
    workers: usize,
    digest: Digest,
) -> Job {
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
pub(super) fn rolling_upsert(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
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
pub(super) fn rolling_final(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
    let finished = |(_, row): &((), Spend)| finished(row);
    Job::new("rolling_final", move |g| {
        spend(g, &rows, workers, days(7))?
            .finals(|_| ())
            .sink("digest", DigestSink::new(&digest, finished))
    })
}

/// One row per event at once, and −1/+1 of those that a late event changes.
pub(super) fn rolling_corrections(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
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
pub(super) fn point_in_time(rows: Arc<Vec<Payment>>, workers: usize, digest: Digest) -> Job {
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
    use crate::data;

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
