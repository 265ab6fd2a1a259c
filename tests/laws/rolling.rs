//! Rolling windows: the net output is brute force's, whatever the workers, the slicing and the order.

use tests::case::{Case, Retractions};
use tests::dice::Dice;
use tests::epochs::Witness;
use tests::lap::Lap;
use tests::oracle::{REAL, WHOLE, admitted, assert_same, net, rolling_final, rolling_latest};
use thalweg::engine::time::{WATERMARK_END, WATERMARK_NONE};
use thalweg::prelude::Expiry;

use crate::{for_seeds, jobs};

/// Runs `latest` over a case in two laps and compares both with brute force.
fn latest_is_brute_force(seed: u64, case: &Case, reordered: &Case, expiry: Expiry) {
    let mut dice = Dice::new(!seed);
    for case in [case, reordered] {
        let lap = Lap::draw(&mut dice);
        let job = |out| jobs::rolling_latest(case, &lap, expiry, &Witness::default(), out);
        let (written, _) = lap.simulate(job);
        let input = admitted(case);
        let as_of = match expiry {
            Expiry::AtWatermark => input.as_of,
            Expiry::AtNextEvent => WATERMARK_NONE,
        };
        let expected = rolling_latest(&net(input.rows), &case.widths_us, as_of, &WHOLE);
        let found = net(written.into_iter().map(|(row, _, diff)| (row, diff)));
        assert_same(&found, &expected, &(seed, &lap, &case));
    }
}

#[test]
fn latest_rows_that_keep_until_the_next_event_are_brute_force_in_any_order() {
    for_seeds(0..256, |seed| {
        let mut dice = Dice::new(seed);
        let case = Case::draw(&mut dice, 250, Retractions::Anywhere).unlimited();
        let reordered = case.shuffled(&mut dice);
        latest_is_brute_force(seed, &case, &reordered, Expiry::AtNextEvent);
    });
}

#[test]
fn latest_rows_that_expire_are_brute_force_over_what_was_in_time_in_any_slicing() {
    for_seeds(1_000..1_256, |seed| {
        let case = Case::draw(&mut Dice::new(seed), 250, Retractions::Anywhere);
        latest_is_brute_force(seed, &case, &case, Expiry::AtWatermark);
    });
}

#[test]
fn final_rows_are_brute_force_in_any_slicing() {
    for_seeds(2_000..2_256, |seed| {
        let mut dice = Dice::new(seed);
        let limited = Case::draw(&mut dice, 200, Retractions::Anywhere);
        let unlimited = Case::draw(&mut dice, 200, Retractions::Anywhere).unlimited();
        let reordered = unlimited.shuffled(&mut dice);
        for case in [limited.clone(), limited, unlimited, reordered] {
            let lap = Lap::draw(&mut dice);
            let quiet = Witness::default();
            let job = |out| jobs::rolling_final(&case, &lap, &quiet, out);
            let (written, _) = lap.simulate(job);
            assert!(
                written.iter().all(|(_, _, diff)| *diff > 0),
                "seed {seed}, {lap:?}: a final row was taken back"
            );
            let input = net(admitted(&case).rows);
            let expected = rolling_final(&input, &case.widths_us, WATERMARK_END, &WHOLE);
            let found = net(written.into_iter().map(|(row, _, diff)| (row, diff)));
            assert_same(&found, &expected, &(seed, &lap, &case));
        }
    });
}

#[test]
fn floats_are_summed_exactly_in_both_modes() {
    for_seeds(3_000..3_256, |seed| {
        let mut dice = Dice::new(seed);
        let case = Case::draw(&mut dice, 200, Retractions::InOrder);
        let lap = Lap::draw(&mut dice);
        let quiet = Witness::default();
        let admitted = admitted(&case);
        let (input, widths) = (net(admitted.rows), &case.widths_us);
        let job = |out| jobs::rolling_real_latest(&case, &lap, &quiet, out);
        let (written, _) = lap.simulate(job);
        let found = net(written.into_iter().map(|(row, _, diff)| (row, diff)));
        let expected = rolling_latest(&input, widths, admitted.as_of, &REAL);
        assert_same(&found, &expected, &(seed, &lap, &case));
        let job = |out| jobs::rolling_real_final(&case, &lap, &quiet, out);
        let (written, _) = lap.simulate(job);
        let found = written
            .into_iter()
            .map(|((carried, row), _, diff)| ((carried.0, row), diff));
        let expected = rolling_final(&input, widths, WATERMARK_END, &REAL);
        assert_same(&net(found), &expected, &(seed, &lap, &case));
    });
}
