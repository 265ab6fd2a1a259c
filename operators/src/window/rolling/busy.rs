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
mod totals;

use std::collections::VecDeque;

use thalweg_engine::state::prefetch;
use thalweg_engine::time::EventTime;

use crate::array::Array;
use crate::value::{Lane, Moments};
use crate::window::rolling::event::Windows;
use crate::window::rolling::extremes::{Cursor, KeptExtremes as _};
use crate::window::rolling::form::{Form, Stored, pack, unpack};
use crate::window::rolling::widths::Widths;
use totals::{Share, Totals};

/// One busy key.
#[derive(Clone, Debug)]
pub(super) struct Busy<L: Lane, const N: usize, const W: usize, F: Form> {
    totals: [[Totals<L>; N]; W],
    /// How many numbers of a window are not null.
    counts: [[u32; N]; W],
    /// Place in the ring of each window's first event.
    heads: [u32; W],
    /// From where times are told.
    anchor: u32,
    /// The bytes that the store's account holds for the key, if they are fewer than 2³².
    bytes_noted: u32,
    /// The moment at which windows end that begin at the heads.
    end: EventTime,
    /// The newest event's time, while there is any: what comes in order is put into the ring unseen, and nothing waits.
    newest: F::Time,
    ring: VecDeque<Stored<F, N>>,
    extremes: F::Extremes<N>,
}

impl<L: Lane, const N: usize, const W: usize, F: Form> Busy<L, N, W, F> {
    /// A busy key of no events.
    pub(super) fn empty() -> Self {
        Self {
            totals: [[Totals::ZERO; N]; W],
            counts: [[0; N]; W],
            heads: [0; W],
            anchor: 0,
            bytes_noted: 0,
            end: EventTime::MIN,
            newest: F::Time::default(),
            ring: VecDeque::new(),
            extremes: F::Extremes::empty(),
        }
    }

    /// A busy key of these events, by time; `None` where one does not fit the form.
    pub(super) fn new(events: &[(EventTime, Array<i64, N>)]) -> Option<Self> {
        let mut busy = Self::empty();
        if let (Some(oldest), Some(newest)) = (events.first(), events.last()) {
            busy.anchor = F::anchor(oldest.0, newest.0);
        }
        busy.ring.reserve_exact(events.len() + events.len() / 2);
        for (at, lanes) in events {
            let event = pack::<F, L, N>(busy.anchor, *at, lanes)?;
            busy.append(event);
        }
        Some(busy)
    }

    pub(super) fn len(&self) -> usize {
        self.ring.len()
    }

    /// Bytes that the key owns beyond its place in the slab.
    pub(super) fn bytes(&self) -> usize {
        self.ring.capacity() * size_of::<Stored<F, N>>() + self.extremes.bytes()
    }

    /// Notes the bytes that the key owns now; returns what was noted before, and what is now.
    pub(super) fn note_bytes(&mut self) -> (usize, usize) {
        let before = self.bytes_noted;
        self.bytes_noted = u32::try_from(self.bytes()).unwrap_or(u32::MAX);
        (before as usize, self.bytes_noted as usize)
    }

    pub(super) fn events(&self) -> impl Iterator<Item = (EventTime, Array<i64, N>)> {
        let anchor = self.anchor;
        self.ring
            .iter()
            .map(move |event| unpack::<F, L, N>(anchor, event))
    }

    #[inline(always)]
    fn time(&self, event: &Stored<F, N>) -> EventTime {
        F::time(self.anchor, event.0)
    }

    /// Whether the next event makes the ring grow.
    #[inline(always)]
    pub(super) fn is_full(&self) -> bool {
        self.ring.len() == self.ring.capacity()
    }

    /// The newest event time up to `limit`.
    pub(super) fn newest(&self, limit: EventTime) -> Option<EventTime> {
        let newest = F::time(self.anchor, self.newest);
        if newest <= limit {
            return (!self.ring.is_empty()).then_some(newest);
        }
        let last = self.until(limit).checked_sub(1)?;
        Some(self.time(&self.ring[last]))
    }

    /// How many events there are up to a moment, itself included.
    fn until(&self, at: EventTime) -> usize {
        self.ring.partition_point(|event| self.time(event) <= at)
    }

    /// Adds an event anywhere in time; false where it does not fit the form.
    #[inline(always)]
    pub(super) fn insert(&mut self, at: EventTime, lanes: &Array<i64, N>) -> bool {
        let Some(event) = pack::<F, L, N>(self.anchor, at, lanes) else {
            return false;
        };
        if self.newest <= event.0 || self.ring.is_empty() {
            self.append(event);
        } else {
            self.insert_within(event);
        }
        true
    }

    #[inline(always)]
    fn append(&mut self, event: Stored<F, N>) {
        self.make_room();
        self.newest = event.0;
        self.ring.push_back(event);
        self.extremes.push::<L>(&event);
        for lane in 0..N {
            let share = Share::of(F::number::<L>(event.1[lane]));
            for window in 0..W {
                self.totals[window][lane].add(&share);
                self.counts[window][lane] += share.count;
            }
        }
    }

