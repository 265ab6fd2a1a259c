//! Every aggregate in windows of each kind and mode reads the same bits over any workers, slicing and order: those of the
//! aggregate by itself over the rows that the window holds. Brute force of the aggregates, and what stands after every
//! epoch, are tried where the operators stand, on one worker. `as_known` is not here: how rows are cut into epochs is what
//! it depends on.

mod all;
mod labels;

use std::time::Duration;

use tests::case::{Case, Retractions};
use tests::dice::Dice;
use tests::event::Event;
use tests::lap::Lap;
use tests::oracle::{Admitted, Net, admitted, assert_same, net};
use tests::windows::{Cut, Rows, by_key};
use thalweg::connectors::memory::Collect;
use thalweg::operators::window::sliding::SlidingRow;
use thalweg::prelude::*;

use crate::for_seeds;
use crate::windows::draw;
use all::{all, words};
use labels::{Asked, Windows};

/// A key, a window's start and its last row's time where there are any, and what all aggregates read.
type Read = (i64, i64, i64, String);

/// The event, where it has a row of its own.
type Marked = (Option<Event>, Read);

/// A row for each row, once or at once and repaired.
#[derive(Clone, Copy, Debug)]
enum PerRow {
    Finals,
    Corrections,
}

/// What is run.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// These windows, a row for each: written once it has ended, or at every change.
    Cut(Cut, bool),
    /// One window for ever, in the same way.
    Lifetime(bool),
    /// The last so many rows as of each row.
    LastRows(usize, PerRow),
    /// The first two widths, up to the newest event of a key or now.
    Latest(Expiry),
    /// The same up to each event.
    Rolling(PerRow),
    /// As of the moments of labels: a third of the rows is labels, and no event.
    AtLabels(Windows, Asked),
}

fn micros(us: i64) -> Duration {
    Duration::from_micros(us.unsigned_abs())
}

fn slid(row: &SlidingRow<i64, String, 2>) -> Read {
    (row.key, 0, row.at, row.windows.0.join("\n"))
}

fn rows<'s>(
    events: &Table<'s, Event>,
    kind: Kind,
    widths_us: [i64; 3],
) -> Result<Table<'s, Marked>, JobError> {
    let timeline = events
        .key_by(|event| event.key)
        .event_time(|event| event.at);
    let widths = [widths_us[0], widths_us[1]].map(micros);
    let (groups, finals) = match kind {
        Kind::Latest(expiry) => {
            let windows = timeline.rolling(widths)?.aggregate("all", all());
            let rows = windows.expiry(expiry).latest();
            return Ok(rows.map(|row| (None, slid(&row))));
        }
        Kind::Rolling(mode) => {
            let windows = timeline.rolling(widths)?.aggregate("all", all());
            let rows = match mode {
                PerRow::Finals => windows.finals(),
                PerRow::Corrections => windows.corrections(),
            };
            return Ok(rows.map(|(event, row)| (Some(event), slid(&row))));
        }
        Kind::AtLabels(windows, asked) => {
            return labels::told(events, windows, widths, (asked, widths_us[0]));
        }
        Kind::LastRows(number, mode) => {
            let last = timeline.last_rows(number)?;
            let last = match mode {
                PerRow::Finals => last.finals("all", all()),
                PerRow::Corrections => last.corrections("all", all()),
            };
            return Ok(last.map(|(event, of)| (Some(event), (of.key, 0, of.at, of.value))));
        }
        Kind::Cut(Cut::Session(gap), finals) => {
            let sessions = timeline.session(micros(gap))?;
            let sessions = if finals {
                sessions.finals("all", all())
            } else {
                sessions.latest("all", all())
            };
            return Ok(sessions.map(|of| (None, (of.key, of.start, of.last, of.value))));
        }
        Kind::Cut(Cut::Last(number), _) => {
            let last = timeline.last_rows(number)?.latest("all", all());
            return Ok(last.map(|of| (None, (of.key, 0, of.at, of.value))));
        }
        Kind::Cut(Cut::Hopping(width, step), finals) => {
            (timeline.hopping(micros(width), micros(step))?, finals)
        }
        Kind::Cut(Cut::London(calendar), finals) => {
            (timeline.calendar(calendar, "Europe/London")?, finals)
        }
        Kind::Lifetime(finals) => (events.key_by(|event| event.key).lifetime(), finals),
    };
    let groups = if finals {
        groups.finals("all", all())
    } else {
        groups.latest("all", all())
    };
    Ok(groups.map(|of| (None, (of.key, of.start, 0, of.value))))
}

fn job(case: &Case, lap: &Lap, kind: Kind, out: Collect<Marked>) -> Job {
    let (case, lap) = (case.clone(), *lap);
    Job::new("aggregates", move |g| {
        let events = g.source("events", case.source(&lap))?;
        rows(&events, kind, case.widths_us)?.sink("out", out.clone())
    })
}

/// What windows of these widths read that end at a moment, which is inside, of the rows that count.
fn trailing(
    rows: Option<&Rows<'_>>,
    end: i64,
    widths_us: [i64; 3],
    counts: impl Fn(&Event) -> bool,
) -> String {
    let window = |width: i64| {
        let inside = |row: &&(&Event, i64)| row.0.at >= end - width && row.0.at <= end;
        let inside = rows.into_iter().flatten().filter(inside);
        words(&inside.filter(|row| counts(row.0)).copied().collect())
    };
    [widths_us[0], widths_us[1]].map(window).join("\n")
}

