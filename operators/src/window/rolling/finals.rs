//! Rolling windows, one row per event once the watermark has passed it: the mode for offline stores and training.
//!
//! ```text
//! (key, at, numbers, payload) ─▶ calendar ─ watermark passes `at` ─▶ (payload, windows as of `at`), append-only
//! ```
//!
//! # Invariants
//! 1. A row's windows are `[at − width, at]`: the row itself and its peers of equal time included, as in SQL's
//!    `RANGE BETWEEN width PRECEDING AND CURRENT ROW`. What comes later never changes it.
//! 2. Every event that is not retracted before its time has passed yields exactly one row.
//!
//! # Cost
//! Per event: a place in the calendar until the watermark passes, then an append to the key's events. State: waiting
//! rows, and the events of the widest window.

use std::ops::Range;

use thalweg_engine::key::Key;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, KeyedState, StateError, StateSize};
use thalweg_engine::time::EventTime;
use thalweg_engine::update::{Data, Updates};

use crate::array::Array;
use crate::codec;
use crate::value::{Lane, Moments};
use crate::window::rolling::event::{Event, Rolled};
use crate::window::rolling::form::Form;
use crate::window::rolling::queue::{Pending, Queue, Released};
use crate::window::rolling::silences::Silences;
use crate::window::rolling::store::{AHEAD, SavedKey, Store};
use crate::window::rolling::widths::Widths;

/// A final row: what the job let its event carry, and the windows as of the event.
pub type Final<P, K, L, const N: usize, const W: usize> = (P, Rolled<K, L, N, W>);

/// The state of rolling windows in mode `final`.
pub(crate) struct Finals<K: Key, L: Lane, P, const N: usize, const W: usize, F: Form> {
    store: Store<K, L, N, W, F>,
    queue: Queue<Event<K, N, P>>,
    /// For each key, when its events have left every window that can still be asked for.
    silences: Silences,
    handles: Vec<u32>,
    silent: Vec<u32>,
}

impl<K: Key, L: Lane, P: Data + Ord, const N: usize, const W: usize, F: Form>
    Finals<K, L, P, N, W, F>
{
    pub(crate) fn new(widths: Widths<W>) -> Self {
        Self {
            store: Store::new(widths),
            queue: Queue::new(),
            silences: Silences::new(widths.widest()),
            handles: Vec::new(),
            silent: Vec::new(),
        }
    }

    /// Settles the rows that are out, moment by moment, in order of time.
    fn settle_all(&mut self, out: &mut Emitter<'_, Final<P, K, L, N, W>>) {
        let mut rows = std::mem::take(&mut self.queue.out);
        self.handles.clear();
        for i in 0..rows.len() {
            if let Some(ahead) = rows.get(i + 4 * AHEAD) {
                self.store.index.prefetch(ahead.row.key.tag());
            }
            let handle = self.store.resolve(&rows[i].row.key);
            self.handles.push(handle);
        }
        let mut from = 0;
        while from < rows.len() {
            let Pending { row: first, diff } = &rows[from];
            let is_peer = |i: usize| {
                let row = rows.get(i).map(|peer| &peer.row);
                row.is_some_and(|row| row.at == first.at && row.key == first.key)
            };
            let mut until = from;
            while until == from || is_peer(until) {
                self.store
                    .prefetch_ahead(&self.handles, until, |handle| *handle);
                self.silences.prefetch_ahead(&self.handles, until);
                until += 1;
            }
            self.note(self.handles[from], first.at);
            if until == from + 1 && *diff == 1 {
                self.settle_one(self.handles[from], first, out);
            } else {
                self.settle(self.handles[from], &rows, from..until, out);
            }
            from = until;
        }
        rows.clear();
        self.queue.out = rows;
    }

    /// Applies a key's only event of a moment, and emits its row.
    #[inline(always)]
    fn settle_one(
        &mut self,
        handle: u32,
        event: &Event<K, N, P>,
        out: &mut Emitter<'_, Final<P, K, L, N, W>>,
    ) {
        self.store.settled = event.at;
        self.store.apply(handle, event.at, &event.lanes, 1);
        let rolled = || Rolled {
            key: event.key.clone(),
            at: event.at,
            windows: Array([Array([Moments::EMPTY; N]); W]),
        };
        let begin = || (event.payload.clone(), rolled());
        out.emit_in_place(begin, 1, |(_, row)| {
            self.store.fill_onward(handle, &mut row.windows);
        });
    }

    /// Applies the events of one key at one moment, then emits a row for each that is left. A retraction of what has
    /// not come by now is of nothing: its event would be late.
    fn settle(
        &mut self,
        handle: u32,
        rows: &Released<Event<K, N, P>>,
        moment: Range<usize>,
        out: &mut Emitter<'_, Final<P, K, L, N, W>>,
    ) {
        let at = rows[moment.start].row.at;
        let present = || rows.net(moment.clone()).filter(|(_, count)| *count > 0);
        self.store.settled = at;
        for (event, count) in present() {
            self.store.apply(handle, at, &event.lanes, count);
        }
        let mut windows = Array([Array([Moments::EMPTY; N]); W]);
        if present().next().is_none() || !self.store.fill_onward(handle, &mut windows) {
            return;
        }
        for (event, count) in present() {
            let rolled = || Rolled {
                key: event.key.clone(),
                at,
                windows,
            };
            out.emit_with(|| (event.payload.clone(), rolled()), count);
        }
    }

    /// A key is waited for until the event at `at` has left the widest window.
    #[inline(always)]
    fn note(&mut self, handle: u32, at: EventTime) {
        let after = at.saturating_add(self.store.widths.widest());
        self.silences.note(handle, after);
    }

    /// Forgets the keys that no row can need any more.
    fn forget_silent(&mut self, watermark: EventTime) {
        let mut silent = std::mem::take(&mut self.silent);
        self.silences.pass(watermark, &mut silent);
        for (i, handle) in silent.iter().copied().enumerate() {
            self.store.prefetch_forgotten(&silent, i);
            match self.store.newest(handle) {
                Some(newest) if newest.saturating_add(self.store.widths.widest()) >= watermark => {
                    self.note(handle, newest);
                }
                _ => {
                    self.store.prune(handle, EventTime::MAX);
                    self.store.forget_if_empty(handle);
                }
            }
        }
        silent.clear();
        self.silent = silent;
    }
}

