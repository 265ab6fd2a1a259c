//! The same jobs on real threads give the same rows as brute force.

use tests::case::{Case, Retractions};
use tests::dice::Dice;
use tests::epochs::Witness;
use tests::lap::Lap;
use tests::oracle::{WHOLE, admitted, groups, net, rolling_final, rolling_latest};
use thalweg::connectors::memory::Collect;
use thalweg::engine::time::WATERMARK_END;
use thalweg::engine::update::Data;
use thalweg::prelude::{Expiry, Job};

use crate::endings::within_a_minute;
use crate::for_seeds;
use crate::jobs::{self, Grouping};

fn run<O: Data + Ord + Sync>(lap: &Lap, job: impl Fn(Collect<O>) -> Job) -> Vec<(O, i64)> {
    let out = Collect::new();
    let (job, config) = (job(out.clone()), lap.config().unwrap());
    let report = within_a_minute(move || job.run(config)).unwrap();
    assert!(!report.stopped);
    out.net()
}

#[test]
fn real_threads_write_what_brute_force_writes() {
    for_seeds(0..12, |seed| {
        let mut dice = Dice::new(seed);
        let case = Case::draw(&mut dice, 400, Retractions::InOrder);
        let admitted = admitted(&case);
        let input = net(admitted.rows);
        for workers in 1..=3 {
            // Epochs of a row or two are for the simulation: threads spend them waiting for one another.
            let drawn = Lap::draw(&mut dice);
            let epoch_rows = drawn.epoch_rows.max(20);
            let lap = Lap {
                workers,
                epoch_rows,
                ..drawn
            };
            let quiet = Witness::default();
            let found = run(&lap, |out| {
                jobs::rolling_latest(&case, &lap, Expiry::AtWatermark, &quiet, out)
            });
            let expected = rolling_latest(&input, &case.widths_us, admitted.as_of, &WHOLE);
            assert!(
                found.into_iter().eq(expected),
                "seed {seed}, {lap:?}: latest"
            );
            let found = run(&lap, |out| jobs::rolling_final(&case, &lap, &quiet, out));
            let expected = rolling_final(&input, &case.widths_us, WATERMARK_END, &WHOLE);
            assert!(
                found.into_iter().eq(expected),
                "seed {seed}, {lap:?}: final"
            );
            let grouping = Grouping {
                tumbling: true,
                finals: dice.chance(50),
                let_go: dice.chance(50),
            };
            let found = run(&lap, |out| {
                jobs::grouped(&case, &lap, grouping, &quiet, out)
            });
            let expected = groups(&input, Some(case.widths_us[0]));
            assert!(
                found.into_iter().eq(expected),
                "seed {seed}, {lap:?}: groups"
            );
        }
    });
}
