//! Rolling aggregates, one row per event at once, repaired as late events come and events are taken back.
//!
//! ```text
//! the key's events  ──x──x──[ from ═══ x ═══ until ]──▶      what is newer is taken out of the windows, newest first,
//!                             late ▲                         each moment is read on the way back, and all is put back
//! ```
//!
//! A row at `t` is final once the watermark has passed `t`, and then what `finals` would have written. What comes from
//! behind the watermark, as from a window's rows by its start, is written once, over what is still held, and repairs the
//! rows that are not final.
//!
//! # Cost
//! Per event in order: as in `latest`, one reading. Per late event or retraction at `e`: the key's rows from `e` on are
//! read twice, and those in `[e, e + widest width]` may change.

use std::collections::{BTreeMap, BTreeSet};

use thalweg_engine::key::Key;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, KeyedState, StateError, StateSize};
use thalweg_engine::state::KeyIndex;
use thalweg_engine::time::{EventTime, WATERMARK_END, WATERMARK_NONE};
use thalweg_engine::update::{Data, Diff, Updates};

use crate::aggregate::Aggregate;
use crate::array::Array;
use crate::codec;
use crate::window::events::Events;
use crate::window::placed::{Placed, changes_by_key};
use crate::window::rolling::timers::Timers;
use crate::window::rolling::widths::Widths;
use crate::window::sliding::SlidingRow;
use crate::window::sliding::windows::Windows;

/// The rows of a moment with how often each is there, and what the windows read then.
type Moment<D, O, const W: usize> = (BTreeMap<D, Diff>, Array<O, W>);

/// Rows by moment.
type Read<D, O, const W: usize> = BTreeMap<EventTime, Moment<D, O, W>>;

/// The keyed state of rolling aggregates in mode `corrections`.
pub(super) struct Corrections<K: Key, D: Ord, A: Aggregate<D>, const W: usize> {
    aggregate: A,
    widths: Widths<W>,
    index: KeyIndex<K>,
    slots: Vec<Windows<D, A, W>>,
    silences: Timers,
    settled: EventTime,
}

impl<K: Key, D: Data + Ord, A: Aggregate<D>, const W: usize> Corrections<K, D, A, W> {
    pub(super) fn new(aggregate: A, widths: Widths<W>) -> Self {
        Self {
            aggregate,
            widths,
            index: KeyIndex::new(),
            slots: Vec::new(),
            silences: Timers::new(),
            settled: WATERMARK_NONE,
        }
    }

    /// The handle of a key, made at its first call, which is about the moment `at`.
    fn resolve(&mut self, key: &K, at: EventTime) -> u32 {
        let (handle, new) = self.index.resolve(key);
        if new {
            if handle as usize == self.slots.len() {
                self.slots.push(Windows::new());
            } else {
                self.slots[handle as usize] = Windows::new();
            }
            self.set_silence(handle, at);
        }
        handle
    }

    /// The rows of a key in a span of time, both ends inside.
    fn read(
        &mut self,
        handle: u32,
        (from, until): (EventTime, EventTime),
    ) -> Read<D, A::Output, W> {
        let windows = &mut self.slots[handle as usize];
        let newer = windows.events.range(from..);
        let newer: Vec<_> = newer.map(|(at, rows)| (*at, rows.clone())).collect();
        let mut read = BTreeMap::new();
        for (i, (at, rows)) in newer.iter().enumerate().rev() {
            if let Some((at, rows)) = newer.get(i + 1) {
                for (row, count) in rows {
                    windows.change(&self.aggregate, *at, row, -count);
                }
            }
            if *at <= until {
                windows.slide(&self.aggregate, *at, &self.widths);
                read.insert(*at, (rows.clone(), windows.read(&self.aggregate)));
            }
        }
        for (at, rows) in newer.iter().skip(1) {
            for (row, count) in rows {
                windows.change(&self.aggregate, *at, row, *count);
            }
        }
        read
    }

