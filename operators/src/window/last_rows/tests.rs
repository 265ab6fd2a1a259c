//! Last rows against brute force after every epoch, in every mode.

use std::collections::BTreeMap;
use std::rc::Rc;

use thalweg_engine::key::Key;
use thalweg_engine::keyed::{EpochTime, KeyedState};
use thalweg_engine::time::{EventTime, WATERMARK_END, WATERMARK_NONE};

use crate::aggregate::{Aggregate, count, first, sum};
use crate::laws::{Epochs, Row, assert_continues, log, step};
use crate::window::last_rows::corrections::Corrections;
use crate::window::last_rows::{LastRow, testing};
use crate::window::placed::Placed;
use crate::window::rolling::brute::{Net, collect, is_net};

type Read = (i64, f64, Option<u32>);

fn aggregates() -> impl Aggregate<Row, Output = Read> {
    (
        count(),
        sum(|row: &Row| row.value),
        first(|row: &Row| (row.at, row.id), |row| row.id),
    )
}

fn latest(last: usize) -> impl KeyedState<In = Row, Out = LastRow<i64, Read>> {
    testing::latest(|row| row.key, |row| row.at, last, aggregates())
}

/// What the modes with a row per row take and write.
type PerRow = (Row, LastRow<i64, Read>);

fn finals(last: usize) -> impl KeyedState<In = Placed<i64, Row>, Out = PerRow> {
    testing::finals(last, aggregates())
}

fn corrections(last: usize) -> impl KeyedState<In = Placed<i64, Row>, Out = PerRow> {
    testing::corrections(last, aggregates())
}

/// Rows of few values, so that copies of one row come as well.
fn placed(row: Row) -> Placed<i64, Row> {
    let id = row.id % 3;
    let row = Row { id, ..row };
    Placed {
        at: row.at,
        key: row.key,
        row,
    }
}

fn write<S: KeyedState<In = Placed<i64, Row>, Out = PerRow>>(
    state: &mut S,
    time: &EpochTime,
    rows: &[(Placed<i64, Row>, i64)],
) -> Vec<(String, i64)> {
    let rows = rows.iter().cloned();
    let rows = rows.map(|(row, diff)| (row, time.epoch, diff)).collect();
    collect(time, |out| state.epoch(time, rows, out))
}

/// The rows of each key that are there, copies one by one, in order.
fn by_key(input: &BTreeMap<Row, i64>) -> BTreeMap<i64, Vec<Row>> {
    let mut keys: BTreeMap<i64, Vec<Row>> = BTreeMap::new();
    for (row, copies) in input.iter().filter(|(_, copies)| **copies > 0) {
        let copies = std::iter::repeat_n(*row, usize::try_from(*copies).unwrap());
        keys.entry(row.key).or_default().extend(copies);
    }
    keys.values_mut()
        .for_each(|rows| rows.sort_by_key(|row| (row.at, *row)));
    keys
}

/// The aggregates of the last of some rows, by definition.
fn read(rows: &[Row], last: usize) -> Read {
    let mut state = Default::default();
    for row in rows.iter().rev().take(last) {
        aggregates().update(&mut state, row, 1);
    }
    aggregates().read(&state)
}

/// Each key's row, by definition.
fn brute(input: &BTreeMap<Row, i64>, last: usize) -> BTreeMap<i64, (EventTime, Read)> {
    let keys = by_key(input).into_iter();
    keys.map(|(key, rows)| (key, (rows[rows.len() - 1].at, read(&rows, last))))
        .collect()
}

/// The row of each row that the watermark has passed, by definition.
fn brute_by_row(input: &BTreeMap<Row, i64>, last: usize, watermark: EventTime) -> Net {
    let mut net = Net::new();
    for (key, rows) in by_key(input) {
        for (i, row) in rows.iter().enumerate().filter(|(_, r)| r.at < watermark) {
            let of_row = LastRow {
                key,
                at: row.at,
                value: read(&rows[..=i], last),
            };
            net.add(format!("{:?}", (row, of_row)), 1);
        }
    }
    net
}

