//! Grouped windows against brute force after every epoch: before 1970 too, with gaps between windows, by calendar.

mod waiting;

use std::collections::BTreeMap;
use std::rc::Rc;

use thalweg_engine::column::Column;
use thalweg_engine::key::Key;
use thalweg_engine::keyed::{EpochTime, KeyedState};
use thalweg_engine::time::{EventTime, WATERMARK_END};

use crate::aggregate::{count, distinct, latest, moments, sum};
use crate::laws::{Epochs, Row, assert_continues, log, step, step_counted};
use crate::window::grouped::state::{Groups, Mode};
use crate::window::grouped::{Calendar, GroupRow, Local, Span};

/// Windows that are kept for ever.
const LATEST: Mode = Mode::Latest { kept_us: None };

fn spans() -> Vec<Span> {
    let every = |width_us, step_us| Span::Every { width_us, step_us };
    let local = |calendar| Span::Calendar(Rc::new(Local::new(calendar, "Europe/London").unwrap()));
    vec![
        every(2_500, 2_500),
        every(2_500, 1_000),
        every(3_000, 1_000),
        every(1_000, 2_500),
        Span::Lifetime,
        local(Calendar::Day),
        local(Calendar::Week),
    ]
}

#[test]
fn saved_groups_continue_as_if_never_interrupted() {
    let aggregates = || {
        (
            count(),
            moments(|row: &Row| row.value),
            distinct(|row: &Row| Some(row.value)),
            latest(|row: &Row| (row.at, row.id), |row| row.id),
        )
    };
    for seed in 0..40 {
        let epochs = log(seed, 1_000, |row| row);
        for span in spans() {
            let kept_us = Some(1_500);
            for mode in [LATEST, Mode::Latest { kept_us }, Mode::Final] {
                let make = || {
                    let (key, at) = (
                        Column::new(|row: &Row| row.key),
                        Column::new(|row: &Row| row.at),
                    );
                    Groups::new(key, at, span.clone(), mode, aggregates())
                };
                assert_continues(make, |row| row.key.tag(), &epochs);
            }
        }
    }
}

/// What a row of a group says: key, start, count, sum.
type Facts = (i64, EventTime, i64, i64);

#[expect(
    clippy::cast_possible_truncation,
    reason = "sums of few small whole numbers"
)]
fn facts(row: &GroupRow<i64, (i64, f64)>) -> Facts {
    (row.key, row.start, row.value.0, row.value.1 as i64)
}

/// The windows that hold a moment, by trying every start around it.
fn starts(span: &Span, at: EventTime) -> Vec<EventTime> {
    match span {
        Span::Lifetime => vec![0],
        Span::Every { width_us, step_us } => (-50..=50)
            .map(|n| (at / step_us + n) * step_us)
            .filter(|start| (*start..start + width_us).contains(&at))
            .collect(),
        Span::Calendar(local) => vec![local.window(at).0],
    }
}

/// Count and sum of every group that a row has touched.
fn groups(input: &[(Row, i64)], span: &Span) -> BTreeMap<(i64, EventTime), (i64, i64)> {
    let mut groups: BTreeMap<(i64, EventTime), (i64, i64)> = BTreeMap::new();
    for (row, diff) in input {
        for start in starts(span, row.at) {
            let group = groups.entry((row.key, start)).or_default();
            group.0 += diff;
            group.1 += diff * row.value;
        }
    }
    groups
}

fn brute(input: &[(Row, i64)], span: &Span) -> BTreeMap<Facts, i64> {
    let groups = groups(input, span).into_iter();
    let present = groups.filter(|(_, (rows, _))| *rows > 0);
    present
        .map(|((key, start), (rows, sum))| ((key, start, rows, sum), 1))
        .collect()
}

/// What was written adds up to, without what comes to nothing.
fn net(written: Vec<(GroupRow<i64, (i64, f64)>, i64)>) -> BTreeMap<Facts, i64> {
    let mut net = BTreeMap::new();
    for (row, diff) in written {
        *net.entry(facts(&row)).or_insert(0) += diff;
    }
    net.retain(|_, count| *count != 0);
    net
}

