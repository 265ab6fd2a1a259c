//! The first tier of a key: seven events, by time, in two cache lines. About 90 % of keys never leave it.
//!
//! Of events by time every window is a suffix: one walk from the newest to the oldest reads them all.

use thalweg_engine::time::EventTime;

use crate::array::Array;
use crate::value::{Lane, Moments};
use crate::window::rolling::event::Windows;
use crate::window::rolling::widths::Widths;

/// Events that fit: 3 and 15 were slower.
pub(super) const INLINE: usize = 7;

/// The timer of a key that has none.
pub(super) const UNARMED: EventTime = EventTime::MAX;

/// Marks a key whose events are in the busy tier.
const BUSY: u8 = u8::MAX;

/// Bytes of a line that are asked for first: with one lane they hold three events, which is all that most keys have.
pub(super) const FIRST_BYTES: usize = 64;

/// One key's events, or the handle of its busy state, with what the store notes about the key. What is used most
/// stands first.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(super) struct Line<const N: usize> {
    /// When the key's timer is due; [`UNARMED`] while none stands.
    pub(super) due: EventTime,
    busy: u32,
    n: u8,
    /// Whether the key is on this epoch's list of touched keys.
    pub(super) dirty: bool,
    events: [(EventTime, Array<i64, N>); INLINE],
}

impl<const N: usize> Line<N> {
    pub(super) const EMPTY: Self = Self {
        due: UNARMED,
        busy: 0,
        n: 0,
        dirty: false,
        events: [(0, Array([0; N])); INLINE],
    };

    /// Whether the events, and room for another, reach beyond [`FIRST_BYTES`].
    #[inline(always)]
    pub(super) fn is_long(&self) -> bool {
        let header = std::mem::offset_of!(Self, events);
        let event = size_of::<(EventTime, Array<i64, N>)>();
        self.n != BUSY && header + (usize::from(self.n) + 1) * event > FIRST_BYTES
    }

    /// The handle of the busy state, where the key has one.
    #[inline(always)]
    pub(super) fn busy(&self) -> Option<usize> {
        (self.n == BUSY).then_some(self.busy as usize)
    }

    pub(super) fn set_busy(&mut self, handle: usize) {
        self.n = BUSY;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a worker holds fewer than 2³² keys"
        )]
        let handle = handle as u32;
        self.busy = handle;
    }

    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        if self.n == BUSY {
            0
        } else {
            usize::from(self.n)
        }
    }

    /// Adds an event; false when the line is full.
    #[inline(always)]
    pub(super) fn push(&mut self, at: EventTime, lanes: &Array<i64, N>) -> bool {
        let mut place = usize::from(self.n);
        if place >= INLINE {
            return false;
        }
        while place > 0 && self.events[place - 1].0 > at {
            self.events[place] = self.events[place - 1];
            place -= 1;
        }
        self.events[place] = (at, *lanes);
        self.n += 1;
        true
    }

    /// Takes an event out; false when there is none like it.
    pub(super) fn remove(&mut self, at: EventTime, lanes: &Array<i64, N>) -> bool {
        let found = self.events().position(|event| event == (at, *lanes));
        if let Some(place) = found {
            self.drain(place, 1);
        }
        found.is_some()
    }

    /// Drops the events before `cut`.
    pub(super) fn prune(&mut self, cut: EventTime) {
        let old = self.held().iter().take_while(|event| event.0 < cut).count();
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
    fn held(&self) -> &[(EventTime, Array<i64, N>)] {
        &self.events[..self.len()]
    }

    /// The events, by time.
    pub(super) fn events(&self) -> impl Iterator<Item = (EventTime, Array<i64, N>)> {
        self.held().iter().copied()
    }

    /// The newest event time up to `limit`.
    #[inline(always)]
    pub(super) fn newest(&self, limit: EventTime) -> Option<EventTime> {
        self.held()
            .iter()
            .map(|event| event.0)
            .rfind(|at| *at <= limit)
    }

    /// The windows that end at `end`.
    #[inline(always)]
    pub(super) fn fill<L: Lane, const W: usize>(
        &self,
        end: EventTime,
        widths: &Widths<W>,
        windows: &mut Windows<L, N, W>,
    ) {
        let mut older = self.held();
        while let Some((last, rest)) = older.split_last()
            && last.0 > end
        {
            older = rest;
        }
        let mut moments = Array([Moments::EMPTY; N]);
        for window in widths.widest_first().iter().rev() {
            let start = end.saturating_sub(widths.as_given()[*window]);
            while let Some((last, rest)) = older.split_last()
                && last.0 >= start
            {
                for (moments, value) in moments.iter_mut().zip(last.1.iter()) {
                    moments.add(*value);
                }
                older = rest;
            }
            windows[*window] = moments;
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
            let first = self.held().iter().find(|event| event.0 >= start)?;
            Some(first.0.saturating_add(*width))
        };
        widths.as_given().iter().filter_map(first_of).min()
    }
}