#[test]
fn last_rows_are_brute_force_after_every_epoch() {
    for seed in 0..400 {
        let epochs = log(seed, 1_000, |row| row);
        for last in [1, 2, 5, 1_000] {
            let mut state = latest(last);
            let mut is: BTreeMap<i64, (EventTime, Read)> = BTreeMap::new();
            let mut input: BTreeMap<Row, i64> = BTreeMap::new();
            for (time, rows) in &epochs {
                rows.iter()
                    .for_each(|(row, diff)| *input.entry(*row).or_default() += diff);
                for (row, diff) in step(&mut state, time, rows) {
                    let value = (row.at, row.value);
                    if diff > 0 {
                        assert_eq!(is.insert(row.key, value), None, "seed {seed}");
                    } else {
                        assert_eq!(is.remove(&row.key), Some(value), "seed {seed}");
                    }
                }
                assert_eq!(
                    is,
                    brute(&input, last),
                    "seed {seed}, last {last}, {time:?}"
                );
            }
            let size = state.size();
            assert!(size.events <= last * size.keys, "seed {seed}: {size:?}");
        }
    }
}

/// Holds a mode with a row per row to brute force after every epoch; `until` tells which rows it has.
fn holds_by_row<S: KeyedState<In = Placed<i64, Row>, Out = PerRow>>(
    make: impl Fn(usize) -> S,
    until: impl Fn(&EpochTime) -> EventTime,
    only_appends: bool,
) {
    for seed in 0..300 {
        let epochs = log(seed, 2, placed);
        for last in [1, 2, 5, 1_000] {
            let mut state = make(last);
            let (mut input, mut output) = (BTreeMap::new(), Net::new());
            // The moments of all that came and the watermark has not passed.
            let mut came = Vec::new();
            for (time, rows) in &epochs {
                rows.iter()
                    .for_each(|(row, diff)| *input.entry(row.row).or_default() += diff);
                let written = write(&mut state, time, rows);
                let context = format!("seed {seed}, last {last}, {time:?}");
                assert!(is_net(&written), "{context}: {written:?}");
                assert!(
                    !only_appends || written.iter().all(|(_, diff)| *diff > 0),
                    "{context}: {written:?}"
                );
                written
                    .into_iter()
                    .for_each(|(row, diff)| output.add(row, diff));
                let expected = brute_by_row(&input, last, until(time));
                assert_eq!(output, expected, "{context}");
                came.extend(rows.iter().map(|(row, _)| row.at));
                came.retain(|at| *at >= time.watermark);
                let (size, most) = (state.size(), last * state.size().keys + came.len());
                assert!(size.events <= most, "{context}: {size:?}, at most {most}");
            }
        }
    }
}

#[test]
fn final_rows_are_brute_force_up_to_the_watermark_after_every_epoch() {
    holds_by_row(finals, |time| time.watermark, true);
}

#[test]
fn rows_that_are_repaired_are_brute_force_after_every_epoch_and_changes_are_net() {
    holds_by_row(corrections, |_| WATERMARK_END, false);
}

#[test]
fn saved_rows_continue_as_if_never_interrupted() {
    for seed in 0..40 {
        let epochs = log(seed, 1_000, |row| row);
        assert_continues(|| latest(3), |row| row.key.tag(), &epochs);
        let epochs = log(seed, 2, placed);
        for last in [1, 3] {
            assert_continues(|| finals(last), |row| row.key.tag(), &epochs);
            assert_continues(|| corrections(last), |row| row.key.tag(), &epochs);
        }
    }
}

fn row(at: EventTime, id: u32) -> Row {
    Row {
        key: 7,
        at,
        value: 1,
        id,
    }
}

fn at_watermark(before: EventTime, watermark: EventTime) -> EpochTime {
    EpochTime {
        epoch: 1,
        watermark_before: before,
        watermark,
        as_of: watermark,
    }
}

fn of_row(row: Row, (count, first): (i64, u32)) -> String {
    let value: Read = (count, count as f64, Some(first));
    let (key, at) = (row.key, row.at);
    format!("{:?}", (row, LastRow { key, at, value }))
}

#[test]
fn rows_of_one_moment_count_up_to_each_as_the_key_s_row_does() {
    let rows = [row(5, 1), row(9, 2), row(9, 3)].map(|row| (placed_as_is(row), 1));
    let written = write(&mut finals(2), &at_watermark(WATERMARK_NONE, 10), &rows);
    let expected = [
        (row(5, 1), (1, 1)),
        (row(9, 2), (2, 1)),
        (row(9, 3), (2, 2)),
    ];
    assert_eq!(written, expected.map(|(row, read)| (of_row(row, read), 1)));
    let rows = rows.map(|(placed, diff)| (placed.row, diff));
    let newest = &step(&mut latest(2), &at_watermark(WATERMARK_NONE, 10), &rows)[0].0;
    assert_eq!((newest.at, newest.value), (9, (2, 2.0, Some(2))));
}