    /// Applies a key's changes, in order of time, and writes what is different in the rows that they reach.
    fn repair(
        &mut self,
        changes: &[(K, EventTime, D, Diff)],
        out: &mut Emitter<'_, (D, SlidingRow<K, A::Output, W>)>,
    ) {
        let (key, from, last) = (&changes[0].0, changes[0].1, changes[changes.len() - 1].1);
        let open = self.settled.saturating_add(1);
        let span = (from.max(open), last.saturating_add(self.widths.widest()));
        let handle = self.resolve(key, last);
        let old = self.read(handle, span);
        let is_behind = |change: &(K, EventTime, D, Diff)| change.1 < open;
        let (behind, changes) = changes.split_at(changes.partition_point(is_behind));
        if !behind.is_empty() {
            self.forget_final(handle);
        }
        for moment in behind.chunk_by(|a, b| a.1 == b.1) {
            self.settle(handle, moment, out);
        }
        for (_, at, row, diff) in changes {
            self.slots[handle as usize].change(&self.aggregate, *at, row, *diff);
        }
        let new = self.read(handle, span);
        let moments: BTreeSet<EventTime> = old.keys().chain(new.keys()).copied().collect();
        for at in moments {
            write(key, at, (old.get(&at), new.get(&at)), out);
        }
        let windows = &mut self.slots[handle as usize];
        let newest = windows.newest(EventTime::MAX);
        if let (Some(newest), Some(settled)) = (newest, windows.newest(self.settled)) {
            windows.slide(&self.aggregate, newest, &self.widths);
            windows.evict(settled.saturating_sub(self.widths.widest()));
        }
    }

    /// Forgets of a key what `finals` does not hold: retractions of rows that would be final, and the final rows, if the
    /// watermark has passed all their windows.
    fn forget_final(&mut self, handle: u32) {
        let windows = &mut self.slots[handle as usize];
        windows.forgive(self.settled);
        let newest = windows.newest(self.settled);
        let over = newest.map(|newest| newest.saturating_add(self.widths.widest()));
        if over.is_some_and(|over| over <= self.settled) {
            windows.let_go(&self.aggregate, self.settled.saturating_add(1));
        }
    }

    /// Writes the rows of a moment behind the watermark, as `finals` does. A retraction from there is of nothing: its row
    /// is final.
    fn settle(
        &mut self,
        handle: u32,
        moment: &[(K, EventTime, D, Diff)],
        out: &mut Emitter<'_, (D, SlidingRow<K, A::Output, W>)>,
    ) {
        let rows = moment.chunk_by(|a, b| a.2 == b.2);
        let rows = rows.map(|copies| (&copies[0].2, copies.iter().map(|copy| copy.3).sum()));
        let rows: Vec<(&D, Diff)> = rows.filter(|(_, copies)| *copies > 0).collect();
        if rows.is_empty() {
            return;
        }
        let (key, at) = (&moment[0].0, moment[0].1);
        let windows = &mut self.slots[handle as usize];
        let newest = windows.newest(self.settled).unwrap_or(at).max(at);
        windows.let_go(&self.aggregate, newest.saturating_sub(self.widths.widest()));
        for (row, copies) in &rows {
            windows.change(&self.aggregate, at, row, *copies);
        }
        let read = windows.read_back(&self.aggregate, at, &self.widths);
        for (row, copies) in rows {
            let rolled = SlidingRow {
                key: key.clone(),
                at,
                windows: read.clone(),
            };
            out.emit((row.clone(), rolled), copies);
        }
    }

    fn set_silence(&mut self, handle: u32, newest: EventTime) {
        let after = newest.saturating_add(self.widths.widest());
        self.silences.set(handle, after);
    }

    /// Forgets the keys that no row can need any more.
    fn forget_silent(&mut self, watermark: EventTime) {
        let mut silent = Vec::new();
        self.silences.take_due(watermark, &mut silent);
        for handle in silent {
            let newest = self.slots[handle as usize].events.last_key_value();
            match newest.map(|(at, _)| *at) {
                Some(newest) if newest.saturating_add(self.widths.widest()) >= watermark => {
                    self.set_silence(handle, newest);
                }
                _ => {
                    self.slots[handle as usize] = Windows::new();
                    self.index.remove(handle);
                }
            }
        }
    }
}

