//! Trailing windows and last rows as of the moments of labels: every fourth row of a log is a label and no event.
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

use crate::aggregate::tests::in_windows::cells::moving::{
    WIDTHS_US, last_row, placed, rolled, widths,
};
use crate::aggregate::tests::in_windows::cells::{Cell, Machine, Of, STEP_US, Shows, steps};
use crate::aggregate::tests::in_windows::definitions::{self, Come, Defined, Label, key};
use crate::aggregate::tests::in_windows::erased::{AnyAggregate, Bits, Erased};
use crate::aggregate::tests::in_windows::log::Unruly;
use crate::aggregate::tests::laws::Row;
use crate::window::at::testing::{self as at, Arrived, Asked, Event};
use crate::window::last_rows::LastRow;
use crate::window::sliding::SlidingRow;

/// Labels are behind by so many steps at most.
const BEHIND_STEPS: i64 = 2;
const HISTORY_US: i64 = BEHIND_STEPS * STEP_US;

fn is_label(row: &Row) -> bool {
    row.id.is_multiple_of(4)
}

/// What a label asks for: the windows of a key, as of a moment; of each key some ask further back than others.
fn asks(row: &Row) -> (u32, EventTime) {
    let behind = i64::from(row.id / 12) % (BEHIND_STEPS + 1);
    let of_key = (key(row) + u32::from(row.category)) % 3;
    (of_key, row.at.saturating_sub(behind * STEP_US))
}

/// When an event came, by its own word: at once, before it happened, soon, and after it has left one window or both.
fn arrived(row: &Row) -> EventTime {
    let after = [0, -2, 1, 3, 9][row.id as usize % 5];
    row.at.saturating_add(after * STEP_US)
}

/// The rows that a key's windows hold as of a moment.
type Holds = fn(&Come, u32, EventTime) -> Vec<Vec<Row>>;

fn trailing(come: &Come, of: u32, moment: EventTime) -> Vec<Vec<Row>> {
    definitions::trailing(come, of, moment, &WIDTHS_US)
}

/// So many rows are often all that a key has, and more often not.
const ROWS: usize = 3;

fn newest(come: &Come, of: u32, moment: EventTime) -> Vec<Vec<Row>> {
    definitions::newest(come, of, moment, ROWS)
}

fn answered(
    asked: &Row,
    of: &Come,
    holds: Holds,
    counts: impl Fn(&Row) -> bool,
) -> (Label, Vec<Vec<Row>>) {
    let (of_key, moment) = asks(asked);
    let label = Label {
        key: of_key,
        at: moment,
        row: Some(asked.clone()),
        ..Label::default()
    };
    let events = of
        .iter()
        .filter(|(row, _)| !is_label(row) && counts(row))
        .map(|(row, count)| (row.clone(), *count));
    (label, holds(&events.collect(), of_key, moment))
}

fn labels(come: &Come) -> impl Iterator<Item = (&Row, Diff)> {
    let labels = come.iter().filter(|(row, _)| is_label(row));
    labels.map(|(row, count)| (row, *count))
}

/// The labels that ask before a moment, over the events that count for each.
fn before(
    come: &Come,
    passed: EventTime,
    holds: Holds,
    counts: impl Fn(&Row, EventTime) -> bool,
) -> Defined {
    let asked = labels(come).filter(|(row, _)| asks(row).1 < passed);
    let answers = asked.map(|(row, count)| {
        let (label, windows) = answered(row, come, holds, |event| counts(event, asks(row).1));
        (label, windows, count)
    });
    answers.collect()
}

fn finals(holds: Holds) -> impl Fn(&Come, &EpochTime) -> Defined {
    move |come, time| before(come, time.watermark, holds, |_, _| true)
}

fn corrections(holds: Holds) -> impl Fn(&Come, &EpochTime) -> Defined {
    move |come, _| before(come, EventTime::MAX, holds, |_, _| true)
}

fn as_known_by(holds: Holds) -> impl Fn(&Come, &EpochTime) -> Defined {
    move |come, time| {
        let passed = match time.watermark {
            WATERMARK_END => WATERMARK_END,
            watermark => watermark.saturating_sub(HISTORY_US),
        };
        before(come, passed, holds, |event, moment| {
            arrived(event) <= moment
        })
    }
}