fn holds(seed: u64, span: &Span, epochs: &Epochs<Row>) {
    let make = |mode| {
        let (key, at) = (
            Column::new(|row: &Row| row.key),
            Column::new(|row: &Row| row.at),
        );
        let aggregates = (count(), sum(|row: &Row| row.value));
        Groups::new(key, at, span.clone(), mode, aggregates)
    };
    let (mut latest, mut finals) = (make(LATEST), make(Mode::Final));
    let (mut is, mut was) = (BTreeMap::new(), BTreeMap::new());
    let mut input = Vec::new();
    for (time, rows) in epochs {
        input.extend_from_slice(rows);
        let mut expected = brute(&input, span);
        for (state, net) in [(&mut latest, &mut is), (&mut finals, &mut was)] {
            for (row, diff) in step(state, time, rows) {
                *net.entry(facts(&row)).or_insert(0) += diff;
            }
            net.retain(|_, count| *count != 0);
        }
        assert_eq!(is, expected, "seed {seed}, {span:?}, {time:?}");
        expected.retain(|group, _| span.end(group.1) <= time.watermark);
        assert_eq!(was, expected, "final: seed {seed}, {span:?}, {time:?}");
    }
    let groups = groups(&input, span);
    let traces = groups.values().filter(|group| **group != (0, 0)).count();
    assert_eq!((latest.size().keys, finals.size().keys), (traces, 0));
}

/// The same log, earlier by so much: watermarks too.
fn earlier(mut epochs: Epochs<Row>, by_us: i64) -> Epochs<Row> {
    for (time, rows) in &mut epochs {
        rows.iter_mut().for_each(|(row, _)| row.at -= by_us);
        for moment in [
            &mut time.watermark_before,
            &mut time.watermark,
            &mut time.as_of,
        ] {
            if *moment != EventTime::MIN && *moment != WATERMARK_END {
                *moment -= by_us;
            }
        }
    }
    epochs
}

#[test]
fn groups_are_brute_force_after_every_epoch_in_gaps_and_before_1970() {
    for seed in 0..120 {
        for by_us in [0, 20_000] {
            let epochs = earlier(log(seed, 1_000, |row| row), by_us);
            spans().iter().for_each(|span| holds(seed, span, &epochs));
        }
    }
}

/// Steps of hours around the night on which the clocks of London went back in 2024.
#[test]
fn days_of_a_time_zone_are_brute_force_after_every_epoch() {
    for seed in 0..120 {
        let hour = 3_600_000_000;
        let epochs = earlier(log(seed, 6 * hour, |row| row), -1_729_728_000_000_000);
        spans()[5..]
            .iter()
            .for_each(|span| holds(seed, span, &epochs));
    }
}

/// Some rows long before the watermark, as a join that is repaired sends them: each window is written once, as of when
/// it ended.
#[test]
fn what_comes_for_a_window_that_has_ended_counts_only_in_those_that_have_not() {
    let mut late = 0;
    for seed in 0..120 {
        let mut epochs = log(seed, 1_000, |row| row);
        let rows = epochs.iter_mut().flat_map(|(_, rows)| rows);
        let early = rows.filter(|(row, _)| row.id % 5 == 0);
        early.for_each(|(row, _)| row.at -= 2_000);
        for span in spans() {
            let (key, at) = (
                Column::new(|row: &Row| row.key),
                Column::new(|row: &Row| row.at),
            );
            let aggregates = (count(), sum(|row: &Row| row.value));
            let mut finals = Groups::new(key, at, span.clone(), Mode::Final, aggregates);
            let mut input = Vec::new();
            for (time, rows) in &epochs {
                let ended = |end| end <= time.watermark && end > time.watermark_before;
                late += rows
                    .iter()
                    .filter(|(row, _)| row.at < time.watermark_before)
                    .count();
                input.extend_from_slice(rows);
                let mut expected = brute(&input, &span);
                expected.retain(|group, _| ended(span.end(group.1)));
                let (written, forgotten) = step_counted(&mut finals, time, rows);
                let written = net(written);
                assert_eq!(written, expected, "seed {seed}, {span:?}, {time:?}");
                let lost = rows.iter().filter(|(row, _)| {
                    let starts = starts(&span, row.at);
                    let mut ends = starts.iter().map(|start| span.end(*start));
                    !starts.is_empty() && ends.all(|end| end <= time.watermark_before)
                });
                assert_eq!(forgotten, lost.count() as u64, "seed {seed}, {span:?}");
            }
            assert_eq!(finals.size().keys, 0, "seed {seed}, {span:?}");
        }
    }
    assert!(late > 10_000, "{late} rows before the watermark");
}

