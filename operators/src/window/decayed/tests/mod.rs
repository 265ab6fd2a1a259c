//! Fading sums: the same bits in any order and slicing, and near the definition in floats.

mod at_labels;
mod by_row;

use std::collections::BTreeMap;
use std::rc::Rc;

use thalweg_engine::key::Key;
use thalweg_engine::keyed::{EpochTime, KeyGroup, KeyedState};
use thalweg_engine::time::{EventTime, WATERMARK_NONE};

use crate::laws::{Epochs, Row, assert_continues, log, step};
use crate::value::{Fixed, Float, IntoLane, Lane};
use crate::window::decayed::DecayedRow;
use crate::window::decayed::latest::Latest;

const HALF_LIFE_US: i64 = 1_700;

fn state<L: Lane>(
    number: fn(&Row) -> i64,
    refresh_us: Option<i64>,
) -> impl KeyedState<In = Row, Out = DecayedRow<i64>> {
    let (key, at) = (Rc::new(|row: &Row| row.key), Rc::new(|row: &Row| row.at));
    Latest::<Row, i64, L>::new(key, at, Rc::new(number), (HALF_LIFE_US, refresh_us))
}

fn row(key: i64, at: EventTime, value: i64) -> Row {
    Row {
        key,
        at,
        value,
        id: 0,
    }
}

/// An epoch under a watermark that rows are as of.
fn at(watermark: EventTime) -> EpochTime {
    EpochTime {
        watermark,
        as_of: watermark,
        ..EpochTime::default()
    }
}

type Table = BTreeMap<i64, (EventTime, f64, f64)>;

/// The definition, in floats: of the numbers that are there.
fn brute(input: &[(Row, i64)], as_of: EventTime) -> Table {
    let mut numbers: BTreeMap<(i64, EventTime, i64), i64> = BTreeMap::new();
    for (row, diff) in input {
        *numbers.entry((row.key, row.at, row.value)).or_default() += diff;
    }
    let mut keys: BTreeMap<i64, Vec<(EventTime, i64, i64)>> = BTreeMap::new();
    for ((key, at, value), count) in numbers.into_iter().filter(|(_, count)| *count > 0) {
        keys.entry(key).or_default().push((at, value, count));
    }
    let row = |(key, numbers): (i64, Vec<(EventTime, i64, i64)>)| {
        let newest = numbers.iter().map(|(at, ..)| *at).max()?;
        let at = newest.max(as_of);
        let (mut weight, mut sum) = (0.0, 0.0);
        for (moment, value, count) in numbers {
            let copies = (-((at - moment) as f64) / HALF_LIFE_US as f64).exp2() * count as f64;
            weight += copies;
            sum += copies * value as f64;
        }
        Some((key, (at, weight, sum)))
    };
    keys.into_iter().filter_map(row).collect()
}

fn change(table: &mut Table, written: Vec<(DecayedRow<i64>, i64)>) {
    for (row, diff) in written {
        let value = (row.at, row.count, row.sum);
        if diff > 0 {
            assert_eq!(table.insert(row.key, value), None);
        } else {
            assert_eq!(table.remove(&row.key), Some(value));
        }
    }
}

fn holds(seed: u64, refresh_us: Option<i64>, epochs: &Epochs<Row>) {
    let mut whole = state::<Fixed<0>>(|row| row.value, refresh_us);
    let mut float = state::<Float>(|row| (row.value as f64).into_lane(), refresh_us);
    let (mut is, mut as_floats) = (Table::new(), Table::new());
    let (mut input, mut as_of) = (Vec::new(), WATERMARK_NONE);
    for (time, rows) in epochs {
        input.extend_from_slice(rows);
        change(&mut is, step(&mut whole, time, rows));
        change(&mut as_floats, step(&mut float, time, rows));
        if let (Some(every), true) = (refresh_us, time.as_of != WATERMARK_NONE) {
            as_of = as_of.max(time.as_of.div_euclid(every) * every);
        }
        let expected = brute(&input, as_of);
        assert_eq!(is.len(), expected.len(), "seed {seed}, {time:?}");
        for ((key, found), (_, wanted)) in is.iter().zip(&expected) {
            let near = |a: f64, b: f64| (a - b).abs() < 1e-12 * (1.0 + b.abs());
            assert_eq!(found.0, wanted.0, "seed {seed}, key {key}, {time:?}");
            assert!(
                near(found.1, wanted.1) && near(found.2, wanted.2),
                "seed {seed}, key {key}: {found:?}, brute force {wanted:?}"
            );
        }
        for ((key, found), (_, float)) in is.iter().zip(&as_floats) {
            let rounding = 4.0 * f64::EPSILON * (1.0 + float.2.abs() + float.1.abs());
            let apart = (found.2 - float.2).abs();
            assert!(
                apart < rounding,
                "seed {seed}, key {key}: {found:?}, {float:?}"
            );
        }
    }
}