    /// Grows by half, not to twice.
    #[inline(always)]
    fn make_room(&mut self) {
        if self.is_full() {
            self.ring.reserve_exact(self.ring.len() / 2 + 1);
        }
    }

    #[inline(never)]
    fn insert_within(&mut self, (at, lanes): Stored<F, N>) {
        self.make_room();
        // Most late events are only a little late: eight steps from the back before a binary search.
        let length = self.ring.len();
        let near = (1..=8.min(length)).find(|steps| self.ring[length - steps].0 <= at);
        let place = match near {
            Some(steps) => length - steps + 1,
            None => self.ring.partition_point(|event| event.0 <= at),
        };
        self.ring.insert(place, (at, lanes));
        self.extremes.insert::<L>(&(at, lanes));
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
    pub(super) fn remove(&mut self, at: EventTime, lanes: &Array<i64, N>) -> bool {
        let Some((at, lanes)) = pack::<F, L, N>(self.anchor, at, lanes) else {
            return false;
        };
        let first = self.ring.partition_point(|event| event.0 < at);
        let same_time = self.ring.range(first..).take_while(|event| event.0 == at);
        let Some(offset) = same_time.clone().position(|event| event.1 == lanes) else {
            return false;
        };
        let place = first + offset;
        self.ring.remove(place);
        self.note_newest();
        for window in 0..W {
            if place < self.head(window) {
                self.heads[window] -= 1;
            } else {
                self.sub(window, &lanes);
            }
        }
        self.extremes.remove::<L>(&(at, lanes), &self.ring);
        true
    }

    /// The newest event has been taken out, perhaps.
    fn note_newest(&mut self) {
        self.newest = self.ring.back().map_or(self.newest, |last| last.0);
    }

    /// Drops the events before `cut`, which no window can need any more.
    pub(super) fn evict(&mut self, cut: EventTime) {
        while let Some(first) = self.ring.front().copied() {
            if self.time(&first) >= cut {
                break;
            }
            self.ring.pop_front();
            for window in 0..W {
                if self.heads[window] == 0 {
                    self.sub(window, &first.1);
                } else {
                    self.heads[window] -= 1;
                }
            }
        }
        self.extremes.evict(self.anchor, cut);
    }

    /// The windows that end at `end`, which is not before the newest event.
    #[inline(always)]
    pub(super) fn fill(
        &mut self,
        end: EventTime,
        widths: &Widths<W>,
        windows: &mut Windows<L, N, W>,
    ) {
        // An earlier moment than before: the newest event was retracted, or a label asks.
        if std::mem::replace(&mut self.end, end) > end {
            self.move_heads_back(end, widths);
        }
        let mut cursors = [Cursor::default(); N];
        for window in *widths.widest_first() {
            let start = end.saturating_sub(widths.as_given()[window]);
            while let Some(first) = self.ring.get(self.head(window)).copied() {
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
            let events = self.ring.len() as u32 - self.heads[window];
            for lane in 0..N {
                let totals = &self.totals[window][lane];
                let extremes = self.extremes.of_window::<L>(
                    lane,
                    (self.anchor, start),
                    &mut cursors[lane],
                    (events, || self.ring.range(self.head(window)..)),
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
        end: EventTime,
        widths: &Widths<W>,
        windows: &mut Windows<L, N, W>,
    ) -> usize {
        let cut = end.saturating_sub(widths.widest());
        self.extremes.evict(self.anchor, cut);
        self.fill(end, widths, windows);
        let gone = self.heads.iter().copied().min().unwrap_or(0);
        for _ in 0..gone {
            self.ring.pop_front();
        }
        self.heads.iter_mut().for_each(|head| *head -= gone);
        gone as usize
    }

    #[inline(never)]
    fn move_heads_back(&mut self, end: EventTime, widths: &Widths<W>) {
        for window in 0..W {
            let start = end.saturating_sub(widths.as_given()[window]);
            while self.heads[window] > 0 {
                let last = self.ring[self.head(window) - 1];
                if self.time(&last) < start {
                    break;
                }
                self.heads[window] -= 1;
                self.add(window, &last.1);
            }
        }
    }

    /// The moment after which the first event leaves one of the windows, whose heads stand right.
    pub(super) fn next_expiry(&self, widths: &Widths<W>) -> Option<EventTime> {
        (0..W)
            .filter_map(|window| {
                let first = self.ring.get(self.head(window))?;
                Some(self.time(first).saturating_add(widths.as_given()[window]))
            })
            .min()
    }

    /// Asks for what the next insert touches.
    #[inline(always)]
    pub(super) fn prefetch(&self) {
        self.extremes.prefetch();
        for head in self.heads {
            if let Some(first) = self.ring.get(head as usize) {
                prefetch(std::slice::from_ref(first), 0);
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
