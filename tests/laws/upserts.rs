//! Rows for a store that replaces: after every epoch it holds what brute force says, and so in the end in any order.

use std::collections::{BTreeMap, BTreeSet};

use tests::case::{Case, Retractions};
use tests::dice::Dice;
use tests::epochs::{Witness, each_epoch, once};
use tests::lap::Lap;
use tests::oracle::{RolledRow, WHOLE, admitted, assert_same, net, rolling_latest};
use thalweg::connectors::memory::Collect;
use thalweg::engine::sink::{Sink, SinkError, SinkPlace, UpsertSink, Writer};
use thalweg::engine::time::WATERMARK_NONE;
use thalweg::operators::value::Fixed;
use thalweg::operators::window::rolling::Rolled;
use thalweg::prelude::*;

use crate::{for_seeds, jobs};

type Row = Rolled<i64, Fixed<0>, 2, 3>;

/// What a store is told, in the order in which it is.
struct Told(Collect<Row>);

impl Sink<Row> for Told {
    fn open(&self, place: SinkPlace) -> Result<Box<dyn Writer<Row>>, SinkError> {
        self.0.open(place)
    }
}

impl UpsertSink<Row> for Told {}

fn job(case: &Case, lap: &Lap, expiry: Expiry, witness: &Witness, out: Collect<Row>) -> Job {
    let (case, lap, witness) = (case.clone(), *lap, witness.clone());
    Job::new("upserts", move |g| {
        let events = g.source("events", case.source(&lap))?;
        witness.watch(&events);
        let rolling = jobs::whole(&events, &case)?.expiry(expiry);
        let rows = if lap.seed.is_multiple_of(2) {
            rolling.compact().upserts()
        } else {
            rolling.upserts()
        };
        rows.sink("store", Told(out.clone()))
    })
}

/// A store of one row per key.
#[derive(Default)]
struct Store(BTreeMap<i64, RolledRow>);

impl Store {
    /// Takes what it is told in one epoch: a row at most of each key, and none of a key that it does not hold is deleted.
    fn take(&mut self, told: &[(RolledRow, i64)]) {
        let mut keys = BTreeSet::new();
        for (row, diff) in told {
            assert!(keys.insert(row.key), "key {} comes twice", row.key);
            match diff {
                1 => {
                    self.0.insert(row.key, row.clone());
                }
                -1 => assert!(
                    self.0.remove(&row.key).is_some(),
                    "nothing to delete: {row:?}"
                ),
                _ => panic!("{diff} copies of {row:?}"),
            }
        }
    }

    fn rows(&self) -> tests::oracle::Net<RolledRow> {
        self.0.values().map(|row| (row.clone(), 1)).collect()
    }
}

fn as_of(expiry: Expiry, watermark: i64) -> i64 {
    match expiry {
        Expiry::AtWatermark => watermark,
        Expiry::AtNextEvent => WATERMARK_NONE,
    }
}

#[test]
fn a_store_that_replaces_holds_brute_force_after_every_epoch() {
    for_seeds(0..240, |seed| {
        let mut dice = Dice::new(seed);
        let expiry = dice.pick(&[Expiry::AtWatermark, Expiry::AtNextEvent]);
        let case = Case::draw(&mut dice, 120, Retractions::Anywhere);
        let (lap, witness) = (Lap::draw(&mut dice), Witness::default());
        let told = once(&lap, |out| job(&case, &lap, expiry, &witness, out));
        let told = told.into_iter();
        let told: Vec<_> = told
            .map(|(row, epoch, diff)| (jobs::read(row), epoch, diff))
            .collect();
        let (context, mut store) = ((seed, lap, &case), Store::default());
        each_epoch(&context, &witness.seen(), &told, |after| {
            store.take(after.written);
            let as_of = as_of(expiry, after.time.as_of);
            let expected = rolling_latest(after.input, &case.widths_us, as_of, &WHOLE);
            assert_same(
                &store.rows(),
                &expected,
                &(after.epoch, after.time, &context),
            );
        });
    });
}

#[test]
fn a_store_that_replaces_holds_brute_force_in_the_end_in_any_order() {
    for_seeds(1_000..1_080, |seed| {
        let mut dice = Dice::new(seed);
        let limited = Case::draw(&mut dice, 200, Retractions::Anywhere);
        let unlimited = limited.clone().unlimited();
        let reordered = unlimited.shuffled(&mut dice);
        let expiry = dice.pick(&[Expiry::AtWatermark, Expiry::AtNextEvent]);
        for case in [limited, unlimited, reordered] {
            let (lap, quiet) = (Lap::draw(&mut dice), Witness::default());
            let (told, _) = lap.simulate(|out| job(&case, &lap, expiry, &quiet, out));
            let mut epochs: BTreeMap<_, Vec<_>> = BTreeMap::new();
            for (row, epoch, diff) in told {
                epochs
                    .entry(epoch)
                    .or_default()
                    .push((jobs::read(row), diff));
            }
            let mut store = Store::default();
            epochs.values().for_each(|told| store.take(told));
            let input = admitted(&case);
            let as_of = as_of(expiry, input.as_of);
            let expected = rolling_latest(&net(input.rows), &case.widths_us, as_of, &WHOLE);
            assert_same(&store.rows(), &expected, &(seed, &lap, &case));
        }
    });
}