/// Writes the rows of a moment that are different.
fn write<K: Key, D: Data + Ord, O: Data + PartialEq, const W: usize>(
    key: &K,
    at: EventTime,
    (old, new): (Option<&Moment<D, O, W>>, Option<&Moment<D, O, W>>),
    out: &mut Emitter<'_, (D, SlidingRow<K, O, W>)>,
) {
    let is_same = match (old, new) {
        (Some(old), Some(new)) => old.1 == new.1,
        _ => false,
    };
    let signed = old.map(|moment| (moment, -1)).into_iter();
    let signed = signed.chain(new.map(|moment| (moment, 1)));
    // Rows whose windows did not change differ in how often they are there, if at all.
    let mut changes: BTreeMap<(&D, Diff), (Diff, &Array<O, W>)> = BTreeMap::new();
    for ((rows, windows), sign) in signed {
        for (row, count) in rows {
            let place = (row, if is_same { 0 } else { sign });
            changes.entry(place).or_insert((0, windows)).0 += sign * count.max(&0);
        }
    }
    for ((row, _), (diff, windows)) in changes {
        if diff != 0 {
            let rolled = SlidingRow {
                key: key.clone(),
                at,
                windows: windows.clone(),
            };
            out.emit((row.clone(), rolled), diff);
        }
    }
}

