//! Looking at a job epoch by epoch: what went in, what time it was, what came out.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

use thalweg::connectors::memory::Collect;
use thalweg::engine::column::Column;
use thalweg::engine::keyed::{Emitter, EpochTime, KeyGroup, KeyedState, StateError, StateSize};
use thalweg::engine::sim::Sim;
use thalweg::engine::table::Table;
use thalweg::engine::update::{Data, Update, Updates};
use thalweg::prelude::Job;

use crate::event::Event;
use crate::lap::Lap;
use crate::oracle::{Net, assert_same, net};
use crate::summary::changes_unseen;

/// What a witness saw: the input by epoch, and the times that held in each.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Rows by epoch.
    pub rows: BTreeMap<u64, Vec<(Event, i64)>>,
    /// Times by epoch, one for each worker on which the epoch had something to do.
    pub times: BTreeMap<u64, Vec<EpochTime>>,
}

/// A keyed state that holds nothing and writes down what it is shown; clones share what they saw.
#[derive(Clone, Debug, Default)]
pub struct Witness(Arc<Mutex<Seen>>);

impl Witness {
    /// Looks at a table; nothing comes out.
    pub fn watch(&self, table: &Table<'_, Event>) {
        let _ = table.keyed(
            "witness",
            Column::new(|row: &Event| row.key.unsigned_abs()),
            self.clone(),
        );
    }

