//! Rolling windows of any aggregates: brute force at every epoch, and in the end for any slicing and order.

use tests::case::{Case, Retractions};
use tests::dice::Dice;
use tests::epochs::{
    Witness, assert_every_epoch, assert_every_epoch_appends, assert_every_epoch_nets, once,
};
use tests::event::Event;
use tests::lap::Lap;
use tests::oracle::{admitted, assert_same, net};
use tests::sliding::{SlidRow, WindowFacts, sliding_final, sliding_latest};
use tests::summary::Summary;
use thalweg::connectors::memory::Collect;
use thalweg::engine::time::{WATERMARK_END, WATERMARK_NONE};
use thalweg::operators::aggregate::Aggregate;
use thalweg::operators::value::{Fixed, Float, Moments};
use thalweg::operators::window::sliding::SlidingRow;
use thalweg::prelude::*;

use crate::for_seeds;

/// What [`facts`] reads.
pub(crate) type Read = (
    i64,
    u64,
    Option<(i64, u32)>,
    Moments<Fixed<0>>,
    Moments<Float>,
);

pub(crate) fn read<const W: usize>(row: &SlidingRow<i64, Read, W>) -> SlidRow {
    let facts = row.windows.iter().map(|window| WindowFacts {
        count: window.0,
        distinct: window.1,
        newest: window.2,
        whole: Summary::read(&window.3),
        real: Summary::read(&window.4),
    });
    SlidRow {
        key: row.key,
        at: row.at,
        windows: facts.collect(),
    }
}

/// Aggregates of every kind.
pub(crate) fn facts() -> impl Aggregate<Event, Output = Read> {
    (
        count(),
        distinct(|event: &Event| event.other),
        latest(
            |event: &Event| (event.at, event.id),
            |event| (event.at, event.id),
        ),
        moments(|event: &Event| event.other),
        moments(|event: &Event| event.float().map(Real)),
    )
}

/// Rows per key are marked by `None`, those per event by the event.
type Marked = (Option<Event>, SlidRow);

#[derive(Clone, Copy, Debug)]
enum Mode {
    Latest(Expiry),
    Finals,
    Corrections,
}

/// All of them over three windows: a row per key, or per event.
fn job(case: &Case, lap: &Lap, mode: Mode, witness: &Witness, out: Collect<Marked>) -> Job {
    let (case, lap, witness) = (case.clone(), *lap, witness.clone());
    Job::new("sliding", move |g| {
        let events = g.source("events", case.source(&lap))?;
        witness.watch(&events);
        let keyed = events.key_by(|event| event.key);
        let windows = keyed
            .event_time(|event| event.at)
            .rolling(case.widths())?
            .aggregate("facts", facts());
        let rows = match mode {
            Mode::Latest(expiry) => {
                let rows = windows.expiry(expiry).latest();
                rows.map(|row| (None, read(&row)))
            }
            Mode::Finals => windows
                .finals()
                .map(|(event, row)| (Some(event), read(&row))),
            Mode::Corrections => windows
                .corrections()
                .map(|(event, row)| (Some(event), read(&row))),
        };
        rows.sink("out", out.clone())
    })
}

fn marked_latest(rows: tests::oracle::Net<SlidRow>) -> tests::oracle::Net<Marked> {
    rows.into_iter().map(|(row, n)| ((None, row), n)).collect()
}

fn marked_final(rows: tests::oracle::Net<(Event, SlidRow)>) -> tests::oracle::Net<Marked> {
    let marked = |((event, row), n)| ((Some(event), row), n);
    rows.into_iter().map(marked).collect()
}

fn latest_holds(seeds: std::ops::Range<u64>, expiry: Expiry) {
    for_seeds(seeds, |seed| {
        let mut dice = Dice::new(seed);
        let case = Case::draw(&mut dice, 100, Retractions::Anywhere);
        let (lap, witness) = (Lap::draw(&mut dice), Witness::default());
        let written = once(&lap, |out| {
            job(&case, &lap, Mode::Latest(expiry), &witness, out)
        });
        assert_every_epoch(
            &(seed, lap, &case),
            &witness.seen(),
            &written,
            |row| row.1.key,
            |input, time| {
                let as_of = match expiry {
                    Expiry::AtWatermark => time.as_of,
                    Expiry::AtNextEvent => WATERMARK_NONE,
                };
                marked_latest(sliding_latest(input, &case.widths_us, as_of))
            },
        );
    });
}

#[test]
fn rows_that_expire_are_brute_force_at_every_epoch() {
    latest_holds(0..200, Expiry::AtWatermark);
}

#[test]
fn rows_that_keep_until_the_next_event_are_brute_force_at_every_epoch() {
    latest_holds(1_000..1_200, Expiry::AtNextEvent);
}

#[test]
fn final_rows_come_once_in_the_epoch_in_which_the_watermark_passes_them() {
    for_seeds(2_000..2_160, |seed| {
        let mut dice = Dice::new(seed);
        let case = Case::draw(&mut dice, 100, Retractions::Anywhere);
        let (lap, witness) = (Lap::draw(&mut dice), Witness::default());
        let written = once(&lap, |out| job(&case, &lap, Mode::Finals, &witness, out));
        assert_every_epoch_appends(
            &(seed, lap, &case),
            &witness.seen(),
            &written,
            |input, time| marked_final(sliding_final(input, &case.widths_us, time.watermark)),
        );
    });
}

#[test]
fn rows_that_are_repaired_are_brute_force_at_every_epoch() {
    for_seeds(4_000..4_160, |seed| {
        let mut dice = Dice::new(seed);
        let case = Case::draw(&mut dice, 100, Retractions::Anywhere);
        let (lap, witness) = (Lap::draw(&mut dice), Witness::default());
        let written = once(&lap, |out| {
            job(&case, &lap, Mode::Corrections, &witness, out)
        });
        assert_every_epoch_nets(
            &(seed, lap, &case),
            &witness.seen(),
            &written,
            |input, _| marked_final(sliding_final(input, &case.widths_us, WATERMARK_END)),
        );
    });
}

#[test]
fn all_modes_are_brute_force_in_any_order() {
    for_seeds(3_000..3_080, |seed| {
        let mut dice = Dice::new(seed);
        let case = Case::draw(&mut dice, 150, Retractions::Anywhere).unlimited();
        let reordered = case.shuffled(&mut dice);
        let input = net(admitted(&case).rows);
        let latest = marked_latest(sliding_latest(&input, &case.widths_us, WATERMARK_NONE));
        let finals = marked_final(sliding_final(&input, &case.widths_us, WATERMARK_END));
        for case in [case, reordered] {
            let modes = [
                (Mode::Latest(Expiry::AtNextEvent), &latest),
                (Mode::Finals, &finals),
                (Mode::Corrections, &finals),
            ];
            for (mode, expected) in modes {
                let (lap, quiet) = (Lap::draw(&mut dice), Witness::default());
                let (written, _) = lap.simulate(|out| job(&case, &lap, mode, &quiet, out));
                let found = net(written.into_iter().map(|(row, _, diff)| (row, diff)));
                assert_same(&found, expected, &(seed, &lap, &case));
            }
        }
    });
}
