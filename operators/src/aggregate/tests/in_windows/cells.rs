//! The windows that take any aggregate, in each of their modes: a cell each.

use std::ops::Range;
use std::rc::Rc;

use jiff::Timestamp;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, KeyedState};
use thalweg_engine::time::{EventTime, millis};
use thalweg_engine::update::Diff;

use crate::aggregate::tests::in_windows::definitions::{self, Bounds, Come, Defined, Label, key};
use crate::aggregate::tests::in_windows::erased::{AnyAggregate, Bits, Erased};
use crate::aggregate::tests::in_windows::log::{Times, Unruly};
use crate::aggregate::tests::laws::Row;
use crate::window::grouped::testing::{Mode, groups};
use crate::window::grouped::{Calendar, GroupRow, Local, Span};
use crate::window::last_rows::{LastRow, testing as last_rows_state};
use crate::window::placed::Placed;
use crate::window::rolling::Expiry;
use crate::window::rolling::widths::Widths;
use crate::window::session::{SessionRow, testing as sessions};
use crate::window::sliding::{SlidingRow, testing as sliding};

/// A row as a window writes it, what each of its windows reads to the bit, and how often.
pub(super) type Written = (Label, Vec<Bits>, Diff);

/// What a mode writes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shows {
    /// All rows, as they stand after each epoch.
    All,
    /// Each row once, when it is final.
    Ended,
}

/// A window in a mode.
pub(super) struct Cell {
    pub(super) name: &'static str,
    /// Where its logs lie, one or another.
    pub(super) times: Vec<Times>,
    pub(super) unruly: Unruly,
    pub(super) shows: Shows,
    /// Whether nothing is left of it when its sources have ended.
    pub(super) frees: bool,
    /// The rows that are there, or are final in this epoch.
    pub(super) defined: Box<dyn Fn(&Come, &EpochTime) -> Defined>,
    pub(super) make: Box<dyn Fn(&Rc<dyn AnyAggregate>) -> Box<dyn Machine>>,
}

/// A keyed state, whatever its types.
pub(super) trait Machine {
    fn epoch(&mut self, time: &EpochTime, rows: &[(Row, Diff)]) -> Vec<Written>;
    fn save(&self) -> Vec<Vec<u8>>;
    fn load(&mut self, saved: &[Vec<u8>]);
    fn keys(&self) -> usize;
}

/// Rows of a container: several, and not in the order of time.
const PIECE_ROWS: usize = 5;

/// A state, how a row comes into it, and how one comes out.
struct Of<S: KeyedState>(S, fn(&Row) -> S::In, fn(S::Out) -> (Label, Vec<Bits>));

impl<S: KeyedState> Machine for Of<S> {
    fn epoch(&mut self, time: &EpochTime, rows: &[(Row, Diff)]) -> Vec<Written> {
        let (mut buffer, mut passed_on) = (Vec::new(), Vec::new());
        let mut pass_on = |full: &mut Vec<_>| passed_on.append(full);
        let mut out = Emitter::new(time.epoch, &mut buffer, &mut pass_on);
        let update = |(row, diff): &(Row, Diff)| ((self.1)(row), time.epoch, *diff);
        let pieces = rows.chunks(PIECE_ROWS);
        let pieces = pieces.map(|piece| piece.iter().map(update).collect::<Vec<_>>());
        let updates = pieces.collect();
        self.0.epoch(time, updates, &mut out);
        out.finish();
        passed_on.append(&mut buffer);
        let written = |(row, _, diff)| {
            let (label, windows) = (self.2)(row);
            (label, windows, diff)
        };
        passed_on.into_iter().map(written).collect()
    }

    fn save(&self) -> Vec<Vec<u8>> {
        let save = |group| {
            let mut bytes = Vec::new();
            self.0.save(group, &mut bytes).unwrap();
            bytes
        };
        KeyGroup::all().map(save).collect()
    }

    fn load(&mut self, saved: &[Vec<u8>]) {
        saved.iter().for_each(|bytes| self.0.load(bytes).unwrap());
    }

    fn keys(&self) -> usize {
        self.0.size().keys
    }
}

const STEP_US: i64 = 1_000;

/// Logs whose rows lie about whole steps, from 1970 on and before.
fn steps() -> Vec<Times> {
    let from = |origin| Times {
        origin,
        step_us: STEP_US,
        edges: Vec::new(),
    };
    vec![from(0), from(-9 * STEP_US)]
}

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

fn span(width_us: i64, step_us: i64) -> Span {
    Span::Every { width_us, step_us }
}

pub(super) fn tumbling_windows() -> Vec<Cell> {
    let (width, every) = (2_500, definitions::every(2_500, 2_500));
    let names = ["tumbling latest", "tumbling finals"];
    both(names, &steps(), &span(width, width), every)
}