/// A late row changes what two copies read, and a third one comes that reads as they did.
#[test]
fn copies_of_a_row_that_change_into_each_other_are_not_written() {
    let mut state = Corrections::new(3, sum(|row: &Row| row.value));
    let time = at_watermark(WATERMARK_NONE, WATERMARK_NONE);
    let mut run = |rows: &[(Row, i64)]| {
        let update = |(row, diff): &(Row, i64)| (placed_as_is(*row), 1, *diff);
        collect(&time, |out| {
            state.epoch(&time, rows.iter().map(update).collect(), out);
        })
    };
    run(&[(row(1, 1), 1), (row(2, 2), 1), (row(9, 3), 3)]);
    let late = Row {
        value: 5,
        ..row(5, 4)
    };
    let written = run(&[(late, 1), (row(9, 3), 1)]);
    assert!(is_net(&written), "{written:?}");
    let diffs: i64 = written.iter().map(|(_, diff)| diff).sum();
    assert_eq!((written.len(), diffs), (4, 2));
}

fn placed_as_is(row: Row) -> Placed<i64, Row> {
    Placed {
        at: row.at,
        key: row.key,
        row,
    }
}

/// Counts what an aggregate is asked to do.
#[derive(Clone, Default)]
struct Counted(Rc<std::cell::Cell<usize>>);

impl Aggregate<Row> for Counted {
    type State = i64;
    type Output = i64;

    fn update(&self, state: &mut i64, _: &Row, diff: i64) {
        self.0.set(self.0.get() + 1);
        *state += diff;
    }

    fn read(&self, state: &i64) -> i64 {
        self.0.set(self.0.get() + 1);
        *state
    }
}

#[test]
fn a_late_row_costs_what_its_last_rows_do_whatever_the_key_holds() {
    let counted = Counted::default();
    let mut state = Corrections::new(3, counted.clone());
    let time = at_watermark(WATERMARK_NONE, WATERMARK_NONE);
    let run = |state: &mut Corrections<Row, i64, Counted>, rows: Vec<Row>| {
        let rows = rows.into_iter().map(|row| (placed_as_is(row), 1, 1));
        counted.0.set(0);
        let written = collect(&time, |out| state.epoch(&time, rows.collect(), out));
        (written.len(), counted.0.get())
    };
    let (_, in_order) = run(&mut state, (0..10_000).map(|at| row(2 * at, 0)).collect());
    assert!(in_order <= 3 * 10_000, "{in_order}");
    let (_, newest) = run(&mut state, vec![row(20_001, 0)]);
    assert!(newest <= 3, "{newest}");
    let (_, late) = run(&mut state, vec![row(5_001, 0)]);
    assert!(late <= 8 * 3, "{late}");
    let (_, far_apart) = run(&mut state, vec![row(5_003, 0), row(15_001, 0)]);
    assert!(far_apart <= 2 * 8 * 3, "{far_apart}");
}

/// A table computed from windows may have its rows behind the watermark, in order: they are final at once, in either mode
/// the same, and nothing takes them back.
#[test]
fn rows_from_behind_the_watermark_are_written_once_and_for_all() {
    let epochs: Epochs<Placed<i64, Row>> = vec![
        (at_watermark(10, 20), vec![(placed_as_is(row(5, 1)), 1)]),
        (
            at_watermark(20, 30),
            vec![
                (placed_as_is(row(9, 2)), 1),
                (placed_as_is(row(25, 4)), 1),
                (placed_as_is(row(35, 5)), 1),
            ],
        ),
        (
            at_watermark(30, 30),
            vec![
                (placed_as_is(row(9, 3)), 1),
                (placed_as_is(row(9, 2)), -1),
                (placed_as_is(row(25, 4)), -1),
            ],
        ),
        (at_watermark(30, 40), vec![]),
    ];
    let mut net = [Net::new(), Net::new()];
    let (mut finals, mut corrections) = (finals(2), corrections(2));
    for (time, rows) in &epochs {
        let written = [
            write(&mut finals, time, rows),
            write(&mut corrections, time, rows),
        ];
        for (net, written) in net.iter_mut().zip(written) {
            written
                .into_iter()
                .for_each(|(row, diff)| net.add(row, diff));
        }
    }
    let expected = [
        (row(5, 1), (1, 1)),
        (row(9, 2), (2, 1)),
        (row(9, 3), (2, 2)),
        (row(25, 4), (2, 2)),
        (row(35, 5), (2, 4)),
    ];
    let mut all = Net::new();
    for (row, read) in expected {
        all.add(of_row(row, read), 1);
    }
    assert_eq!(net[0], all, "finals");
    assert_eq!(net[1], all, "corrections");
}
