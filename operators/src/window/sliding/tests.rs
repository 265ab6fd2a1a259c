//! Rolling aggregates against brute force: random events, late ones, retractions before and after their event.

use std::collections::{BTreeMap, BTreeSet};

use thalweg_engine::keyed::{Emitter, EpochTime, KeyedState};
use thalweg_engine::time::{EventTime, WATERMARK_NONE, millis};
use thalweg_engine::update::{Diff, Update};

use crate::aggregate::{count, distinct};
use crate::laws::Draws;
use crate::window::finals::Finals;
use crate::window::placed::Placed;
use crate::window::rolling::Expiry;
use crate::window::rolling::widths::Widths;
use crate::window::sliding::{finals, latest};

/// A key, a moment in ms, a value.
type Event = (u32, i64, u32);

const WIDTHS_MS: [i64; 2] = [10, 40];

/// Events in epochs; a third of them are taken back, some before they come.
fn log(seed: u64) -> Vec<Vec<(Event, Diff)>> {
    let mut draws = Draws::seeded(seed);
    let mut all = Vec::new();
    for n in 0..60_u32 {
        let event = (draws.below(3) as u32, draws.within(0..=119), n % 7);
        all.push((event, 1));
        if draws.below(3) == 0 {
            all.push((event, -1));
        }
    }
    draws.shuffle(&mut all);
    all.chunks(7).map(<[_]>::to_vec).collect()
}

fn placed(epoch: &[(Event, Diff)]) -> Vec<Update<Placed<u32, u32>>> {
    let row = |((key, at, value), diff): &(Event, Diff)| {
        (
            Placed {
                at: at * 1_000,
                key: *key,
                row: *value,
            },
            1,
            *diff,
        )
    };
    epoch.iter().map(row).collect()
}

/// Runs a state over the epochs, then to `end`; what is left of its output.
fn run<S: KeyedState<In = Placed<u32, u32>>>(
    state: S,
    epochs: &[Vec<(Event, Diff)>],
    end: EpochTime,
) -> Vec<(S::Out, Diff)>
where
    S::Out: PartialEq,
{
    let before = epochs
        .iter()
        .map(|rows| (EpochTime::default(), rows.clone()));
    run_at(state, before.chain([(end, Vec::new())]))
}

/// Runs a state over epochs at their times; what is left of its output.
fn run_at<S: KeyedState<In = Placed<u32, u32>>>(
    mut state: S,
    epochs: impl IntoIterator<Item = (EpochTime, Vec<(Event, Diff)>)>,
) -> Vec<(S::Out, Diff)>
where
    S::Out: PartialEq,
{
    let mut net: Vec<(S::Out, Diff)> = Vec::new();
    for (time, rows) in epochs {
        let rows = placed(&rows).into();
        let mut buffer = Vec::new();
        let mut pass_on = |full: &mut Vec<Update<S::Out>>| {
            for (row, _, diff) in full.drain(..) {
                match net.iter_mut().find(|known| known.0 == row) {
                    Some(known) => known.1 += diff,
                    None => net.push((row, diff)),
                }
            }
        };
        let mut out = Emitter::new(1, &mut buffer, &mut pass_on);
        state.epoch(&time, rows, &mut out);
        out.finish();
    }
    net.retain(|row| row.1 != 0);
    net
}

fn present(epochs: &[Vec<(Event, Diff)>]) -> BTreeMap<Event, Diff> {
    let mut counts = BTreeMap::new();
    epochs
        .iter()
        .flatten()
        .for_each(|(event, diff)| *counts.entry(*event).or_default() += diff);
    counts.retain(|_, count| *count != 0);
    counts
}

/// Count and distinct values of a key's windows that end at `end_ms`.
fn windows(events: &BTreeMap<Event, Diff>, key: u32, end_ms: i64) -> [(i64, u64); 2] {
    WIDTHS_MS.map(|width| {
        let inside = || {
            events
                .iter()
                .filter(|(e, _)| e.0 == key && e.1 >= end_ms - width && e.1 <= end_ms)
        };
        let values: BTreeSet<u32> = inside().map(|(e, _)| e.2).collect();
        (inside().map(|(_, count)| *count).sum(), values.len() as u64)
    })
}

fn widths() -> Widths<2> {
    Widths::new(WIDTHS_MS.map(|width| millis(u64::try_from(width).unwrap()))).unwrap()
}

