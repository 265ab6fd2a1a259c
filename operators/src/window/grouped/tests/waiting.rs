//! Windows of many rows, which wait until their window ends or are counted as they come.

use serde::{Deserialize, Serialize};
use thalweg_engine::column::Column;
use thalweg_engine::key::Key;
use thalweg_engine::keyed::{EpochTime, KeyedState};
use thalweg_engine::time::WATERMARK_END;
use thalweg_engine::update::Data;

use super::{brute, net, spans};
use crate::aggregate::{Aggregate, count, sum};
use crate::laws::{Draws, Epochs, Row, assert_continues, step};
use crate::window::grouped::Span;
use crate::window::grouped::state::{Groups, Mode};

/// A row that owns something, and so is counted as it comes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Owned(Row, String);

/// Groups of count and sum, written once.
fn written_once<D: Data>(
    span: &Span,
    row: fn(&D) -> &Row,
) -> Groups<D, i64, impl Aggregate<D, Output = (i64, f64)>> {
    let (key, at) = (
        Column::new(move |with: &D| row(with).key),
        Column::new(move |with: &D| row(with).at),
    );
    let aggregates = (count(), sum(move |with: &D| row(with).value));
    Groups::new(key, at, span.clone(), Mode::Final, aggregates)
}

/// Epochs of hundreds of rows of so many keys, of which some are taken back, over 5 ms at a time.
fn crowds(seed: u64, keys: i64) -> Epochs<Row> {
    let mut draws = Draws::seeded(seed);
    let (mut epochs, mut time) = (Epochs::new(), EpochTime::default());
    for epoch in 1..=41 {
        let from = time.watermark.max(0);
        let rows = (0..draws.below(600) as u32).map(|id| Row {
            key: draws.within(1..=keys),
            at: from + draws.within(0..=4_999),
            value: draws.within(-9..=9),
            id,
        });
        let rows: Vec<_> = rows.collect();
        let taken_back = rows.iter().filter(|row| row.id % 7 == 0);
        let taken_back: Vec<_> = taken_back.map(|row| (*row, -1)).collect();
        let rows = rows.into_iter().map(|row| (row, 1)).chain(taken_back);
        time.watermark_before = time.watermark;
        time.watermark = match epoch {
            41 => WATERMARK_END,
            _ => from + draws.within(0..=900),
        };
        time.epoch = epoch;
        epochs.push((time, rows.collect()));
    }
    epochs
}

/// Windows of up to thousands of rows, whose keys repeat or do not: rows wait, are counted while their window is open,
/// or once it has ended, wherever the state is saved and dealt to others.
#[test]
fn windows_of_thousands_of_rows_are_brute_force_whether_rows_wait_or_not() {
    for (seed, keys) in (0..).zip([1, 40, 700, 1_000_000]) {
        let epochs = crowds(seed, keys);
        for span in &spans()[..5] {
            let mut input = Vec::new();
            let mut plain = written_once(span, |row: &Row| row);
            let mut owned = written_once(span, |owned: &Owned| &owned.0);
            for (time, rows) in &epochs {
                input.extend_from_slice(rows);
                let mut expected = brute(&input, span);
                let ended = |end| end <= time.watermark && end > time.watermark_before;
                expected.retain(|group, _| ended(span.end(group.1)));
                let with = |(row, diff): &(Row, i64)| (Owned(*row, row.id.to_string()), *diff);
                let with: Vec<_> = rows.iter().map(with).collect();
                let written = net(step(&mut plain, time, rows));
                assert!(written == expected, "{keys} keys, {span:?}, {time:?}");
                let written = net(step(&mut owned, time, &with));
                assert!(written == expected, "{keys} keys, {span:?}, {time:?}");
            }
            assert_eq!((plain.size().keys, owned.size().keys), (0, 0));
            let make = || written_once(span, |row: &Row| row);
            assert_continues(make, |row| row.key.tag(), &epochs);
        }
    }
}

/// Each row that waits counts as a key of its own.
#[test]
fn plain_rows_wait_and_others_are_counted_as_they_come() {
    let span = &spans()[0];
    let row = Row {
        at: 1,
        id: 1,
        key: 7,
        value: 3,
    };
    let time = EpochTime::default();
    let mut plain = written_once(span, |row: &Row| row);
    step(&mut plain, &time, &[(row, 1), (row, 1)]);
    let mut owned = written_once(span, |owned: &Owned| &owned.0);
    let with = (Owned(row, String::new()), 1);
    step(&mut owned, &time, &[with.clone(), with]);
    assert_eq!((plain.size().keys, owned.size().keys), (2, 1));
}
