//! The first tier of a key: seven events, by time, in two cache lines, or in one. About 90 % of keys never leave it.
//!
//! Of events by time every window is a suffix: one walk from the newest to the oldest reads them all.

use thalweg_engine::time::EventTime;

use crate::array::Array;
use crate::value::{Lane, Moments};
use crate::window::rolling::event::Windows;
use crate::window::rolling::form::{Form, Stored, pack, unpack};
use crate::window::rolling::widths::Widths;

/// Events that fit: 3 and 15 were slower.
pub(super) const INLINE: usize = 7;

/// The timer of a key that has none.
pub(super) const UNARMED: EventTime = EventTime::MAX;

/// Marks a key whose events are in the busy tier.
const BUSY: u8 = u8::MAX;

/// Bytes of a line that are asked for first: with one wide lane they hold three events, which is all that most keys have.
pub(super) const FIRST_BYTES: usize = 64;

/// One key's events, or the handle of its busy state, with what the store notes about the key. What is used most
/// stands first.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(super) struct Line<L, const N: usize, F: Form> {
    /// When the key's timer is due, in a form that has room for it.
    pub(super) due: F::Moment,
    /// From where times are told; of a busy key its handle.
    anchor: u32,
    n: u8,
    events: [Stored<F, N>; INLINE],
    lane: std::marker::PhantomData<L>,
}

impl<L: Lane, const N: usize, F: Form> Line<L, N, F> {
    pub(super) fn empty() -> Self {
        let mut due = F::Moment::default();
        F::set_moment(&mut due, UNARMED);
        Self {
            due,
            anchor: 0,
            n: 0,
            events: [(F::Time::default(), Array([F::Number::default(); N])); INLINE],
            lane: std::marker::PhantomData,
        }
    }

    /// Whether the events, and room for another, reach beyond [`FIRST_BYTES`].
    #[inline(always)]
    pub(super) fn is_long(&self) -> bool {
        let header = std::mem::offset_of!(Self, events);
        let event = size_of::<Stored<F, N>>();
        let room = (usize::from(self.n) + 1).min(INLINE);
        self.n != BUSY && header + room * event > FIRST_BYTES
    }

    /// The handle of the busy state, where the key has one.
    #[inline(always)]
    pub(super) fn busy(&self) -> Option<u32> {
        (self.n == BUSY).then_some(self.anchor)
    }

    pub(super) fn set_busy(&mut self, handle: u32) {
        self.n = BUSY;
        self.anchor = handle;
    }

    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        if self.n == BUSY {
            0
        } else {
            usize::from(self.n)
        }
    }

    /// Adds an event; false when the line is full, or the event does not fit its form.
    #[inline(always)]
    pub(super) fn push(&mut self, at: EventTime, lanes: &Array<i64, N>) -> bool {
        let mut place = usize::from(self.n);
        if place == 0 {
            self.anchor = F::anchor(at, at);
        }
        if place >= INLINE {
            return false;
        }
        let Some(event) = pack::<F, L, N>(self.anchor, at, lanes) else {
            return false;
        };
        while place > 0 && self.events[place - 1].0 > event.0 {
            self.events[place] = self.events[place - 1];
            place -= 1;
        }
        self.events[place] = event;
        self.n += 1;
        true
    }

    /// Holds these events, by time, instead of what it held; false, with the line as it was, where they do not fit.
    pub(super) fn take(&mut self, events: &[(EventTime, Array<i64, N>)]) -> bool {
        let (Some(oldest), Some(newest)) = (events.first(), events.last()) else {
            return false;
        };
        let mut line = *self;
        (line.n, line.anchor) = (0, F::anchor(oldest.0, newest.0));
        for (at, lanes) in events {
            let Some(event) = pack::<F, L, N>(line.anchor, *at, lanes) else {
                return false;
            };
            let Some(place) = line.events.get_mut(usize::from(line.n)) else {
                return false;
            };
            *place = event;
            line.n += 1;
        }
        *self = line;
        true
    }

    /// Takes an event out; false when there is none like it.
    pub(super) fn remove(&mut self, at: EventTime, lanes: &Array<i64, N>) -> bool {
        let event = pack::<F, L, N>(self.anchor, at, lanes);
        let found = self.held().iter().position(|held| Some(*held) == event);
        if let Some(place) = found {
            self.drain(place, 1);
        }
        found.is_some()
    }

    /// Drops the events before `cut`.
    pub(super) fn prune(&mut self, cut: EventTime) {
        let is_old = |event: &&Stored<F, N>| self.time(event) < cut;
        let old = self.held().iter().take_while(is_old).count();
        if old > 0 {
            self.drain(0, old);
        }
    }

    /// Takes out `count` events from `place` on.
    fn drain(&mut self, place: usize, count: usize) {
        let rest = place + count..self.len();
        self.events.copy_within(rest, place);
        #[expect(clippy::cast_possible_truncation, reason = "at most seven")]
        let count = count as u8;
        self.n -= count;
    }

    #[inline(always)]
    fn held(&self) -> &[Stored<F, N>] {
        &self.events[..self.len()]
    }

    #[inline(always)]
    fn time(&self, event: &Stored<F, N>) -> EventTime {
        F::time(self.anchor, event.0)
    }

    /// The events, by time.
    pub(super) fn events(&self) -> impl Iterator<Item = (EventTime, Array<i64, N>)> {
        let anchor = self.anchor;
        self.held()
            .iter()
            .map(move |event| unpack::<F, L, N>(anchor, event))
    }

    /// The newest event time up to `limit`.
    #[inline(always)]
    pub(super) fn newest(&self, limit: EventTime) -> Option<EventTime> {
        self.held()
            .iter()
            .map(|event| self.time(event))
            .rfind(|at| *at <= limit)
    }

    /// The windows that end at `end`.
    #[inline(always)]
    pub(super) fn fill<const W: usize>(
        &self,
        end: EventTime,
        widths: &Widths<W>,
        windows: &mut Windows<L, N, W>,
    ) {
        let mut older = self.held();
        while let Some((last, rest)) = older.split_last()
            && self.time(last) > end
        {
            older = rest;
        }
        let (until, mut moments) = (older.len(), Array([Moments::EMPTY; N]));
        for window in widths.widest_first().iter().rev() {
            let start = end.saturating_sub(widths.as_given()[*window]);
            while let Some((last, rest)) = older.split_last()
                && self.time(last) >= start
            {
                for (moments, value) in moments.iter_mut().zip(last.1.iter()) {
                    moments.add(F::number::<L>(*value));
                }
                older = rest;
            }
            windows[*window] = moments;
            if !F::KEEPS_EXTREMES {
                let held = &self.held()[older.len()..until];
                for (lane, moments) in windows[*window].iter_mut().enumerate() {
                    let numbers = held.iter().map(|event| F::number::<L>(event.1[lane]));
                    *moments = moments.without_extremes(numbers);
                }
            }
        }
    }

    /// The moment after which the first event leaves one of the windows that end at `end`.
    pub(super) fn next_expiry<const W: usize>(
        &self,
        end: EventTime,
        widths: &Widths<W>,
    ) -> Option<EventTime> {
        let first_of = |width: &i64| {
            let start = end.saturating_sub(*width);
            let mut times = self.held().iter().map(|event| self.time(event));
            let first = times.find(|at| *at >= start)?;
            Some(first.saturating_add(*width))
        };
        widths.as_given().iter().filter_map(first_of).min()
    }
}
