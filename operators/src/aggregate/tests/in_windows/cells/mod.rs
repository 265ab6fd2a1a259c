//! The windows that take any aggregate, in each of their modes: a cell each.
//!
//! | file | windows |
//! |---|---|
//! | `asked` | as of the moments of labels |
//! | `fixed` | those that start at fixed moments: tumbling, hopping, calendar, lifetime |
//! | `moving` | those that rows make: sessions, last rows, sliding |

mod asked;
mod fixed;
mod moving;

use std::rc::Rc;

use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, KeyedState};
use thalweg_engine::update::Diff;

use crate::aggregate::tests::in_windows::definitions::{Come, Defined, Label};
use crate::aggregate::tests::in_windows::erased::{AnyAggregate, Bits};
use crate::aggregate::tests::in_windows::log::{Times, Unruly};
use crate::aggregate::tests::laws::Row;
pub(super) use asked::{
    labels_as_known, labels_as_known_by_arrival, labels_corrections, labels_finals,
};
pub(super) use fixed::{
    days_of_a_zone, hopping_windows, hopping_windows_of_parts, lifetime_windows, months_of_a_zone,
    tumbling_windows, weeks_of_a_zone,
};
pub(super) use moving::{
    last_rows, last_rows_per_row, session_windows, sliding_windows_latest, sliding_windows_per_row,
};

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
