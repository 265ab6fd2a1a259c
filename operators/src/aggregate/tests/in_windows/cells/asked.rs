//! Windows of every kind as of the moments of labels: every fourth row of a log is a label and no event.
//!
//! ```text
//! rows of a log ─┬─▶ events
//!                └─▶ labels, each asking for its own or another key's windows, as of its moment or a step or two before
//! ```

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use thalweg_engine::keyed::EpochTime;
use thalweg_engine::time::{EventTime, WATERMARK_END};
use thalweg_engine::update::Diff;

use crate::aggregate::tests::in_windows::cells::fixed::{in_zone, span};
use crate::aggregate::tests::in_windows::cells::moving::{
    GAP_US, WIDTHS_US, last_row, placed, rolled, widths,
};
use crate::aggregate::tests::in_windows::cells::{Cell, Machine, Of, STEP_US, Shows, steps};
use crate::aggregate::tests::in_windows::definitions::{self, Bounds, Come, Defined, Label, key};
use crate::aggregate::tests::in_windows::erased::{AnyAggregate, Bits, Erased};
use crate::aggregate::tests::in_windows::log::{Times, Unruly};
use crate::aggregate::tests::laws::Row;
use crate::window::at::testing::{self as at, Arrived, Asked, Event};
use crate::window::grouped::{Calendar, Span, WindowsAt};
use crate::window::last_rows::LastRow;
use crate::window::session::SessionAt;
use crate::window::sliding::SlidingRow;

/// Labels are behind by so many steps at most, or by none where there is no history.
const BEHIND_STEPS: i64 = 2;
const HISTORY_US: i64 = BEHIND_STEPS * STEP_US;

/// What a label asks for: the windows of a key, as of a moment.
type Asks = fn(&Row) -> (u32, EventTime);

fn is_label(row: &Row) -> bool {
    row.id.is_multiple_of(4)
}

/// Of each key some ask further back than others.
fn asks(row: &Row) -> (u32, EventTime) {
    let behind = i64::from(row.id / 12) % (BEHIND_STEPS + 1);
    let (of_key, at) = asks_now(row);
    (of_key, at.saturating_sub(behind * STEP_US))
}

/// As of the label's own moment.
fn asks_now(row: &Row) -> (u32, EventTime) {
    ((key(row) + u32::from(row.category)) % 3, row.at)
}

/// When an event came, by its own word: at once, before it happened, soon, and after it has left one window or both.
fn arrived(row: &Row) -> EventTime {
    let after = [0, -2, 1, 3, 9][row.id as usize % 5];
    row.at.saturating_add(after * STEP_US)
}

/// The rows that a key's windows hold as of a moment, and what is told of them.
type Holds = Rc<dyn Fn(&Come, u32, EventTime) -> (Label, Vec<Vec<Row>>)>;

fn trailing() -> Holds {
    Rc::new(|come, of, moment| {
        let windows = definitions::trailing(come, of, moment, &WIDTHS_US);
        (Label::default(), windows)
    })
}

/// So many rows are often all that a key has, and more often not.
const ROWS: usize = 3;

fn newest() -> Holds {
    Rc::new(|come, of, moment| {
        let rows = definitions::newest(come, of, moment, ROWS);
        (Label::default(), rows)
    })
}

/// Of windows that start at fixed moments, those that hold the moment.
fn up_to(of: impl Fn(EventTime) -> Vec<Bounds> + 'static) -> Holds {
    Rc::new(move |come, of_key, moment| {
        let starts: Vec<_> = of(moment).into_iter().map(|bounds| bounds.0).collect();
        let label = Label {
            start: starts.first().copied().unwrap_or_default(),
            ..Label::default()
        };
        let windows = definitions::up_to(come, of_key, moment, starts.into_iter());
        (label, windows)
    })
}

fn lifetime() -> Holds {
    Rc::new(|come, of, moment| {
        let all = std::iter::once(EventTime::MIN);
        (Label::default(), definitions::up_to(come, of, moment, all))
    })
}

fn session() -> Holds {
    Rc::new(|come, of, moment| {
        let rows = definitions::open_session(come, of, moment, GAP_US);
        let at = |row: Option<&Row>| row.map(|row| row.at).unwrap_or_default();
        let label = Label {
            start: at(rows.first()),
            last: at(rows.last()),
            ..Label::default()
        };
        let any = (!rows.is_empty()).then_some(rows);
        (label, any.into_iter().collect())
    })
}

