//! At every epoch the accumulated output is brute force over the accumulated input, as of the global watermark.

use std::collections::BTreeMap;

use tests::case::{Case, Retractions};
use tests::dice::Dice;
use tests::epochs::{
    Witness, assert_every_epoch, assert_every_epoch_appends, assert_every_epoch_nets, once,
};
use tests::lap::Lap;
use tests::oracle::{REAL, WHOLE, groups, rolling_final, rolling_latest};
use thalweg::engine::time::{WATERMARK_END, WATERMARK_NONE};
use thalweg::prelude::{Expiry, Real};

use crate::for_seeds;
use crate::jobs::{self, Grouping, Lanes, Mode};

fn rolling_holds(seeds: std::ops::Range<u64>, expiry: Expiry) {
    for_seeds(seeds, |seed| {
        let mut dice = Dice::new(seed);
        let case = Case::draw(&mut dice, 120, Retractions::Anywhere);
        let (lap, witness) = (Lap::draw(&mut dice), Witness::default());
        let written = once(&lap, |out| {
            jobs::rolling_latest(&case, &lap, expiry, &witness, out)
        });
        let context = (seed, lap, &case);
        assert_every_epoch(
            &context,
            &witness.seen(),
            &written,
            |row| row.key,
            |input, time| {
                let as_of = match expiry {
                    Expiry::AtWatermark => time.as_of,
                    Expiry::AtNextEvent => WATERMARK_NONE,
                };
                rolling_latest(input, &case.widths_us, as_of, &WHOLE)
            },
        );
    });
}

#[test]
fn rolling_rows_that_expire_are_brute_force_at_every_epoch() {
    rolling_holds(0..256, Expiry::AtWatermark);
}

#[test]
fn rolling_rows_that_keep_until_the_next_event_are_brute_force_at_every_epoch() {
    rolling_holds(500..756, Expiry::AtNextEvent);
}

/// A third of the seeds for each mode.
fn every_mode_holds(seeds: std::ops::Range<u64>, lanes: Lanes) {
    for_seeds(seeds, |seed| {
        let mut dice = Dice::new(seed);
        let mode = [Mode::Latest, Mode::Finals, Mode::Corrections][(seed % 3) as usize];
        let case = Case::draw(&mut dice, 120, Retractions::Anywhere);
        let (lap, witness) = (Lap::draw(&mut dice), Witness::default());
        let written = once(&lap, |out| {
            jobs::rolling(&case, &lap, (lanes, mode), &witness, out)
        });
        let (context, seen) = ((seed, lanes, mode, lap, &case), witness.seen());
        let oracle = lanes.oracle();
        let of_events = |input: &BTreeMap<_, _>, until| {
            let rows = rolling_final(input, &case.widths_us, until, &oracle);
            let rows = rows.into_iter().map(|((id, row), n)| ((Some(id), row), n));
            rows.collect()
        };
        match mode {
            Mode::Latest => assert_every_epoch(
                &context,
                &seen,
                &written,
                |(_, row)| row.key,
                |input, time| {
                    let rows = rolling_latest(input, &case.widths_us, time.as_of, &oracle);
                    rows.into_iter().map(|(row, n)| ((None, row), n)).collect()
                },
            ),
            Mode::Finals => {
                assert_every_epoch_appends(&context, &seen, &written, |input, time| {
                    of_events(input, time.watermark)
                });
            }
            Mode::Corrections => assert_every_epoch_nets(&context, &seen, &written, |input, _| {
                of_events(input, WATERMARK_END)
            }),
        }
    });
}

#[test]
fn rolling_totals_are_brute_force_at_every_epoch_in_every_mode() {
    every_mode_holds(6_000..6_768, Lanes::Totals);
}

#[test]
fn rolling_moments_of_floats_are_brute_force_at_every_epoch_in_every_mode() {
    every_mode_holds(7_000..7_768, Lanes::Real);
}

#[test]
fn rolling_totals_of_floats_are_brute_force_at_every_epoch_in_every_mode() {
    every_mode_holds(8_000..8_768, Lanes::RealTotals);
}

#[test]
fn groups_are_brute_force_at_every_epoch() {
    for_seeds(1_000..1_120, |seed| {
        let mut dice = Dice::new(seed);
        let case = Case::draw(&mut dice, 120, Retractions::InOrder);
        let (lap, witness) = (Lap::draw(&mut dice), Witness::default());
        let tumbling = dice.chance(70);
        let grouping = Grouping {
            tumbling,
            finals: false,
            let_go: dice.chance(50),
        };
        let written = once(&lap, |out| {
            jobs::grouped(&case, &lap, grouping, &witness, out)
        });
        let width = tumbling.then_some(case.widths_us[0]);
        assert_every_epoch(
            &(seed, lap, &case),
            &witness.seen(),
            &written,
            |row| (row.key, row.start),
            |input, _| groups(input, width),
        );
    });
}

#[test]
fn groups_come_once_in_the_epoch_in_which_the_watermark_reaches_their_end() {
    for_seeds(2_000..2_120, |seed| {
        let mut dice = Dice::new(seed);
        let case = Case::draw(&mut dice, 120, Retractions::InOrder);
        let (lap, witness) = (Lap::draw(&mut dice), Witness::default());
        let grouping = Grouping {
            tumbling: true,
            finals: true,
            let_go: false,
        };
        let written = once(&lap, |out| {
            jobs::grouped(&case, &lap, grouping, &witness, out)
        });
        let width = case.widths_us[0];
        assert_every_epoch_appends(
            &(seed, lap, &case),
            &witness.seen(),
            &written,
            |input, time| {
                let mut ended = groups(input, Some(width));
                ended.retain(|row, _| row.start + width <= time.watermark);
                ended
            },
        );
    });
}

#[test]
fn final_rolling_rows_come_once_in_the_epoch_in_which_the_watermark_passes_them() {
    for_seeds(3_000..3_256, |seed| {
        let mut dice = Dice::new(seed);
        let case = Case::draw(&mut dice, 120, Retractions::Anywhere);
        let (lap, witness) = (Lap::draw(&mut dice), Witness::default());
        let written = once(&lap, |out| jobs::rolling_final(&case, &lap, &witness, out));
        assert_every_epoch_appends(
            &(seed, lap, &case),
            &witness.seen(),
            &written,
            |input, time| rolling_final(input, &case.widths_us, time.watermark, &WHOLE),
        );
    });
}

#[test]
fn floats_are_brute_force_at_every_epoch_in_rows_per_event_that_carry_them() {
    for_seeds(5_000..5_256, |seed| {
        let mut dice = Dice::new(seed);
        let case = Case::draw(&mut dice, 120, Retractions::Anywhere);
        let (lap, witness) = (Lap::draw(&mut dice), Witness::default());
        let written = once(&lap, |out| {
            jobs::rolling_real_final(&case, &lap, &witness, out)
        });
        assert_every_epoch_appends(
            &(seed, lap, &case),
            &witness.seen(),
            &written,
            |input, time| {
                let rows = rolling_final(input, &case.widths_us, time.watermark, &REAL);
                let reals: BTreeMap<u32, _> = input
                    .keys()
                    .map(|event| (event.id, event.float().map(Real)))
                    .collect();
                rows.into_iter()
                    .map(|((id, row), n)| (((id, reals[&id]), row), n))
                    .collect()
            },
        );
    });
}
