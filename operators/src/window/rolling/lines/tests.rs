//! Lines against plain lists: whatever is put in, taken out, moved, given up and used again.

use std::time::Duration;

use super::*;
use crate::laws::Draws;
use crate::value::{Fixed, Moments};
use crate::window::rolling::form::{Compact, Wide};
use crate::window::rolling::widths::Widths;

// Three events of one lane in one cache line, four more in another; all seven where they are small.
const _: () = assert!(size_of::<Line<Wide, 1>>() == 64 && size_of::<Rest<Wide, 1>>() == 64);
const _: () = assert!(size_of::<Line<Compact, 1>>() == 64 && size_of::<Rest<Compact, 1>>() == 0);
const _: () = assert!(size_of::<Line<Wide, 2>>() == 128 && size_of::<Rest<Wide, 2>>() == 128);
const _: () = assert!(Of::<Wide, 1>::ROOM == Of::<Compact, 1>::ROOM);

const START: EventTime = 1_735_689_600_000_000;
const DAY_US: i64 = 86_400_000_000;

type Of<F, const N: usize> = Lines<Fixed<0>, N, F>;
type Known<const N: usize> = (EventTime, Array<i64, N>);

/// What a key holds, as a plain list.
struct Plain<const N: usize> {
    events: Vec<Known<N>>,
    /// From where a compact key's times are told.
    anchor: u32,
    busy: Option<u32>,
    due: EventTime,
}

impl<const N: usize> Plain<N> {
    fn new() -> Self {
        Self {
            events: Vec::new(),
            anchor: 0,
            busy: None,
            due: UNARMED,
        }
    }
}

/// How often what is rare happened.
#[derive(Debug, Default)]
struct Walked {
    /// An event went into a full line, and another out of it into the rest.
    displaced: u32,
    /// A rest was given up because few events were left.
    shrunk: u32,
    /// Events were taken that the oldest one's own anchor does not reach.
    moved: u32,
}

/// An event of the same few milliseconds, or of days that no anchor reaches all of; some fit no compact key.
fn draw<const N: usize>(draws: &mut Draws) -> Known<N> {
    let (step, most) = draws.one_of(&[(1_000, 9), (1_000, 9), (DAY_US, 60)]);
    let odd = i64::from(draws.below(40) == 0);
    let large = i64::from(draws.below(40) == 0) << 40;
    let at = START + draws.within(0..=most) * step + odd;
    let lanes = std::array::from_fn(|_| draws.within(-3..=3) + large);
    (at, Array(lanes))
}

/// Whether a key may hold these events.
fn fits<F: Form, const N: usize>(anchor: u32, events: &[Known<N>]) -> bool {
    let is_written = |(at, lanes): &Known<N>| pack::<F, Fixed<0>, N>(anchor, *at, lanes).is_some();
    events.len() <= Of::<F, N>::ROOM && events.iter().all(is_written)
}

/// Does one thing to a key and to its plain list.
fn step<F: Form, const N: usize>(
    lines: &mut Of<F, N>,
    (handle, plain): (u32, &mut Plain<N>),
    draws: &mut Draws,
    walked: &mut Walked,
) {
    let drawn: Known<N> = draw(draws);
    let length = plain.events.len();
    match draws.below(40) {
        0..=25 => {
            let place = plain.events.partition_point(|event| event.0 <= drawn.0);
            let mut events = plain.events.clone();
            events.insert(place, drawn);
            if length == 0 {
                plain.anchor = F::anchor(drawn.0, drawn.0);
            }
            let fits = plain.busy.is_none() && fits::<F, N>(plain.anchor, &events);
            assert_eq!(lines.push(handle, drawn.0, &drawn.1), fits);
            if fits {
                plain.events = events;
                walked.displaced += u32::from(length >= F::NEAR && place < F::NEAR);
            }
        }
        26..=33 => {
            let is_known = draws.below(4) > 0 && length > 0;
            let event = if is_known {
                draws.one_of(&plain.events)
            } else {
                drawn
            };
            let place = plain.events.iter().position(|held| *held == event);
            assert_eq!(lines.remove(handle, event.0, &event.1), place.is_some());
            if let Some(place) = place {
                plain.events.remove(place);
                walked.shrunk += u32::from(length == F::NEAR + 1);
            }
        }
        34..=35 => {
            let old = plain.events.partition_point(|event| event.0 < drawn.0);
            assert_eq!(lines.prune(handle, drawn.0), old);
            plain.events.drain(..old);
            walked.shrunk += u32::from(length > F::NEAR && length - old <= F::NEAR);
        }
        36..=37 => {
            let mut events: Vec<Known<N>> = (0..draws.below(9)).map(|_| draw(draws)).collect();
            events.sort_by_key(|event| event.0);
            let ends = events.first().zip(events.last());
            let anchor = ends.map(|(oldest, newest)| F::anchor(oldest.0, newest.0));
            let anchor = anchor.filter(|anchor| fits::<F, N>(*anchor, &events));
            assert_eq!(lines.take(handle, &events), anchor.is_some());
            if let Some(anchor) = anchor {
                let own = F::anchor(events[0].0, events[0].0);
                walked.moved += u32::from(!fits::<F, N>(own, &events));
                (plain.events, plain.anchor, plain.busy) = (events, anchor, None);
            }
        }
        38 => {
            // Few handles, so that they are places of rests as well.
            let busy = u32::try_from(draws.below(8)).unwrap();
            lines.set_busy(handle, busy);
            plain.events.clear();
            plain.busy = Some(busy);
        }
        _ => {
            lines.clear(handle);
            *plain = Plain::new();
        }
    }
    if draws.below(8) == 0 {
        plain.due = drawn.0;
        let has_room = lines.set_due(handle, plain.due);
        assert_eq!(has_room, lines.due(handle).is_some());
    }
}