fn answered(
    asked: &Row,
    of: &Come,
    (asks, holds): &(Asks, Holds),
    counts: impl Fn(&Row) -> bool,
) -> (Label, Vec<Vec<Row>>) {
    let (of_key, moment) = asks(asked);
    let events = of
        .iter()
        .filter(|(row, _)| !is_label(row) && counts(row))
        .map(|(row, count)| (row.clone(), *count));
    let (told, windows) = holds(&events.collect(), of_key, moment);
    let label = Label {
        key: of_key,
        at: moment,
        row: Some(asked.clone()),
        ..told
    };
    (label, windows)
}

fn labels(come: &Come) -> impl Iterator<Item = (&Row, Diff)> {
    let labels = come.iter().filter(|(row, _)| is_label(row));
    labels.map(|(row, count)| (row, *count))
}

/// The labels that ask before a moment, over the events that count for each.
fn before(
    come: &Come,
    passed: EventTime,
    holds: &(Asks, Holds),
    counts: impl Fn(&Row, EventTime) -> bool,
) -> Defined {
    let asks = holds.0;
    let asked = labels(come).filter(|(row, _)| asks(row).1 < passed);
    let answers = asked.map(|(row, count)| {
        let (label, windows) = answered(row, come, holds, |event| counts(event, asks(row).1));
        (label, windows, count)
    });
    answers.collect()
}

fn finals(holds: (Asks, Holds), _: i64) -> impl Fn(&Come, &EpochTime) -> Defined {
    move |come, time| before(come, time.watermark, &holds, |_, _| true)
}

fn corrections(holds: (Asks, Holds), _: i64) -> impl Fn(&Come, &EpochTime) -> Defined {
    move |come, _| before(come, EventTime::MAX, &holds, |_, _| true)
}

fn as_known_by(holds: (Asks, Holds), history_us: i64) -> impl Fn(&Come, &EpochTime) -> Defined {
    move |come, time| {
        let passed = match time.watermark {
            WATERMARK_END => WATERMARK_END,
            watermark => watermark.saturating_sub(history_us),
        };
        before(come, passed, &holds, |event, moment| {
            arrived(event) <= moment
        })
    }
}

fn as_known(holds: (Asks, Holds), _: i64) -> impl Fn(&Come, &EpochTime) -> Defined {
    let of_one_log = RefCell::new(Told::default());
    move |come, time| of_one_log.borrow_mut().defined(come, time, &holds)
}

/// What labels were told when they came, as long as they are there: of one log after the other.
#[derive(Default)]
struct Told(BTreeMap<Row, (Label, Vec<Vec<Row>>)>);

impl Told {
    fn defined(&mut self, come: &Come, time: &EpochTime, holds: &(Asks, Holds)) -> Defined {
        if time.epoch == 1 {
            self.0.clear();
        }
        self.0
            .retain(|row, _| come.get(row).is_some_and(|count| *count > 0));
        let there = labels(come).filter(|(_, count)| *count > 0);
        let told = there.map(|(row, count)| {
            let told = self.0.entry(row.clone());
            let (label, windows) = told.or_insert_with(|| answered(row, come, holds, |_| true));
            (label.clone(), windows.clone(), count)
        });
        told.collect()
    }
}

/// A row as an event, which is seen as `see` tells, or as a label.
fn as_either<E>(row: &Row, asks: Asks, see: impl Fn(&Row) -> E) -> Asked<u32, E, Row> {
    if is_label(row) {
        let (of_key, moment) = asks(row);
        at::label(moment, of_key, row.clone())
    } else {
        at::event(&key(row), see(row))
    }
}

fn see_as_arrived(row: &Row) -> Arrived<u32, Row> {
    at::arrived(arrived(row), placed(row))
}

fn seen(row: &Row) -> Asked<u32, Event<u32, Row>, Row> {
    as_either(row, asks, placed)
}

fn seen_now(row: &Row) -> Asked<u32, Event<u32, Row>, Row> {
    as_either(row, asks_now, placed)
}

fn seen_as_arrived(row: &Row) -> Asked<u32, Arrived<u32, Row>, Row> {
    as_either(row, asks, see_as_arrived)
}

fn seen_now_as_arrived(row: &Row) -> Asked<u32, Arrived<u32, Row>, Row> {
    as_either(row, asks_now, see_as_arrived)
}

fn told((asked, row): (Row, Option<SlidingRow<u32, Bits, 2>>)) -> (Label, Vec<Bits>) {
    let (mut label, windows) = rolled(row.expect("no label is further behind than the history"));
    label.row = Some(asked);
    (label, windows)
}

fn told_last((asked, row): (Row, Option<LastRow<u32, Bits>>)) -> (Label, Vec<Bits>) {
    let (mut label, value) = last_row(row.expect("no label is further behind than the history"));
    label.row = Some(asked);
    (label, value)
}

