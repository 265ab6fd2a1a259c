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

use serde::{Deserialize, Serialize};
use thalweg_engine::key::Key;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, KeyedState, StateError, StateSize};
use thalweg_engine::time::EventTime;
use thalweg_engine::update::{Data, Updates};

use crate::array::Array;
use crate::codec;
use crate::value::{Lane, Moments};
use crate::window::rolling::calendar::{Calendar, Waiting};
use crate::window::rolling::event::{Event, Rolled};
use crate::window::rolling::store::{SavedKey, Store};
use crate::window::rolling::widths::Widths;

/// An event that waits, with its sign. Ordered by time, then key, then what it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(bound(
    serialize = "P: Serialize",
    deserialize = "P: serde::de::DeserializeOwned"
))]
struct Pending<K: Key, const N: usize, P> {
    at: EventTime,
    key: K,
    lanes: Array<i64, N>,
    payload: P,
    diff: i64,
}

impl<K: Key, const N: usize, P: Ord> Waiting for Pending<K, N, P> {
    fn at(&self) -> EventTime {
        self.at
    }
}

impl<K: Key, const N: usize, P: PartialEq> Pending<K, N, P> {
    fn is_copy_of(&self, other: &Self) -> bool {
        self.lanes == other.lanes && self.payload == other.payload
    }
}

/// A final row: what the job let its event carry, and the windows as of the event.
pub type Final<P, K, L, const N: usize, const W: usize> = (P, Rolled<K, L, N, W>);

/// The state of rolling windows in mode `final`.
pub(crate) struct Finals<K: Key, L: Lane, P, const N: usize, const W: usize> {
    store: Store<K, L, N, W>,
    calendar: Calendar<Pending<K, N, P>>,
    released: Vec<Pending<K, N, P>>,
}

impl<K: Key, L: Lane, P: Data + Ord, const N: usize, const W: usize> Finals<K, L, P, N, W> {
    pub(crate) fn new(widths: Widths<W>) -> Self {
        Self {
            store: Store::new(widths),
            calendar: Calendar::new(),
            released: Vec::new(),
        }
    }

    /// Applies the events of one key at one moment, then emits a row for each that is left.
    fn settle(&mut self, moment: &[Pending<K, N, P>], out: &mut Emitter<'_, Final<P, K, L, N, W>>) {
        let (key, at) = (&moment[0].key, moment[0].at);
        let handle = self.store.resolve(key);
        self.store.settled = at;
        let groups = || moment.chunk_by(Pending::is_copy_of);
        let mut any = false;
        for copies in groups() {
            let count: i64 = copies.iter().map(|copy| copy.diff).sum();
            self.store.apply(handle, at, &copies[0].lanes, count);
            any |= count > 0;
        }
        let mut windows = Array([Array([Moments::EMPTY; N]); W]);
        if !any || self.store.fill(handle, at, &mut windows).is_none() {
            return;
        }
        for copies in groups() {
            let count: i64 = copies.iter().map(|copy| copy.diff).sum();
            if count > 0 {
                let row = Rolled {
                    key: key.clone(),
                    at,
                    windows,
                };
                out.emit((copies[0].payload.clone(), row), count);
            }
        }
    }
}

impl<K: Key, L: Lane, P: Data + Ord, const N: usize, const W: usize> KeyedState
    for Finals<K, L, P, N, W>
{
    type In = Event<K, N, P>;
    type Out = Final<P, K, L, N, W>;
    const FORMAT: u32 = 1;

    fn epoch(
        &mut self,
        time: &EpochTime,
        rows: Updates<Self::In>,
        out: &mut Emitter<'_, Self::Out>,
    ) {
        for (event, _, diff) in rows {
            let Event {
                key,
                at,
                lanes,
                payload,
            } = event;
            self.calendar.push(Pending {
                at,
                key,
                lanes,
                payload,
                diff,
            });
        }
        if !time.has_risen() {
            return;
        }
        let mut released = std::mem::take(&mut self.released);
        self.calendar.release(time.watermark, &mut released);
        for moment in released.chunk_by(|a, b| a.at == b.at && a.key == b.key) {
            self.settle(moment, out);
        }
        released.clear();
        self.released = released;
    }

    fn save(&self, group: KeyGroup, into: &mut Vec<u8>) -> Result<(), StateError> {
        let waiting: Vec<_> = self
            .calendar
            .iter()
            .filter(|row| group.holds(row.key.tag()))
            .collect();
        codec::encode(&(self.store.saved(group), waiting), into)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        type Saved<K, const N: usize, P> = (Vec<SavedKey<K, N>>, Vec<Pending<K, N, P>>);
        let (keys, waiting): Saved<K, N, P> = codec::decode(bytes)?;
        for key in keys {
            self.store.restore(key);
        }
        waiting.into_iter().for_each(|row| self.calendar.push(row));
        Ok(())
    }

    fn size(&self) -> StateSize {
        let mut size = self.store.size();
        size.events += self.calendar.len();
        size.bytes += self.calendar.len() * size_of::<Pending<K, N, P>>();
        size
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::laws::{assert_continues, log};
    use crate::value::Fixed;

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
                || Finals::<i64, Fixed<0>, u32, 1, 2>::new(widths),
                |event| event.key.tag(),
                &epochs,
            );
        }
    }
}
