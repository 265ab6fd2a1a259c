//! The busy keys of a store: in its own form where all of a key's events fit that, else wide.

use thalweg_engine::state::Slab;
use thalweg_engine::time::EventTime;

use crate::array::Array;
use crate::value::Lane;
use crate::window::rolling::busy::Busy;
use crate::window::rolling::event::Windows;
use crate::window::rolling::form::Form;
use crate::window::rolling::widths::Widths;

/// The bit of a handle that says «wide».
const WIDE: u32 = 1 << 31;

/// Runs the same code on a busy key of either form.
macro_rules! busy {
    ($busies:expr, $handle:expr, |$busy:ident| $body:expr) => {
        if Self::is_wide($handle) {
            let $busy = &$busies.wide[($handle & !WIDE) as usize];
            $body
        } else {
            let $busy = &$busies.own[$handle as usize];
            $body
        }
    };
    ($busies:expr, $handle:expr, |mut $busy:ident| $body:expr) => {
        if Self::is_wide($handle) {
            let $busy = &mut $busies.wide[($handle & !WIDE) as usize];
            $body
        } else {
            let $busy = &mut $busies.own[$handle as usize];
            $body
        }
    };
}

/// Busy keys by handle, and the bytes that they own.
pub(super) struct Busies<L: Lane, const N: usize, const W: usize, F: Form> {
    own: Slab<Busy<L, N, W, F>>,
    wide: Slab<Busy<L, N, W, F::Full>>,
    free: Vec<u32>,
    bytes: usize,
}

impl<L: Lane, const N: usize, const W: usize, F: Form> Busies<L, N, W, F> {
    pub(super) fn new() -> Self {
        Self {
            own: Slab::new(),
            wide: Slab::new(),
            free: Vec::new(),
            bytes: 0,
        }
    }

    #[inline(always)]
    fn is_wide(handle: u32) -> bool {
        !F::TAKES_ALL && handle & WIDE != 0
    }

    /// Makes a busy key of these events, by time, and returns its handle.
    pub(super) fn make(&mut self, events: &[(EventTime, Array<i64, N>)]) -> u32 {
        let (handle, bytes) = match Busy::new(events) {
            Some(mut busy) => {
                let bytes = busy.note_bytes().1;
                let free = self.take_free(0);
                (place(&mut self.own, busy, free), bytes)
            }
            None => {
                let Some(mut busy) = Busy::new(events) else {
                    unreachable!("the wide form takes every event")
                };
                let bytes = busy.note_bytes().1;
                let free = self.take_free(WIDE).map(|handle| handle & !WIDE);
                (place(&mut self.wide, busy, free) | WIDE, bytes)
            }
        };
        self.bytes += bytes;
        handle
    }

    /// A handle that is free again, of the asked form.
    fn take_free(&mut self, form: u32) -> Option<u32> {
        let place = self.free.iter().rposition(|free| free & WIDE == form)?;
        Some(self.free.swap_remove(place))
    }

    /// Gives up a busy key and what it owns.
    pub(super) fn forget(&mut self, handle: u32) {
        // Not what it holds now: its stacks grow between two notes.
        self.bytes -= busy!(self, handle, |mut busy| {
            let noted = busy.note_bytes().0;
            *busy = Busy::empty();
            noted
        });
        self.free.push(handle);
    }

    /// Adds an event to a key that is to hold none of before `expired` when it has to grow; returns whether the event fits
    /// the key's form, and how many events went.
    #[inline(always)]
    pub(super) fn insert(
        &mut self,
        handle: u32,
        (at, lanes): (EventTime, &Array<i64, N>),
        settled: EventTime,
        widths: &Widths<W>,
    ) -> (bool, usize) {
        busy!(self, handle, |mut busy| {
            if !busy.is_full() {
                return (busy.insert(at, lanes), 0);
            }
            let length = busy.len();
            if let Some(newest) = busy.newest(settled) {
                busy.evict(newest.saturating_sub(widths.widest()));
            }
            let gone = length - busy.len();
            let fits = busy.insert(at, lanes);
            let (before, now) = busy.note_bytes();
            self.bytes = self.bytes - before + now;
            (fits, gone)
        })
    }

    /// Takes an event out; false when there is none like it.
    pub(super) fn remove(&mut self, handle: u32, at: EventTime, lanes: &Array<i64, N>) -> bool {
        busy!(self, handle, |mut busy| busy.remove(at, lanes))
    }

    /// Drops the events before `cut`; returns how many.
    pub(super) fn evict(&mut self, handle: u32, cut: EventTime) -> usize {
        busy!(self, handle, |mut busy| {
            let before = busy.len();
            busy.evict(cut);
            before - busy.len()
        })
    }

    pub(super) fn len(&self, handle: u32) -> usize {
        busy!(self, handle, |busy| busy.len())
    }

    /// The newest event time up to `limit`.
    #[inline(always)]
    pub(super) fn newest(&self, handle: u32, limit: EventTime) -> Option<EventTime> {
        busy!(self, handle, |busy| busy.newest(limit))
    }

    /// The windows that end at `end`, which is not before the newest event.
    #[inline(always)]
    pub(super) fn fill(
        &mut self,
        handle: u32,
        end: EventTime,
        widths: &Widths<W>,
        windows: &mut Windows<L, N, W>,
    ) {
        busy!(self, handle, |mut busy| busy.fill(end, widths, windows));
    }

    /// The same for one who never asks for an earlier moment; how many events went.
    #[inline(always)]
    pub(super) fn fill_onward(
        &mut self,
        handle: u32,
        end: EventTime,
        widths: &Widths<W>,
        windows: &mut Windows<L, N, W>,
    ) -> usize {
        busy!(self, handle, |mut busy| busy
            .fill_onward(end, widths, windows))
    }

    /// The windows that end at each of `ends`, which ascend.
    pub(super) fn read(
        &mut self,
        handle: u32,
        ends: &[EventTime],
        widths: &Widths<W>,
        windows: &mut [Windows<L, N, W>],
    ) {
        busy!(self, handle, |mut busy| busy.read(ends, widths, windows));
    }

    /// The moment after which the first event leaves one of the windows as last filled.
    pub(super) fn next_expiry(&self, handle: u32, widths: &Widths<W>) -> Option<EventTime> {
        busy!(self, handle, |busy| busy.next_expiry(widths))
    }

    pub(super) fn events(&self, handle: u32) -> Vec<(EventTime, Array<i64, N>)> {
        busy!(self, handle, |busy| busy.events().collect())
    }

    /// Asks for a busy key.
    #[inline(always)]
    pub(super) fn prefetch(&self, handle: u32) {
        if Self::is_wide(handle) {
            self.wide.prefetch((handle & !WIDE) as usize);
        } else {
            self.own.prefetch(handle as usize);
        }
    }

    /// Asks for what the next event of a busy key touches, which is there already.
    #[inline(always)]
    pub(super) fn prefetch_ends(&self, handle: u32) {
        busy!(self, handle, |busy| busy.prefetch());
    }

    /// Bytes held, with what the keys own.
    pub(super) fn bytes(&self) -> usize {
        self.own.bytes() + self.wide.bytes() + self.free.capacity() * 4 + self.bytes
    }
}

/// Puts a row where one is free, or at the end.
fn place<T>(slab: &mut Slab<T>, row: T, free: Option<u32>) -> u32 {
    if let Some(free) = free {
        slab[free as usize] = row;
        return free;
    }
    slab.push(row);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a worker holds fewer than 2³¹ busy keys"
    )]
    let handle = (slab.len() - 1) as u32;
    handle
}