/// A key says of its windows what the plain list says.
fn assert_reads_alike<F: Form, const N: usize>(
    held: Held<'_, Fixed<0>, N, F>,
    events: &[Known<N>],
    widths: &Widths<2>,
) {
    let times = || events.iter().map(|event| event.0);
    for end in [0, 5_000, 20 * DAY_US, 61 * DAY_US].map(|after| START + after) {
        assert_eq!(held.newest(end), times().rfind(|at| *at <= end));
        let expiry = |width: &i64| Some(times().find(|at| *at >= end - width)? + width);
        let expiry = widths.as_given().iter().filter_map(expiry).min();
        assert_eq!(held.next_expiry(end, widths), expiry);
        let expected = widths.as_given().map(|width| {
            let mut moments = Array([Moments::EMPTY; N]);
            let inside = |(at, _): &&Known<N>| (end - width..=end).contains(at);
            for (_, lanes) in events.iter().filter(inside) {
                for (moments, number) in moments.iter_mut().zip(lanes.iter()) {
                    moments.add(*number);
                }
            }
            moments
        });
        let mut windows = Array([Array([Moments::EMPTY; N]); 2]);
        held.fill(end, widths, &mut windows);
        assert_eq!(windows, Array(expected));
    }
}

/// All keys hold what the plain lists do, and every rest is a key's that needs it, or free.
fn assert_alike<F: Form, const N: usize>(
    lines: &Of<F, N>,
    plains: &[Plain<N>],
    widths: &Widths<2>,
) {
    assert_eq!(lines.handles(), plains.len());
    for (handle, plain) in (0_u32..).zip(plains) {
        let (held, events) = (lines.held(handle), &plain.events);
        assert_eq!(&held.events().collect::<Vec<_>>(), events);
        assert_eq!(lines.len(handle), events.len());
        assert_eq!(lines.busy(handle), plain.busy);
        assert!(lines.due(handle).is_none_or(|due| due == plain.due));
        assert_reads_alike(held, events, widths);
    }
    let held = (0..lines.handles()).filter_map(|handle| lines.lines[handle].rest());
    let free = lines.free.iter().map(|place| *place as usize);
    let mut places: Vec<usize> = held.chain(free).collect();
    places.sort_unstable();
    assert!(places.into_iter().eq(0..lines.rests.len()));
    let long = plains.iter().filter(|plain| plain.events.len() > F::NEAR);
    assert_eq!(lines.rests.len() - lines.free.len(), long.count());
    assert!(lines.rests.len() <= plains.len());
}

fn walk<F: Form, const N: usize>() -> Walked {
    let mut walked = Walked::default();
    let widths = [Duration::from_millis(3), Duration::from_secs(30 * 86_400)];
    let widths = Widths::new(widths).unwrap();
    for seed in 0..60 {
        let mut draws = Draws::seeded(seed);
        let (mut lines, mut plains) = (Of::<F, N>::new(), Vec::new());
        for at in 0..400_u32 {
            if at.is_multiple_of(50) && plains.len() < 6 {
                lines.add();
                plains.push(Plain::new());
            }
            let handle = usize::try_from(draws.below(plains.len() as u64)).unwrap();
            let key = (u32::try_from(handle).unwrap(), &mut plains[handle]);
            step(&mut lines, key, &mut draws, &mut walked);
            assert_alike(&lines, &plains, &widths);
        }
    }
    walked
}

#[test]
fn lines_and_their_rests_hold_what_a_plain_list_holds() {
    for walked in [walk::<Wide, 1>(), walk::<Wide, 2>()] {
        assert!(walked.displaced > 500 && walked.shrunk > 100, "{walked:?}");
    }
}

#[test]
fn compact_lines_hold_what_a_plain_list_holds_from_whatever_anchor() {
    for walked in [walk::<Compact, 1>(), walk::<Compact, 2>()] {
        assert!(walked.moved > 50, "{walked:?}");
    }
}
