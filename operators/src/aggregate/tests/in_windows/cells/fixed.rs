//! Windows that start at fixed moments: tumbling, hopping, calendar, lifetime.

use std::ops::Range;
use std::rc::Rc;

use jiff::Timestamp;
use thalweg_engine::time::EventTime;

use crate::aggregate::tests::in_windows::cells::{Cell, Machine, Of, Shows, steps};
use crate::aggregate::tests::in_windows::definitions::{self, Bounds, Label, key};
use crate::aggregate::tests::in_windows::erased::{AnyAggregate, Bits, Erased};
use crate::aggregate::tests::in_windows::log::{Times, Unruly};
use crate::aggregate::tests::laws::Row;
use crate::window::grouped::testing::{Mode, groups};
use crate::window::grouped::{Calendar, GroupRow, Local, Span};

/// Both modes of windows that start at fixed moments.
fn both<W: Fn(EventTime) -> Vec<Bounds> + Clone + 'static>(
    [latest, finals]: [&'static str; 2],
    times: &[Times],
    span: &Span,
    windows: W,
) -> Vec<Cell> {
    let of = windows.clone();
    let latest = Cell {
        name: latest,
        times: times.to_vec(),
        // A retraction that comes epochs before its row still takes another row's count away here.
        unruly: Unruly::Never,
        shows: Shows::All,
        frees: false,
        defined: Box::new(move |come, _| definitions::grouped_latest(come, &of)),
        make: grouped::<true>(Mode::Latest, span.clone()),
    };
    vec![latest, finals_of::<true>(finals, times, span, windows)]
}

/// What comes from behind the watermark counts in the windows that have not ended.
fn finals_of<const ADDS: bool>(
    name: &'static str,
    times: &[Times],
    span: &Span,
    windows: impl Fn(EventTime) -> Vec<Bounds> + 'static,
) -> Cell {
    Cell {
        name,
        times: times.to_vec(),
        unruly: Unruly::Rows,
        shows: Shows::Ended,
        frees: true,
        defined: Box::new(move |come, time| definitions::grouped_finals(come, time, &windows)),
        make: grouped::<ADDS>(Mode::Final, span.clone()),
    }
}

fn grouped<const ADDS: bool>(
    mode: Mode,
    span: Span,
) -> Box<dyn Fn(&Rc<dyn AnyAggregate>) -> Box<dyn Machine>> {
    let row = |row: GroupRow<u32, Bits>| {
        let label = Label {
            key: row.key,
            at: row.start,
            ..Label::default()
        };
        (label, vec![row.value])
    };
    Box::new(move |aggregate| {
        let erased = Erased::<ADDS>(Rc::clone(aggregate));
        let at = |row: &Row| row.at;
        Box::new(Of(
            groups(key, at, span.clone(), mode, erased),
            Row::clone,
            row,
        ))
    })
}

pub(super) fn span(width_us: i64, step_us: i64) -> Span {
    Span::Every { width_us, step_us }
}

pub(in crate::aggregate::tests::in_windows) fn tumbling_windows() -> Vec<Cell> {
    let (width, every) = (2_500, definitions::every(2_500, 2_500));
    let names = ["tumbling latest", "tumbling finals"];
    both(names, &steps(), &span(width, width), every)
}

/// Windows that share no parts, for they are no whole number of steps wide, and windows with gaps between them.
pub(in crate::aggregate::tests::in_windows) fn hopping_windows() -> Vec<Cell> {
    let uneven = both(
        ["hopping 2.5 steps latest", "hopping 2.5 steps finals"],
        &steps(),
        &span(2_500, 1_000),
        definitions::every(2_500, 1_000),
    );
    let gaps = both(
        ["hopping with gaps latest", "hopping with gaps finals"],
        &steps(),
        &span(1_000, 2_500),
        definitions::every(1_000, 2_500),
    );
    uneven.into_iter().chain(gaps).collect()
}

/// Windows of three whole steps: put together of parts where states add up, and not where nobody says so.
pub(in crate::aggregate::tests::in_windows) fn hopping_windows_of_parts() -> Vec<Cell> {
    let (three, every) = (span(3_000, 1_000), definitions::every(3_000, 1_000));
    let names = ["hopping latest", "hopping finals of parts"];
    let mut cells = both(names, &steps(), &three, every.clone());
    let whole = "hopping finals, states that do not add up";
    cells.push(finals_of::<false>(whole, &steps(), &three, every));
    cells
}

pub(in crate::aggregate::tests::in_windows) fn lifetime_windows() -> Vec<Cell> {
    let names = ["lifetime latest", "lifetime finals"];
    both(names, &steps(), &Span::Lifetime, definitions::lifetime)
}

/// Both modes of a calendar in a zone, over logs from a date on, in steps of so many hours.
fn zoned(
    names: [&'static str; 2],
    calendar: Calendar,
    zone: &'static str,
    from: &str,
    step_hours: i64,
) -> Vec<Cell> {
    let (times, span, windows) = in_zone(calendar, zone, from, step_hours);
    both(names, &[times], &span, windows)
}

/// Where logs lie from a date on, in steps of so many hours, and the windows of a calendar there.
pub(super) fn in_zone(
    calendar: Calendar,
    zone: &'static str,
    from: &str,
    step_hours: i64,
) -> (
    Times,
    Span,
    impl Fn(EventTime) -> Vec<Bounds> + Clone + use<>,
) {
    let hour_us = 3_600_000_000;
    let origin = from.parse::<Timestamp>().unwrap().as_microsecond();
    let step_us = step_hours * hour_us;
    let around = |steps: Range<i64>| origin + steps.start * step_us..origin + steps.end * step_us;
    let beginnings = definitions::beginnings(calendar, zone, around(-12..60));
    let within = around(0..24);
    let edges = beginnings.iter().copied().filter(|at| within.contains(at));
    let times = Times {
        origin,
        step_us,
        edges: edges.collect(),
    };
    let span = Span::Calendar(Rc::new(Local::new(calendar, zone).unwrap()));
    let windows = definitions::calendar(calendar, zone, beginnings);
    (times, span, windows)
}

/// A day of 25 hours, and one that the clocks go back into from the next, which has begun a minute ago.
pub(in crate::aggregate::tests::in_windows) fn days_of_a_zone() -> Vec<Cell> {
    let london = zoned(
        ["days in London latest", "days in London finals"],
        Calendar::Day,
        "Europe/London",
        "2024-10-25T00:00:00Z",
        6,
    );
    let goose_bay = zoned(
        ["days in Goose Bay latest", "days in Goose Bay finals"],
        Calendar::Day,
        "America/Goose_Bay",
        "2010-11-05T04:00:00Z",
        6,
    );
    london.into_iter().chain(goose_bay).collect()
}

/// Around the week that lost an hour in New York in 2024.
pub(in crate::aggregate::tests::in_windows) fn weeks_of_a_zone() -> Vec<Cell> {
    let names = ["weeks in New York latest", "weeks in New York finals"];
    let from = "2024-03-01T00:00:00Z";
    zoned(names, Calendar::Week, "America/New_York", from, 36)
}

/// Around the March that lost an hour in London in 2024, in its last night but one.
pub(in crate::aggregate::tests::in_windows) fn months_of_a_zone() -> Vec<Cell> {
    let names = ["months in London latest", "months in London finals"];
    let from = "2024-03-10T00:00:00Z";
    zoned(names, Calendar::Month, "Europe/London", from, 96)
}
