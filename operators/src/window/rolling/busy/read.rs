//! Reading a busy key's windows as of any moments, not only as of its newest event.
//!
//! ```text
//! ring   ─ oldest ──[══ window of t ══]── t ──── newest
//!                                         ◀─────  rewind: what is newer is taken out, and put back afterwards
//!                   ──────────────────▶           replay: a ring of its own runs over what the windows hold
//! ```
//!
//! # Cost
//! The lesser of the events newer than the first moment and the events that the windows hold, and a step per moment.
//! Late rows and labels fall close to the newest event, so that it is a handful whatever the key holds.

use thalweg_engine::time::EventTime;

use super::{Busy, Room};
use crate::value::Lane;
use crate::window::rolling::event::Windows;
use crate::window::rolling::form::Form;
use crate::window::rolling::widths::Widths;

/// So many steps back cost no more than a ring of its own, however short.
const REWIND_ALWAYS: usize = 16;

impl<L: Lane, const N: usize, const W: usize, F: Form> Busy<L, N, W, F> {
    /// The windows that end at each of `ends`, which ascend.
    pub(in crate::window::rolling) fn read(
        &mut self,
        room: &mut Room<F, N>,
        ends: &[EventTime],
        widths: &Widths<W>,
        windows: &mut [Windows<L, N, W>],
    ) {
        let (Some(first), Some(last)) = (ends.first(), ends.last()) else {
            return;
        };
        if self.newest(room, EventTime::MAX) <= Some(*first) {
            for (end, windows) in ends.iter().zip(windows) {
                self.fill(room, *end, widths, windows);
            }
            return;
        }
        let ring = self.ring(room);
        let length = ring.len();
        let newer = (0..length.min(REWIND_ALWAYS))
            .find(|steps| self.time(&ring[length - steps - 1]) <= *first)
            .unwrap_or_else(|| length - self.until(room, *first));
        if newer < REWIND_ALWAYS {
            return self.rewind(room, newer, ends, widths, windows);
        }
        let start = first.saturating_sub(widths.widest());
        let oldest = ring.partition_point(|event| self.time(event) < start);
        if newer <= self.until(room, *last) - oldest {
            self.rewind(room, newer, ends, widths, windows);
        } else {
            self.replay(room, oldest, ends, widths, windows);
        }
    }

    /// Takes the newest events out, reads, and puts them back.
    fn rewind(
        &mut self,
        room: &mut Room<F, N>,
        newer: usize,
        ends: &[EventTime],
        widths: &Widths<W>,
        windows: &mut [Windows<L, N, W>],
    ) {
        let mut newer = Vec::with_capacity(newer);
        for (end, windows) in ends.iter().zip(windows).rev() {
            while let Some(last) = self.ring(room).last()
                && self.time(&last) > *end
            {
                self.take_out(room, self.ring.len() - 1, last);
                newer.push(last);
            }
            self.fill(room, *end, widths, windows);
        }
        for event in newer.into_iter().rev() {
            self.append(room, event);
        }
    }

    /// Runs over the events from a place in the ring on.
    fn replay(
        &self,
        room: &mut Room<F, N>,
        oldest: usize,
        ends: &[EventTime],
        widths: &Widths<W>,
        windows: &mut [Windows<L, N, W>],
    ) {
        let mut run = Self::empty();
        run.anchor = self.anchor;
        let mut next = oldest;
        for (end, windows) in ends.iter().zip(windows) {
            while let Some(event) = self.ring(room).get(next)
                && self.time(&event) <= *end
            {
                run.append(room, event);
                next += 1;
            }
            run.fill(room, *end, widths, windows);
        }
        run.clear(room);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::array::Array;
    use crate::laws::Draws;
    use crate::value::{Fixed, Moments, NULL};
    use crate::window::rolling::form::{Compact, Wide, WithoutExtremes};

    #[test]
    fn windows_of_any_moments_are_those_of_brute_force_and_leave_the_key_as_it_was() {
        assert_reads::<Wide>(1);
        assert_reads::<Compact>(1_000);
        assert_reads::<WithoutExtremes<Wide>>(1);
    }

    fn assert_reads<F: Form>(step: i64) {
        let widths_us = [5 * step, 40 * step];
        let widths = Widths::new(widths_us.map(|us| Duration::from_micros(us as u64))).unwrap();
        let mut draws = Draws::seeded(3);
        for round in 0..400 {
            let events: Vec<(i64, Array<i64, 1>)> = (0..draws.below(200))
                .map(|_| {
                    let value = if draws.below(9) == 0 {
                        NULL
                    } else {
                        draws.within(-4..=4)
                    };
                    let farthest = if round % 2 == 0 { 59 } else { 599 };
                    (step * draws.within(0..=farthest), Array([value]))
                })
                .collect();
            let mut by_time = events.clone();
            by_time.sort_unstable();
            let mut room = Room::new();
            let mut key = Busy::<Fixed<0>, 1, 2, F>::new(&mut room, &by_time).unwrap();
            for _ in 0..6 {
                let mut ends: Vec<i64> = (0..draws.below(5))
                    .map(|_| step * draws.within(-20..=639))
                    .collect();
                ends.sort_unstable();
                ends.dedup();
                let mut windows = vec![Array([Array([Moments::EMPTY]); 2]); ends.len()];
                key.read(&mut room, &ends, &widths, &mut windows);
                for (end, windows) in ends.iter().zip(&windows) {
                    for (width, found) in widths_us.iter().zip(windows.iter()) {
                        let mut expected = Moments::<Fixed<0>>::EMPTY;
                        for (at, lanes) in &events {
                            if (end - width..=*end).contains(at) {
                                expected.add(lanes[0]);
                            }
                        }
                        if !F::KEEPS_EXTREMES {
                            expected = expected.without_extremes(std::iter::empty());
                        }
                        assert_eq!(found[0], expected, "round {round}, {end}, {width}");
                    }
                }
            }
        }
    }
}
