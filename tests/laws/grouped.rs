//! Tumbling and lifetime groups: brute force in any order.

use tests::case::{Case, Retractions};
use tests::dice::Dice;
use tests::epochs::Witness;
use tests::lap::Lap;
use tests::oracle::{admitted, assert_same, groups, net};

use crate::for_seeds;
use crate::jobs::{self, Grouping};

fn groups_are_brute_force(seeds: std::ops::Range<u64>, grouping: Grouping) {
    for_seeds(seeds, |seed| {
        let mut dice = Dice::new(seed);
        let limited = Case::draw(&mut dice, 200, Retractions::InOrder);
        let unlimited = Case::draw(&mut dice, 200, Retractions::Anywhere).unlimited();
        let reordered = unlimited.shuffled(&mut dice);
        for case in [limited.clone(), limited, unlimited, reordered] {
            let lap = Lap::draw(&mut dice);
            let grouping = Grouping {
                let_go: dice.chance(50),
                ..grouping
            };
            let job = |out| jobs::grouped(&case, &lap, grouping, &Witness::default(), out);
            let (written, _) = lap.simulate(job);
            if grouping.finals {
                assert!(
                    written.iter().all(|(_, _, diff)| *diff == 1),
                    "seed {seed}, {lap:?}: a final row was taken back"
                );
            }
            let width = grouping.tumbling.then_some(case.widths_us[0]);
            let expected = groups(&net(admitted(&case).rows), width);
            let found = net(written.into_iter().map(|(row, _, diff)| (row, diff)));
            assert_same(&found, &expected, &(seed, &lap, &case));
        }
    });
}

#[test]
fn tumbling_groups_are_brute_force() {
    groups_are_brute_force(
        0..40,
        Grouping {
            tumbling: true,
            finals: false,
            let_go: false,
        },
    );
}

#[test]
fn tumbling_groups_that_have_ended_are_brute_force() {
    groups_are_brute_force(
        100..140,
        Grouping {
            tumbling: true,
            finals: true,
            let_go: false,
        },
    );
}

#[test]
fn lifetime_groups_are_brute_force() {
    groups_are_brute_force(
        200..230,
        Grouping {
            tumbling: false,
            finals: false,
            let_go: false,
        },
    );
}

#[test]
fn lifetime_groups_come_once_when_the_sources_end() {
    groups_are_brute_force(
        300..330,
        Grouping {
            tumbling: false,
            finals: true,
            let_go: false,
        },
    );
}
