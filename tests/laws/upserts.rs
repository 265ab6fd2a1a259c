//! Rows for a store that replaces: after every epoch it holds what brute force says, and so in the end in any order.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use tests::case::{Case, Retractions};
use tests::dice::Dice;
use tests::epochs::{Witness, each_epoch, once};
use tests::event::Event;
use tests::lap::Lap;
use tests::oracle::{Net, RolledRow, admitted, assert_same, net, rolling_latest};
use thalweg::connectors::embedded::{Embedded, EmbeddedStore};
use thalweg::connectors::memory::Collect;
use thalweg::connectors::online::{OnlineStore, View, fields_of};
use thalweg::engine::sink::{Sink, SinkError, SinkPlace, UpsertSink, Writer};
use thalweg::engine::time::{Epoch, WATERMARK_NONE};
use thalweg::prelude::*;

use crate::for_seeds;
use crate::jobs::{self, Lanes};

/// What a store is told.
#[derive(Clone)]
pub(crate) struct Told(Collect<RolledRow>);

impl UpsertSink<RolledRow> for Told {}

impl Sink<RolledRow> for Told {
    fn open(&self, place: SinkPlace) -> Result<Box<dyn Writer<RolledRow>>, SinkError> {
        self.0.open(place)
    }
}

/// A store of one row per key.
#[derive(Default)]
struct Store(BTreeMap<i64, RolledRow>);

impl Store {
    /// Takes what it is told in one epoch: a row at most of each key, and no key is deleted that it does not hold.
    fn take(&mut self, told: &[(RolledRow, i64)]) {
        let mut keys = BTreeSet::new();
        for (row, diff) in told {
            assert!(keys.insert(row.key), "key {} comes twice", row.key);
            match diff {
                1 => {
                    self.0.insert(row.key, row.clone());
                }
                -1 => assert!(self.0.remove(&row.key).is_some(), "not there: {row:?}"),
                _ => panic!("{diff} copies of {row:?}"),
            }
        }
    }

    fn rows(&self) -> Net<RolledRow> {
        self.0.values().map(|row| (row.clone(), 1)).collect()
    }
}

/// A row as a view of an online store holds it.
#[derive(Clone, Serialize)]
struct Served {
    key: i64,
    at: i64,
    row: String,
}

impl From<&RolledRow> for Served {
    fn from(row: &RolledRow) -> Self {
        Self {
            key: row.key,
            at: row.at,
            row: format!("{row:?}"),
        }
    }
}

/// An online store holds what brute force says, though it goes by versions: after a retraction a row may be older than the
/// one in its place.
fn assert_served(
    told: &BTreeMap<Epoch, Vec<(RolledRow, i64)>>,
    expected: &Net<RolledRow>,
    context: &impl std::fmt::Debug,
) {
    let dir = tempfile::tempdir().unwrap();
    let view = View::new("rolled")
        .key(|row: &Served| row.key.to_string())
        .version(|row| row.at);
    let sink = Embedded::view(dir.path(), view).told_new_rows();
    let mut writer = sink.open(SinkPlace::alone()).unwrap();
    for (epoch, rows) in told {
        let rows = rows
            .iter()
            .map(|(row, diff)| (Served::from(row), *epoch, *diff));
        writer.write(*epoch, rows.collect()).unwrap();
    }
    writer.finish().unwrap();
    drop(writer);
    let mut store = EmbeddedStore::open_read_only(dir.path()).unwrap();
    let keys: BTreeSet<i64> = told.values().flatten().map(|(row, _)| row.key).collect();
    for key in keys {
        let found = store.get("rolled", &key.to_string(), i64::MIN).unwrap();
        let row = expected.keys().find(|row| row.key == key);
        let row = row.map(|row| fields_of(&Served::from(row)).unwrap());
        assert_eq!(found.map(|row| row.fields), row, "key {key}: {context:?}");
    }
}

/// What is run.
type Kind = (Lanes, Expiry);

fn draw(dice: &mut Dice) -> Kind {
    let lanes = dice.pick(&[Lanes::Whole, Lanes::Totals, Lanes::Real, Lanes::RealTotals]);
    (
        lanes,
        dice.pick(&[Expiry::AtWatermark, Expiry::AtNextEvent]),
    )
}

/// What the store must hold under a watermark.
fn expected(
    (lanes, expiry): Kind,
    input: &Net<Event>,
    case: &Case,
    watermark: i64,
) -> Net<RolledRow> {
    let as_of = match expiry {
        Expiry::AtWatermark => watermark,
        Expiry::AtNextEvent => WATERMARK_NONE,
    };
    rolling_latest(input, &case.widths_us, as_of, &lanes.oracle())
}

#[test]
fn a_store_that_replaces_holds_brute_force_after_every_epoch() {
    for_seeds(0..256, |seed| {
        let mut dice = Dice::new(seed);
        let kind = draw(&mut dice);
        let case = Case::draw(&mut dice, 120, Retractions::Anywhere);
        let (lap, witness) = (Lap::draw(&mut dice), Witness::default());
        let told = once(&lap, |out| {
            jobs::rolling_upserts(&case, &lap, kind, &witness, &Told(out))
        });
        let (context, mut store) = ((seed, lap, kind, &case), Store::default());
        each_epoch(&context, &witness.seen(), &told, |after| {
            store.take(after.written);
            let expected = expected(kind, after.input, &case, after.time.as_of);
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
        let kind = draw(&mut dice);
        let limited = Case::draw(&mut dice, 200, Retractions::Anywhere);
        let unlimited = limited.clone().unlimited();
        let reordered = unlimited.shuffled(&mut dice);
        for case in [limited, unlimited, reordered] {
            let (lap, quiet) = (Lap::draw(&mut dice), Witness::default());
            let (told, _) =
                lap.simulate(|out| jobs::rolling_upserts(&case, &lap, kind, &quiet, &Told(out)));
            let mut epochs: BTreeMap<_, Vec<_>> = BTreeMap::new();
            for (row, epoch, diff) in told {
                epochs.entry(epoch).or_default().push((row, diff));
            }
            let mut store = Store::default();
            epochs.values().for_each(|told| store.take(told));
            let input = admitted(&case);
            let expected = expected(kind, &net(input.rows), &case, input.as_of);
            let context = (seed, &lap, kind, &case);
            assert_same(&store.rows(), &expected, &context);
            if seed.is_multiple_of(4) {
                assert_served(&epochs, &expected, &context);
            }
        }
    });
}
