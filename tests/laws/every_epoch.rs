//! At every epoch the accumulated output is brute force over the accumulated input, as of the global watermark.

use tests::case::{Case, Retractions};
use tests::dice::Dice;
use tests::epochs::{Witness, assert_every_epoch};
use tests::lap::Lap;
use tests::oracle::{WHOLE, groups, rolling_latest};
use thalweg::connectors::memory::Collect;
use thalweg::engine::sim::Sim;
use thalweg::engine::time::WATERMARK_NONE;
use thalweg::engine::update::{Data, Update};
use thalweg::prelude::{Expiry, Job};

use crate::for_seeds;
use crate::jobs::{self, Grouping};

/// Runs a job once; a witness of its own sees one run only.
fn once<O: Data>(lap: &Lap, job: impl FnOnce(Collect<O>) -> Job) -> Vec<Update<O>> {
    let out = Collect::new();
    let config = lap.config().unwrap();
    Sim::new(lap.seed, config).run(&job(out.clone())).unwrap();
    out.updates()
}

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
    rolling_holds(0..240, Expiry::AtWatermark);
}

#[test]
fn rolling_rows_that_keep_until_the_next_event_are_brute_force_at_every_epoch() {
    rolling_holds(500..620, Expiry::AtNextEvent);
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
fn groups_end_in_the_epoch_in_which_the_watermark_reaches_their_end() {
    for_seeds(2_000..2_120, |seed| {
        let mut dice = Dice::new(seed);
        let case = Case::draw(&mut dice, 120, Retractions::InOrder);
        let (lap, witness) = (Lap::draw(&mut dice), Witness::default());
        let grouping = Grouping {
            tumbling: true,
            finals: true,
        };
        let written = once(&lap, |out| {
            jobs::grouped(&case, &lap, grouping, &witness, out)
        });
        let width = case.widths_us[0];
        assert_every_epoch(
            &(seed, lap, &case),
            &witness.seen(),
            &written,
            |row| (row.key, row.start),
            |input, time| {
                let mut ended = groups(input, Some(width));
                ended.retain(|row, _| row.start + width <= time.watermark);
                ended
            },
        );
    });
}
