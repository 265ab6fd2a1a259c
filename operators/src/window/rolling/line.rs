//! The first tier of a key: seven events, unsorted, in two cache lines. About 90 % of keys never leave it.

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

/// One key's events, or the handle of its busy state, with what the store notes about the key.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct Line<const N: usize> {
    at: [EventTime; INLINE],
    lanes: [[i64; INLINE]; N],
    /// When the key's timer is due; [`UNARMED`] while none stands.
    pub(super) due: EventTime,
    busy: u32,
    n: u8,
    /// Whether the key is on this epoch's list of touched keys.
    pub(super) dirty: bool,
}

impl<const N: usize> Line<N> {
    pub(super) const EMPTY: Self = Self {
        at: [0; INLINE],
        lanes: [[0; INLINE]; N],
        due: UNARMED,
        busy: 0,
        n: 0,
        dirty: false,
    };

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
        let n = usize::from(self.n);
        if n >= INLINE {
            return false;
        }
        self.at[n] = at;
        for lane in 0..N {
            self.lanes[lane][n] = lanes[lane];
        }
        self.n += 1;
        true
    }

    /// Takes an event out; false when there is none like it.
    pub(super) fn remove(&mut self, at: EventTime, lanes: &Array<i64, N>) -> bool {
        let found = self.events().position(|event| event == (at, *lanes));
        if let Some(index) = found {
            self.swap_remove(index);
        }
        found.is_some()
    }

    /// Drops the events before `cut`.
    pub(super) fn prune(&mut self, cut: EventTime) {
        let mut index = 0;
        while index < self.len() {
            if self.at[index] < cut {
                self.swap_remove(index);
            } else {
                index += 1;
            }
        }
    }

    fn swap_remove(&mut self, index: usize) {
        let last = usize::from(self.n) - 1;
        self.at[index] = self.at[last];
        for lane in &mut self.lanes {
            lane[index] = lane[last];
        }
        self.n -= 1;
    }

    /// The events, in no order.
    pub(super) fn events(&self) -> impl Iterator<Item = (EventTime, Array<i64, N>)> {
        (0..self.len()).map(|i| {
            (
                self.at[i],
                Array(std::array::from_fn(|lane| self.lanes[lane][i])),
            )
        })
    }

    /// The newest event time up to `limit`.
    #[inline(always)]
    pub(super) fn newest(&self, limit: EventTime) -> Option<EventTime> {
        self.at[..self.len()]
            .iter()
            .copied()
            .filter(|at| *at <= limit)
            .max()
    }

    /// The windows that end at `end`, by brute force over seven events.
    #[inline(always)]
    pub(super) fn fill<L: Lane, const W: usize>(
        &self,
        end: EventTime,
        widths: &Widths<W>,
        windows: &mut Windows<L, N, W>,
    ) {
        for (window, width) in windows.iter_mut().zip(widths.as_given()) {
            let start = end.saturating_sub(*width);
            for (lane, moments) in window.iter_mut().enumerate() {
                let mut sum = Moments::EMPTY;
                for i in 0..self.len() {
                    if self.at[i] >= start && self.at[i] <= end {
                        sum.add(self.lanes[lane][i]);
                    }
                }
                *moments = sum;
            }
        }
    }

    /// The moment after which the first event leaves one of the windows that end at `end`.
    pub(super) fn next_expiry<const W: usize>(
        &self,
        end: EventTime,
        widths: &Widths<W>,
    ) -> Option<EventTime> {
        let mut first = EventTime::MAX;
        for at in &self.at[..self.len()] {
            for width in widths.as_given() {
                let leaves = at.saturating_add(*width);
                let stays = if leaves >= end {
                    leaves
                } else {
                    EventTime::MAX
                };
                first = first.min(stays);
            }
        }
        (first != EventTime::MAX).then_some(first)
    }
}
