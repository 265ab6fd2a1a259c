//! The busy keys of a store: in its own form where all of a key's events fit that, else wide.

use thalweg_engine::state::Slab;
use thalweg_engine::time::EventTime;

use crate::array::Array;
use crate::value::Lane;
use crate::window::rolling::busy::{Busy, Room};
use crate::window::rolling::event::Windows;
use crate::window::rolling::form::Form;
use crate::window::rolling::widths::Widths;

/// The bit of a handle that says «wide».
const WIDE: u32 = 1 << 31;

/// The busy keys of one form.
struct OfForm<L: Lane, const N: usize, const W: usize, F: Form> {
    keys: Slab<Busy<L, N, W, F>>,
    room: Room<F, N>,
    free: Vec<u32>,
}

impl<L: Lane, const N: usize, const W: usize, F: Form> OfForm<L, N, W, F> {
    fn new() -> Self {
        Self {
            keys: Slab::new(),
            room: Room::new(),
            free: Vec::new(),
        }
    }

    /// Makes a busy key of these events, by time, and returns its handle; `None` where one does not fit the form.
    fn make(&mut self, events: &[(EventTime, Array<i64, N>)]) -> Option<u32> {
        let busy = Busy::new(&mut self.room, events)?;
        if let Some(free) = self.free.pop() {
            self.keys[free as usize] = busy;
            return Some(free);
        }
        self.keys.push(busy);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a worker holds fewer than 2³¹ busy keys"
        )]
        let handle = (self.keys.len() - 1) as u32;
        Some(handle)
    }

    fn bytes(&self) -> usize {
        self.keys.bytes() + self.room.bytes() + self.free.capacity() * 4
    }
}

/// Runs the same code on a busy key of either form, and the room of that form.
macro_rules! busy {
    ($busies:expr, $handle:expr, |$busy:ident, $room:ident| $body:expr) => {
        if Self::is_wide($handle) {
            let (keys, $room) = (&$busies.wide.keys, &$busies.wide.room);
            let $busy = &keys[($handle & !WIDE) as usize];
            $body
        } else {
            let (keys, $room) = (&$busies.own.keys, &$busies.own.room);
            let $busy = &keys[$handle as usize];
            $body
        }
    };
    ($busies:expr, $handle:expr, |mut $busy:ident, $room:ident| $body:expr) => {
        if Self::is_wide($handle) {
            let (keys, $room) = (&mut $busies.wide.keys, &mut $busies.wide.room);
            let $busy = &mut keys[($handle & !WIDE) as usize];
            $body
        } else {
            let (keys, $room) = (&mut $busies.own.keys, &mut $busies.own.room);
            let $busy = &mut keys[$handle as usize];
            $body
        }
    };
}

/// Busy keys by handle.
pub(super) struct Busies<L: Lane, const N: usize, const W: usize, F: Form> {
    own: OfForm<L, N, W, F>,
    wide: OfForm<L, N, W, F::Full>,
}

impl<L: Lane, const N: usize, const W: usize, F: Form> Busies<L, N, W, F> {
    pub(super) fn new() -> Self {
        Self {
            own: OfForm::new(),
            wide: OfForm::new(),
        }
    }

    #[inline(always)]
    fn is_wide(handle: u32) -> bool {
        !F::TAKES_ALL && handle & WIDE != 0
    }

    /// Makes a busy key of these events, by time, and returns its handle.
    pub(super) fn make(&mut self, events: &[(EventTime, Array<i64, N>)]) -> u32 {
        if let Some(handle) = self.own.make(events) {
            return handle;
        }
        let Some(handle) = self.wide.make(events) else {
            unreachable!("the wide form takes every event")
        };
        handle | WIDE
    }

    /// Gives up a busy key and its room.
    pub(super) fn forget(&mut self, handle: u32) {
        busy!(self, handle, |mut busy, room| busy.clear(room));
        if Self::is_wide(handle) {
            self.wide.free.push(handle & !WIDE);
        } else {
            self.own.free.push(handle);
        }
    }

    /// Adds an event; a key that would have to grow first lets go of what no row can need, which is what is older than its
    /// newest event up to `settled` by the widest window. Returns whether the event fits the key's form, and how many
    /// events went.
    #[inline(always)]
    pub(super) fn insert(
        &mut self,
        handle: u32,
        (at, lanes): (EventTime, &Array<i64, N>),
        settled: EventTime,
        widths: &Widths<W>,
    ) -> (bool, usize) {
        busy!(self, handle, |mut busy, room| {
            if !busy.is_full() {
                return (busy.insert(room, at, lanes), 0);
            }
            let length = busy.len();
            if let Some(newest) = busy.newest(room, settled) {
                busy.evict(room, newest.saturating_sub(widths.widest()));
            }
            let gone = length - busy.len();
            (busy.insert(room, at, lanes), gone)
        })
    }

    /// Takes an event out; false when there is none like it.
    pub(super) fn remove(&mut self, handle: u32, at: EventTime, lanes: &Array<i64, N>) -> bool {
        busy!(self, handle, |mut busy, room| busy.remove(room, at, lanes))
    }

    /// Drops the events before `cut`; returns how many.
    pub(super) fn evict(&mut self, handle: u32, cut: EventTime) -> usize {
        busy!(self, handle, |mut busy, room| {
            let before = busy.len();
            busy.evict(room, cut);
            before - busy.len()
        })
    }

    pub(super) fn len(&self, handle: u32) -> usize {
        busy!(self, handle, |busy, _room| busy.len())
    }

    /// The newest event time up to `limit`.
    #[inline(always)]
    pub(super) fn newest(&self, handle: u32, limit: EventTime) -> Option<EventTime> {
        busy!(self, handle, |busy, room| busy.newest(room, limit))
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
        busy!(self, handle, |mut busy, room| busy
            .fill(room, end, widths, windows));
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
        busy!(self, handle, |mut busy, room| busy
            .fill_onward(room, end, widths, windows))
    }

    /// The windows that end at each of `ends`, which ascend.
    pub(super) fn read(
        &mut self,
        handle: u32,
        ends: &[EventTime],
        widths: &Widths<W>,
        windows: &mut [Windows<L, N, W>],
    ) {
        busy!(self, handle, |mut busy, room| busy
            .read(room, ends, widths, windows));
    }

    /// The moment after which the first event leaves one of the windows as last filled.
    pub(super) fn next_expiry(&self, handle: u32, widths: &Widths<W>) -> Option<EventTime> {
        busy!(self, handle, |busy, room| busy.next_expiry(room, widths))
    }

    pub(super) fn events(&self, handle: u32) -> Vec<(EventTime, Array<i64, N>)> {
        busy!(self, handle, |busy, room| busy.events(room).collect())
    }

    /// Asks for a busy key.
    #[inline(always)]
    pub(super) fn prefetch(&self, handle: u32) {
        if Self::is_wide(handle) {
            self.wide.keys.prefetch((handle & !WIDE) as usize);
        } else {
            self.own.keys.prefetch(handle as usize);
        }
    }

    /// Asks for what the next event of a busy key touches, which is there already.
    #[inline(always)]
    pub(super) fn prefetch_ends(&self, handle: u32) {
        busy!(self, handle, |busy, room| busy.prefetch(room));
    }

    /// Bytes held, room that keys have given up included.
    pub(super) fn bytes(&self) -> usize {
        self.own.bytes() + self.wide.bytes()
    }
}
