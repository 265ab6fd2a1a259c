//! What labels must be told, by definition: all events and labels that have come, gone through anew for each label.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::time::Duration;

use thalweg_engine::key::Key;
use thalweg_engine::keyed::{EpochTime, PairedState};
use thalweg_engine::time::{EventTime, WATERMARK_END};

use crate::aggregate::{Aggregate, distinct, quantile_discrete, top_k};
use crate::array::Array;
use crate::laws::{Epochs, Row, Side, log};
use crate::window::at::Label;
use crate::window::at::lookback::Known;
use crate::window::placed::Placed;
use crate::window::rolling::brute::{Net, collect, is_net, windows};
use crate::window::rolling::queue::Due;
use crate::window::rolling::widths::Widths;
use crate::window::rolling::{Event, Rolled};
use crate::window::sliding::SlidingRow;

/// Labels come up to so many steps behind the watermark.
pub(super) const HISTORY_STEPS: i64 = 9;

/// Events arrive so many steps after they happened: at once, before, soon, and after they have left some or all windows.
const ARRIVAL_STEPS: [i64; 6] = [0, -2, 1, 3, 7, 30];

type Asked<E> = Side<E, Label<i64, u32>>;

/// A log of events and labels, some of which are behind.
pub(super) fn sides<E>(seed: u64, step_us: i64, event: impl Fn(Row) -> E) -> Epochs<Asked<E>> {
    log(seed, step_us, |row: Row| {
        let behind = if row.id.is_multiple_of(2) {
            HISTORY_STEPS
        } else {
            0
        };
        match row.id % 5 {
            0 | 1 => Side::Right(
                row.key.tag(),
                Label {
                    at: row.at - behind * step_us,
                    key: row.key,
                    label: row.id % 32,
                },
            ),
            _ => Side::Left(row.key.tag(), event(row)),
        }
    })
}

/// When an event came, by its own word.
fn arrived(row: &Row, step_us: i64) -> EventTime {
    row.at + ARRIVAL_STEPS[row.id as usize % ARRIVAL_STEPS.len()] * step_us
}

pub(super) fn known<E: Due>(event: impl Fn(Row) -> E, step_us: i64) -> impl Fn(Row) -> Known<E> {
    move |row| Known::new(arrived(&row, step_us), event(row))
}

pub(super) fn rolled(row: Row) -> Event<i64, 1, ()> {
    Event {
        key: row.key,
        at: row.at,
        lanes: Array([row.value]),
        payload: (),
    }
}

pub(super) fn slid(row: Row) -> Placed<i64, (i64, u32)> {
    Placed {
        at: row.at,
        key: row.key,
        row: (row.value, row.id % 64),
    }
}

pub(super) fn aggregates() -> impl Aggregate<(i64, u32), Output = (u64, Option<f64>, Vec<f64>)> {
    (
        distinct(|row: &(i64, u32)| Some(row.0)),
        quantile_discrete(0.3, |row: &(i64, u32)| row.0),
        top_k(3, |row: &(i64, u32)| row.0),
    )
}

/// An event: its moment, its number, what else tells it apart, and how often it is there.
type Present = (EventTime, i64, u32, i64);

/// How a label is answered by definition, over the events of its key.
#[derive(Clone, Copy)]
pub(super) enum Brute {
    /// Moments, with extremes or without.
    Moments { bare: bool },
    /// [`aggregates`].
    Aggregates,
}

impl Brute {
    /// What tells events apart, beside their key and moment.
    fn identity(self, row: &Row) -> (i64, u32) {
        match self {
            Self::Moments { .. } => (row.value, 0),
            Self::Aggregates => (row.value, row.id % 64),
        }
    }

    fn answer(self, events: &[Present], label: &Label<i64, u32>, widths: [i64; 2]) -> String {
        let (key, at) = (label.key, label.at);
        match self {
            Self::Moments { bare } => {
                let numbers = events.iter().map(|(at, number, _, n)| (*at, *number, *n));
                let mut windows = windows(numbers, at, widths);
                if bare {
                    let windows = windows.iter_mut().flat_map(|lanes| lanes.iter_mut());
                    windows.for_each(|window| {
                        *window = window.without_extremes(std::iter::empty());
                    });
                }
                format!("{:?}", (label.label, Some(Rolled { key, at, windows })))
            }
            Self::Aggregates => {
                let windows = Array(widths.map(|width| facts(events, at - width, at)));
                format!("{:?}", (label.label, Some(SlidingRow { key, at, windows })))
            }
        }
    }
}

/// Distinct numbers, the least that three of ten do not exceed, and the three greatest; both ends inside.
fn facts(events: &[Present], from: EventTime, until: EventTime) -> (u64, Option<f64>, Vec<f64>) {
    let inside = events
        .iter()
        .filter(|event| (from..=until).contains(&event.0) && event.3 > 0);
    let copies = |event: &Present| std::iter::repeat_n(event.1, usize::try_from(event.3).unwrap());
    let mut numbers: Vec<i64> = inside.flat_map(copies).collect();
    numbers.sort_unstable();
    let different: BTreeSet<i64> = numbers.iter().copied().collect();
    let rank = (3 * numbers.len()).div_ceil(10).max(1) - 1;
    let as_float = |number: &i64| *number as f64;
    let greatest = numbers.iter().rev().take(3).map(as_float);
    (
        different.len() as u64,
        numbers.get(rank).map(as_float),
        greatest.collect(),
    )
}