fn as_known(holds: Holds) -> impl Fn(&Come, &EpochTime) -> Defined {
    let of_one_log = RefCell::new(Told::default());
    move |come, time| of_one_log.borrow_mut().defined(come, time, holds)
}

/// What labels were told when they came, as long as they are there: of one log after the other.
#[derive(Default)]
struct Told(BTreeMap<Row, (Label, Vec<Vec<Row>>)>);

impl Told {
    fn defined(&mut self, come: &Come, time: &EpochTime, holds: Holds) -> Defined {
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

fn seen(row: &Row) -> Asked<u32, Event<u32, Row>, Row> {
    if is_label(row) {
        let (of_key, moment) = asks(row);
        at::label(moment, of_key, row.clone())
    } else {
        at::event(&key(row), placed(row))
    }
}

fn seen_as_arrived(row: &Row) -> Asked<u32, Arrived<u32, Row>, Row> {
    if is_label(row) {
        let (of_key, moment) = asks(row);
        at::label(moment, of_key, row.clone())
    } else {
        at::event(&key(row), at::arrived(arrived(row), placed(row)))
    }
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

fn cell(
    name: &'static str,
    defined: impl Fn(&Come, &EpochTime) -> Defined + 'static,
    make: impl Fn(Erased<true>) -> Box<dyn Machine> + 'static,
) -> Cell {
    Cell {
        name,
        times: steps(),
        unruly: Unruly::Retractions,
        shows: Shows::All,
        frees: false,
        defined: Box::new(defined),
        make: Box::new(move |aggregate: &Rc<dyn AnyAggregate>| make(Erased(Rc::clone(aggregate)))),
    }
}

pub(in crate::aggregate::tests::in_windows) fn labels_finals() -> Vec<Cell> {
    vec![
        cell("at labels, finals", finals(trailing), |aggregate| {
            let state = at::finals(at::trailing(aggregate, widths()), HISTORY_US);
            Box::new(Of(state, seen, told))
        }),
        cell("last rows at labels, finals", finals(newest), |aggregate| {
            let state = at::finals(at::newest(ROWS, aggregate), HISTORY_US);
            Box::new(Of(state, seen, told_last))
        }),
    ]
}

pub(in crate::aggregate::tests::in_windows) fn labels_corrections() -> Vec<Cell> {
    vec![
        cell(
            "at labels, corrections",
            corrections(trailing),
            |aggregate| {
                let state = at::corrections(at::trailing(aggregate, widths()), HISTORY_US);
                Box::new(Of(state, seen, told))
            },
        ),
        cell(
            "last rows at labels, corrections",
            corrections(newest),
            |aggregate| {
                let state = at::corrections(at::newest(ROWS, aggregate), HISTORY_US);
                Box::new(Of(state, seen, told_last))
            },
        ),
    ]
}

pub(in crate::aggregate::tests::in_windows) fn labels_as_known() -> Vec<Cell> {
    vec![
        cell("at labels, as known", as_known(trailing), |aggregate| {
            let state = at::as_known(at::trailing(aggregate, widths()), HISTORY_US);
            Box::new(Of(state, seen, told))
        }),
        cell(
            "last rows at labels, as known",
            as_known(newest),
            |aggregate| {
                let state = at::as_known(at::newest(ROWS, aggregate), HISTORY_US);
                Box::new(Of(state, seen, told_last))
            },
        ),
    ]
}

pub(in crate::aggregate::tests::in_windows) fn labels_as_known_by_arrival() -> Vec<Cell> {
    vec![
        cell(
            "at labels, as known by arrival",
            as_known_by(trailing),
            |aggregate| {
                let state = at::as_known_by(at::trailing(aggregate, widths()), HISTORY_US);
                Box::new(Of(state, seen_as_arrived, told))
            },
        ),
        cell(
            "last rows at labels, as known by arrival",
            as_known_by(newest),
            |aggregate| {
                let state = at::as_known_by(at::newest(ROWS, aggregate), HISTORY_US);
                Box::new(Of(state, seen_as_arrived, told_last))
            },
        ),
    ]
}
