//! The second tier of a key: a ring of events sorted by time, with running sums for every window.
//!
//! ```text
//! ring    ─ oldest ───────────────── newest
//! heads      ▲ 7 d        ▲ 24 h  ▲ 1 h          first event of each window
//! sums       every window's exact sums, from its head to the newest
//! stacks     one for the minimum and one for the maximum, shared by all windows
//! ```
//!
//! All of them accept events in the middle and let go of any: late data and retractions are exact.

mod read;

use std::collections::VecDeque;

use thalweg_engine::state::prefetch;
use thalweg_engine::time::EventTime;

use crate::array::Array;
use crate::value::{Accumulator, Lane, Moments, NULL, Wide128};
use crate::window::rolling::event::Windows;
use crate::window::rolling::stack::{Greatest, Least, Stack};
use crate::window::rolling::widths::Widths;

/// Running totals of one lane in one window.
#[derive(Clone, Copy, Debug)]
struct Totals<L: Lane> {
    sum: Wide128,
    squares: L::Squares,
    count: u32,
}

impl<L: Lane> Totals<L> {
    const ZERO: Self = Self {
        sum: Wide128::ZERO,
        squares: L::Squares::ZERO,
        count: 0,
    };
}

/// What an event adds to the totals of every window that holds it.
#[derive(Clone, Copy)]
struct Share<L: Lane> {
    sum: Wide128,
    squares: L::Squares,
    count: u32,
}

impl<L: Lane> Share<L> {
    #[inline(always)]
    fn of(value: i64) -> Self {
        if value == NULL {
            return Self {
                sum: Wide128::ZERO,
                squares: L::Squares::ZERO,
                count: 0,
            };
        }
        let unit = L::unit(value);
        Self {
            sum: unit.into(),
            squares: L::square(unit),
            count: 1,
        }
    }
}

/// One busy key.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(super) struct Busy<L: Lane, const N: usize, const W: usize> {
    totals: [[Totals<L>; N]; W],
    /// The bytes that the store's account holds for the key.
    pub(super) bytes_noted: usize,
    /// Place in the ring of each window's first event.
    heads: [usize; W],
    /// Whether a head may have to move back: the newest event may have been retracted.
    back: bool,
    ring: VecDeque<(EventTime, Array<i64, N>)>,
    least: [Stack<Least>; N],
    greatest: [Stack<Greatest>; N],
}

impl<L: Lane, const N: usize, const W: usize> Busy<L, N, W> {
    /// A busy key of these events, in any order.
    pub(super) fn new(mut events: Vec<(EventTime, Array<i64, N>)>) -> Self {
        events.sort_unstable();
        let mut busy = Self {
            totals: [[Totals::ZERO; N]; W],
            bytes_noted: 0,
            heads: [0; W],
            back: false,
            ring: VecDeque::with_capacity(events.len() * 2),
            least: std::array::from_fn(|_| Stack::new()),
            greatest: std::array::from_fn(|_| Stack::new()),
        };
        for (at, lanes) in events {
            busy.append(at, &lanes);
        }
        busy
    }

    pub(super) fn len(&self) -> usize {
        self.ring.len()
    }

    /// Bytes that the key owns beyond its place in the slab.
    pub(super) fn bytes(&self) -> usize {
        let stacks: usize = (0..N)
            .map(|lane| self.least[lane].capacity() + self.greatest[lane].capacity())
            .sum();
        self.ring.capacity() * size_of::<(EventTime, Array<i64, N>)>() + stacks * 16
    }

    pub(super) fn events(&self) -> impl Iterator<Item = (EventTime, Array<i64, N>)> {
        self.ring.iter().copied()
    }

    /// Whether the next event makes the ring grow.
    #[inline(always)]
    pub(super) fn is_full(&self) -> bool {
        self.ring.len() == self.ring.capacity()
    }

    /// The newest event time up to `limit`.
    pub(super) fn newest(&self, limit: EventTime) -> Option<EventTime> {
        match self.ring.back() {
            Some(last) if last.0 <= limit => Some(last.0),
            _ => {
                let until = self.ring.partition_point(|event| event.0 <= limit);
                until.checked_sub(1).map(|index| self.ring[index].0)
            }
        }
    }

    /// Adds an event anywhere in time.
    #[inline(always)]
    pub(super) fn insert(&mut self, at: EventTime, lanes: &Array<i64, N>) {
        if self.ring.back().is_none_or(|last| last.0 <= at) {
            self.append(at, lanes);
        } else {
            self.insert_within(at, lanes);
        }
    }

    #[inline(always)]
    fn append(&mut self, at: EventTime, lanes: &Array<i64, N>) {
        self.ring.push_back((at, *lanes));
        for lane in 0..N {
            self.least[lane].push(at, lanes[lane]);
            self.greatest[lane].push(at, lanes[lane]);
            let share = Share::of(lanes[lane]);
            for window in &mut self.totals {
                add(&mut window[lane], &share);
            }
        }
    }

    #[inline(never)]
    fn insert_within(&mut self, at: EventTime, lanes: &Array<i64, N>) {
        // Most late events are only a little late: eight steps from the back before a binary search.
        let length = self.ring.len();
        let near = (1..=8.min(length)).find(|steps| self.ring[length - steps].0 <= at);
        let place = match near {
            Some(steps) => length - steps + 1,
            None => self.ring.partition_point(|event| event.0 <= at),
        };
        self.ring.insert(place, (at, *lanes));
        for lane in 0..N {
            self.least[lane].insert(at, lanes[lane]);
            self.greatest[lane].insert(at, lanes[lane]);
        }
        for window in 0..W {
            if place < self.heads[window] {
                self.heads[window] += 1;
            } else {
                self.change(window, lanes, add);
            }
        }
    }