impl<K: Key, L: Lane, P: Data + Ord, const N: usize, const W: usize, F: Form> KeyedState
    for Finals<K, L, P, N, W, F>
{
    type In = Event<K, N, P>;
    type Out = Final<P, K, L, N, W>;
    const FORMAT: u32 = 2;

    fn epoch(
        &mut self,
        time: &EpochTime,
        rows: Updates<Self::In>,
        out: &mut Emitter<'_, Self::Out>,
    ) {
        for (event, _, diff) in rows {
            self.queue.admit(event, diff, time.watermark);
        }
        self.queue.release(time.watermark);
        self.settle_all(out);
        if time.has_risen() {
            self.forget_silent(time.as_of);
        }
    }

    fn save(&self, group: KeyGroup, into: &mut Vec<u8>) -> Result<(), StateError> {
        let waiting = self.queue.waiting.iter();
        let waiting: Vec<_> = waiting
            .filter(|event| group.holds(event.row.key.tag()))
            .collect();
        codec::encode(&(self.store.saved(group), waiting), into)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        type Saved<K, const N: usize, P> = (Vec<SavedKey<K, N>>, Vec<Pending<Event<K, N, P>>>);
        let (keys, waiting): Saved<K, N, P> = codec::decode(bytes)?;
        for key in keys {
            let handle = self.store.restore(key);
            if let Some(newest) = self.store.newest(handle) {
                self.note(handle, newest);
            }
        }
        for event in waiting {
            self.queue.waiting.push(event);
        }
        Ok(())
    }

    fn size(&self) -> StateSize {
        let mut size = self.store.size();
        size.events += self.queue.waiting.len();
        size.bytes += self.queue.bytes() + self.silences.bytes();
        size
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::laws::{assert_continues, log};
    use crate::value::Fixed;
    use crate::window::rolling::form::{Compact, Wide};

    #[test]
    fn saved_rows_continue_to_wait_as_if_never_interrupted() {
        for (seed, step_us) in (0..40).zip([1_i64, 60_000_000].into_iter().cycle()) {
            let width = |steps| Duration::from_micros(step_us.unsigned_abs() * steps);
            let widths = Widths::new([width(3), width(20)]).unwrap();
            let epochs = log(seed, step_us, |row| Event {
                key: row.key,
                at: row.at,
                lanes: Array([row.value]),
                payload: row.id,
            });
            assert_continues(
                || Finals::<i64, Fixed<0>, u32, 1, 2, Compact>::new(widths),
                |event| event.key.tag(),
                &epochs,
            );
        }
    }

    #[test]
    fn a_key_that_falls_silent_is_forgotten_and_comes_back_as_new() {
        let widths = Widths::new([Duration::from_micros(10)]).unwrap();
        let mut finals = Finals::<i64, Fixed<0>, (), 1, 1, Wide>::new(widths);
        let mut written = Vec::new();
        let mut epoch = |watermark, rows: &[(i64, EventTime)]| {
            let event = |(key, at): &(i64, EventTime)| Event {
                key: *key,
                at: *at,
                lanes: Array([1]),
                payload: (),
            };
            let rows = rows.iter().map(|row| (event(row), 1, 1)).collect();
            let time = EpochTime {
                watermark,
                as_of: watermark,
                ..EpochTime::default()
            };
            let mut buffer = Vec::new();
            let mut pass_on = |full: &mut Vec<_>| {
                let counts =
                    full.drain(..)
                        .map(|((_, row), _, _): (Final<_, _, _, 1, 1>, _, _)| {
                            (row.key, row.at, row.window(0).count())
                        });
                written.extend(counts);
            };
            let mut out = Emitter::new(1, &mut buffer, &mut pass_on);
            finals.epoch(&time, rows, &mut out);
            out.finish();
            (finals.size().keys, finals.size().events)
        };
        assert_eq!(epoch(100, &[(7, 90), (8, 95), (7, 92)]), (2, 3));
        assert_eq!(
            epoch(104, &[]),
            (1, 1),
            "92 + 10 has passed, 95 + 10 has not"
        );
        assert_eq!(epoch(200, &[(8, 150)]), (0, 0));
        assert_eq!(epoch(210, &[(7, 205), (8, 205)]), (2, 2));
        let expected = [
            (7, 90, 1),
            (7, 92, 2),
            (8, 95, 1),
            (8, 150, 1),
            (7, 205, 1),
            (8, 205, 1),
        ];
        assert_eq!(written, expected);
    }
}
