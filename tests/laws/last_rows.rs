//! Last rows with a row per row: brute force at every epoch, and in the end for any slicing and order.

use tests::case::{Case, Retractions};
use tests::dice::Dice;
use tests::epochs::{Witness, assert_every_epoch_appends, assert_every_epoch_nets, once};
use tests::event::Event;
use tests::lap::Lap;
use tests::oracle::{admitted, assert_same, net};
use tests::windows::{WindowRow, last_rows_final};
use thalweg::connectors::memory::Collect;
use thalweg::engine::time::WATERMARK_END;
use thalweg::prelude::*;

use crate::for_seeds;
use crate::windows::{aggregates, row};

#[derive(Clone, Copy, Debug)]
enum Mode {
    Finals,
    Corrections,
}

/// What is run: over how many rows, and when they are written.
type Kind = (usize, Mode);

fn job(
    case: &Case,
    lap: &Lap,
    (number, mode): Kind,
    witness: &Witness,
    out: Collect<(Event, WindowRow)>,
) -> Job {
    let (case, lap, witness) = (case.clone(), *lap, witness.clone());
    Job::new("last rows", move |g| {
        let events = g.source("events", case.source(&lap))?;
        witness.watch(&events);
        let last = events
            .key_by(|event| event.key)
            .event_time(|event| event.at)
            .last_rows(number)?;
        let rows = match mode {
            Mode::Finals => last.finals("last", aggregates()),
            Mode::Corrections => last.corrections("last", aggregates()),
        };
        let rows = rows.map(|(event, found)| (event, row(found.key, 0, found.at, found.value)));
        rows.sink("out", out.clone())
    })
}

fn draw(dice: &mut Dice) -> (usize, Case) {
    let number = dice.pick(&[1, 2, 3, 10]);
    (number, Case::draw(dice, 120, Retractions::Anywhere))
}

#[test]
fn final_rows_come_once_in_the_epoch_in_which_the_watermark_passes_them() {
    for_seeds(0..160, |seed| {
        let mut dice = Dice::new(seed);
        let (number, case) = draw(&mut dice);
        let (lap, witness) = (Lap::draw(&mut dice), Witness::default());
        let kind = (number, Mode::Finals);
        let written = once(&lap, |out| job(&case, &lap, kind, &witness, out));
        assert_every_epoch_appends(
            &(seed, lap, number, &case),
            &witness.seen(),
            &written,
            |input, time| last_rows_final(input, number, time.watermark),
        );
    });
}

#[test]
fn rows_that_are_repaired_are_brute_force_at_every_epoch() {
    for_seeds(1_000..1_160, |seed| {
        let mut dice = Dice::new(seed);
        let (number, case) = draw(&mut dice);
        let (lap, witness) = (Lap::draw(&mut dice), Witness::default());
        let kind = (number, Mode::Corrections);
        let written = once(&lap, |out| job(&case, &lap, kind, &witness, out));
        assert_every_epoch_nets(
            &(seed, lap, number, &case),
            &witness.seen(),
            &written,
            |input, _| last_rows_final(input, number, WATERMARK_END),
        );
    });
}

#[test]
fn both_modes_are_brute_force_in_any_order() {
    for_seeds(2_000..2_080, |seed| {
        let mut dice = Dice::new(seed);
        let (number, case) = draw(&mut dice);
        let case = case.unlimited();
        let reordered = case.shuffled(&mut dice);
        let expected = last_rows_final(&net(admitted(&case).rows), number, WATERMARK_END);
        for case in [case, reordered] {
            for mode in [Mode::Finals, Mode::Corrections] {
                let (lap, quiet) = (Lap::draw(&mut dice), Witness::default());
                let kind = (number, mode);
                let (written, _) = lap.simulate(|out| job(&case, &lap, kind, &quiet, out));
                let found = net(written.into_iter().map(|(row, _, diff)| (row, diff)));
                assert_same(&found, &expected, &(seed, &lap, kind, &case));
            }
        }
    });
}
