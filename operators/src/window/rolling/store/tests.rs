//! The compact form against the wide one, over histories that outgrow an anchor's reach and events that do not fit.

use std::time::Duration;

use super::*;
use crate::value::{Fixed, Moments};
use crate::window::rolling::form::{Compact, Wide};

const DAY_US: i64 = 86_400_000_000;

// Seven events of one lane lie in one cache line, or in two.
const _: () = assert!(size_of::<Line<Fixed<0>, 1, Compact>>() == 64);
const _: () = assert!(size_of::<Line<Fixed<0>, 1, Wide>>() == 128);

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

#[test]
fn compact_keys_hold_what_wide_ones_hold_across_anchors_and_misfits() {
    let mut grew_wide = false;
    for seed in 0..200_u64 {
        let mut kept_compact = true;
        let mut bits = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut draw = |limit: i64| {
            bits ^= bits << 13;
            bits ^= bits >> 7;
            bits ^= bits << 17;
            (bits >> 1) as i64 % limit
        };
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
            let busy = compact.lines[other as usize].busy();
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