/// The same rows where windows are kept for a while: each group stands as it was when its window was last kept, what
/// came later is counted, and no state is left of it.
#[test]
fn windows_that_are_kept_for_a_while_are_followed_for_so_long() {
    let mut late = 0;
    for seed in 0..120 {
        let kept_us = [0, 700, 3_000][seed as usize % 3];
        let mut epochs = log(seed, 1_000, |row| row);
        let rows = epochs.iter_mut().flat_map(|(_, rows)| rows);
        let early = rows.filter(|(row, _)| row.id % 5 == 0);
        early.for_each(|(row, _)| row.at -= 9_000);
        for span in spans() {
            let (key, at) = (
                Column::new(|row: &Row| row.key),
                Column::new(|row: &Row| row.at),
            );
            let aggregates = (count(), sum(|row: &Row| row.value));
            let mode = Mode::Latest {
                kept_us: Some(kept_us),
            };
            let mut latest = Groups::new(key, at, span.clone(), mode, aggregates);
            let is_over = |start, watermark: EventTime| {
                let end = span.end(start);
                let kept_us = if watermark == WATERMARK_END {
                    0
                } else {
                    kept_us
                };
                watermark != EventTime::MIN && end.saturating_add(kept_us) <= watermark
            };
            let (mut is, mut expected) = (BTreeMap::new(), BTreeMap::new());
            let mut input = Vec::new();
            for (time, rows) in &epochs {
                input.extend_from_slice(rows);
                let (written, forgotten) = step_counted(&mut latest, time, rows);
                for (row, diff) in written {
                    *is.entry(facts(&row)).or_insert(0) += diff;
                }
                is.retain(|_, count| *count != 0);
                let over_before = |start| is_over(start, time.watermark_before);
                expected.retain(|group: &Facts, _| over_before(group.1));
                let kept = brute(&input, &span).into_iter();
                expected.extend(kept.filter(|(group, _)| !over_before(group.1)));
                assert_eq!(is, expected, "seed {seed}, {span:?}, {time:?}");
                let lost = rows.iter().filter(|(row, _)| {
                    let starts = starts(&span, row.at);
                    !starts.is_empty() && starts.into_iter().all(over_before)
                });
                assert_eq!(forgotten, lost.count() as u64, "seed {seed}, {span:?}");
                late += forgotten;
                let groups = groups(&input, &span).into_iter();
                let open = groups.filter(|((_, start), group)| {
                    !is_over(*start, time.watermark) && *group != (0, 0)
                });
                assert_eq!(latest.size().keys, open.count(), "seed {seed}, {span:?}");
            }
        }
    }
    assert!(late > 5_000, "{late} rows for windows that are over");
}

/// Windows at the beginning and at the end of time: `finals` says in the end what `latest` says.
#[test]
fn windows_reach_to_the_ends_of_time() {
    let ends = [
        EventTime::MIN + 1,
        EventTime::MIN + 2_500,
        -1,
        0,
        EventTime::MAX - 1,
    ];
    let near = |end: EventTime| (-3..=3).map(move |n| end.saturating_add(n * 700));
    let moments = ends.into_iter().flat_map(near);
    let moments = moments.filter(|at| *at != EventTime::MIN && *at != WATERMARK_END);
    let row = |(id, at): (u32, EventTime)| {
        (
            Row {
                at,
                id,
                key: i64::from(id % 3),
                value: 1,
            },
            1,
        )
    };
    let rows: Vec<_> = (0..).zip(moments).map(row).collect();
    let end = EpochTime {
        watermark: WATERMARK_END,
        ..EpochTime::default()
    };
    let widths_and_steps = [
        (3_000, 1_000),
        (3, 1),
        (1 << 62, 1 << 61),
        (7_000, 7),
        // Rows wait.
        (2_500, 2_500),
        (2_500, 1_000),
        (1_000, 2_500),
        (1 << 62, 1 << 62),
    ];
    for (width_us, step_us) in widths_and_steps {
        let written = |mode| {
            let (key, at) = (
                Column::new(|row: &Row| row.key),
                Column::new(|row: &Row| row.at),
            );
            let span = Span::Every { width_us, step_us };
            let mut state = Groups::new(key, at, span, mode, (count(), sum(|row: &Row| row.value)));
            net(step(&mut state, &end, &rows))
        };
        let (latest, finals) = (written(LATEST), written(Mode::Final));
        assert!(latest == finals, "{width_us} every {step_us}");
    }
}

/// The same log in so many epochs at a time.
fn together(epochs: &Epochs<Row>, many: usize) -> Epochs<Row> {
    let one = |epochs: &[(EpochTime, Vec<(Row, i64)>)]| {
        let time = EpochTime {
            watermark_before: epochs[0].0.watermark_before,
            ..epochs[epochs.len() - 1].0
        };
        let rows = epochs.iter().flat_map(|(_, rows)| rows.clone());
        (time, rows.collect())
    };
    epochs.chunks(many).map(one).collect()
}

/// More keys than a window begins with slots, and more rows than are worked on together.
#[test]
fn epochs_of_many_rows_and_keys_are_brute_force() {
    for seed in 0..40 {
        let many = |row: Row| Row {
            key: i64::from(row.id) % 97,
            ..row
        };
        let epochs = together(&log(seed, 1_000, many), 20);
        spans().iter().for_each(|span| holds(seed, span, &epochs));
    }
}