fn told_open((asked, row): (Row, Option<WindowsAt<u32, Bits>>)) -> (Label, Vec<Bits>) {
    let row = row.expect("no label is further behind than the history");
    let label = Label {
        key: row.key,
        at: row.at,
        start: row
            .windows
            .first()
            .map(|open| open.start)
            .unwrap_or_default(),
        row: Some(asked),
        ..Label::default()
    };
    assert!(
        row.windows
            .is_sorted_by(|newer, older| newer.start > older.start)
    );
    (
        label,
        row.windows.into_iter().map(|open| open.value).collect(),
    )
}

fn told_session((asked, row): (Row, Option<SessionAt<u32, Bits>>)) -> (Label, Vec<Bits>) {
    let row = row.expect("no label is further behind than the history");
    let open = row.session.as_ref();
    let label = Label {
        key: row.key,
        at: row.at,
        start: open.map(|open| open.start).unwrap_or_default(),
        last: open.map(|open| open.last).unwrap_or_default(),
        row: Some(asked),
        ..Label::default()
    };
    let value = row.session.map(|open| open.value);
    (label, value.into_iter().collect())
}

/// A kind of window that labels ask.
struct Kind {
    name: &'static str,
    times: Vec<Times>,
    holds: Holds,
    store: Store,
}

/// Where it holds the events.
#[derive(Clone)]
enum Store {
    Trailing,
    Newest,
    UpTo(Span),
    Open,
}

fn kinds() -> Vec<Kind> {
    let kind = |name, holds, store| Kind {
        name,
        times: steps(),
        holds,
        store,
    };
    let every = |name, width_us, step_us| {
        let holds = up_to(definitions::every(width_us, step_us));
        kind(name, holds, Store::UpTo(span(width_us, step_us)))
    };
    let (times, days, of) = in_zone(Calendar::Day, "Europe/London", "2024-10-25T00:00:00Z", 6);
    vec![
        kind("trailing windows", trailing(), Store::Trailing),
        kind("last rows", newest(), Store::Newest),
        every("tumbling windows", 2_500, 2_500),
        every("hopping windows", 2_500, 1_000),
        every("hopping windows with gaps", 1_000, 2_500),
        Kind {
            name: "days in London",
            times: vec![times],
            holds: up_to(of),
            store: Store::UpTo(days),
        },
        kind("lifetimes", lifetime(), Store::UpTo(Span::Lifetime)),
        kind("sessions", session(), Store::Open),
    ]
}

/// Each kind of window in a mode; every second one without history.
macro_rules! cells {
    ($mode:ident, $first_with:literal, [$seen:ident, $seen_now:ident]) => {{
        let numbered = kinds().into_iter().enumerate();
        let cells = numbered.map(|(number, kind)| {
            let (history_us, asks, see): (_, Asks, fn(&Row) -> _) = if number % 2 == $first_with {
                (HISTORY_US, asks, $seen)
            } else {
                (0, asks_now, $seen_now)
            };
            Cell {
                name: Box::leak(format!("{} at labels, {}", kind.name, stringify!($mode)).into()),
                times: kind.times,
                unruly: Unruly::Retractions,
                shows: Shows::All,
                frees: false,
                defined: Box::new($mode((asks, kind.holds), history_us)),
                make: Box::new(
                    move |aggregate: &Rc<dyn AnyAggregate>| -> Box<dyn Machine> {
                        let aggregate = Erased::<true>(Rc::clone(aggregate));
                        match kind.store.clone() {
                            Store::Trailing => {
                                let store = at::trailing(aggregate, widths());
                                Box::new(Of(at::$mode(store, history_us), see, told))
                            }
                            Store::Newest => {
                                let store = at::newest(ROWS, aggregate);
                                Box::new(Of(at::$mode(store, history_us), see, told_last))
                            }
                            Store::UpTo(span) => {
                                let store = at::up_to(span, aggregate);
                                Box::new(Of(at::$mode(store, history_us), see, told_open))
                            }
                            Store::Open => {
                                let store = at::open(GAP_US, aggregate);
                                Box::new(Of(at::$mode(store, history_us), see, told_session))
                            }
                        }
                    },
                ),
            }
        });
        cells.collect()
    }};
}

pub(in crate::aggregate::tests::in_windows) fn labels_finals() -> Vec<Cell> {
    cells!(finals, 0, [seen, seen_now])
}

pub(in crate::aggregate::tests::in_windows) fn labels_corrections() -> Vec<Cell> {
    cells!(corrections, 1, [seen, seen_now])
}

pub(in crate::aggregate::tests::in_windows) fn labels_as_known() -> Vec<Cell> {
    cells!(as_known, 0, [seen, seen_now])
}

pub(in crate::aggregate::tests::in_windows) fn labels_as_known_by_arrival() -> Vec<Cell> {
    cells!(as_known_by, 1, [seen_as_arrived, seen_now_as_arrived])
}