/// Windows that share no parts, for they are no whole number of steps wide, and windows with gaps between them.
pub(super) fn hopping_windows() -> Vec<Cell> {
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
pub(super) fn hopping_windows_of_parts() -> Vec<Cell> {
    let (three, every) = (span(3_000, 1_000), definitions::every(3_000, 1_000));
    let names = ["hopping latest", "hopping finals of parts"];
    let mut cells = both(names, &steps(), &three, every.clone());
    let whole = "hopping finals, states that do not add up";
    cells.push(finals_of::<false>(whole, &steps(), &three, every));
    cells
}

pub(super) fn lifetime_windows() -> Vec<Cell> {
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
    both(names, &[times], &span, windows)
}

/// A day of 25 hours, and one that the clocks go back into from the next, which has begun a minute ago.
pub(super) fn days_of_a_zone() -> Vec<Cell> {
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
pub(super) fn weeks_of_a_zone() -> Vec<Cell> {
    let names = ["weeks in New York latest", "weeks in New York finals"];
    let from = "2024-03-01T00:00:00Z";
    zoned(names, Calendar::Week, "America/New_York", from, 36)
}

/// Around the March that lost an hour in London in 2024, in its last night but one.
pub(super) fn months_of_a_zone() -> Vec<Cell> {
    let names = ["months in London latest", "months in London finals"];
    let from = "2024-03-10T00:00:00Z";
    zoned(names, Calendar::Month, "Europe/London", from, 96)
}

pub(super) fn session_windows() -> Vec<Cell> {
    const GAP_US: i64 = STEP_US;
    let row = |row: SessionRow<u32, Bits>| {
        let label = Label {
            key: row.key,
            at: row.start,
            last: row.last,
            row: None,
        };
        (label, vec![row.value])
    };
    let erased = |aggregate: &Rc<_>| Erased::<true>(Rc::clone(aggregate));
    let at = |row: &Row| row.at;
    vec![
        Cell {
            name: "sessions latest",
            times: steps(),
            unruly: Unruly::Retractions,
            shows: Shows::All,
            frees: true,
            defined: Box::new(|come, _| definitions::session_latest(come, GAP_US)),
            make: Box::new(move |aggregate| {
                let state = sessions::latest(key, at, GAP_US, erased(aggregate));
                Box::new(Of(state, Row::clone, row))
            }),
        },
        Cell {
            name: "sessions finals",
            times: steps(),
            unruly: Unruly::Retractions,
            shows: Shows::Ended,
            frees: true,
            defined: Box::new(|come, time| definitions::session_finals(come, time, GAP_US)),
            make: Box::new(move |aggregate| {
                let state = sessions::finals(key, at, GAP_US, erased(aggregate));
                Box::new(Of(state, Row::clone, row))
            }),
        },
    ]
}

fn last(name: &'static str, rows: usize, unruly: Unruly) -> Cell {
    let row = |row: LastRow<u32, Bits>| {
        let label = Label {
            key: row.key,
            at: row.at,
            ..Label::default()
        };
        (label, vec![row.value])
    };
    Cell {
        name,
        times: steps(),
        unruly,
        shows: Shows::All,
        frees: false,
        defined: Box::new(move |come, _| definitions::last_rows(come, rows)),
        make: Box::new(move |aggregate| {
            let (erased, at) = (Erased::<true>(Rc::clone(aggregate)), |row: &Row| row.at);
            let state = last_rows_state::latest(key, at, rows, erased);
            Box::new(Of(state, Row::clone, row))
        }),
    }
}

pub(super) fn last_rows() -> Vec<Cell> {
    vec![
        last("the last row", 1, Unruly::Retractions),
        last("the last 4 rows", 4, Unruly::Retractions),
        last(
            "the last 4 rows, some from behind the watermark",
            4,
            Unruly::Rows,
        ),
    ]
}

/// The narrow window often holds a row alone.
const WIDTHS_US: [i64; 2] = [STEP_US, 4 * STEP_US];

fn widths() -> Widths<2> {
    Widths::new([millis(1), millis(4)]).unwrap()
}

fn placed(row: &Row) -> Placed<u32, Row> {
    Placed {
        at: row.at,
        key: key(row),
        row: row.clone(),
    }
}

fn rolled(row: SlidingRow<u32, Bits, 2>) -> (Label, Vec<Bits>) {
    let label = Label {
        key: row.key,
        at: row.at,
        ..Label::default()
    };
    (label, row.windows.0.to_vec())
}

fn rolled_with((own, row): (Row, SlidingRow<u32, Bits, 2>)) -> (Label, Vec<Bits>) {
    let (mut label, windows) = rolled(row);
    label.row = Some(own);
    (label, windows)
}

pub(super) fn sliding_windows_latest() -> Vec<Cell> {
    let cell = |name, expiry, unruly| Cell {
        name,
        times: steps(),
        unruly,
        shows: Shows::All,
        frees: false,
        defined: Box::new(move |come, time| {
            definitions::sliding_latest(come, time, expiry, &WIDTHS_US)
        }),
        make: Box::new(move |aggregate| {
            let erased = Erased::<true>(Rc::clone(aggregate));
            Box::new(Of(
                sliding::latest(erased, widths(), expiry),
                placed,
                rolled,
            ))
        }),
    };
    vec![
        cell("sliding latest", Expiry::AtWatermark, Unruly::Retractions),
        cell(
            "sliding latest, some from behind the watermark",
            Expiry::AtWatermark,
            Unruly::Rows,
        ),
        cell(
            "sliding latest until the next event",
            Expiry::AtNextEvent,
            Unruly::Retractions,
        ),
    ]
}

pub(super) fn sliding_windows_per_row() -> Vec<Cell> {
    let erased = |aggregate: &Rc<_>| Erased::<true>(Rc::clone(aggregate));
    vec![
        Cell {
            name: "sliding finals",
            times: steps(),
            unruly: Unruly::Retractions,
            shows: Shows::Ended,
            frees: false,
            defined: Box::new(|come, time| definitions::sliding_finals(come, time, &WIDTHS_US)),
            make: Box::new(move |aggregate| {
                let state = sliding::finals(erased(aggregate), widths());
                Box::new(Of(state, placed, rolled_with))
            }),
        },
        Cell {
            name: "sliding corrections",
            times: steps(),
            unruly: Unruly::Retractions,
            shows: Shows::All,
            frees: false,
            defined: Box::new(|come, _| definitions::sliding_corrections(come, &WIDTHS_US)),
            make: Box::new(move |aggregate| {
                let state = sliding::corrections(erased(aggregate), widths());
                Box::new(Of(state, placed, rolled_with))
            }),
        },
    ]
}
