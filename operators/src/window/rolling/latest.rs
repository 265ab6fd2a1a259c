//! Rolling windows, one row per key: the online store's mode.
//!
//! ```text
//! (key, at, numbers) @ epoch × ±n ─▶ −old row, +new row per key whose row changed in the epoch
//! ```
//!
//! # Invariants
//! 1. After every epoch the accumulated output is, per key with an event in a window, the row by brute force over all
//!    of the key's events: windows `[end − width, end]`, where `end` is the key's newest event, or the watermark where
//!    that is later (with [`Expiry::AtWatermark`]).
//! 2. A row that did not change is not emitted.
//!
//! # Cost
//! Per event: one line (or ring, sums and stacks) touched; per changed row two updates. State: the events of the widest
//! window and the lateness, 16 bytes each and up, freed as the watermark passes; a key without events is forgotten.

use thalweg_engine::key::Key;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, KeyedState, StateError, StateSize};
use thalweg_engine::time::{EventTime, WATERMARK_END, WATERMARK_NONE};
use thalweg_engine::update::Updates;

use crate::array::Array;
use crate::codec;
use crate::value::{Lane, Moments};
use crate::window::rolling::event::{Event, Rolled, Windows};
use crate::window::rolling::line::UNARMED;
use crate::window::rolling::store::{AHEAD, SavedKey, Store};
use crate::window::rolling::timers::Timers;
use crate::window::rolling::widths::Widths;

/// Whether a row falls as time passes, with no new event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expiry {
    /// Windows end at the watermark once it has passed the key's newest event: an event at `e` leaves the row when the
    /// watermark passes `e + width`, and a row without events goes.
    #[default]
    AtWatermark,
    /// Windows end at the key's newest event: a row changes only with its events.
    AtNextEvent,
}

/// A touched key: its handle, and its row before the epoch (the newest event time; the windows lie beside).
struct Touched {
    handle: u32,
    old: Option<EventTime>,
}

/// The state of rolling windows in mode `latest`.
pub(crate) struct Latest<K: Key, L: Lane, const N: usize, const W: usize> {
    store: Store<K, L, N, W>,
    timers: Timers,
    expiry: Expiry,
    /// Whether new rows go out alone: whoever takes them replaces.
    replaces: bool,
    /// The newest watermark that is a moment: what rows are as of.
    as_of: EventTime,
    handles: Vec<u32>,
    touched: Vec<Touched>,
    /// Beside `touched`, and kept longer: what lies beyond it is to be written over.
    old_windows: Vec<Windows<L, N, W>>,
    due: Vec<u32>,
}

impl<K: Key, L: Lane, const N: usize, const W: usize> Latest<K, L, N, W> {
    const EMPTY: Windows<L, N, W> = Array([Array([Moments::EMPTY; N]); W]);

    pub(crate) fn new(widths: Widths<W>, expiry: Expiry) -> Self {
        Self {
            store: Store::new(widths),
            timers: Timers::new(),
            expiry,
            replaces: false,
            as_of: WATERMARK_NONE,
            handles: Vec::new(),
            touched: Vec::new(),
            old_windows: Vec::new(),
            due: Vec::new(),
        }
    }

    /// Without the rows that new ones replace.
    pub(crate) fn replacing(mut self) -> Self {
        self.replaces = true;
        self
    }

    /// A key's row as it stands: its time, and its windows where they are asked for.
    #[inline(always)]
    fn standing(&mut self, handle: u32, windows: &mut Windows<L, N, W>) -> Option<EventTime> {
        if self.replaces {
            return self.store.row_at(handle, self.as_of);
        }
        self.store.fill(handle, self.as_of, windows)
    }

    /// Notes a key's row as it was before the epoch, at the key's first touch.
    #[inline(always)]
    fn touch(&mut self, handle: u32) {
        let line = &mut self.store.lines[handle as usize];
        if line.dirty {
            return;
        }
        line.dirty = true;
        let place = self.touched.len();
        if place == self.old_windows.len() {
            self.old_windows.push(Self::EMPTY);
        }
        let old = if self.replaces {
            self.store.row_at(handle, self.as_of)
        } else {
            let windows = &mut self.old_windows[place];
            self.store.fill(handle, self.as_of, windows)
        };
        self.touched.push(Touched { handle, old });
    }

    fn resolve(&mut self, rows: &Updates<Event<K, N, ()>>) {
        self.handles.clear();
        for rows in rows.containers() {
            for (i, row) in rows.iter().enumerate() {
                if let Some(ahead) = rows.get(i + 4 * AHEAD) {
                    self.store.index.prefetch(ahead.0.key.tag());
                }
                let handle = self.store.resolve(&row.0.key);
                self.handles.push(handle);
            }
        }
    }

    fn apply(&mut self, rows: &Updates<Event<K, N, ()>>) {
        let handles = std::mem::take(&mut self.handles);
        for (i, (event, _, diff)) in rows.iter().enumerate() {
            self.store.prefetch_ahead(&handles, i, |handle| *handle);
            self.touch(handles[i]);
            self.store.apply(handles[i], event.at, &event.lanes, *diff);
        }
        self.handles = handles;
    }

