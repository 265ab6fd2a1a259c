//! What the laws have found, each as the smallest log that shows it.

use tests::case::Case;
use tests::dice::Dice;
use tests::epochs::{Witness, assert_every_epoch};
use tests::event::{Event, Signed};
use tests::lap::Lap;
use tests::oracle::{WHOLE, rolling_latest};
use thalweg::connectors::memory::Collect;
use thalweg::engine::sim::Sim;
use thalweg::prelude::Expiry;

use crate::jobs;

const SECOND: i64 = 1_000_000;

fn event(key: i64, at: i64, value: i64) -> (Event, i64) {
    let value = Some(value);
    (
        Event {
            key,
            at,
            value,
            ..Event::default()
        },
        1,
    )
}

/// Runs rolling windows that expire over these partitions in thirty laps, and holds each to brute force at every epoch.
fn expires_as_brute_force(partitions: Vec<Signed<Event>>, lateness_us: i64, widths_us: [i64; 3]) {
    let case = Case {
        partitions,
        lateness_us: Some(lateness_us),
        widths_us,
        grain_us: SECOND,
    };
    let mut last = None;
    for seed in 0..30 {
        let (lap, witness, out) = (
            Lap::draw(&mut Dice::new(seed)),
            Witness::default(),
            Collect::new(),
        );
        let job = jobs::rolling_latest(&case, &lap, Expiry::AtWatermark, &witness, out.clone());
        Sim::new(lap.seed, lap.config().unwrap()).run(&job).unwrap();
        assert_every_epoch(
            &(seed, lap),
            &witness.seen(),
            &out.updates(),
            |row| row.key,
            |input, time| rolling_latest(input, &case.widths_us, time.as_of, &WHOLE),
        );
        let last = last.get_or_insert_with(|| out.net());
        assert_eq!(
            *last,
            out.net(),
            "seed {seed}: the end depends on the slicing"
        );
    }
}

/// A partition reported only its end where its last rows and its end fell into one epoch; and of several partitions the
/// last finite watermark depended on which ended first.
#[test]
fn rows_are_as_of_the_same_moment_however_the_run_was_sliced() {
    let slow = vec![event(1, 0, 1), event(2, 40 * SECOND, 1)];
    let fast = vec![event(3, 0, 1), event(4, 90 * SECOND, 1)];
    expires_as_brute_force(vec![slow, fast], SECOND, [10, 20, 60].map(|n| n * SECOND));
}

/// A key whose events came before the first global watermark, here while the second partition had nothing yet, got no
/// timer: its row stood for ever.
#[test]
fn a_row_from_before_the_first_watermark_expires() {
    let early = vec![event(1, 0, 1), event(2, 5 * SECOND, 1)];
    let later = (0..30).map(|n| event(3, 10 * n * SECOND, 1)).collect();
    expires_as_brute_force(
        vec![early, later, Vec::new()],
        0,
        [SECOND, 3 * SECOND, 9 * SECOND],
    );
}

/// A key had one timer, for the first event to leave; a late event that leaves before that one did not move it.
#[test]
fn a_late_event_leaves_before_those_that_a_timer_stands_for() {
    let mut rows = vec![event(1, 100 * SECOND, 1), event(1, 60 * SECOND, 2)];
    rows.extend((101..190).map(|n| event(2, n * SECOND, 3)));
    expires_as_brute_force(vec![rows], 50 * SECOND, [70, 50, 90].map(|n| n * SECOND));
}

/// The stacks of a busy key grew while its ring had room, which its account did not note: forgetting the key took back
/// more bytes than had been added.
#[test]
fn a_busy_key_whose_stacks_have_grown_can_be_forgotten() {
    let mut rows: Vec<_> = (0..14).map(|n| event(1, n * SECOND, n)).collect();
    rows.push(event(2, 500 * SECOND, 1));
    expires_as_brute_force(vec![rows], 0, [20 * SECOND; 3]);
}
