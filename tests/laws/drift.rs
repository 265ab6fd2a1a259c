//! Drift: the figures of every window, segment and feature are brute force's, at every epoch and in the end.

use std::time::Duration;

use tests::case::{Case, Retractions};
use tests::dice::Dice;
use tests::drift::{DriftFacts, FEATURES, Watch, drift, segment, values};
use tests::epochs::{Witness, assert_every_epoch, assert_every_epoch_appends, once};
use tests::lap::Lap;
use tests::oracle::{admitted, assert_same, net};
use thalweg::connectors::memory::Collect;
use thalweg::engine::key::Key;
use thalweg::operators::drift::DriftSpec;
use thalweg::prelude::*;

use crate::for_seeds;

/// When a window is shown.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    Latest,
    Finals,
}

fn job(
    case: &Case,
    lap: &Lap,
    watch: &Watch,
    mode: Mode,
    witness: &Witness,
    out: Collect<DriftFacts>,
) -> Job {
    let (case, lap, watch, witness) = (case.clone(), *lap, watch.clone(), witness.clone());
    Job::new("drift", move |g| {
        let events = g.source("events", case.source(&lap))?;
        witness.watch(&events);
        let spec = events
            .drift("drift", |event| event.at)
            .every(Duration::from_micros(watch.width_us.unsigned_abs()))
            .thresholds(watch.thresholds)
            .features(FEATURES, values);
        let windows = if watch.segmented {
            run(spec.segments(segment), &watch, mode)?
        } else {
            run(spec, &watch, mode)?
        };
        windows
            .map(|row| DriftFacts::read(&row))
            .sink("out", out.clone())
    })
}

fn run<'s, G: Key>(
    spec: DriftSpec<'s, tests::event::Event, G, 2>,
    watch: &Watch,
    mode: Mode,
) -> Result<Table<'s, DriftWindow>, JobError> {
    let spec = if watch.exact { spec.exact() } else { spec };
    match mode {
        Mode::Latest => spec.latest(&watch.baselines),
        Mode::Finals => spec.finals(&watch.baselines),
    }
}

#[test]
fn windows_are_brute_force_at_every_epoch() {
    for_seeds(0..160, |seed| {
        let mut dice = Dice::new(seed);
        let case = Case::draw(&mut dice, 100, Retractions::Anywhere);
        let (lap, watch) = (Lap::draw(&mut dice), Watch::draw(&mut dice, &case));
        let witness = Witness::default();
        let written = once(&lap, |out| {
            job(&case, &lap, &watch, Mode::Latest, &witness, out)
        });
        assert_every_epoch(
            &(seed, lap, &case, &watch),
            &witness.seen(),
            &written,
            |row| (row.feature.clone(), row.segment.clone(), row.window),
            |input, _| drift(input, &watch, |_| true),
        );
    });
}

#[test]
fn final_windows_come_once_in_the_epoch_in_which_the_watermark_reaches_their_end() {
    for_seeds(1_000..1_160, |seed| {
        let mut dice = Dice::new(seed);
        let case = Case::draw(&mut dice, 100, Retractions::Anywhere);
        let (lap, watch) = (Lap::draw(&mut dice), Watch::draw(&mut dice, &case));
        let witness = Witness::default();
        let written = once(&lap, |out| {
            job(&case, &lap, &watch, Mode::Finals, &witness, out)
        });
        assert_every_epoch_appends(
            &(seed, lap, &case, &watch),
            &witness.seen(),
            &written,
            |input, time| {
                drift(input, &watch, |start| {
                    start + watch.width_us <= time.watermark
                })
            },
        );
    });
}

#[test]
fn both_modes_are_brute_force_in_any_order_and_slicing() {
    for_seeds(2_000..2_060, |seed| {
        let mut dice = Dice::new(seed);
        let case = Case::draw(&mut dice, 200, Retractions::Anywhere).unlimited();
        let reordered = case.shuffled(&mut dice);
        let watch = Watch::draw(&mut dice, &case);
        let expected = drift(&net(admitted(&case).rows), &watch, |_| true);
        for case in [case, reordered] {
            for mode in [Mode::Latest, Mode::Finals] {
                let (lap, quiet) = (Lap::draw(&mut dice), Witness::default());
                let (written, _) = lap.simulate(|out| job(&case, &lap, &watch, mode, &quiet, out));
                let found = net(written.into_iter().map(|(row, _, diff)| (row, diff)));
                assert_same(&found, &expected, &(seed, mode, &lap, &case, &watch));
            }
        }
    });
}