impl<K: Key, D: Data + Ord, A: Aggregate<D>, const W: usize> KeyedState
    for Corrections<K, D, A, W>
{
    type In = Placed<K, D>;
    type Out = (D, SlidingRow<K, A::Output, W>);
    const FORMAT: u32 = 1;

    fn epoch(
        &mut self,
        time: &EpochTime,
        rows: Updates<Self::In>,
        out: &mut Emitter<'_, Self::Out>,
    ) {
        let changes = changes_by_key(rows);
        let widest = self.widths.widest();
        let reaches = |a: &(K, EventTime, D, Diff), b: &(K, EventTime, D, Diff)| {
            a.0 == b.0 && b.1 <= a.1.saturating_add(widest)
        };
        for span in changes.chunk_by(reaches) {
            self.repair(span, out);
        }
        if time.watermark != WATERMARK_END {
            // Rows at the watermark itself may still come, or be retracted.
            self.settled = time.watermark.saturating_sub(1);
        }
        if time.has_risen() {
            self.forget_silent(time.as_of);
        }
    }

    fn save(&self, group: KeyGroup, into: &mut Vec<u8>) -> Result<(), StateError> {
        let ours = self.index.iter().filter(|(_, key)| group.holds(key.tag()));
        let keys: Vec<_> = ours
            .map(|(handle, key)| (key, &self.slots[handle as usize].events))
            .collect();
        codec::encode(&(self.settled, keys), into)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        let (settled, keys): (EventTime, Vec<(K, Events<D>)>) = codec::decode(bytes)?;
        self.settled = self.settled.max(settled);
        for (key, events) in keys {
            let newest = events.last_key_value().map(|(at, _)| *at);
            let handle = self.resolve(&key, newest.unwrap_or(EventTime::MIN));
            for (at, moment) in &events {
                for (row, diff) in moment {
                    self.slots[handle as usize].change(&self.aggregate, *at, row, *diff);
                }
            }
        }
        Ok(())
    }

    fn size(&self) -> StateSize {
        let events: usize = self.slots.iter().map(|windows| windows.events.len()).sum();
        StateSize {
            keys: self.index.len(),
            events,
            bytes: self.index.bytes() + events * (size_of::<(EventTime, D, Diff)>() + 64),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::aggregate::{count, distinct};
    use crate::laws::{Row, assert_continues, log};
    use crate::window::finals::Finals;
    use crate::window::rolling::brute::{Net, collect, is_net};
    use crate::window::sliding::finals::Settled;

    fn placed(row: Row) -> Placed<i64, (i64, u32)> {
        Placed {
            at: row.at,
            key: row.key,
            row: (row.value, row.id % 64),
        }
    }

    fn aggregates() -> impl Aggregate<(i64, u32), Output = (i64, u64)> {
        (count(), distinct(|row: &(i64, u32)| Some(row.0)))
    }

    fn widths(step_us: i64) -> Widths<2> {
        let width = |steps| Duration::from_micros(step_us.unsigned_abs() * steps);
        Widths::new([width(3), width(20)]).unwrap()
    }

    #[test]
    fn rows_are_brute_force_after_every_epoch_and_changes_are_net() {
        for (seed, step_us) in (0..200).zip([1_i64, 60_000_000].into_iter().cycle()) {
            let mut state = Corrections::new(aggregates(), widths(step_us));
            let (mut events, mut output) = (BTreeMap::new(), Net::new());
            for (index, (time, rows)) in log(seed, step_us, placed).iter().enumerate() {
                for (event, diff) in rows {
                    *events.entry(event.clone()).or_insert(0) += diff;
                }
                let updates = rows.iter().cloned();
                let updates = updates.map(|(row, diff)| (row, time.epoch, diff)).collect();
                let written = collect(time, |out| state.epoch(time, updates, out));
                assert!(is_net(&written), "seed {seed}, epoch {index}: {written:?}");
                written
                    .into_iter()
                    .for_each(|(row, diff)| output.add(row, diff));
                let mut expected = Net::new();
                for (event, copies) in events.iter().filter(|(_, copies)| **copies > 0) {
                    let window = |width: i64| {
                        let inside = events.iter().filter(|(other, n)| {
                            let span = event.at - width..=event.at;
                            **n > 0 && other.key == event.key && span.contains(&other.at)
                        });
                        let values: BTreeSet<_> = inside.clone().map(|(e, _)| e.row.0).collect();
                        let count: i64 = inside.map(|(_, n)| n).sum();
                        (count, values.len() as u64)
                    };
                    let row = SlidingRow {
                        key: event.key,
                        at: event.at,
                        windows: Array([3, 20].map(|steps| window(steps * step_us))),
                    };
                    expected.add(format!("{:?}", (event.row, row)), *copies);
                }
                assert_eq!(output, expected, "seed {seed}, epoch {index}");
            }
        }
    }

    /// Some rows long before the watermark, as from windows by their start: in the end there are the rows of `finals`, and
    /// none that is final is ever taken back.
    #[test]
    fn rows_from_behind_the_watermark_come_once_as_in_finals() {
        let mut behind = 0;
        for (seed, step_us) in (0..200).zip([1_000_i64, 60_000_000].into_iter().cycle()) {
            let mut repaired = Corrections::new(aggregates(), widths(step_us));
            let mut once = Finals::of(Settled::new(aggregates(), widths(step_us)));
            let (mut rows_of, mut finals) = (Net::new(), Net::new());
            let mut epochs = log(seed, step_us, placed);
            let rows = epochs.iter_mut().flat_map(|(_, rows)| rows);
            rows.filter(|(placed, _)| placed.row.1 % 5 == 0)
                .for_each(|(placed, _)| placed.at -= 4 * step_us);
            for (time, rows) in epochs {
                let is_behind = |at: EventTime| at < time.watermark_before;
                behind += rows.iter().filter(|(row, _)| is_behind(row.at)).count();
                let updates = || {
                    let updates = rows.iter().cloned();
                    updates.map(|(row, diff)| (row, time.epoch, diff)).collect()
                };
                for (row, diff) in collect(&time, |out| repaired.epoch(&time, updates(), out)) {
                    rows_of.add(row, diff);
                }
                for (row, diff) in collect(&time, |out| once.epoch(&time, updates(), out)) {
                    finals.add(row, diff);
                }
            }
            assert_eq!(rows_of, finals, "seed {seed}");
        }
        assert!(behind > 2_000, "{behind} rows from behind the watermark");
    }

    #[test]
    fn saved_rows_continue_to_be_repaired_as_if_never_interrupted() {
        for (seed, step_us) in (0..30).zip([1_i64, 60_000_000].into_iter().cycle()) {
            let make = || Corrections::new(aggregates(), widths(step_us));
            let epochs = log(seed, step_us, placed);
            assert_continues(make, |placed| placed.key.tag(), &epochs);
        }
    }
}