    /// Lets time pass for the keys whose timers are due and that no event has touched; the others are on the list.
    fn fire(&mut self, as_of: EventTime, out: &mut Emitter<'_, Rolled<K, L, N, W>>) {
        let mut due = std::mem::take(&mut self.due);
        self.timers.take_due(as_of, &mut due);
        let (mut old_windows, mut windows) = (Self::EMPTY, Self::EMPTY);
        for (i, handle) in due.iter().copied().enumerate() {
            self.store.prefetch_ahead(&due, i, |handle| *handle);
            let line = &mut self.store.lines[handle as usize];
            if line.due >= as_of {
                // An earlier timer has fired since this one was set, and the key has a later one.
                continue;
            }
            line.due = UNARMED;
            if line.dirty {
                continue;
            }
            let old = self.standing(handle, &mut old_windows);
            let new = self.store.fill(handle, as_of, &mut windows);
            self.change(handle, (old, &old_windows), (new, &windows), out);
            self.rest(handle, as_of, new.is_some());
        }
        due.clear();
        self.due = due;
    }

    /// Emits a key's change from one row to another.
    #[inline(always)]
    fn change(
        &self,
        handle: u32,
        old: (Option<EventTime>, &Windows<L, N, W>),
        new: (Option<EventTime>, &Windows<L, N, W>),
        out: &mut Emitter<'_, Rolled<K, L, N, W>>,
    ) {
        let same = old.0 == new.0 && (old.0.is_none() || (!self.replaces && old.1 == new.1));
        if same {
            return;
        }
        let old = if self.replaces && new.0.is_some() {
            (None, old.1)
        } else {
            old
        };
        let Some(key) = self.store.index.key(handle) else {
            return;
        };
        for ((at, windows), diff) in [(old, -1), (new, 1)] {
            if let Some(at) = at {
                let row = || Rolled {
                    key: key.clone(),
                    at,
                    windows: *windows,
                };
                out.emit_with(row, diff);
            }
        }
    }

    /// Touches every key: at the first watermark, before which no timer is set.
    fn touch_all(&mut self) {
        let mut all = std::mem::take(&mut self.due);
        all.extend(self.store.index.iter().map(|(handle, _)| handle));
        all.drain(..).for_each(|handle| self.touch(handle));
        self.due = all;
    }

    /// Emits what changed, and sets the timers of the touched keys.
    fn emit(&mut self, as_of: EventTime, out: &mut Emitter<'_, Rolled<K, L, N, W>>) {
        let touched = std::mem::take(&mut self.touched);
        let mut windows = Self::EMPTY;
        for (i, key) in touched.iter().enumerate() {
            self.store.prefetch_ahead(&touched, i, |ahead| ahead.handle);
            let handle = key.handle;
            let new = self.store.fill(handle, as_of, &mut windows);
            self.change(
                handle,
                (key.old, &self.old_windows[i]),
                (new, &windows),
                out,
            );
            self.store.lines[handle as usize].dirty = false;
            self.rest(handle, as_of, new.is_some());
        }
        self.touched = touched;
        self.touched.clear();
    }

    /// A touched key rests until its next event or timer.
    #[inline(always)]
    fn rest(&mut self, handle: u32, as_of: EventTime, has_row: bool) {
        if !has_row {
            self.store.prune(handle, as_of);
            self.store.forget_if_empty(handle);
        } else if self.expiry == Expiry::AtWatermark && as_of != WATERMARK_NONE {
            self.arm(handle, as_of);
        }
    }

    /// Sets the key's timer, unless one stands that is due no later: a late event may leave before all others.
    fn arm(&mut self, handle: u32, as_of: EventTime) {
        if let Some(after) = self.store.next_expiry(handle, as_of) {
            let due = &mut self.store.lines[handle as usize].due;
            if after < *due {
                *due = after;
                self.timers.set(handle, after);
            }
        }
    }
}

impl<K: Key, L: Lane, const N: usize, const W: usize> KeyedState for Latest<K, L, N, W> {
    type In = Event<K, N, ()>;
    type Out = Rolled<K, L, N, W>;
    const FORMAT: u32 = 1;

    fn epoch(
        &mut self,
        time: &EpochTime,
        rows: Updates<Self::In>,
        out: &mut Emitter<'_, Self::Out>,
    ) {
        self.resolve(&rows);
        self.apply(&rows);
        let as_of = match self.expiry {
            Expiry::AtWatermark => time.as_of,
            Expiry::AtNextEvent => self.as_of,
        };
        if as_of > self.as_of {
            if self.as_of == WATERMARK_NONE {
                self.touch_all();
            }
            self.fire(as_of, out);
        }
        self.emit(as_of, out);
        self.as_of = as_of;
        self.store.forgive_debts(time.watermark);
        if time.watermark != WATERMARK_END {
            // Rows at the watermark itself may still come, or be retracted.
            self.store.settled = time.watermark.saturating_sub(1);
        }
    }

