//! Rolling rows that are repaired: brute force at every epoch, and in the end the final rows, in any order.

use tests::case::{Case, Retractions};
use tests::dice::Dice;
use tests::epochs::{Witness, assert_every_epoch_nets, once};
use tests::lap::Lap;
use tests::oracle::{WHOLE, admitted, assert_same, net, rolling_final};
use thalweg::engine::time::WATERMARK_END;

use crate::{for_seeds, jobs};

#[test]
fn rows_are_brute_force_at_every_epoch_and_none_is_written_that_did_not_change() {
    for_seeds(0..256, |seed| {
        let mut dice = Dice::new(seed);
        let case = Case::draw(&mut dice, 120, Retractions::Anywhere);
        let case = if dice.chance(30) {
            case.unlimited()
        } else {
            case
        };
        let (lap, witness) = (Lap::draw(&mut dice), Witness::default());
        let written = once(&lap, |out| {
            jobs::rolling_corrections(&case, &lap, &witness, out)
        });
        assert_every_epoch_nets(
            &(seed, lap, &case),
            &witness.seen(),
            &written,
            |input, _| rolling_final(input, &case.widths_us, WATERMARK_END, &WHOLE),
        );
    });
}

#[test]
fn rows_are_the_final_rows_in_the_end_in_any_order_and_slicing() {
    for_seeds(1_000..1_256, |seed| {
        let mut dice = Dice::new(seed);
        let limited = Case::draw(&mut dice, 200, Retractions::InOrder);
        let unlimited = Case::draw(&mut dice, 200, Retractions::Anywhere).unlimited();
        let reordered = unlimited.shuffled(&mut dice);
        for case in [limited, unlimited, reordered] {
            let lap = Lap::draw(&mut dice);
            let quiet = Witness::default();
            let (written, _) =
                lap.simulate(|out| jobs::rolling_corrections(&case, &lap, &quiet, out));
            let input = net(admitted(&case).rows);
            let expected = rolling_final(&input, &case.widths_us, WATERMARK_END, &WHOLE);
            let found = net(written.into_iter().map(|(row, _, diff)| (row, diff)));
            assert_same(&found, &expected, &(seed, &lap, &case));
        }
    });
}