/// Rows with their copies one by one.
fn one_by_one<'a>(rows: impl Iterator<Item = &'a (&'a Event, i64)>) -> Rows<'a> {
    let copies = rows.flat_map(|(event, copies)| {
        let copies = usize::try_from(*copies).unwrap();
        std::iter::repeat_n((*event, 1), copies)
    });
    copies.collect()
}

/// The last so many rows as of each row of a key, copies one by one.
fn last_rows(key: i64, rows: &Rows<'_>, number: usize) -> Vec<(Marked, i64)> {
    let copies = one_by_one(rows.iter());
    let as_of = |place: usize| {
        let (event, first) = (copies[place].0, (place + 1).saturating_sub(number));
        let read = words(&copies[first..=place].to_vec());
        ((Some(*event), (key, 0, event.at, read)), 1)
    };
    (0..copies.len()).map(as_of).collect()
}

/// The rows that are there, and how often each.
fn expected(kind: Kind, input: &Admitted, widths_us: [i64; 3]) -> Net<Marked> {
    let watermark = input.as_of;
    let input = net(input.rows.iter().copied());
    match kind {
        Kind::Cut(cut, _) => {
            let windows = cut.held(&input).into_iter();
            let read = windows.map(|of| (of.key, of.start, of.last, words(&of.rows)));
            read.map(|read| ((None, read), 1)).collect()
        }
        Kind::Lifetime(_) => {
            let keys = by_key(&input).into_iter();
            let read = keys.map(|(key, rows)| ((None, (key, 0, 0, words(&rows))), 1));
            read.collect()
        }
        Kind::LastRows(number, _) => {
            let keys = by_key(&input).into_iter();
            net(keys.flat_map(|(key, rows)| last_rows(key, &rows, number)))
        }
        Kind::Latest(expiry) => {
            let latest = |(key, rows): (i64, Rows<'_>)| {
                let (newest, _) = rows.last()?;
                let end = match expiry {
                    Expiry::AtWatermark => newest.at.max(watermark),
                    Expiry::AtNextEvent => newest.at,
                };
                let is_in = newest.at >= end - widths_us[0].max(widths_us[1]);
                let read = || trailing(Some(&rows), end, widths_us, |_| true);
                is_in.then(|| ((None, (key, 0, newest.at, read())), 1))
            };
            by_key(&input).into_iter().filter_map(latest).collect()
        }
        Kind::Rolling(_) => {
            let keys = by_key(&input);
            let there = keys.values().flatten().map(|(event, copies)| {
                let read = trailing(keys.get(&event.key), event.at, widths_us, |_| true);
                ((Some(**event), (event.key, 0, event.at, read)), *copies)
            });
            there.collect()
        }
        Kind::AtLabels(windows, asked) => labels::answers(windows, asked, input, widths_us),
    }
}

/// As it is, windows end and rows leave while others come; without limit any order is as good.
fn holds(kind: Kind, case: Case, dice: &mut Dice, seed: u64) {
    let unlimited = case.clone().unlimited();
    let reordered = unlimited.shuffled(dice);
    for case in [case, unlimited, reordered] {
        let expected = expected(kind, &admitted(&case), case.widths_us);
        let lap = Lap::draw(dice);
        let (written, _) = lap.simulate(|out| job(&case, &lap, kind, out));
        let found = net(written.into_iter().map(|(row, _, diff)| (row, diff)));
        assert_same(&found, &expected, &(seed, &lap, kind, &case));
    }
}

/// Over cases of some rows.
fn holds_over(
    seeds: std::ops::Range<u64>,
    retractions: Retractions,
    kind: impl Fn(&mut Dice) -> Kind,
) {
    for_seeds(seeds, |seed| {
        let mut dice = Dice::new(seed);
        let kind = kind(&mut dice);
        let case = Case::draw(&mut dice, 60, retractions);
        holds(kind, case, &mut dice, seed);
    });
}

#[test]
fn windows_read_of_every_aggregate_what_it_reads_alone() {
    for_seeds(0..120, |seed| {
        let mut dice = Dice::new(seed);
        let (cut, case) = draw(&mut dice, 80);
        let finals = dice.chance(50);
        holds(Kind::Cut(cut, finals), case, &mut dice, seed);
    });
    holds_over(500..524, Retractions::InOrder, |dice| {
        Kind::Lifetime(dice.chance(50))
    });
}

#[test]
fn rolling_windows_read_of_every_aggregate_what_it_reads_alone() {
    holds_over(1_000..1_096, Retractions::Anywhere, |dice| {
        dice.pick(&[
            Kind::Latest(Expiry::AtWatermark),
            Kind::Latest(Expiry::AtNextEvent),
            Kind::Rolling(PerRow::Finals),
            Kind::Rolling(PerRow::Corrections),
        ])
    });
}

#[test]
fn last_rows_as_of_rows_read_of_every_aggregate_what_it_reads_alone() {
    holds_over(2_000..2_048, Retractions::Anywhere, |dice| {
        let number = dice.pick(&[1, 2, 3]);
        Kind::LastRows(number, dice.pick(&[PerRow::Finals, PerRow::Corrections]))
    });
}
