//! The compact form against the wide one, over histories that outgrow an anchor's reach and events that do not fit.

use std::time::Duration;

use ethnum::I256;

use super::*;
use crate::laws::Draws;
use crate::value::{Fixed, Moments, NULL};
use crate::window::rolling::form::{Compact, Wide, WithoutExtremes};

const DAY_US: i64 = 86_400_000_000;

type Of<F> = Store<u64, Fixed<0>, 1, 2, F>;
type Row = (Option<EventTime>, Windows<Fixed<0>, 1, 2>);

/// A key's row, and the events that it may not have dropped yet, in order.
fn look<F: Form>(store: &mut Of<F>, handle: u32) -> (Row, Vec<(EventTime, i64)>) {
    let kept = store.settled - store.widths.widest();
    let mut windows = Array([Array([Moments::EMPTY]); 2]);
    let newest = store.fill(handle, WATERMARK_NONE, &mut windows);
    let mut events: Vec<_> = store
        .events_of(handle)
        .iter()
        .map(|(at, lanes)| (*at, lanes[0]))
        .filter(|(at, _)| *at >= kept)
        .collect();
    events.sort_unstable();
    ((newest, windows), events)
}

/// Numbers below a limit.
fn draws(seed: u64) -> impl FnMut(i64) -> i64 {
    let mut draws = Draws::seeded(seed);
    move |limit| draws.within(0..=limit - 1)
}

#[test]
fn compact_keys_hold_what_wide_ones_hold_across_anchors_and_misfits() {
    let mut grew_wide = false;
    for seed in 0..200_u64 {
        let mut kept_compact = true;
        let mut draw = draws(seed);
        // Narrow windows let an anchor move on; of wide ones the events do not fit any.
        let widest = Duration::from_secs(86_400 * [3, 20, 60][(seed % 3) as usize]);
        let widths = Widths::new([Duration::from_secs(3_600), widest]).unwrap();
        let (mut wide, mut compact) = (Of::<Wide>::new(widths), Of::<Compact>::new(widths));
        let misfits = seed % 4 == 3;
        let (mut now, mut known) = (1_735_689_600_000_000, Vec::new());
        for step in 0..150 {
            now += draw(2 * DAY_US / (1 + i64::from(seed % 2 == 0) * 9)) / 1_000 * 1_000;
            let taken = (draw(5) == 0 && !known.is_empty())
                .then(|| known.swap_remove(draw(known.len() as i64) as usize));
            let diff = if taken.is_some() { -1 } else { 1 };
            let (at, value) = taken.unwrap_or_else(|| {
                let late = draw(4) / 3 * draw(DAY_US) / 1_000 * 1_000;
                let odd = i64::from(misfits && draw(20) == 0);
                (now - late + odd, draw(9) - 4 + odd * draw(2) * (1 << 40))
            });
            if diff == 1 {
                known.push((at, value));
            }
            let lanes = Array([value]);
            let (one, other) = (wide.resolve(&7), compact.resolve(&7));
            wide.apply(one, at, &lanes, diff);
            compact.apply(other, at, &lanes, diff);
            // Nothing comes or is taken back that is older than what is settled.
            wide.settled = now - 3 * DAY_US;
            compact.settled = wide.settled;
            known.retain(|(at, _)| *at > now - 2 * DAY_US);
            let (expected, found) = (look(&mut wide, one), look(&mut compact, other));
            assert_eq!(found, expected, "seed {seed}, step {step}");
            let busy = compact.lines.busy(other);
            let is_wide = busy.is_some_and(|handle| handle >> 31 == 1);
            grew_wide |= is_wide;
            kept_compact &= !is_wide;
        }
        if seed % 3 < 2 && !misfits {
            assert!(kept_compact, "seed {seed}: all events fit");
        }
    }
    assert!(grew_wide, "some events do not fit");
}

/// What lies more than 24 days behind the oldest event is told from an anchor in the middle, or not at all.
#[test]
fn a_compact_key_that_moves_to_another_anchor_keeps_all_its_events() {
    let widths = Widths::new([3_600, 86_400 * 40].map(Duration::from_secs)).unwrap();
    let (mut wide, mut compact) = (Of::<Wide>::new(widths), Of::<Compact>::new(widths));
    let start = 1_735_689_600_000_000;
    (wide.settled, compact.settled) = (start - DAY_US, start - DAY_US);
    for (day, value) in [(0, 1), (30, 2), (10, 3), (39, 4)] {
        let (one, other) = (wide.resolve(&7), compact.resolve(&7));
        wide.apply(one, start + day * DAY_US, &Array([value]), 1);
        compact.apply(other, start + day * DAY_US, &Array([value]), 1);
        assert_eq!(look(&mut compact, other), look(&mut wide, one), "day {day}");
        assert!(compact.lines.busy(other).is_none());
    }
}

#[test]
fn windows_without_extremes_say_of_their_squares_exactly_whether_they_fit() {
    let widths = Widths::new([Duration::from_micros(5), Duration::from_micros(30)]).unwrap();
    let (mut lost, mut busy) = (0, 0);
    for seed in 1..200_u64 {
        let mut draw = draws(seed);
        let mut store = Of::<WithoutExtremes<Wide>>::new(widths);
        let mut known: Vec<(EventTime, i64)> = Vec::new();
        let gap = 1 + draw(6);
        for now in 0..80 {
            let taken = (draw(4) == 0 && !known.is_empty())
                .then(|| known.swap_remove(draw(known.len() as i64) as usize));
            let numbers = [1 << 47, (1 << 47) - 1, i64::MAX, -i64::MAX, 3, -7, NULL];
            let drawn = numbers[draw(7) as usize];
            let (at, number) = taken.unwrap_or_else(|| (now * gap - draw(8), drawn));
            if taken.is_none() {
                known.push((at, number));
            }
            let handle = store.resolve(&7);
            store.apply(
                handle,
                at,
                &Array([number]),
                if taken.is_some() { -1 } else { 1 },
            );
            let mut windows = Array([Array([Moments::EMPTY]); 2]);
            let Some(newest) = store.fill(handle, WATERMARK_NONE, &mut windows) else {
                continue;
            };
            for (width, found) in [5, 30].into_iter().zip(windows.iter()) {
                let inside = known.iter().filter(|(at, _)| *at >= newest - width);
                let inside: Vec<i128> = inside
                    .filter(|(_, number)| *number != NULL)
                    .map(|(_, number)| i128::from(*number))
                    .collect();
                let squares = inside.iter().map(|number| I256::from(number * number));
                let fits = squares.sum::<I256>() < I256::ONE << 127_u32;
                assert_eq!(found[0].sum(), Some(inside.iter().sum::<i128>() as f64));
                let has_variance = found[0].variance().is_some();
                assert_eq!(
                    has_variance,
                    fits && !inside.is_empty(),
                    "seed {seed}, {now}"
                );
                assert_eq!((found[0].min(), found[0].max()), (None, None));
                lost += usize::from(!fits);
            }
            busy += usize::from(store.lines.busy(handle).is_some());
        }
    }
    assert!(lost > 100 && busy > 100, "{lost} lost, {busy} busy");
}
