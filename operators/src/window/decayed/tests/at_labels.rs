//! As of the moments of labels: the bits of the final row that a row without a number has there.

use std::collections::BTreeMap;

use thalweg_engine::keyed::{EpochTime, KeyedState};
use thalweg_engine::time::{EventTime, WATERMARK_END};

use super::HALF_LIFE_US;
use crate::laws::{Epochs, Row, assert_continues, log, side_tag, step};
use crate::value::{Fixed, IntoLane, NULL};
use crate::window::at::testing::{self as at, Arrived, Asked, Event};
use crate::window::decayed::DecayedRow;
use crate::window::decayed::finals::Passed;
use crate::window::decayed::settled::Numbered;
use crate::window::finals::Finals;
use crate::window::placed::Placed;

/// Labels are behind by so much at most.
const HISTORY_US: i64 = 800;

type Answer = (Row, Option<DecayedRow<i64>>);

fn is_label(row: &Row) -> bool {
    row.id.is_multiple_of(3)
}

/// The moment that a label asks for.
fn asks(row: &Row) -> EventTime {
    row.at - i64::from(row.id / 3 % 3) * HISTORY_US / 2
}

/// When an event came, by its own word; every seventh value is no number.
fn arrived(row: &Row) -> EventTime {
    row.at + [0, -500, 900, 6_000][row.id as usize % 4]
}

fn placed(row: &Row) -> Event<i64, Numbered<Row>> {
    let number = Some(row.value).filter(|value| *value != 3);
    Placed {
        at: row.at,
        key: row.key,
        row: (*row, number.into_lane()),
    }
}

fn seen(row: Row) -> Asked<i64, Event<i64, Numbered<Row>>, Row> {
    if is_label(&row) {
        at::label(asks(&row), row.key, row)
    } else {
        at::event(&row.key, placed(&row))
    }
}

fn seen_as_arrived(row: Row) -> Asked<i64, Arrived<i64, Numbered<Row>>, Row> {
    if is_label(&row) {
        at::label(asks(&row), row.key, row)
    } else {
        at::event(&row.key, at::arrived(arrived(&row), placed(&row)))
    }
}

/// Labels with the bits that they are told, and how often.
type Bits = BTreeMap<(Row, EventTime, u64, u64), i64>;

fn add(table: &mut Bits, written: Vec<(Answer, i64)>) {
    for ((label, row), diff) in written {
        let row = row.expect("no label is further behind than the history");
        assert_eq!((row.key, row.at), (label.key, asks(&label)));
        let place = (label, row.at, row.count.to_bits(), row.sum.to_bits());
        *table.entry(place).or_default() += diff;
        table.retain(|_, copies| *copies != 0);
    }
}

fn run<S: KeyedState<Out = Answer>>(mut state: S, epochs: &Epochs<S::In>) -> Bits {
    let mut table = Bits::new();
    for (time, rows) in epochs {
        add(&mut table, step(&mut state, time, rows));
    }
    table
}

/// The final row of a row without a number at each label's moment, over the events that count for it.
fn expected(epochs: &Epochs<Row>, counts: impl Fn(&Row, EventTime) -> bool) -> Bits {
    let mut net = BTreeMap::<Row, i64>::new();
    for (row, diff) in epochs.iter().flat_map(|epoch| &epoch.1) {
        *net.entry(*row).or_default() += diff;
    }
    let there = || net.iter().filter(|(_, copies)| **copies > 0);
    let mut table = Bits::new();
    // A label that is taken back before it comes takes its answer back.
    for (label, copies) in net.iter().filter(|(row, n)| **n != 0 && is_label(row)) {
        let moment = asks(label);
        let events = there().filter(|(row, _)| !is_label(row) && row.key == label.key);
        let events = events.filter(|(row, _)| row.at <= moment && counts(row, moment));
        let numbered = events.map(|(row, copies)| (placed(row), *copies));
        let asking = Placed {
            at: moment,
            key: label.key,
            row: (*label, NULL),
        };
        let rows: Vec<_> = numbered.chain([(asking, 1)]).collect();
        let mut finals = Finals::of(Passed::<Row, i64, Fixed<0>>::new(HALF_LIFE_US));
        let time = EpochTime {
            watermark: WATERMARK_END,
            ..EpochTime::default()
        };
        let written = step(&mut finals, &time, &rows).into_iter();
        let ours = written.filter(|((row, _), _)| row == label);
        add(
            &mut table,
            ours.map(|((row, faded), _)| ((row, Some(faded)), *copies))
                .collect(),
        );
    }
    table
}

