//! Windows that rows make: sessions, last rows, sliding.

use std::rc::Rc;

use thalweg_engine::time::millis;

use crate::aggregate::tests::in_windows::cells::{Cell, Of, STEP_US, Shows, steps};
use crate::aggregate::tests::in_windows::definitions::{self, Label, key};
use crate::aggregate::tests::in_windows::erased::{Bits, Erased};
use crate::aggregate::tests::in_windows::log::Unruly;
use crate::aggregate::tests::laws::Row;
use crate::window::last_rows::{LastRow, testing as last_rows_state};
use crate::window::placed::Placed;
use crate::window::rolling::Expiry;
use crate::window::rolling::widths::Widths;
use crate::window::session::{SessionRow, testing as sessions};
use crate::window::sliding::{SlidingRow, testing as sliding};

pub(super) const GAP_US: i64 = STEP_US;

pub(in crate::aggregate::tests::in_windows) fn session_windows() -> Vec<Cell> {
    let row = |row: SessionRow<u32, Bits>| {
        let label = Label {
            key: row.key,
            at: row.start,
            last: row.last,
            ..Label::default()
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

pub(super) fn last_row(row: LastRow<u32, Bits>) -> (Label, Vec<Bits>) {
    let label = Label {
        key: row.key,
        at: row.at,
        ..Label::default()
    };
    (label, vec![row.value])
}

pub(in crate::aggregate::tests::in_windows) fn last_rows() -> Vec<Cell> {
    let cell = |name, rows, unruly| Cell {
        name,
        times: steps(),
        unruly,
        shows: Shows::All,
        frees: false,
        defined: Box::new(move |come, _| definitions::last_rows(come, rows)),
        make: Box::new(move |aggregate| {
            let (erased, at) = (Erased::<true>(Rc::clone(aggregate)), |row: &Row| row.at);
            let state = last_rows_state::latest(key, at, rows, erased);
            Box::new(Of(state, Row::clone, last_row))
        }),
    };
    vec![
        cell("the last row", 1, Unruly::Retractions),
        cell("the last 4 rows", 4, Unruly::Retractions),
        cell(
            "the last 4 rows, some from behind the watermark",
            4,
            Unruly::Rows,
        ),
    ]
}

pub(in crate::aggregate::tests::in_windows) fn last_rows_per_row() -> Vec<Cell> {
    const ROWS: usize = 3;
    let with_own = |(own, row): (Row, LastRow<u32, Bits>)| {
        let (mut label, value) = last_row(row);
        label.row = Some(own);
        (label, value)
    };
    let erased = |aggregate: &Rc<_>| Erased::<true>(Rc::clone(aggregate));
    vec![
        Cell {
            name: "the last 3 rows, finals",
            times: steps(),
            unruly: Unruly::Retractions,
            shows: Shows::Ended,
            frees: false,
            defined: Box::new(|come, time| definitions::last_rows_finals(come, time, ROWS)),
            make: Box::new(move |aggregate| {
                let state = last_rows_state::finals(ROWS, erased(aggregate));
                Box::new(Of(state, placed, with_own))
            }),
        },
        Cell {
            name: "the last 3 rows, corrections",
            times: steps(),
            unruly: Unruly::Retractions,
            shows: Shows::All,
            frees: false,
            defined: Box::new(|come, _| definitions::last_rows_corrections(come, ROWS)),
            make: Box::new(move |aggregate| {
                let state = last_rows_state::corrections(ROWS, erased(aggregate));
                Box::new(Of(state, placed, with_own))
            }),
        },
    ]
}

/// The narrow window often holds a row alone.
pub(super) const WIDTHS_US: [i64; 2] = [STEP_US, 4 * STEP_US];

pub(super) fn widths() -> Widths<2> {
    Widths::new([millis(1), millis(4)]).unwrap()
}

pub(super) fn placed(row: &Row) -> Placed<u32, Row> {
    Placed {
        at: row.at,
        key: key(row),
        row: row.clone(),
    }
}

pub(super) fn rolled(row: SlidingRow<u32, Bits, 2>) -> (Label, Vec<Bits>) {
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

pub(in crate::aggregate::tests::in_windows) fn sliding_windows_latest() -> Vec<Cell> {
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

pub(in crate::aggregate::tests::in_windows) fn sliding_windows_per_row() -> Vec<Cell> {
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
