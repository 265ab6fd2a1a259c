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
mod room;
mod totals;

use thalweg_engine::state::{CACHE_LINE_BYTES, Deque, Rows};
use thalweg_engine::time::EventTime;

use crate::array::Array;
use crate::value::{Lane, Moments};
use crate::window::rolling::event::Windows;
use crate::window::rolling::extremes::{Cursor, KeptExtremes as _};
use crate::window::rolling::form::{Form, Stored, pack, unpack};
use crate::window::rolling::widths::Widths;
pub(super) use room::Room;
use totals::{Share, Totals};

/// One busy key.
#[derive(Debug)]
pub(super) struct Busy<L: Lane, const N: usize, const W: usize, F: Form> {
    totals: [[Totals<L>; N]; W],
    /// How many numbers of a window are not null.
    counts: [[u32; N]; W],
    /// Place in the ring of each window's first event.
    heads: [u32; W],
    /// From where times are told.
    anchor: u32,
    /// The moment at which windows end that begin at the heads.
    end: EventTime,
    /// The newest event's time, while there is any: what comes in order is put into the ring unseen, and nothing waits.
    newest: F::Time,
    ring: Deque,
    extremes: F::Extremes<N>,
}

impl<L: Lane, const N: usize, const W: usize, F: Form> Busy<L, N, W, F> {
    /// Events of a cache line, and one at least.
    const NEAR: usize = if size_of::<Stored<F, N>>() < CACHE_LINE_BYTES {
        CACHE_LINE_BYTES / size_of::<Stored<F, N>>()
    } else {
        1
    };

    /// A busy key of no events.
    pub(super) fn empty() -> Self {
        Self {
            totals: [[Totals::ZERO; N]; W],
            counts: [[0; N]; W],
            heads: [0; W],
            anchor: 0,
            end: EventTime::MIN,
            newest: F::Time::default(),
            ring: Deque::new(),
            extremes: F::Extremes::empty(),
        }
    }

    /// A busy key of these events, by time; `None` where one does not fit the form.
    pub(super) fn new(
        room: &mut Room<F, N>,
        events: &[(EventTime, Array<i64, N>)],
    ) -> Option<Self> {
        let mut busy = Self::empty();
        if let (Some(oldest), Some(newest)) = (events.first(), events.last()) {
            busy.anchor = F::anchor(oldest.0, newest.0);
        }
        busy.ring
            .reserve(&mut room.rings, events.len() + events.len() / 2);
        for (at, lanes) in events {
            let Some(event) = pack::<F, L, N>(busy.anchor, *at, lanes) else {
                busy.clear(room);
                return None;
            };
            busy.append(room, event);
        }
        Some(busy)
    }

    pub(super) fn len(&self) -> usize {
        self.ring.len()
    }

    /// Gives up the room that the key has.
    pub(super) fn clear(&mut self, room: &mut Room<F, N>) {
        self.ring.clear(&mut room.rings);
        self.extremes.clear(&mut room.stacks);
        *self = Self::empty();
    }

