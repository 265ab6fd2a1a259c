//! Every aggregate in the windows that take any, held to brute force after every epoch.
//!
//! ```text
//! a random log ──▶ window over the aggregate ──▶ changes of this epoch  ┐
//!              └─▶ the window's definition ──▶ rows of each window      ├─ the same, to the bit, and none besides
//!                                              the aggregate over them ─┘
//!                                              brute force over them        as near as the aggregate promises
//! ```
//!
//! An aggregate enters by its line in `tests/mod.rs`, a window by its cells in `cells/`. A cell is a window in a mode;
//! each is tried on 256 logs per aggregate, and some of the logs are interrupted by a save.

mod cells;
mod definitions;
mod erased;
mod log;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::rc::Rc;

use thalweg_engine::key::GOLDEN;
use thalweg_engine::update::Diff;

use super::every_aggregate;
use super::laws::{Laws, Row};
use crate::aggregate::Aggregate;
use crate::aggregate::laws::{Agrees, Draws, Near};
use cells::{Cell, Shows, Written};
use definitions::{Come, Label};
use erased::{AnyAggregate, Bits, Judged};
use log::{Log, log};

/// All aggregates.
#[derive(Default)]
struct Collected(Vec<Rc<dyn AnyAggregate>>);

impl Laws for Collected {
    fn hold<A: Aggregate<Row>>(
        &mut self,
        name: &str,
        agrees: Agrees,
        aggregate: A,
        brute: impl Fn(&[Row]) -> A::Output + 'static,
    ) where
        A::Output: Near + Debug,
    {
        self.0.push(Rc::new(Judged {
            name: name.to_owned(),
            agrees,
            aggregate,
            brute,
        }));
    }
}

/// An output row's windows, each by the number of its content, and how often it is there.
type Standing = (Vec<usize>, Diff);

/// What an epoch makes of an output row.
struct Change {
    label: Label,
    before: Option<Standing>,
    after: Option<Standing>,
}

/// A log, and what a window must write over it, whatever the aggregate.
struct Story {
    log: Log,
    changes: Vec<Vec<Change>>,
    /// The rows of windows, each different list once.
    contents: Vec<Vec<Row>>,
    /// Before which epoch the state is saved and loaded, if at all.
    saved_at: Option<usize>,
}

impl Story {
    fn of(cell: &Cell, case: u64) -> Self {
        let mut draws = Draws::seeded(case.wrapping_mul(GOLDEN) | 1);
        let times = draws.one_of(&cell.times);
        let log = log(&mut draws, &times, cell.unruly);
        let saved_at = (draws.below(4) == 0).then(|| draws.below(log.len() as u64) as usize);
        let mut numbers = BTreeMap::<Vec<Row>, usize>::new();
        let mut number = |rows| {
            let next = numbers.len();
            *numbers.entry(rows).or_insert(next)
        };
        let (mut come, mut before) = (Come::new(), BTreeMap::<Label, Standing>::new());
        let mut changes = Vec::new();
        for (time, rows) in &log {
            for (row, diff) in rows {
                *come.entry(row.clone()).or_default() += diff;
            }
            come.retain(|_, count| *count != 0);
            let defined = (cell.defined)(&come, time).into_iter();
            let mut now: BTreeMap<Label, Standing> = defined
                .map(|(label, windows, count)| {
                    (
                        label,
                        (windows.into_iter().map(&mut number).collect(), count),
                    )
                })
                .collect();
            let mut ours = Vec::new();
            for (label, old) in std::mem::take(&mut before) {
                let new = now.get(&label).cloned();
                ours.push(Change {
                    label,
                    before: Some(old),
                    after: new,
                });
            }
            let known = ours.len();
            for (label, new) in &now {
                if !ours[..known].iter().any(|change| change.label == *label) {
                    ours.push(Change {
                        label: label.clone(),
                        before: None,
                        after: Some(new.clone()),
                    });
                }
            }
            ours.retain(|change| change.before != change.after);
            changes.push(ours);
            if cell.shows == Shows::All {
                std::mem::swap(&mut before, &mut now);
            }
        }
        let mut contents = vec![Vec::new(); numbers.len()];
        for (rows, number) in numbers {
            contents[number] = rows;
        }
        Self {
            log,
            changes,
            contents,
            saved_at,
        }
    }