fn project<In>(epochs: &Epochs<Row>, seen: fn(Row) -> In) -> Epochs<In> {
    let epochs = epochs.iter().map(|(time, rows)| {
        let rows = rows.iter().map(|(row, diff)| (seen(*row), *diff));
        (*time, rows.collect())
    });
    epochs.collect()
}

#[test]
fn labels_are_told_the_bits_of_final_rows_in_every_mode() {
    let mut told = 0;
    for seed in 0..200 {
        let epochs = log(seed, [1, 400, 3_000][seed as usize % 3], |row| row);
        let whole = expected(&epochs, |_, _| true);
        told += whole.len();
        let rows = project(&epochs, seen);
        let finals = run(
            at::finals(at::fades::<_, _, Fixed<0>>(HALF_LIFE_US), HISTORY_US),
            &rows,
        );
        assert_eq!(finals, whole, "finals, seed {seed}");
        let state = at::corrections(at::fades::<_, _, Fixed<0>>(HALF_LIFE_US), HISTORY_US);
        assert_eq!(run(state, &rows), whole, "corrections, seed {seed}");
        let known = expected(&epochs, |event, moment| arrived(event) <= moment);
        let state = at::as_known_by(at::fades::<_, _, Fixed<0>>(HALF_LIFE_US), HISTORY_US);
        let rows = project(&epochs, seen_as_arrived);
        assert_eq!(run(state, &rows), known, "as known, seed {seed}");
    }
    assert!(told > 1_000, "{told} labels");
}

/// What had come in the label's own epoch counts, and stays.
#[test]
fn labels_as_known_are_told_once_what_had_come() {
    for seed in 0..100 {
        let epochs = log(seed, 400, |row| row);
        // Nothing is taken back, so that what is told first is what stands.
        let mut epochs: Epochs<Row> = epochs;
        epochs
            .iter_mut()
            .for_each(|(_, rows)| rows.retain(|row| row.1 > 0));
        let mut state = at::as_known(at::fades::<_, _, Fixed<0>>(HALF_LIFE_US), HISTORY_US);
        let (mut told, mut whole) = (Bits::new(), Bits::new());
        for (number, (time, rows)) in project(&epochs, seen).iter().enumerate() {
            add(&mut told, step(&mut state, time, rows));
            let so_far: Epochs<Row> = epochs[..=number].to_vec();
            let new = expected(&so_far, |_, _| true).into_iter();
            let of_epoch = |label: &Row| epochs[number].1.iter().any(|(row, _)| row == label);
            whole.extend(new.filter(|((label, ..), _)| of_epoch(label)));
        }
        assert_eq!(told, whole, "seed {seed}");
    }
}

#[test]
fn saved_sums_tell_labels_the_same() {
    for seed in 0..40 {
        let epochs = log(seed, 400, |row| row);
        let store = || at::fades::<_, _, Fixed<0>>(HALF_LIFE_US);
        let rows = project(&epochs, seen);
        assert_continues(|| at::finals(store(), HISTORY_US), side_tag, &rows);
        assert_continues(|| at::corrections(store(), HISTORY_US), side_tag, &rows);
        assert_continues(|| at::as_known(store(), HISTORY_US), side_tag, &rows);
        let rows = project(&epochs, seen_as_arrived);
        assert_continues(|| at::as_known_by(store(), HISTORY_US), side_tag, &rows);
    }
}