    pub(super) fn events<'a>(
        &self,
        room: &'a Room<F, N>,
    ) -> impl Iterator<Item = (EventTime, Array<i64, N>)> + use<'a, L, N, W, F> {
        let anchor = self.anchor;
        let ring = self.ring(room).iter();
        ring.map(move |event| unpack::<F, L, N>(anchor, event))
    }

    #[inline(always)]
    fn ring<'a>(&self, room: &'a Room<F, N>) -> Rows<'a, Stored<F, N>> {
        self.ring.rows(&room.rings)
    }

    #[inline(always)]
    fn time(&self, event: &Stored<F, N>) -> EventTime {
        F::time(self.anchor, event.0)
    }

    /// Whether the next event makes the ring grow.
    #[inline(always)]
    pub(super) fn is_full(&self) -> bool {
        self.ring.is_full()
    }

    /// The newest event time up to `limit`.
    #[inline(always)]
    pub(super) fn newest(&self, room: &Room<F, N>, limit: EventTime) -> Option<EventTime> {
        let newest = F::time(self.anchor, self.newest);
        if newest <= limit {
            return (!self.ring.is_empty()).then_some(newest);
        }
        self.newest_within(room, limit)
    }

    #[inline(never)]
    fn newest_within(&self, room: &Room<F, N>, limit: EventTime) -> Option<EventTime> {
        let last = self.until(room, limit).checked_sub(1)?;
        Some(self.time(&self.ring(room)[last]))
    }

    /// How many events there are up to a moment, itself included.
    fn until(&self, room: &Room<F, N>, at: EventTime) -> usize {
        let is_until = |event: &Stored<F, N>| self.time(event) <= at;
        self.ring(room).partition_point(is_until)
    }

    /// Adds an event anywhere in time; false where it does not fit the form.
    #[inline(always)]
    pub(super) fn insert(
        &mut self,
        room: &mut Room<F, N>,
        at: EventTime,
        lanes: &Array<i64, N>,
    ) -> bool {
        let Some(event) = pack::<F, L, N>(self.anchor, at, lanes) else {
            return false;
        };
        if self.newest <= event.0 || self.ring.is_empty() {
            self.append(room, event);
        } else {
            self.insert_within(room, event);
        }
        true
    }

    #[inline(always)]
    fn append(&mut self, room: &mut Room<F, N>, event: Stored<F, N>) {
        self.newest = event.0;
        self.ring.push_back(&mut room.rings, event);
        self.extremes.push::<L>(&mut room.stacks, &event);
        for lane in 0..N {
            let share = Share::of(F::number::<L>(event.1[lane]));
            for window in 0..W {
                self.totals[window][lane].add(&share);
                self.counts[window][lane] += share.count;
            }
        }
    }

    #[inline(never)]
    fn insert_within(&mut self, room: &mut Room<F, N>, (at, lanes): Stored<F, N>) {
        // Most late events are only a little late: eight steps from the back before a binary search.
        let ring = self.ring(room);
        let length = ring.len();
        let near = (1..=8.min(length)).find(|steps| ring[length - steps].0 <= at);
        let place = match near {
            Some(steps) => length - steps + 1,
            None => ring.partition_point(|event| event.0 <= at),
        };
        self.ring.insert(&mut room.rings, place, (at, lanes));
        self.extremes.insert::<L>(&mut room.stacks, &(at, lanes));
        for window in 0..W {
            if place < self.head(window) {
                self.heads[window] += 1;
            } else {
                self.add(window, &lanes);
            }
        }
    }

    /// Takes an event out; false when there is none like it.
    #[inline(never)]
    pub(super) fn remove(
        &mut self,
        room: &mut Room<F, N>,
        at: EventTime,
        lanes: &Array<i64, N>,
    ) -> bool {
        let Some((at, lanes)) = pack::<F, L, N>(self.anchor, at, lanes) else {
            return false;
        };
        let ring = self.ring(room);
        let first = ring.partition_point(|event| event.0 < at);
        let mut same_time = ring.range(first..).take_while(|event| event.0 == at);
        let Some(offset) = same_time.position(|event| event.1 == lanes) else {
            return false;
        };
        self.take_out(room, first + offset, (at, lanes));
        true
    }

    /// Takes out the event at a place in the ring, which is this one.
    fn take_out(&mut self, room: &mut Room<F, N>, place: usize, event: Stored<F, N>) {
        self.ring.remove(&mut room.rings, place, 1);
        // It was the newest, perhaps.
        self.newest = self.ring(room).last().map_or(self.newest, |last| last.0);
        for window in 0..W {
            if place < self.head(window) {
                self.heads[window] -= 1;
            } else {
                self.sub(window, &event.1);
            }
        }
        let ring = self.ring.rows(&room.rings);
        self.extremes.remove::<L>(&mut room.stacks, &event, ring);
    }

    /// Drops the events before `cut`, which no window can need any more.
    pub(super) fn evict(&mut self, room: &Room<F, N>, cut: EventTime) {
        let ring = self.ring(room);
        let is_old = |first: &Stored<F, N>| self.time(first) < cut;
        let old = ring.iter().take_while(|first| is_old(first)).count();
        for first in ring.range(..old) {
            for window in 0..W {
                if self.heads[window] == 0 {
                    self.sub(window, &first.1);
                } else {
                    self.heads[window] -= 1;
                }
            }
        }
        self.ring.drop_front(old);
        self.extremes.evict(&room.stacks, self.anchor, cut);
    }

    /// The windows that end at `end`, which is not before the newest event.
    #[inline(always)]
    pub(super) fn fill(
        &mut self,
        room: &Room<F, N>,
        end: EventTime,
        widths: &Widths<W>,
        windows: &mut Windows<L, N, W>,
    ) {
        // An earlier moment than before: the newest event was retracted, or a label asks.
        if std::mem::replace(&mut self.end, end) > end {
            self.move_heads_back(room, end, widths);
        }
        let ring = self.ring(room);
        let mut cursors = [Cursor::default(); N];
        for window in *widths.widest_first() {
            let start = end.saturating_sub(widths.as_given()[window]);
            while let Some(first) = ring.get(self.head(window)) {
                if self.time(&first) >= start {
                    break;
                }
                self.heads[window] += 1;
                self.sub(window, &first.1);
            }
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a key holds fewer than 2³² events"
            )]
            let events = ring.len() as u32 - self.heads[window];
            for lane in 0..N {
                let totals = &self.totals[window][lane];
                let extremes = self.extremes.of_window::<L>(
                    &room.stacks,
                    lane,
                    (self.anchor, start),
                    &mut cursors[lane],
                    (events, || ring.range(self.head(window)..)),
                );
                windows[window][lane] = Moments::from_parts(
                    totals.sum,
                    totals.squares,
                    extremes,
                    self.counts[window][lane],
                    events,
                );
            }
        }
    }

    /// The same for one who never asks for an earlier moment: lets go of what has left every window; how many events.
    #[inline(always)]
    pub(super) fn fill_onward(
        &mut self,
        room: &Room<F, N>,
        end: EventTime,
        widths: &Widths<W>,
        windows: &mut Windows<L, N, W>,
    ) -> usize {
        let cut = end.saturating_sub(widths.widest());
        self.extremes.evict(&room.stacks, self.anchor, cut);
        self.fill(room, end, widths, windows);
        let gone = self.heads.iter().copied().min().unwrap_or(0);
        self.ring.drop_front(gone as usize);
        self.heads.iter_mut().for_each(|head| *head -= gone);
        gone as usize
    }

    #[inline(never)]
    fn move_heads_back(&mut self, room: &Room<F, N>, end: EventTime, widths: &Widths<W>) {
        let ring = self.ring(room);
        for window in 0..W {
            let start = end.saturating_sub(widths.as_given()[window]);
            while self.heads[window] > 0 {
                let last = ring[self.head(window) - 1];
                if self.time(&last) < start {
                    break;
                }
                self.heads[window] -= 1;
                self.add(window, &last.1);
            }
        }
    }

    /// The moment after which the first event leaves one of the windows, whose heads stand right.
    pub(super) fn next_expiry(&self, room: &Room<F, N>, widths: &Widths<W>) -> Option<EventTime> {
        let ring = self.ring(room);
        (0..W)
            .filter_map(|window| {
                let first = ring.get(self.head(window))?;
                Some(self.time(&first).saturating_add(widths.as_given()[window]))
            })
            .min()
    }

    /// Asks for what the next insert touches.
    #[inline(always)]
    pub(super) fn prefetch(&self, room: &Room<F, N>) {
        self.extremes.prefetch(&room.stacks);
        for window in 0..W {
            // Events leave windows one by one: a few may have left since, and the next ones lie in another cache line.
            for first in [self.head(window), self.head(window) + Self::NEAR] {
                self.ring.prefetch(&room.rings, first);
            }
        }
    }

    #[inline(always)]
    fn head(&self, window: usize) -> usize {
        self.heads[window] as usize
    }

    #[inline(always)]
    fn add(&mut self, window: usize, lanes: &Array<F::Number, N>) {
        for (lane, number) in lanes.iter().enumerate() {
            let share = Share::of(F::number::<L>(*number));
            self.totals[window][lane].add(&share);
            self.counts[window][lane] += share.count;
        }
    }

    #[inline(always)]
    fn sub(&mut self, window: usize, lanes: &Array<F::Number, N>) {
        for (lane, number) in lanes.iter().enumerate() {
            let share = Share::of(F::number::<L>(*number));
            self.totals[window][lane].sub(&share);
            self.counts[window][lane] -= share.count;
        }
    }
}