#[test]
fn the_row_of_each_key_is_brute_force_over_its_events_and_falls_with_the_watermark() {
    for seed in 0..200 {
        let epochs = log(seed);
        let events = present(&epochs);
        for as_of_ms in [None, Some(90), Some(130)] {
            let expiry = if as_of_ms.is_some() {
                Expiry::AtWatermark
            } else {
                Expiry::AtNextEvent
            };
            let as_of = as_of_ms.map_or(WATERMARK_NONE, |ms: EventTime| ms * 1_000);
            let end = EpochTime {
                epoch: 9,
                watermark: as_of,
                as_of,
                ..EpochTime::default()
            };
            let aggregate = (count(), distinct(|value: &u32| Some(*value)));
            let net = run(
                latest::Latest::new(aggregate, widths(), expiry),
                &epochs,
                end,
            );
            let mut expected = Vec::new();
            for key in 0..3 {
                let Some(newest) = events.keys().filter(|e| e.0 == key).map(|e| e.1).max() else {
                    continue;
                };
                let end_ms = as_of_ms.map_or(newest, |ms| ms.max(newest));
                if newest >= end_ms - WIDTHS_MS[1] {
                    expected.push((key, newest * 1_000, windows(&events, key, end_ms)));
                }
            }
            let mut found: Vec<_> = net
                .iter()
                .map(|(row, _)| (row.key, row.at, row.windows.0))
                .collect();
            found.sort_unstable();
            assert!(net.iter().all(|row| row.1 == 1), "seed {seed}");
            assert_eq!(found, expected, "seed {seed}, as of {as_of_ms:?}");
        }
    }
}

#[test]
fn each_event_that_is_left_has_one_final_row_with_its_peers_inside() {
    for seed in 0..200 {
        let epochs = log(seed);
        let events = present(&epochs);
        let aggregate = (count(), distinct(|value: &u32| Some(*value)));
        let end = EpochTime {
            epoch: 9,
            watermark: EventTime::MAX,
            ..EpochTime::default()
        };
        let net = run(
            Finals::of(finals::Settled::new(aggregate, widths())),
            &epochs,
            end,
        );
        let mut found: Vec<_> = net
            .iter()
            .map(|((value, row), n)| (row.key, row.at / 1_000, *value, *n, row.windows.0))
            .collect();
        found.sort_unstable();
        let expected: Vec<_> = events
            .iter()
            .map(|(e, n)| (e.0, e.1, e.2, *n, windows(&events, e.0, e.1)))
            .collect();
        assert_eq!(found, expected, "seed {seed}");
    }
}

/// The windows of a row from behind the watermark held what is newer than the row.
#[test]
fn a_final_row_from_behind_the_watermark_sees_nothing_newer() {
    let at = |watermark_ms: i64, event: Event| {
        let time = EpochTime {
            watermark: watermark_ms * 1_000,
            as_of: watermark_ms * 1_000,
            ..EpochTime::default()
        };
        (time, vec![(event, 1)])
    };
    let epochs = [
        at(80, (0, 70, 1)),
        at(101, (0, 100, 2)),
        at(101, (0, 90, 3)),
        at(111, (0, 110, 4)),
    ];
    let aggregate = (count(), distinct(|value: &u32| Some(*value)));
    let net = run_at(
        Finals::of(finals::Settled::new(aggregate, widths())),
        epochs,
    );
    let mut found: Vec<_> = net
        .iter()
        .map(|((value, row), _)| (*value, row.windows.0.map(|window| window.0)))
        .collect();
    found.sort_unstable();
    assert_eq!(found, [(1, [1, 1]), (2, [1, 2]), (3, [1, 2]), (4, [2, 4])]);
}

/// What may be forgotten was measured from the newest moment, although nothing but a retraction stood there: the event
/// of 0 ms was forgotten while it was still in the windows, and counted in them for ever.
#[test]
fn a_retraction_without_its_event_lets_no_event_be_forgotten() {
    let at = |watermark_ms: i64, event: Event, diff: Diff| {
        let time = EpochTime {
            watermark: watermark_ms * 1_000,
            as_of: watermark_ms * 1_000,
            ..EpochTime::default()
        };
        (time, vec![(event, diff)])
    };
    let epochs = [
        at(0, (0, 0, 1), 1),
        at(200, (0, 100, 2), -1),
        at(200, (0, 200, 3), -1),
        at(200, (0, 300, 4), 1),
    ];
    let aggregate = (count(), distinct(|value: &u32| Some(*value)));
    let state = latest::Latest::new(aggregate, widths(), Expiry::AtNextEvent);
    let net = run_at(state, epochs);
    let found: Vec<_> = net
        .iter()
        .map(|(row, n)| (row.at, row.windows.0, *n))
        .collect();
    assert_eq!(found, [(300_000, [(1, 1), (1, 1)], 1)]);
}