#[test]
fn fading_sums_are_near_the_definition_after_every_epoch() {
    for seed in 0..200 {
        let epochs = log(seed, 1_000, |row| row);
        holds(seed, None, &epochs);
        holds(seed, Some(2_000), &epochs);
    }
}

/// All rows at once, backwards, without a watermark: the bits of the log that came epoch by epoch and settled on its
/// way.
#[test]
fn fading_sums_are_the_same_bits_in_any_order_and_slicing() {
    for seed in 0..200 {
        let epochs = log(seed, 1_000, |row| row);
        let mut table = Table::new();
        let mut sliced = state::<Fixed<0>>(|row| row.value, None);
        for (time, rows) in &epochs {
            change(&mut table, step(&mut sliced, time, rows));
        }
        let mut rows: Vec<_> = epochs.into_iter().flat_map(|epoch| epoch.1).collect();
        rows.reverse();
        let mut once = Table::new();
        let mut whole = state::<Fixed<0>>(|row| row.value, None);
        change(&mut once, step(&mut whole, &EpochTime::default(), &rows));
        assert_eq!(table, once, "seed {seed}");
    }
}

#[test]
fn saved_sums_continue_as_if_never_interrupted() {
    for seed in 0..40 {
        let epochs = log(seed, 1_000, |row| row);
        for refresh_us in [None, Some(2_000)] {
            let make = || state::<Fixed<0>>(|row| row.value, refresh_us);
            assert_continues(make, |row| row.key.tag(), &epochs);
        }
    }
}

#[test]
fn what_is_one_half_life_old_counts_half_and_what_is_taken_back_leaves_no_trace() {
    let mut state = state::<Fixed<0>>(|row| row.value, None);
    let time = EpochTime::default();
    let rows = [(row(1, -HALF_LIFE_US, 8), 1), (row(1, 0, 1), 1)];
    let written = step(&mut state, &time, &rows);
    assert_eq!((written[0].0.count, written[0].0.sum), (1.5, 5.0));
    assert_eq!(written[0].0.mean(), Some(5.0 / 1.5));
    let taken = rows.map(|(row, _)| (row, -1));
    assert_eq!(step(&mut state, &time, &taken).len(), 1);
    assert_eq!((state.size().keys, state.size().events), (0, 0));
}

/// A retraction whose row was late weighed on its key for ever, and the key was never forgotten.
#[test]
fn a_retraction_takes_nothing_away_before_its_number_comes_and_is_forgotten_with_the_watermark() {
    let mut state = state::<Fixed<0>>(|row| row.value, None);
    let mut table = Table::new();
    let mut epoch = |watermark, rows: &[(Row, i64)]| {
        change(&mut table, step(&mut state, &at(watermark), rows));
        (table.clone(), state.size().keys)
    };
    let one = |at, count, sum| Table::from([(1, (at, count, sum))]);
    let owed = [(row(1, 0, 8), 1), (row(1, 0, 9), -1), (row(2, 2, 3), -1)];
    assert_eq!(epoch(0, &owed), (one(0, 1.0, 8.0), 2));
    assert_eq!(
        epoch(1, &[]),
        (one(0, 1.0, 8.0), 2),
        "0 is passed, 2 is not"
    );
    // What is owed is saved with the rest, and forgiven all the same.
    let mut saved = Vec::new();
    for group in KeyGroup::all() {
        let mut bytes = Vec::new();
        state.save(group, &mut bytes).unwrap();
        saved.push(bytes);
    }
    let mut state = self::state::<Fixed<0>>(|row| row.value, None);
    saved.iter().for_each(|bytes| state.load(bytes).unwrap());
    let mut epoch = |watermark, rows: &[(Row, i64)]| {
        change(&mut table, step(&mut state, &at(watermark), rows));
        (table.clone(), state.size().keys)
    };
    // The row from behind the watermark counts: nothing is owed any more.
    assert_eq!(epoch(3, &[(row(1, 0, 9), 1)]), (one(0, 2.0, 17.0), 1));
    // Of two numbers of one moment one is taken back, long after the watermark has passed them.
    assert_eq!(epoch(9, &[(row(1, 0, 9), -1)]), (one(0, 1.0, 8.0), 1));
}

#[test]
fn a_row_that_is_refreshed_falls_by_half_each_half_life_with_no_new_row() {
    let mut state = state::<Fixed<0>>(|row| row.value, Some(HALF_LIFE_US));
    let row = row(1, 0, 8);
    let mut table = Table::new();
    change(
        &mut table,
        step(&mut state, &at(WATERMARK_NONE), &[(row, 1)]),
    );
    assert_eq!(table[&1], (0, 1.0, 8.0));
    for lives in 0..5_i32 {
        // The last moment before the next multiple, then that multiple.
        let multiple = i64::from(lives) * HALF_LIFE_US;
        let faded = 0.5_f64.powi(lives);
        for watermark in [multiple, multiple + HALF_LIFE_US - 1] {
            change(&mut table, step(&mut state, &at(watermark), &[]));
            assert_eq!(table[&1], (multiple, faded, 8.0 * faded), "{watermark}");
        }
    }
}