    /// What was seen so far.
    #[must_use]
    pub fn seen(&self) -> Seen {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl KeyedState for Witness {
    type In = Event;
    type Out = ();
    const FORMAT: u32 = 1;

    fn epoch(&mut self, time: &EpochTime, rows: Updates<Event>, _: &mut Emitter<'_, ()>) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.times.entry(time.epoch).or_default().push(*time);
        let signed = rows.into_iter().map(|(row, epoch, diff)| {
            assert_eq!(epoch, time.epoch, "a row must carry its epoch");
            (row, diff)
        });
        seen.rows.entry(time.epoch).or_default().extend(signed);
    }

    fn save(&self, _: KeyGroup, _: &mut Vec<u8>) -> Result<(), StateError> {
        Ok(())
    }

    fn load(&mut self, _: &[u8]) -> Result<(), StateError> {
        Ok(())
    }

    fn size(&self) -> StateSize {
        StateSize::default()
    }
}

/// Runs a job once: a witness of its own sees one run only.
///
/// # Panics
/// When the run fails.
pub fn once<O: Data>(lap: &Lap, job: impl FnOnce(Collect<O>) -> Job) -> Vec<Update<O>> {
    let out = Collect::new();
    let config = lap.config().unwrap();
    Sim::new(lap.seed, config).run(&job(out.clone())).unwrap();
    out.updates()
}

/// A table after an epoch.
pub struct After<'a, O> {
    /// The epoch.
    pub epoch: u64,
    /// The times that held in it.
    pub time: &'a EpochTime,
    /// The input so far.
    pub input: &'a Net<Event>,
    /// What the epoch wrote.
    pub written: &'a [(O, i64)],
    /// The output so far.
    pub output: &'a Net<O>,
}

/// Shows a table after each epoch, and holds the times to their laws: they never go back, and workers agree.
///
/// # Panics
/// When they do not.
pub fn each_epoch<O: Data + Ord>(
    context: &dyn Debug,
    seen: &Seen,
    written: &[Update<O>],
    mut show: impl FnMut(&After<'_, O>),
) {
    let mut outputs: BTreeMap<u64, Vec<(O, i64)>> = BTreeMap::new();
    for (row, epoch, diff) in written {
        let rows = outputs.entry(*epoch).or_default();
        rows.push((row.clone(), *diff));
    }
    let mut epochs: Vec<u64> = seen.rows.keys().chain(outputs.keys()).copied().collect();
    epochs.sort_unstable();
    epochs.dedup();
    let (mut input, mut output) = (Net::new(), Net::new());
    let mut time = EpochTime::default();
    for epoch in epochs {
        let rows = seen.rows.get(&epoch).into_iter().flatten();
        input = net(input.into_iter().chain(rows.copied()));
        for worker in seen.times.get(&epoch).into_iter().flatten() {
            assert!(
                worker.watermark >= time.watermark,
                "{context:?}: time goes back"
            );
            time = *worker;
        }
        let times = seen.times.get(&epoch).into_iter().flatten();
        assert!(
            times
                .clone()
                .all(|worker| worker.watermark == time.watermark),
            "{context:?}: workers differ in their watermark at epoch {epoch}: {times:?}"
        );
        let rows = outputs.remove(&epoch).unwrap_or_default();
        output = net(output.into_iter().chain(rows.iter().cloned()));
        show(&After {
            epoch,
            time: &time,
            input: &input,
            written: &rows,
            output: &output,
        });
    }
}

/// Holds a table that is written per key to its laws, epoch by epoch: it equals `oracle` over the input and the time
/// so far, a key's signs add up to 0 or 1, and a row that did not change is not written.
///
/// # Panics
/// When a law is broken.
pub fn assert_every_epoch<O: Data + Ord + Debug, K: Ord + Debug>(
    context: &dyn Debug,
    seen: &Seen,
    written: &[Update<O>],
    key: impl Fn(&O) -> K,
    oracle: impl Fn(&Net<Event>, &EpochTime) -> Net<O>,
) {
    each_epoch(context, seen, written, |after| {
        let (epoch, rows, output) = (after.epoch, after.written, after.output);
        assert_net(context, epoch, rows);
        let per_key = net(output.iter().map(|(row, count)| (key(row), *count)));
        assert!(
            per_key.values().all(|count| *count == 1) && output.values().all(|n| *n == 1),
            "{context:?}: a key has more than one row at epoch {epoch}: {output:?}"
        );
        let expected = oracle(after.input, after.time);
        assert_same(output, &expected, &(epoch, after.time, context));
    });
}

/// Holds a table of any rows to its laws, epoch by epoch: it equals `oracle` over the input and the time so far, and a
/// row that comes and goes within an epoch is not written.
///
/// # Panics
/// When a law is broken.
pub fn assert_every_epoch_nets<O: Data + Ord + Debug>(
    context: &dyn Debug,
    seen: &Seen,
    written: &[Update<O>],
    oracle: impl Fn(&Net<Event>, &EpochTime) -> Net<O>,
) {
    each_epoch(context, seen, written, |after| {
        let (epoch, rows) = (after.epoch, after.written);
        assert_net(context, epoch, rows);
        let expected = oracle(after.input, after.time);
        assert_same(after.output, &expected, &(epoch, after.time, context));
    });
}

/// Sees to it that an epoch writes no row with both signs. Rows whose exact sums floats do not show may change unseen, and
/// are left to the operators' own tests, which look at all bits.
///
/// # Panics
/// When it does.
pub fn assert_net<O: Data + Ord + Debug>(context: &dyn Debug, epoch: u64, rows: &[(O, i64)]) {
    let seen = || rows.iter().filter(|(row, _)| !changes_unseen(row));
    let changes = net(seen().cloned());
    assert_eq!(
        changes.values().map(|diff| diff.abs()).sum::<i64>(),
        seen().map(|(_, diff)| diff.abs()).sum::<i64>(),
        "{context:?}: a row was written that did not change at epoch {epoch}: {rows:?}"
    );
}

/// Holds a table that only grows to its law: after every epoch it equals `oracle` over the input and the time so far,
/// and nothing is ever taken back. So each row comes once, in the epoch whose time lets it.
///
/// # Panics
/// When the law is broken.
pub fn assert_every_epoch_appends<O: Data + Ord + Debug>(
    context: &dyn Debug,
    seen: &Seen,
    written: &[Update<O>],
    oracle: impl Fn(&Net<Event>, &EpochTime) -> Net<O>,
) {
    each_epoch(context, seen, written, |after| {
        assert!(
            after.written.iter().all(|(_, diff)| *diff > 0),
            "{context:?}: a final row was taken back at epoch {}: {:?}",
            after.epoch,
            after.written
        );
        let expected = oracle(after.input, after.time);
        assert_same(after.output, &expected, &(after.epoch, after.time, context));
    });
}
