//! Sessions against brute force after every epoch, and their edges by hand.

use std::collections::BTreeMap;
use std::rc::Rc;

use thalweg_engine::column::Column;
use thalweg_engine::key::Key;
use thalweg_engine::keyed::{EpochTime, KeyedState};
use thalweg_engine::time::{EventTime, WATERMARK_END};

use crate::aggregate::{Aggregate, count, distinct, last, sum};
use crate::laws::{Draws, Epochs, Row, assert_continues, log, step};
use crate::window::session::SessionRow;
use crate::window::session::finals::Finals;
use crate::window::session::state::State;

type Read = (i64, f64, u64, Option<u32>);
type Net<O> = BTreeMap<(i64, EventTime, EventTime, String), (O, i64)>;

fn aggregates() -> impl Aggregate<Row, Output = Read> {
    (
        count(),
        sum(|row: &Row| row.value),
        distinct(|row: &Row| Some(row.value)),
        last(|row: &Row| (row.at, row.id), |row| row.id),
    )
}

fn latest(gap_us: i64) -> impl KeyedState<In = Row, Out = SessionRow<i64, Read>> {
    let (key, at) = (Rc::new(|row: &Row| row.key), Rc::new(|row: &Row| row.at));
    State::new(key, at, gap_us, aggregates())
}

fn finals(gap_us: i64) -> impl KeyedState<In = Row, Out = SessionRow<i64, Read>> {
    let (keys, times) = (
        Column::new(|row: &Row| row.key),
        Column::new(|row: &Row| row.at),
    );
    Finals::of(keys, times, Rc::new(|row| row.at), gap_us, aggregates())
}

fn add(net: &mut Net<Read>, written: Vec<(SessionRow<i64, Read>, i64)>) {
    for (row, diff) in written {
        let name = (row.key, row.start, row.last, format!("{:?}", row.value));
        let entry = net.entry(name.clone()).or_insert((row.value, 0));
        entry.1 += diff;
        if entry.1 == 0 {
            net.remove(&name);
        }
    }
}

/// Sessions of the rows that are there, by definition.
fn brute(input: &BTreeMap<Row, i64>, gap_us: i64) -> Net<Read> {
    let mut by_key: BTreeMap<i64, Vec<(Row, i64)>> = BTreeMap::new();
    for (row, copies) in input.iter().filter(|(_, copies)| **copies > 0) {
        by_key.entry(row.key).or_default().push((*row, *copies));
    }
    let mut net = Net::new();
    for (key, mut rows) in by_key {
        rows.sort_by_key(|(row, _)| row.at);
        for session in rows.chunk_by(|a, b| b.0.at - a.0.at <= gap_us) {
            let mut state = Default::default();
            session
                .iter()
                .for_each(|(row, copies)| aggregates().update(&mut state, row, *copies));
            let value = aggregates().read(&state);
            let (start, last) = (session[0].0.at, session[session.len() - 1].0.at);
            net.insert((key, start, last, format!("{value:?}")), (value, 1));
        }
    }
    net
}

fn holds(seed: u64, gap_us: i64, epochs: &Epochs<Row>) {
    let (mut latest, mut finals) = (latest(gap_us), finals(gap_us));
    let (mut is, mut was) = (Net::new(), Net::new());
    let mut input: BTreeMap<Row, i64> = BTreeMap::new();
    for (time, rows) in epochs {
        rows.iter()
            .for_each(|(row, diff)| *input.entry(*row).or_default() += diff);
        let expected = brute(&input, gap_us);
        let written = step(&mut latest, time, rows);
        let mut changes = Net::new();
        add(&mut changes, written.clone());
        assert_eq!(changes.len(), written.len(), "seed {seed}: {written:?}");
        add(&mut is, written);
        assert_eq!(is, expected, "seed {seed}, gap {gap_us}, {time:?}");

        let written = step(&mut finals, time, rows);
        assert!(written.iter().all(|row| row.1 == 1));
        add(&mut was, written);
        let mut ended = expected;
        ended.retain(|(_, _, last, _), _| {
            last + gap_us < time.watermark || time.watermark == WATERMARK_END
        });
        assert_eq!(was, ended, "final: seed {seed}, gap {gap_us}, {time:?}");
    }
    let sizes = [latest.size(), finals.size()];
    assert!(sizes.iter().all(|size| size.keys == 0 && size.events == 0));
}

#[test]
fn sessions_are_brute_force_after_every_epoch() {
    for seed in 0..400 {
        let epochs = log(seed, 1_000, |row| row);
        for gap_us in [1, 999, 1_000, 1_001, 2_500] {
            holds(seed, gap_us, &epochs);
        }
    }
}

#[test]
fn sessions_before_1970_are_brute_force() {
    for seed in 0..60 {
        let shift = |at: EventTime| at - 20_000;
        let mut epochs = log(seed, 1_000, |row| Row {
            at: shift(row.at),
            ..row
        });
        for (time, _) in &mut epochs {
            for moment in [
                &mut time.watermark_before,
                &mut time.watermark,
                &mut time.as_of,
            ] {
                if *moment != EventTime::MIN && *moment != WATERMARK_END {
                    *moment = shift(*moment);
                }
            }
        }
        holds(seed, 1_000, &epochs);
    }
}