    /// Takes an event out; false when there is none like it.
    #[inline(never)]
    pub(super) fn remove(&mut self, at: EventTime, lanes: &Array<i64, N>) -> bool {
        let first = self.ring.partition_point(|event| event.0 < at);
        let same_time = self.ring.range(first..).take_while(|event| event.0 == at);
        let Some(offset) = same_time.clone().position(|event| event.1 == *lanes) else {
            return false;
        };
        let place = first + offset;
        self.ring.remove(place);
        for window in 0..W {
            if place < self.heads[window] {
                self.heads[window] -= 1;
            } else {
                self.change(window, lanes, sub);
            }
        }
        let until = self.ring.partition_point(|event| event.0 <= at);
        for lane in 0..N {
            let older = || {
                self.ring
                    .range(..until)
                    .rev()
                    .map(|event| (event.0, event.1[lane]))
            };
            self.least[lane].remove(at, lanes[lane], older());
            self.greatest[lane].remove(at, lanes[lane], older());
        }
        self.back = true;
        true
    }

    /// Drops the events before `cut`, which no window can need any more.
    pub(super) fn evict(&mut self, cut: EventTime) {
        while let Some((at, lanes)) = self.ring.front().copied() {
            if at >= cut {
                break;
            }
            self.ring.pop_front();
            for window in 0..W {
                if self.heads[window] == 0 {
                    self.change(window, &lanes, sub);
                } else {
                    self.heads[window] -= 1;
                }
            }
        }
        for lane in 0..N {
            self.least[lane].evict(cut);
            self.greatest[lane].evict(cut);
        }
    }

    /// The windows that end at `end`, which is not before the newest event.
    #[inline(always)]
    pub(super) fn fill(
        &mut self,
        end: EventTime,
        widths: &Widths<W>,
        windows: &mut Windows<L, N, W>,
    ) {
        if std::mem::take(&mut self.back) {
            self.move_heads_back(end, widths);
        }
        let (mut low, mut high) = ([0; N], [0; N]);
        for window in *widths.widest_first() {
            let start = end.saturating_sub(widths.as_given()[window]);
            while let Some((at, lanes)) = self.ring.get(self.heads[window]) {
                if *at >= start {
                    break;
                }
                let lanes = *lanes;
                self.heads[window] += 1;
                self.change(window, &lanes, sub);
            }
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a key holds fewer than 2³² events"
            )]
            let events = (self.ring.len() - self.heads[window]) as u32;
            for lane in 0..N {
                let totals = &self.totals[window][lane];
                let least = self.least[lane]
                    .first_from(start, &mut low[lane])
                    .unwrap_or(i64::MAX);
                let greatest = self.greatest[lane]
                    .first_from(start, &mut high[lane])
                    .unwrap_or(i64::MIN);
                windows[window][lane] = Moments::from_parts(
                    totals.sum,
                    totals.squares,
                    (least, greatest),
                    totals.count,
                    events,
                );
            }
        }
    }

    #[inline(never)]
    fn move_heads_back(&mut self, end: EventTime, widths: &Widths<W>) {
        for window in 0..W {
            let start = end.saturating_sub(widths.as_given()[window]);
            while self.heads[window] > 0 {
                let (at, lanes) = self.ring[self.heads[window] - 1];
                if at < start {
                    break;
                }
                self.heads[window] -= 1;
                self.change(window, &lanes, add);
            }
        }
    }

    /// The moment after which the first event leaves one of the windows, whose heads stand right.
    pub(super) fn next_expiry(&self, widths: &Widths<W>) -> Option<EventTime> {
        (0..W)
            .filter_map(|window| {
                let first = self.ring.get(self.heads[window])?;
                Some(first.0.saturating_add(widths.as_given()[window]))
            })
            .min()
    }

    /// Asks for what the next insert touches.
    #[inline(always)]
    pub(super) fn prefetch(&self) {
        if let Some(last) = self.ring.back() {
            prefetch(std::slice::from_ref(last), 0);
        }
        for lane in 0..N {
            for last in self.least[lane]
                .back()
                .into_iter()
                .chain(self.greatest[lane].back())
            {
                prefetch(std::slice::from_ref(last), 0);
            }
        }
        for head in self.heads {
            if let Some(first) = self.ring.get(head) {
                prefetch(std::slice::from_ref(first), 0);
            }
        }
    }

    #[inline(always)]
    fn change(&mut self, window: usize, lanes: &Array<i64, N>, how: fn(&mut Totals<L>, &Share<L>)) {
        for (totals, value) in self.totals[window].iter_mut().zip(lanes.iter()) {
            how(totals, &Share::of(*value));
        }
    }
}

#[inline(always)]
fn add<L: Lane>(totals: &mut Totals<L>, share: &Share<L>) {
    totals.sum.add(share.sum);
    totals.squares.add(share.squares);
    totals.count += share.count;
}

#[inline(always)]
fn sub<L: Lane>(totals: &mut Totals<L>, share: &Share<L>) {
    totals.sum.sub(share.sum);
    totals.squares.sub(share.squares);
    totals.count -= share.count;
}
