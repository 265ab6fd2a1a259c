//! The modes with a row per row: final rows and those repaired, near the definition and the same bits.

use std::collections::BTreeMap;

use thalweg_engine::key::Key;
use thalweg_engine::keyed::{EpochTime, KeyedState};
use thalweg_engine::time::{EventTime, WATERMARK_END, WATERMARK_NONE};

use super::{HALF_LIFE_US, Table, change, state};
use crate::laws::{Epochs, Row, assert_continues, log, step};
use crate::value::{Fixed, NULL};
use crate::window::decayed::DecayedRow;
use crate::window::decayed::corrections::Corrections;
use crate::window::decayed::finals::Passed;
use crate::window::decayed::settled::Numbered;
use crate::window::finals::Finals;
use crate::window::placed::Placed;
use crate::window::rolling::brute::is_net;

/// What the modes with a row per row take and write.
type In = Placed<i64, Numbered<Row>>;
type PerRow = (Row, DecayedRow<i64>);

fn finals() -> impl KeyedState<In = In, Out = PerRow> {
    Finals::of(Passed::<Row, i64, Fixed<0>>::new(HALF_LIFE_US))
}

fn corrections() -> impl KeyedState<In = In, Out = PerRow> {
    Corrections::<Row, i64, Fixed<0>>::new(HALF_LIFE_US)
}

/// Rows of few values, so that copies of one row come as well; every seventh value is no number.
fn placed(row: Row) -> In {
    let row = Row {
        id: row.id % 3,
        ..row
    };
    let lane = number(&row).unwrap_or(NULL);
    Placed {
        at: row.at,
        key: row.key,
        row: (row, lane),
    }
}

fn number(row: &Row) -> Option<i64> {
    Some(row.value).filter(|value| *value != 3)
}

/// A row with what is written for it, floats as their bits, and how often it is there.
type Bits = BTreeMap<(Row, EventTime, u64, u64), i64>;

fn add(table: &mut Bits, written: Vec<(PerRow, i64)>) {
    for ((row, faded), diff) in written {
        assert_eq!(faded.key, row.key);
        let place = (row, faded.at, faded.count.to_bits(), faded.sum.to_bits());
        let copies = table.entry(place).or_default();
        *copies += diff;
        table.retain(|_, copies| *copies != 0);
    }
}

/// Holds rows to the definition: one for each row that is there before `until`, with the sums in floats over its key's
/// numbers at or before it.
fn assert_near_the_definition(
    table: &Bits,
    input: &BTreeMap<Row, i64>,
    until: EventTime,
    context: &str,
) {
    let there = || input.iter().filter(|(row, n)| **n > 0 && row.at < until);
    assert_eq!(table.len(), there().count(), "{context}");
    for ((row, at, count, sum), copies) in table {
        assert_eq!((*at, Some(copies)), (row.at, input.get(row)), "{context}");
        let (mut weights, mut numbers, mut sizes) = (0.0, 0.0, 0.0);
        for (other, n) in there().filter(|(other, _)| other.key == row.key && other.at <= row.at) {
            if let Some(number) = number(other) {
                let age = (row.at - other.at) as f64 / HALF_LIFE_US as f64;
                let weight = (-age).exp2() * *n as f64;
                weights += weight;
                numbers += weight * number as f64;
                sizes += weight * number.abs() as f64;
            }
        }
        // Halving cuts off so little of a unit, of however old numbers.
        let cut_off = 2.0_f64.powi(-59);
        let near = |bits: u64, wanted: f64, size: f64| {
            (f64::from_bits(bits) - wanted).abs() <= 1e-12 * size + cut_off
        };
        assert!(
            near(*count, weights, weights) && near(*sum, numbers, sizes),
            "{context}: {row:?} has {} and {}, by definition {weights} and {numbers}",
            f64::from_bits(*count),
            f64::from_bits(*sum)
        );
    }
}

/// Holds a mode with a row per row to the definition after every epoch; `until` tells which rows it has.
fn holds_by_row<S: KeyedState<In = In, Out = PerRow>>(
    make: impl Fn() -> S,
    until: impl Fn(&EpochTime) -> EventTime,
    only_appends: bool,
) {
    for seed in 0..300 {
        let mut state = make();
        let (mut input, mut output) = (BTreeMap::new(), Bits::new());
        for (time, rows) in &log(seed, [1, 400, 3_000][seed as usize % 3], placed) {
            rows.iter()
                .for_each(|(row, diff)| *input.entry(row.row.0).or_default() += diff);
            let written = step(&mut state, time, rows);
            let context = format!("seed {seed}, {time:?}");
            let as_text = written
                .iter()
                .map(|(row, diff)| (format!("{row:?}"), *diff));
            assert!(
                is_net(&as_text.collect::<Vec<_>>()),
                "{context}: {written:?}"
            );
            assert!(
                !only_appends || written.iter().all(|(_, diff)| *diff > 0),
                "{context}: {written:?}"
            );
            add(&mut output, written);
            assert_near_the_definition(&output, &input, until(time), &context);
        }
    }
}

#[test]
fn final_rows_are_near_the_definition_up_to_the_watermark_after_every_epoch() {
    holds_by_row(finals, |time| time.watermark, true);
}

#[test]
fn rows_that_are_repaired_are_near_the_definition_after_every_epoch_and_changes_are_net() {
    holds_by_row(corrections, |_| WATERMARK_END, false);
}