/// A table computed from windows may send rows, and take them back, from behind the watermark: whose session has ended
/// is by itself, the others count. By the definition, over the rows that are not in an ended session.
#[test]
fn rows_from_behind_the_watermark_count_in_sessions_that_are_still_open() {
    let gap_us = 10;
    let mut any_belated_retraction = false;
    for seed in 0..300_u64 {
        let mut draws = Draws::seeded(seed);
        let (mut finals, mut held) = (finals(gap_us), BTreeMap::<Row, i64>::new());
        let mut watermark = 0;
        for epoch in 1..60 {
            let mut rows = Vec::new();
            for _ in 0..draws.below(6) {
                let row = Row {
                    key: draws.within(0..=2),
                    at: watermark + draws.within(-25..=14),
                    value: draws.within(0..=2),
                    id: draws.below(2) as u32,
                };
                rows.push((row, 1));
            }
            for row in held.keys().filter(|_| draws.below(6) == 0).copied() {
                any_belated_retraction |= row.at < watermark;
                rows.push((row, -1));
            }
            for (row, diff) in &rows {
                *held.entry(*row).or_default() += diff;
            }
            watermark += draws.one_of(&[0, 0, 1]) * draws.within(0..=11);
            let (mut expected, mut ended) = (brute(&held, gap_us), Net::new());
            expected.retain(|name, _| name.2 + gap_us < watermark);
            add(&mut ended, step(&mut finals, &at(epoch, watermark), &rows));
            assert_eq!(ended, expected, "seed {seed}, epoch {epoch}");
            held.retain(|row, copies| {
                let of = |name: &(i64, EventTime, EventTime, String)| {
                    name.0 == row.key && (name.1..=name.2).contains(&row.at)
                };
                let is_open = !expected.keys().any(of);
                is_open && *copies != 0 && (*copies > 0 || row.at >= watermark)
            });
        }
    }
    assert!(any_belated_retraction);
}

#[test]
fn saved_sessions_continue_as_if_never_interrupted() {
    for seed in 0..40 {
        let epochs = log(seed, 1_000, |row| row);
        assert_continues(|| latest(1_000), |row| row.key.tag(), &epochs);
        assert_continues(|| finals(1_000), |row| row.key.tag(), &epochs);
    }
}

fn row(at: EventTime, id: u32) -> Row {
    Row {
        key: 1,
        at,
        value: 1,
        id,
    }
}

fn at(epoch: u64, watermark: EventTime) -> EpochTime {
    EpochTime {
        epoch,
        watermark,
        as_of: watermark,
        ..EpochTime::default()
    }
}

fn spans(written: &[(SessionRow<i64, Read>, i64)]) -> Vec<(EventTime, EventTime, i64, i64)> {
    let spans = written.iter();
    spans
        .map(|(row, diff)| (row.start, row.last, row.value.0, *diff))
        .collect()
}

#[test]
fn a_row_exactly_one_gap_after_the_last_one_belongs_and_one_later_does_not() {
    let mut latest = latest(10);
    let rows = [(row(0, 1), 1), (row(10, 2), 1), (row(21, 3), 1)];
    let written = step(&mut latest, &at(1, EventTime::MIN), &rows);
    assert_eq!(spans(&written), [(0, 10, 2, 1), (21, 21, 1, 1)]);
}

#[test]
fn a_session_is_final_when_the_watermark_has_passed_one_gap_after_its_last_row() {
    let mut finals = finals(10);
    assert!(step(&mut finals, &at(1, 5), &[(row(5, 1), 1)]).is_empty());
    assert!(step(&mut finals, &at(2, 15), &[]).is_empty());
    assert!(step(&mut finals, &at(3, 15), &[(row(15, 2), 1)]).is_empty());
    assert!(step(&mut finals, &at(4, 25), &[]).is_empty());
    assert_eq!(spans(&step(&mut finals, &at(5, 26), &[])), [(5, 15, 2, 1)]);
    assert_eq!(finals.size().keys, 0);
}

#[test]
fn a_row_between_two_sessions_joins_them_and_taking_it_back_splits_them() {
    let mut latest = latest(10);
    step(&mut latest, &at(1, 0), &[(row(0, 1), 1), (row(20, 2), 1)]);
    let joined = step(&mut latest, &at(2, 0), &[(row(10, 3), 1)]);
    assert_eq!(
        spans(&joined),
        [(0, 0, 1, -1), (0, 20, 3, 1), (20, 20, 1, -1)]
    );
    let split = step(&mut latest, &at(3, 0), &[(row(10, 3), -1)]);
    assert_eq!(
        spans(&split),
        [(0, 20, 3, -1), (0, 0, 1, 1), (20, 20, 1, 1)]
    );
    let neither = step(&mut latest, &at(4, 0), &[(row(10, 3), -1), (row(10, 3), 1)]);
    assert!(neither.is_empty());
}

#[test]
fn sessions_at_either_end_of_time_have_no_overflow() {
    let far = EventTime::MAX - 1;
    let mut finals = finals(1_000);
    let rows = [(row(EventTime::MIN + 1, 1), 1), (row(far, 2), 1)];
    assert!(step(&mut finals, &at(1, EventTime::MIN + 1), &rows).is_empty());
    let first = step(&mut finals, &at(2, far), &[]);
    assert_eq!(
        spans(&first),
        [(EventTime::MIN + 1, EventTime::MIN + 1, 1, 1)]
    );
    let last = step(&mut finals, &at(3, WATERMARK_END), &[]);
    assert_eq!(spans(&last), [(far, far, 1, 1)]);
}
