//! Last rows against brute force after every epoch.

use std::collections::BTreeMap;
use std::rc::Rc;

use thalweg_engine::key::Key;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyedState};
use thalweg_engine::time::EventTime;

use crate::aggregate::{Aggregate, count, first, sum};
use crate::laws::{Row, assert_continues, log};
use crate::window::last_rows::LastRow;
use crate::window::last_rows::state::State;

type Read = (i64, f64, Option<u32>);

fn aggregates() -> impl Aggregate<Row, Output = Read> {
    (
        count(),
        sum(|row: &Row| row.value),
        first(|row: &Row| (row.at, row.id), |row| row.id),
    )
}

fn state(last: usize) -> impl KeyedState<In = Row, Out = LastRow<i64, Read>> {
    let (key, at) = (Rc::new(|row: &Row| row.key), Rc::new(|row: &Row| row.at));
    State::new(key, at, last, aggregates())
}

fn step<S: KeyedState<In = Row>>(
    state: &mut S,
    time: &EpochTime,
    rows: &[(Row, i64)],
) -> Vec<(S::Out, i64)> {
    let (mut buffer, mut passed_on) = (Vec::new(), Vec::new());
    let mut pass_on = |full: &mut Vec<_>| passed_on.append(full);
    let mut out = Emitter::new(time.epoch, &mut buffer, &mut pass_on);
    let rows = rows.iter().map(|(row, diff)| (*row, time.epoch, *diff));
    state.epoch(time, rows.collect(), &mut out);
    passed_on.append(&mut buffer);
    let written = passed_on.into_iter();
    written.map(|(row, _, diff)| (row, diff)).collect()
}

/// The aggregates of each key's last rows, by definition.
fn brute(input: &BTreeMap<Row, i64>, last: usize) -> BTreeMap<i64, (EventTime, Read)> {
    let mut keys: BTreeMap<i64, Vec<Row>> = BTreeMap::new();
    for (row, copies) in input {
        let copies = std::iter::repeat_n(*row, usize::try_from(*copies).unwrap_or(0));
        keys.entry(row.key).or_default().extend(copies);
    }
    let mut expected = BTreeMap::new();
    for (key, mut rows) in keys {
        rows.sort_by_key(|row| (row.at, *row));
        let mut state = Default::default();
        for row in rows.iter().rev().take(last) {
            aggregates().update(&mut state, row, 1);
        }
        if let Some(newest) = rows.last() {
            expected.insert(key, (newest.at, aggregates().read(&state)));
        }
    }
    expected
}

#[test]
fn last_rows_are_brute_force_after_every_epoch() {
    for seed in 0..400 {
        let epochs = log(seed, 1_000, |row| row);
        for last in [1, 2, 5, 1_000] {
            let mut state = state(last);
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

#[test]
fn saved_rows_continue_as_if_never_interrupted() {
    for seed in 0..40 {
        let epochs = log(seed, 1_000, |row| row);
        assert_continues(|| state(3), |row| row.key.tag(), &epochs);
    }
}