    /// Runs a cell over the log.
    fn hold(&self, cell: &Cell, aggregate: &Rc<dyn AnyAggregate>, case: u64) {
        let judged = |rows: &Vec<Row>| aggregate.judged(rows);
        let contents: Vec<Bits> = self.contents.iter().map(judged).collect();
        let mut machine = (cell.make)(aggregate);
        for (number, (time, rows)) in self.log.iter().enumerate() {
            if self.saved_at == Some(number) {
                let saved = machine.save();
                machine = (cell.make)(aggregate);
                erased::loading(aggregate, || machine.load(&saved));
            }
            let written = one_by_one(machine.epoch(time, rows));
            let mut expected = Vec::new();
            for change in &self.changes[number] {
                expect(change, &contents, &mut expected);
            }
            let expected = one_by_one(net(expected));
            assert!(
                written == expected,
                "{} in {}, case {case}, epoch {}:\nwrote {:#?}\nnot {:#?}\nover {:#?}",
                aggregate.name(),
                cell.name,
                number + 1,
                texts(aggregate, &written),
                texts(aggregate, &expected),
                self.log
            );
        }
        let left = machine.keys();
        assert!(
            !cell.frees || left == 0,
            "{} in {}, case {case}: {left} keys are left",
            aggregate.name(),
            cell.name
        );
    }
}

/// What is left of changes: copies of a row may change into each other.
fn net(changes: Vec<Written>) -> Vec<Written> {
    let mut net = BTreeMap::new();
    for (label, windows, diff) in changes {
        *net.entry((Label { copy: 0, ..label }, windows))
            .or_insert(0) += diff;
    }
    let changes = net.into_iter();
    changes
        .map(|((label, windows), diff)| (label, windows, diff))
        .collect()
}

/// Rows that are written several times, each by itself, and all in order.
fn one_by_one(written: Vec<Written>) -> Vec<Written> {
    let copies = |(label, windows, diff): Written| {
        let one = (label, windows, diff.signum());
        std::iter::repeat_n(one, diff.unsigned_abs() as usize)
    };
    let mut rows: Vec<Written> = written.into_iter().flat_map(copies).collect();
    rows.sort_unstable();
    rows
}

/// What must be written for a change: nothing where it reads the same.
fn expect(change: &Change, contents: &[Bits], written: &mut Vec<Written>) {
    let read = |standing: &Option<Standing>| {
        let (windows, count) = standing.as_ref()?;
        let read = windows.iter().map(|number| contents[*number].clone());
        Some((read.collect::<Vec<_>>(), *count))
    };
    let mut write = |windows, count| written.push((change.label.clone(), windows, count));
    match (read(&change.before), read(&change.after)) {
        (Some(old), Some(new)) if old.0 == new.0 => {
            if old.1 != new.1 {
                write(new.0, new.1 - old.1);
            }
        }
        (old, new) => {
            if let Some((windows, count)) = old {
                write(windows, -count);
            }
            if let Some((windows, count)) = new {
                write(windows, count);
            }
        }
    }
}

/// Written rows for people.
fn texts(aggregate: &Rc<dyn AnyAggregate>, written: &[Written]) -> Vec<String> {
    let text = |(label, windows, diff): &Written| {
        let windows: Vec<_> = windows.iter().map(|bits| aggregate.text(bits)).collect();
        format!("{label:?} {windows:?} × {diff}")
    };
    written.iter().map(text).collect()
}

/// Tries every aggregate in each cell on this many random logs.
fn hold(cells: &[Cell], cases: u64) {
    let mut all = Collected::default();
    every_aggregate(&mut all);
    for cell in cells {
        let mut changes = 0;
        for case in 0..cases {
            let story = Story::of(cell, case);
            changes += story.changes.iter().map(Vec::len).sum::<usize>();
            all.0.iter().for_each(|of| story.hold(cell, of, case));
        }
        assert!(changes as u64 > cases, "{}: {changes} changes", cell.name);
    }
}

macro_rules! every_aggregate_keeps_the_laws_in {
    ($($windows:ident)+) => {
        $(
            #[test]
            fn $windows() {
                hold(&cells::$windows(), 256);
            }
        )+

        mod laws_at_length {
            $(
                #[test]
                #[ignore = "100,000 cases of each aggregate take hours: cargo test -p thalweg-operators --lib -- --ignored laws_at_length::"]
                fn $windows() {
                    super::hold(&super::cells::$windows(), 100_000);
                }
            )+
        }
    };
}
every_aggregate_keeps_the_laws_in!(
    tumbling_windows
    hopping_windows
    hopping_windows_of_parts
    days_of_a_zone
    weeks_of_a_zone
    months_of_a_zone
    lifetime_windows
    session_windows
    last_rows
    last_rows_per_row
    sliding_windows_latest
    sliding_windows_per_row
    labels_finals
    labels_corrections
    labels_as_known
    labels_as_known_by_arrival
);
