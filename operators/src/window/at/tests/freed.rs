//! What no label can ask for any more is let go of: the events of busy keys as they pass, and keys that fall silent.

use thalweg_engine::keyed::{EpochTime, KeyedState, StateSize};
use thalweg_engine::time::EventTime;
use thalweg_engine::update::Data;

use crate::aggregate::sum;
use crate::laws::step;
use crate::value::Fixed;
use crate::window::at::lookback::Lookback;
use crate::window::at::testing::{self as at, Asked};
use crate::window::grouped::Span;
use crate::window::placed::Placed;

/// Events of a key lie so far apart, two in an epoch.
const STEP_US: i64 = 10;
/// How far back labels may ask.
const HISTORY_US: i64 = 50;
/// Epochs with events.
const EPOCHS: i64 = 300;

/// What is held of a busy key after each epoch, at most, and once it has been silent for long.
fn held<S: KeyedState<In = Asked<i64, M::Event, i64>>, M: Lookback<Key = i64>>(
    mut state: S,
    event: impl Fn(EventTime) -> M::Event,
) -> (usize, StateSize) {
    let (mut events, mut watermark) = (0, 0);
    let mut epoch = |number: i64, last: EventTime| {
        let moments = (last > watermark).then(|| [last - STEP_US, last]);
        let rows = moments.into_iter().flatten();
        let rows: Vec<_> = rows.map(|at| (at::event(&7, event(at)), 1)).collect();
        let time = EpochTime {
            epoch: number as u64,
            watermark_before: watermark,
            watermark: last.max(watermark + 1_000),
            as_of: last.max(watermark + 1_000),
        };
        let time = if rows.is_empty() {
            time
        } else {
            EpochTime {
                watermark: last,
                as_of: last,
                ..time
            }
        };
        step(&mut state, &time, &rows);
        watermark = time.watermark;
        state.size()
    };
    for number in 1..=EPOCHS {
        events = events.max(epoch(number, number * 2 * STEP_US).events);
    }
    let mut silent = StateSize::default();
    for number in 1..=60 {
        silent = epoch(EPOCHS + number, 0);
    }
    (events, silent)
}

fn placed<R: Data>(row: R) -> impl Fn(EventTime) -> Placed<i64, R> {
    move |at| Placed {
        at,
        key: 7,
        row: row.clone(),
    }
}

/// In all modes where no event is known late: at most so many events, and whether the key stays.
fn assert_freed<M: Lookback<Key = i64>>(
    name: &str,
    store: impl Fn() -> M,
    event: impl Fn(EventTime) -> M::Event + Copy,
    (events_max, stays): (usize, bool),
) {
    let of_modes = [
        held::<_, M>(at::finals(store(), HISTORY_US), event),
        held::<_, M>(at::corrections(store(), HISTORY_US), event),
        held::<_, M>(at::as_known(store(), HISTORY_US), event),
    ];
    for (mode, (events, silent)) in ["finals", "corrections", "as known"].iter().zip(of_modes) {
        assert!(
            events > 0 && events <= events_max,
            "{name} {mode}: {events}"
        );
        assert_eq!(silent.events, 0, "{name} {mode}");
        assert_eq!(silent.keys, usize::from(stays), "{name} {mode}");
    }
}

/// Seven moments lie in the history and the last epoch, and a look comes with the next.
#[test]
fn events_and_keys_are_let_go_of_once_no_label_can_ask_for_them() {
    let add = || sum(|row: &i64| *row);
    let row = placed(5_i64);
    let event = |at| row(at);
    let every = |width_us, step_us| Span::Every { width_us, step_us };
    let tumbling = || at::up_to(every(100, 100), add());
    assert_freed("tumbling", tumbling, event, (10 + 9, false));
    let hopping = || at::up_to(every(200, 100), add());
    assert_freed("hopping", hopping, event, (20 + 9, false));
    // Events of sessions follow each other within the gap or, half a step less, do not.
    let apart = || at::open(STEP_US - 1, add());
    assert_freed("sessions", apart, event, (9, false));
    let lifetime = || at::up_to(Span::Lifetime, add());
    assert_freed("lifetime", lifetime, event, (9, true));
    let row = placed((5_i64, 5_i64));
    let event = |at| row(at);
    let fading = || at::fades::<i64, i64, Fixed<0>>(100);
    assert_freed("fading", fading, event, (9, true));
}
