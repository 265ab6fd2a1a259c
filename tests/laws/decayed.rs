//! Fading sums: near the definition at every epoch in all modes, and the same bits for any slicing and order.

use std::fmt::Debug;

use tests::case::{Case, Retractions};
use tests::decayed::{
    Expected, Faded, Marked, assert_faded, by_number, decayed_at, decayed_final, decayed_latest,
};
use tests::dice::Dice;
use tests::epochs::{After, Witness, assert_net, each_epoch, once};
use tests::event::Event;
use tests::lap::Lap;
use tests::oracle::{Net, admitted, assert_same, net};
use thalweg::connectors::memory::Collect;
use thalweg::engine::time::{WATERMARK_END, WATERMARK_NONE};
use thalweg::operators::window::decayed::DecayedRow;
use thalweg::prelude::*;

use crate::for_seeds;

#[derive(Clone, Copy, Debug)]
enum Mode {
    /// As of each key's newest number.
    Latest,
    /// As of multiples of so many µs.
    Refreshed(i64),
    Finals,
    Corrections,
    /// A third of the rows is labels, whose numbers do not count: what those are told.
    AtLabels(Asked),
    /// Final rows, of which those of labels are shown.
    FinalsOfLabels,
}

/// When labels are answered, and by what counts for them: by event time, or by when it arrived.
#[derive(Clone, Copy, Debug)]
enum Asked {
    Finals,
    Corrections,
    AsKnownBy,
}

fn is_label(event: &Event) -> bool {
    event.id.is_multiple_of(3)
}

/// A label has none.
fn number(event: &Event) -> Option<f64> {
    event.float().filter(|_| !is_label(event))
}

fn bits(row: &DecayedRow<i64>) -> Faded {
    (row.key, row.at, row.count.to_bits(), row.sum.to_bits())
}

fn job(case: &Case, lap: &Lap, mode: Mode, witness: &Witness, out: Collect<Marked>) -> Job {
    let (case, lap, witness) = (case.clone(), *lap, witness.clone());
    Job::new("fading", move |g| {
        let events = g.source("events", case.source(&lap))?;
        witness.watch(&events);
        let keyed = events.key_by(|event| event.key);
        let fading = keyed
            .event_time(|event| event.at)
            .decayed(case.widths()[0])?;
        let marked = |(event, row): (Event, _)| (Some(event), bits(&row));
        let rows = match mode {
            Mode::Latest => {
                let rows = fading.latest("fading", Event::float);
                rows.map(|row| (None, bits(&row)))
            }
            Mode::Refreshed(every_us) => {
                let every = std::time::Duration::from_micros(every_us.unsigned_abs());
                let rows = fading.refreshed(every)?.latest("fading", Event::float);
                rows.map(|row| (None, bits(&row)))
            }
            Mode::Finals => fading.finals("fading", Event::float).map(marked),
            Mode::Corrections => fading.corrections("fading", Event::float).map(marked),
            Mode::FinalsOfLabels => {
                let rows = fading.finals("fading", number);
                rows.filter(|(event, _)| is_label(event)).map(marked)
            }
            Mode::AtLabels(asked) => {
                let labels = events.filter(is_label).key_by(|label| label.key);
                let labels = labels.event_time(|label| label.at);
                let told = fading.at("fading", number, &labels);
                let rows = match asked {
                    Asked::Finals => told.finals(),
                    Asked::Corrections => told.corrections(),
                    Asked::AsKnownBy => {
                        let arriving = case.clone();
                        told.as_known_by(move |event| arriving.arrived(event))
                    }
                };
                rows.map(|(label, row)| (Some(label), bits(&row.expect("no label is late"))))
            }
        };
        rows.sink("out", out.clone())
    })
}

/// Whether a row as of a moment is told the number of an event that is not after it.
fn counts(case: &Case, mode: Mode, event: &Event, at: i64) -> bool {
    match mode {
        Mode::Latest | Mode::Refreshed(_) | Mode::Finals | Mode::Corrections => true,
        Mode::FinalsOfLabels | Mode::AtLabels(Asked::Finals | Asked::Corrections) => {
            !is_label(event)
        }
        Mode::AtLabels(Asked::AsKnownBy) => !is_label(event) && case.arrived(event) <= at,
    }
}

/// Holds a mode's table to the rows that must be there, and to the definition over what counts for each.
fn assert_near(
    (case, mode): (&Case, Mode),
    found: &Net<Marked>,
    expected: &Expected,
    input: &Net<Event>,
    context: &dyn Debug,
) {
    assert_faded(
        found,
        expected,
        input,
        case.widths_us[0],
        |event, at| counts(case, mode, event, at),
        context,
    );
}