/// Epoch by epoch or all at once and backwards: final rows, those repaired, and of each key's newest number the row of the
/// key are the same bits.
#[test]
fn modes_agree_to_the_bit_in_any_order_and_slicing() {
    for seed in 0..200 {
        let epochs = log(seed, 1_000, placed);
        let run = |state: &mut dyn FnMut(&EpochTime, &[(In, i64)]) -> Vec<(PerRow, i64)>,
                   epochs: &Epochs<In>| {
            let mut table = Bits::new();
            epochs
                .iter()
                .for_each(|(time, rows)| add(&mut table, state(time, rows)));
            table
        };
        let end = EpochTime {
            watermark: WATERMARK_END,
            ..EpochTime::default()
        };
        let rows = epochs.iter().flat_map(|epoch| epoch.1.clone()).rev();
        let once: Epochs<In> = vec![(end, rows.collect())];
        let (mut a, mut b, mut c, mut d) = (finals(), finals(), corrections(), corrections());
        let expected = run(&mut |time, rows| step(&mut a, time, rows), &epochs);
        let others = [
            run(&mut |time, rows| step(&mut b, time, rows), &once),
            run(&mut |time, rows| step(&mut c, time, rows), &epochs),
            run(&mut |time, rows| step(&mut d, time, rows), &once),
        ];
        others
            .iter()
            .for_each(|other| assert_eq!(other, &expected, "seed {seed}"));

        let mut input: BTreeMap<Row, i64> = BTreeMap::new();
        for (row, diff) in epochs.iter().flat_map(|epoch| &epoch.1) {
            *input.entry(row.row.0).or_default() += diff;
        }
        let there = input.into_iter().filter(|(_, copies)| *copies > 0);
        let mut latest = state::<Fixed<0>>(|row| number(row).unwrap_or(NULL), None);
        let mut table = Table::new();
        change(
            &mut table,
            step(&mut latest, &end, &there.collect::<Vec<_>>()),
        );
        for (key, (at, count, sum)) in table {
            let mut of_key = expected.keys().filter(|row| row.0.key == key);
            let newest = of_key.find(|row| row.1 == at && number(&row.0).is_some());
            let bits = newest.map(|row| (row.2, row.3));
            assert_eq!(
                bits,
                Some((count.to_bits(), sum.to_bits())),
                "seed {seed}, key {key}"
            );
        }
    }
}

#[test]
fn saved_rows_continue_as_if_never_interrupted_in_the_modes_by_row() {
    for (seed, step_us) in (0..40).zip([1, 3_000].into_iter().cycle()) {
        let epochs = log(seed, step_us, placed);
        assert_continues(finals, |row| row.key.tag(), &epochs);
        assert_continues(corrections, |row| row.key.tag(), &epochs);
    }
}

fn number_at(key: i64, at: EventTime, value: i64) -> In {
    placed(Row {
        key,
        at,
        value,
        id: 0,
    })
}

fn at_watermark(before: EventTime, watermark: EventTime) -> EpochTime {
    EpochTime {
        epoch: 1,
        watermark_before: before,
        watermark,
        as_of: watermark,
    }
}

#[test]
fn the_watermark_frees_rows_and_a_key_without_numbers_leaves_nothing() {
    let (mut finals, mut corrections) = (finals(), corrections());
    let time = at_watermark(WATERMARK_NONE, 0);
    let rows: Vec<_> = (0..1_000_i64)
        .map(|i| (number_at(i % 5, 10 * i, 1), 1))
        .collect();
    step(&mut finals, &time, &rows);
    step(&mut corrections, &time, &rows);
    assert_eq!((finals.size().keys, finals.size().events), (0, 1_000));
    // Ten thousand µs are six half-lives, of which each key has the sums.
    assert_eq!(
        (corrections.size().keys, corrections.size().events),
        (5, 1_000 + 5 * 6)
    );
    let time = at_watermark(0, 20_000);
    let without = [(number_at(9, 15_000, 3), 1), (number_at(8, 15_000, 1), -1)];
    assert_eq!(step(&mut finals, &time, &without).len(), 1_001);
    assert_eq!(step(&mut corrections, &time, &without).len(), 1);
    assert_eq!((finals.size().keys, finals.size().events), (5, 0));
    assert_eq!((corrections.size().keys, corrections.size().events), (5, 0));
}

/// A table computed from windows may have its rows behind the watermark: they are final at once, and in both modes the same.
#[test]
fn rows_from_behind_the_watermark_are_written_once_and_for_all() {
    let epochs: Epochs<In> = vec![
        (at_watermark(10, 20), vec![(number_at(7, 5, 1), 1)]),
        (
            at_watermark(20, 30),
            vec![
                (number_at(7, 9, 2), 1),
                (number_at(7, 25, 1), 1),
                (number_at(7, 35, 2), 1),
            ],
        ),
        (
            at_watermark(30, 30),
            vec![
                (number_at(7, 8, 1), 1),
                (number_at(7, 9, 2), -1),
                (number_at(7, 26, 1), 1),
                (number_at(7, 40, 1), 1),
            ],
        ),
        (at_watermark(30, 50), vec![]),
    ];
    let (mut by_finals, mut by_corrections) = (Bits::new(), Bits::new());
    let (mut finals, mut corrections) = (finals(), corrections());
    for (time, rows) in &epochs {
        add(&mut by_finals, step(&mut finals, time, rows));
        add(&mut by_corrections, step(&mut corrections, time, rows));
    }
    assert_eq!(by_finals, by_corrections);
    let moments: Vec<_> = by_finals.keys().map(|row| (row.0.at, row.1)).collect();
    // What comes behind a number that is final is as of that number.
    assert_eq!(
        moments,
        [
            (5, 5),
            (8, 25),
            (9, 9),
            (25, 25),
            (26, 26),
            (35, 35),
            (40, 40)
        ]
    );
}