    fn save(&self, group: KeyGroup, into: &mut Vec<u8>) -> Result<(), StateError> {
        codec::encode(
            &(self.as_of, self.store.settled, self.store.saved(group)),
            into,
        )
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        let (as_of, settled, keys): (EventTime, EventTime, Vec<SavedKey<K, N>>) =
            codec::decode(bytes)?;
        self.as_of = self.as_of.max(as_of);
        self.store.settled = self.store.settled.max(settled);
        for key in keys {
            let handle = self.store.restore(key);
            let mut windows = Self::EMPTY;
            let has_row = self.store.fill(handle, self.as_of, &mut windows).is_some();
            if has_row && self.expiry == Expiry::AtWatermark {
                self.arm(handle, self.as_of);
            }
        }
        Ok(())
    }

    fn size(&self) -> StateSize {
        self.store.size()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::laws::{assert_continues, log};
    use crate::value::Fixed;

    #[test]
    fn saved_keys_continue_as_if_never_interrupted() {
        for (seed, step_us) in (0..40).zip([1_i64, 1_000_000].into_iter().cycle()) {
            let width = |steps| Duration::from_micros(step_us.unsigned_abs() * steps);
            let widths = Widths::new([width(3), width(20)]).unwrap();
            let epochs = log(seed, step_us, |row| Event {
                key: row.key,
                at: row.at,
                lanes: Array([row.value]),
                payload: (),
            });
            for expiry in [Expiry::AtWatermark, Expiry::AtNextEvent] {
                assert_continues(
                    || Latest::<i64, Fixed<0>, 1, 2>::new(widths, expiry),
                    |event| event.key.tag(),
                    &epochs,
                );
            }
        }
    }

    /// Runs an epoch, and lets `take` have what was written.
    fn run(
        state: &mut Latest<i64, Fixed<0>, 1, 2>,
        (time, rows): &(EpochTime, Vec<(Event<i64, 1, ()>, i64)>),
        mut take: impl FnMut(Rolled<i64, Fixed<0>, 1, 2>, i64),
    ) {
        let rows = rows.iter().map(|(row, diff)| (row.clone(), 0, *diff));
        let mut buffer = Vec::new();
        let mut pass_on =
            |full: &mut Vec<_>| full.drain(..).for_each(|(row, _, diff)| take(row, diff));
        let mut out = Emitter::new(0, &mut buffer, &mut pass_on);
        state.epoch(time, rows.collect(), &mut out);
        out.finish();
    }

    #[test]
    fn a_store_that_replaces_holds_after_every_epoch_what_the_changes_add_up_to() {
        use std::collections::BTreeMap;
        let widths =
            Widths::new([Duration::from_micros(3_000), Duration::from_micros(9_000)]).unwrap();
        for expiry in [Expiry::AtWatermark, Expiry::AtNextEvent] {
            for seed in 0..60 {
                let epochs = log(seed, 1_000, |row| Event {
                    key: row.key,
                    at: row.at,
                    lanes: Array([row.value]),
                    payload: (),
                });
                let mut changing = Latest::new(widths, expiry);
                let mut replacing = Latest::new(widths, expiry).replacing();
                let (mut net, mut store) = (Vec::new(), BTreeMap::new());
                for epoch in &epochs {
                    run(&mut changing, epoch, |row, diff| match diff {
                        1 => net.push(row),
                        _ => net.retain(|known| *known != row),
                    });
                    let mut written = Vec::new();
                    run(&mut replacing, epoch, |row, diff| {
                        written.push(row.key);
                        match diff {
                            1 => store.insert(row.key, row),
                            _ => store.remove(&row.key),
                        };
                    });
                    written.sort_unstable();
                    let rows = written.len();
                    written.dedup();
                    assert_eq!(rows, written.len(), "one row per key and epoch");
                    net.sort_by_key(|row| row.key);
                    assert_eq!(net, store.values().copied().collect::<Vec<_>>());
                }
            }
        }
    }

    #[test]
    fn a_retraction_whose_event_would_be_late_is_forgiven() {
        let widths = Widths::new([Duration::from_micros(10), Duration::from_micros(20)]).unwrap();
        let mut state = Latest::new(widths, Expiry::AtWatermark);
        let event = |key| Event {
            key,
            at: 50,
            lanes: Array([1]),
            payload: (),
        };
        let at = |watermark| EpochTime {
            watermark,
            as_of: watermark,
            ..EpochTime::default()
        };
        let mut written = 0;
        let unpaid = vec![(event(7), -1), (event(8), -1)];
        run(&mut state, &(at(50), unpaid), |_, _| written += 1);
        assert_eq!(state.size().keys, 2, "both may still be paid at 50");
        run(&mut state, &(at(50), vec![(event(7), 1)]), |_, _| {
            written += 1
        });
        run(&mut state, &(at(51), Vec::new()), |_, _| written += 1);
        assert_eq!((state.size().keys, written), (0, 0));
    }
}
