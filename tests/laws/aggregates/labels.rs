//! Windows of every kind as of the moments of labels: a third of the rows is labels, and no event.

use std::time::Duration;

use tests::case::Retractions;
use tests::dice::Dice;
use tests::event::Event;
use tests::oracle::Net;
use tests::windows::{Cut, Rows, by_key};
use thalweg::operators::key_by::Timeline;
use thalweg::operators::window::at::{Features, PointInTime, Sealed};
use thalweg::operators::window::grouped::WindowsAt;
use thalweg::operators::window::session::SessionAt;
use thalweg::prelude::*;

use super::all::{all, words};
use super::{Kind, Marked, Read, holds, holds_over, micros, slid, trailing};
use crate::for_seeds;
use crate::windows::draw;

/// When a label is answered, and over what.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asked {
    Finals,
    Corrections,
    AsKnownBy,
}

/// What labels ask for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Windows {
    /// The first two widths.
    Trailing,
    /// Of these windows those that hold the label's moment, up to it.
    Cut(Cut),
    /// All up to the label's moment.
    Lifetime,
}

fn is_label(event: &Event) -> bool {
    event.id.is_multiple_of(3)
}

/// When an event came, by its own word: some have left one window by then, or both.
fn arrived(event: &Event, width_us: i64) -> i64 {
    event.at + [0, -1, 1, 3, 9][event.id as usize % 5] * (width_us / 2)
}

/// Every second label asks as of an earlier moment.
fn asks_at(label: &Event, behind_us: i64) -> i64 {
    label.at - i64::from(label.id % 2) * behind_us
}

/// What windows answer to labels.
fn answered<'s, R>(
    windows: &PointInTime<'s, R, Event>,
    (asked, width_us): (Asked, i64),
    read: impl Fn(R::Row) -> Read + 'static,
) -> Table<'s, Marked>
where
    R: Features<'s> + Sealed<'s, Of = Event>,
{
    let windows = windows.clone().history(micros(width_us));
    let answers = match asked {
        Asked::Finals => windows.finals(),
        Asked::Corrections => windows.corrections(),
        Asked::AsKnownBy => windows.as_known_by(move |event| arrived(event, width_us)),
    };
    answers.map(move |(label, row)| (Some(label), read(row.expect("no label is too late"))))
}

fn opened(row: WindowsAt<i64, String>) -> Read {
    let windows = row.windows.into_iter();
    let read = windows.map(|window| format!("{}: {}", window.start, window.value));
    (row.key, 0, row.at, read.collect::<Vec<_>>().join("\n"))
}

fn open_session(row: SessionAt<i64, String>) -> Read {
    let (start, last, value) = row.session.map_or_else(Default::default, |session| {
        (session.start, session.last, session.value)
    });
    (row.key, start, last, value)
}

/// What the windows over the events of a table answer to its labels.
pub(super) fn told<'s>(
    events: &Table<'s, Event>,
    windows: Windows,
    widths: [Duration; 2],
    asked: (Asked, i64),
) -> Result<Table<'s, Marked>, JobError> {
    let others = events.filter(|event| !is_label(event));
    let others = others
        .key_by(|event| event.key)
        .event_time(|event| event.at);
    let labels = events.filter(is_label).key_by(|label| label.key);
    let labels = labels.event_time(move |label| asks_at(label, asked.1));
    at_labels(&others, &labels, windows, widths, asked)
}