/// What has come so far, and what `as_known` has told.
pub(super) struct World {
    brute: Brute,
    events: BTreeMap<Row, i64>,
    labels: BTreeMap<Label<i64, u32>, i64>,
    told: BTreeMap<Label<i64, u32>, String>,
    widths: [i64; 2],
    step_us: i64,
}

impl World {
    fn take(&mut self, rows: &[(Asked<Row>, i64)]) {
        for (row, diff) in rows {
            match row {
                Side::Left(_, event) => *self.events.entry(*event).or_insert(0) += diff,
                Side::Right(_, label) => *self.labels.entry(label.clone()).or_insert(0) += diff,
            }
        }
        for (label, count) in &self.labels {
            if *count <= 0 {
                self.told.remove(label);
            } else if !self.told.contains_key(label) {
                let answer = self.answer(label, |_| true);
                self.told.insert(label.clone(), answer);
            }
        }
    }

    /// The answer to a label over the events that count.
    fn answer(&self, label: &Label<i64, u32>, counts: impl Fn(&Row) -> bool) -> String {
        let mut present = BTreeMap::new();
        let of_key = self.events.iter().filter(|(row, _)| row.key == label.key);
        for (row, copies) in of_key.filter(|(row, _)| counts(row)) {
            let (number, other) = self.brute.identity(row);
            *present.entry((row.at, number, other)).or_insert(0) += copies;
        }
        let present = present.into_iter().map(|((at, v, o), n)| (at, v, o, n));
        self.brute
            .answer(&present.collect::<Vec<_>>(), label, self.widths)
    }

    /// The answers to the labels before a moment, over the events that count for each.
    fn answers(&self, passed: EventTime, counts: impl Fn(&Label<i64, u32>, &Row) -> bool) -> Net {
        let mut answers = Net::new();
        for (label, count) in self.labels.iter().filter(|(label, _)| label.at < passed) {
            answers.add(self.answer(label, |row| counts(label, row)), *count);
        }
        answers
    }

    pub(super) fn finals(&self, time: &EpochTime) -> Net {
        self.answers(time.watermark, |_, _| true)
    }

    pub(super) fn corrections(&self, _: &EpochTime) -> Net {
        self.answers(EventTime::MAX, |_, _| true)
    }

    pub(super) fn told(&self, _: &EpochTime) -> Net {
        let mut answers = Net::new();
        for (label, answer) in &self.told {
            answers.add(answer.clone(), self.labels[label]);
        }
        answers
    }

    pub(super) fn known(&self, time: &EpochTime) -> Net {
        let passed = match time.watermark {
            WATERMARK_END => WATERMARK_END,
            passed => passed.saturating_sub(HISTORY_STEPS * self.step_us),
        };
        self.answers(passed, |label, row| {
            arrived(row, self.step_us).max(row.at) <= label.at
        })
    }
}

/// Runs a state over logs, and holds its output to `expected` after every epoch.
pub(super) fn holds<S: PairedState<Right = Label<i64, u32>>, E: Fn(Row) -> S::Left>(
    brute: Brute,
    make: impl Fn(Widths<2>, i64) -> S,
    event: impl Fn(i64) -> E,
    expected: impl Fn(&World, &EpochTime) -> Net,
) where
    S::Out: Debug,
{
    for (seed, step_us) in (0..300).zip([1_i64, 60_000_000].into_iter().cycle()) {
        let widths_us = [
            3 * step_us,
            [4, 20, 200][usize::try_from(seed % 3).unwrap()] * step_us,
        ];
        let widths = Widths::new(widths_us.map(|us| Duration::from_micros(us.unsigned_abs())));
        // A row is drawn up to a µs after its step.
        let mut state = make(widths.unwrap(), HISTORY_STEPS * step_us);
        let (mut output, event) = (Net::new(), event(step_us));
        let mut world = World {
            brute,
            events: BTreeMap::new(),
            labels: BTreeMap::new(),
            told: BTreeMap::new(),
            widths: widths_us,
            step_us,
        };
        for (index, (time, rows)) in sides(seed, step_us, |row| row).iter().enumerate() {
            world.take(rows);
            let (mut events, mut labels) = (Vec::new(), Vec::new());
            for (row, diff) in rows.iter().cloned() {
                match row {
                    Side::Left(_, row) => events.push((event(row), time.epoch, diff)),
                    Side::Right(_, label) => labels.push((label, time.epoch, diff)),
                }
            }
            let written = collect(time, |out| {
                state.epoch(time, events.into(), labels.into(), out);
            });
            assert!(is_net(&written), "seed {seed}, epoch {index}: {written:?}");
            written
                .into_iter()
                .for_each(|(row, diff)| output.add(row, diff));
            let expected = expected(&world, time);
            assert_eq!(output, expected, "seed {seed}, epoch {index}");
        }
    }
}