/// Runs a mode, and holds the table after every epoch to `expected`.
fn holds(
    seed: u64,
    retractions: Retractions,
    mode: impl Fn(&Case) -> Mode,
    mut expected: impl FnMut(&After<'_, Marked>, Mode) -> Expected,
) {
    let mut dice = Dice::new(seed);
    let case = Case::draw(&mut dice, 100, retractions);
    let mode = mode(&case);
    let (lap, witness) = (Lap::draw(&mut dice), Witness::default());
    let written = once(&lap, |out| job(&case, &lap, mode, &witness, out));
    let context = (seed, lap, mode, &case);
    each_epoch(&context, &witness.seen(), &written, |after| {
        assert_net(&context, after.epoch, after.written);
        let expected = expected(after, mode);
        let context = (after.epoch, after.time, &context);
        let input = match mode {
            Mode::Latest | Mode::Refreshed(_) => &by_number(after.input),
            _ => after.input,
        };
        assert_near((&case, mode), after.output, &expected, input, &context);
    });
}

#[test]
fn rows_per_key_are_near_the_definition_at_every_epoch() {
    for_seeds(4_000..4_160, |seed| {
        holds(
            seed,
            Retractions::Anywhere,
            |_| Mode::Latest,
            |after, _| decayed_latest(&by_number(after.input), WATERMARK_NONE),
        );
    });
}

#[test]
fn rows_that_are_refreshed_are_near_the_definition_at_every_epoch() {
    for_seeds(0..160, |seed| {
        let mut as_of = WATERMARK_NONE;
        let every = |case: &Case| Mode::Refreshed(case.widths_us[1]);
        holds(seed, Retractions::Anywhere, every, |after, mode| {
            if let Mode::Refreshed(every) = mode
                && after.time.as_of != WATERMARK_NONE
            {
                as_of = as_of.max(after.time.as_of.div_euclid(every) * every);
            }
            decayed_latest(&by_number(after.input), as_of)
        });
    });
}

#[test]
fn final_rows_come_once_in_the_epoch_in_which_the_watermark_passes_them() {
    for_seeds(1_000..1_160, |seed| {
        holds(
            seed,
            Retractions::Anywhere,
            |_| Mode::Finals,
            |after, _| {
                let mut signs = after.written.iter().map(|row| row.1);
                assert!(signs.all(|diff| diff > 0), "seed {seed}: taken back");
                decayed_final(after.input, after.time.watermark)
            },
        );
    });
}

#[test]
fn rows_that_are_repaired_are_near_the_definition_at_every_epoch() {
    for_seeds(2_000..2_160, |seed| {
        let mode = |_: &Case| Mode::Corrections;
        holds(seed, Retractions::Anywhere, mode, |after, _| {
            decayed_final(after.input, WATERMARK_END)
        });
    });
}

#[test]
fn labels_are_told_at_every_epoch_what_had_arrived_by_their_moment() {
    for_seeds(5_000..5_160, |seed| {
        let mode = |_: &Case| Mode::AtLabels(Asked::AsKnownBy);
        holds(seed, Retractions::Anywhere, mode, |after, _| {
            decayed_at(after.input, is_label, after.time.watermark)
        });
    });
}

#[test]
fn all_modes_are_near_the_definition_and_the_same_bits_for_any_workers_slicing_and_order() {
    for_seeds(3_000..3_080, |seed| {
        let mut dice = Dice::new(seed);
        let case = Case::draw(&mut dice, 150, Retractions::Anywhere).unlimited();
        let reordered = case.shuffled(&mut dice);
        let mut run = |case: &Case, mode| {
            let (lap, quiet) = (Lap::draw(&mut dice), Witness::default());
            let (written, _) = lap.simulate(|out| job(case, &lap, mode, &quiet, out));
            net(written.into_iter().map(|(row, _, diff)| (row, diff)))
        };
        let input = net(admitted(&case).rows);
        let near = |mode: Mode, found: &Net<Marked>, expected: &Expected| {
            let context = (seed, mode, &case);
            assert_near((&case, mode), found, expected, &input, &context);
        };

        let latest = run(&case, Mode::Latest);
        let newest = decayed_latest(&input, WATERMARK_NONE);
        near(Mode::Latest, &latest, &newest);
        assert_same(&run(&reordered, Mode::Latest), &latest, &seed);

        let finals = run(&case, Mode::Finals);
        let rows = decayed_final(&input, WATERMARK_END);
        near(Mode::Finals, &finals, &rows);
        assert_same(&run(&reordered, Mode::Finals), &finals, &seed);

        let as_known_by = Mode::AtLabels(Asked::AsKnownBy);
        let labels = decayed_at(&input, is_label, WATERMARK_END);
        let of_labels = run(&case, Mode::FinalsOfLabels);
        near(Mode::FinalsOfLabels, &of_labels, &labels);
        let known = run(&case, as_known_by);
        near(as_known_by, &known, &labels);
        for case in [&case, &reordered] {
            assert_same(&run(case, Mode::Corrections), &finals, &(seed, case));
            for asked in [Asked::Finals, Asked::Corrections] {
                let told = run(case, Mode::AtLabels(asked));
                assert_same(&told, &of_labels, &(seed, asked, case));
            }
            assert_same(&run(case, as_known_by), &known, &(seed, case));
        }
    });
}