/// Of the events and labels of a table, what the windows over the ones answer to the others.
fn at_labels<'s>(
    events: &Timeline<'s, Event, i64>,
    labels: &Timeline<'s, Event, i64>,
    windows: Windows,
    widths: [Duration; 2],
    asked: (Asked, i64),
) -> Result<Table<'s, Marked>, JobError> {
    Ok(match windows {
        Windows::Trailing => {
            let windows = events.rolling(widths)?.aggregate("all", all());
            answered(&windows.at(labels), asked, |row| slid(&row))
        }
        Windows::Lifetime => {
            let lifetime = events.lifetime().at("all", all(), labels);
            answered(&lifetime, asked, opened)
        }
        Windows::Cut(Cut::Hopping(width, step)) => {
            let hopping = events.hopping(micros(width), micros(step))?;
            answered(&hopping.at("all", all(), labels), asked, opened)
        }
        Windows::Cut(Cut::London(calendar)) => {
            let dates = events.calendar(calendar, "Europe/London")?;
            answered(&dates.at("all", all(), labels), asked, opened)
        }
        Windows::Cut(Cut::Session(gap)) => {
            let sessions = events.session(micros(gap))?;
            answered(&sessions.at("all", all(), labels), asked, open_session)
        }
        Windows::Cut(Cut::Last(number)) => {
            let last = events.last_rows(number)?.at("all", all(), labels);
            answered(&last, asked, |of| (of.key, 0, of.at, of.value))
        }
    })
}

/// What windows read as of a moment, of the rows that count.
fn read_at(
    windows: Windows,
    (key, at): (i64, i64),
    rows: Option<&Rows<'_>>,
    widths_us: [i64; 3],
    counts: impl Fn(&Event) -> bool,
) -> Read {
    let rows = rows.into_iter().flatten();
    let rows: Rows<'_> = rows.filter(|row| counts(row.0)).copied().collect();
    match windows {
        Windows::Trailing => (key, 0, at, trailing(Some(&rows), at, widths_us, |_| true)),
        Windows::Lifetime => {
            let until = rows.iter().filter(|row| row.0.at <= at).copied().collect();
            (key, 0, at, format!("0: {}", words(&until)))
        }
        Windows::Cut(cut @ (Cut::Hopping(..) | Cut::London(_))) => {
            let open = cut.open_at(key, &rows, at).into_iter();
            let read = open.map(|held| format!("{}: {}", held.start, words(&held.rows)));
            (key, 0, at, read.collect::<Vec<_>>().join("\n"))
        }
        Windows::Cut(cut @ Cut::Session(_)) => match &cut.open_at(key, &rows, at)[..] {
            [open] => (key, open.start, open.last, words(&open.rows)),
            _ => (key, 0, 0, String::new()),
        },
        Windows::Cut(cut @ Cut::Last(_)) => {
            let last = cut.open_at(key, &rows, at).remove(0);
            (key, 0, at, words(&last.rows))
        }
    }
}

/// The answers to labels over these events.
pub(super) fn answers(
    windows: Windows,
    asked: Asked,
    input: Net<Event>,
    widths_us: [i64; 3],
) -> Net<Marked> {
    let (labels, events): (Net<_>, Net<_>) =
        input.into_iter().partition(|(event, _)| is_label(event));
    let keys = by_key(&events);
    let answers = labels.into_iter().map(|(label, copies)| {
        let at = asks_at(&label, widths_us[0]);
        let counts = |event: &Event| match asked {
            Asked::Finals | Asked::Corrections => true,
            Asked::AsKnownBy => arrived(event, widths_us[0]) <= at,
        };
        let rows = keys.get(&label.key);
        let read = read_at(windows, (label.key, at), rows, widths_us, counts);
        ((Some(label), read), copies)
    });
    answers.collect()
}

#[test]
fn labels_are_told_of_every_aggregate_what_it_reads_alone() {
    let asked = [Asked::Finals, Asked::Corrections, Asked::AsKnownBy];
    holds_over(3_000..3_096, Retractions::Anywhere, |dice| {
        let windows = dice.pick(&[Windows::Trailing, Windows::Lifetime]);
        Kind::AtLabels(windows, dice.pick(&asked))
    });
    for_seeds(4_000..4_160, |seed| {
        let mut dice = Dice::new(seed);
        let (cut, case) = draw(&mut dice, 60);
        let kind = Kind::AtLabels(Windows::Cut(cut), dice.pick(&asked));
        holds(kind, case, &mut dice, seed);
    });
}
