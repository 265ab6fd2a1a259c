//! Sessions, hopping and calendar windows, last rows: brute force at every epoch, and in the end for any slicing and
//! order.

use tests::case::{Case, Retractions};
use tests::dice::Dice;
use tests::epochs::{Witness, assert_every_epoch, assert_every_epoch_appends, once};
use tests::event::Event;
use tests::lap::Lap;
use tests::london;
use tests::oracle::{admitted, assert_same, net};
use tests::windows::{Cut, WindowRow};
use thalweg::connectors::memory::Collect;
use thalweg::prelude::*;

use crate::for_seeds;

pub(crate) type Read = (i64, f64, Option<(i64, u32)>);

pub(crate) fn aggregates() -> impl Aggregate<Event, Output = Read> {
    (
        count(),
        sum(|event: &Event| event.other),
        last(
            |event: &Event| (event.at, event.id),
            |event| (event.at, event.id),
        ),
    )
}

pub(crate) fn row(key: i64, start: i64, last: i64, (count, sum, newest): Read) -> WindowRow {
    WindowRow {
        key,
        start,
        last,
        count,
        sum: sum as i64,
        newest,
    }
}

/// What is run: one kind of window, with rows at every change or final ones.
#[derive(Clone, Copy, Debug)]
struct Kind {
    cut: Cut,
    finals: bool,
}

fn windows<'s>(events: &Table<'s, Event>, kind: Kind) -> Result<Table<'s, WindowRow>, JobError> {
    let timeline = events
        .key_by(|event| event.key)
        .event_time(|event| event.at);
    let micros = |us: i64| std::time::Duration::from_micros(us.unsigned_abs());
    let groups = match kind.cut {
        Cut::Session(gap) => {
            let sessions = timeline.session(micros(gap))?;
            let rows = if kind.finals {
                sessions.finals("sessions", aggregates())
            } else {
                sessions.latest("sessions", aggregates())
            };
            return Ok(rows.map(|found| row(found.key, found.start, found.last, found.value)));
        }
        Cut::Last(rows) => {
            let rows = timeline.last_rows(rows)?.latest("last", aggregates());
            return Ok(rows.map(|found| row(found.key, 0, found.at, found.value)));
        }
        Cut::Hopping(width, step) => timeline.hopping(micros(width), micros(step))?,
        Cut::London(calendar) => timeline.calendar(calendar, "Europe/London")?,
    };
    let rows = if kind.finals {
        groups.finals("groups", aggregates())
    } else {
        groups.latest("groups", aggregates())
    };
    Ok(rows.map(|found| row(found.key, found.start, 0, found.value)))
}

fn job(case: &Case, lap: &Lap, kind: Kind, witness: &Witness, out: Collect<WindowRow>) -> Job {
    let (case, lap, witness) = (case.clone(), *lap, witness.clone());
    Job::new("windows", move |g| {
        let events = g.source("events", case.source(&lap))?;
        witness.watch(&events);
        windows(&events, kind)?.sink("out", out.clone())
    })
}

/// A kind of window that suits a case, and a case that suits it: groups count what is there before it came.
pub(crate) fn draw(dice: &mut Dice, rows_max: usize) -> (Cut, Case) {
    let (kind, by) = (dice.below(4), dice.pick(&[1, 2, 3]));
    let retractions = if kind < 2 {
        Retractions::InOrder
    } else {
        Retractions::Anywhere
    };
    let case = Case::draw(dice, rows_max, retractions);
    let [width, step, _] = case.widths_us;
    let cut = match kind {
        0 => Cut::Hopping(width, step.min(width * 3)),
        1 => {
            let calendar = dice.pick(&[Calendar::Day, Calendar::Week, Calendar::Month]);
            // Steps of half an hour fall into the hour that comes twice, those of six hours reach months.
            let grain_us = dice.pick(&[1, 2, 12]) * 1_800_000_000;
            let case = case.paced(london::EVENING_US, grain_us);
            return (Cut::London(calendar), case);
        }
        2 => Cut::Last(by),
        _ => Cut::Session(case.grain_us * by as i64 + dice.up_to(3) - 1),
    };
    match cut {
        Cut::Session(0) => (Cut::Session(1), case),
        cut => (cut, case),
    }
}

#[test]
fn windows_are_brute_force_at_every_epoch() {
    for_seeds(0..400, |seed| {
        let mut dice = Dice::new(seed);
        let (cut, case) = draw(&mut dice, 120);
        let (lap, witness) = (Lap::draw(&mut dice), Witness::default());
        let kind = Kind { cut, finals: false };
        let written = once(&lap, |out| job(&case, &lap, kind, &witness, out));
        assert_every_epoch(
            &(seed, lap, cut, &case),
            &witness.seen(),
            &written,
            |row| (row.key, row.start),
            |input, _| cut.windows(input),
        );
    });
}

#[test]
fn final_windows_come_once_in_the_epoch_in_which_the_watermark_ends_them() {
    for_seeds(1_000..1_400, |seed| {
        let mut dice = Dice::new(seed);
        let (cut, case) = draw(&mut dice, 120);
        if matches!(cut, Cut::Last(_)) {
            return;
        }
        let (lap, witness) = (Lap::draw(&mut dice), Witness::default());
        let kind = Kind { cut, finals: true };
        let written = once(&lap, |out| job(&case, &lap, kind, &witness, out));
        assert_every_epoch_appends(
            &(seed, lap, cut, &case),
            &witness.seen(),
            &written,
            |input, time| {
                let mut ended = cut.windows(input);
                ended.retain(|row, _| cut.has_ended(row.start, row.last, time.watermark));
                ended
            },
        );
    });
}

#[test]
fn windows_are_brute_force_in_any_order() {
    for_seeds(2_000..2_120, |seed| {
        let mut dice = Dice::new(seed);
        let (cut, case) = draw(&mut dice, 150);
        let case = case.unlimited();
        let expected = cut.windows(&net(admitted(&case).rows));
        let reordered = case.shuffled(&mut dice);
        for case in [case, reordered] {
            let finals = !matches!(cut, Cut::Last(_)) && dice.chance(50);
            let (lap, quiet) = (Lap::draw(&mut dice), Witness::default());
            let kind = Kind { cut, finals };
            let (written, _) = lap.simulate(|out| job(&case, &lap, kind, &quiet, out));
            let found = net(written.into_iter().map(|(row, _, diff)| (row, diff)));
            assert_same(&found, &expected, &(seed, &lap, cut, &case));
        }
    });
}
