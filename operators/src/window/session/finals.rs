//! Sessions once they have ended, each once: the mode for offline stores and training.
//!
//! ```text
//! (row, ±n) ─▶ calendar ─ watermark passes `at` ─▶ in order of time ─▶ the key's one open session ─ gap passes ─▶ out
//! ```
//!
//! Rows that come in order of time only ever lengthen a session: none is searched, joined or split. What has passed the
//! watermark of a key is one session at most, since the one before it has ended.
//!
//! A row, or a retraction, from behind the watermark takes its key's open session apart, and all its rows are put in
//! order anew: sources send none, but a table computed from windows may.

mod open;
mod saved;

use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;

use thalweg_engine::column::Column;
use thalweg_engine::key::Key;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, KeyedState, StateError, StateSize};
use thalweg_engine::state::{KeyIndex, prefetch};
use thalweg_engine::time::{EventTime, WATERMARK_END, WATERMARK_NONE};
use thalweg_engine::update::{Data, Diff, Update, Updates};

use crate::aggregate::Aggregate;
use crate::key_by::Timeline;
use crate::window::rolling::calendar::Calendar;
use crate::window::rolling::order::TimeOrder;
use crate::window::session::SessionRow;
use crate::window::session::sessions::Copies;
use open::{Member, Open, Pending};

/// How far ahead of its use a slot of the index is asked for, in rows.
const AHEAD: usize = 16;
/// The same for a session.
const AHEAD_OPEN: usize = 8;
/// Rows that are settled before sessions that have ended meanwhile go out: what is open stays in the cache, however
/// much time an epoch spans.
const TOGETHER: usize = 1_024;

/// The keyed state of session windows in mode `final`.
pub(super) struct Finals<D, K: Key, A: Aggregate<D>> {
    keys_of: Column<D, K>,
    times_of: Column<D, EventTime>,
    at: Rc<dyn Fn(&D) -> EventTime>,
    gap_us: i64,
    aggregate: A,
    calendar: Calendar<Pending<D, K>>,
    index: KeyIndex<K>,
    open: Vec<Open<D, A::State>>,
    /// The rows of all open sessions by time, from one gap before the watermark on, and some of sessions that have ended.
    members: VecDeque<Member<D>>,
    older: usize,
    watermark: EventTime,
    keys: Vec<K>,
    times: Vec<EventTime>,
    released: Vec<Pending<D, K>>,
    order: TimeOrder,
    handles: Vec<u32>,
    /// Handles of keys that may have no session.
    doubtful: Vec<u32>,
}

impl<D: Data + Ord, K: Key, A: Aggregate<D>> Finals<D, K, A> {
    pub(super) fn new(timeline: &Timeline<'_, D, K>, gap_us: i64, aggregate: A) -> Self {
        Self::of(
            timeline.keyed.keys.clone(),
            timeline.times.clone(),
            Rc::clone(&timeline.at),
            gap_us,
            aggregate,
        )
    }

    pub(super) fn of(
        keys_of: Column<D, K>,
        times_of: Column<D, EventTime>,
        at: Rc<dyn Fn(&D) -> EventTime>,
        gap_us: i64,
        aggregate: A,
    ) -> Self {
        Self {
            keys_of,
            times_of,
            at,
            gap_us,
            aggregate,
            calendar: Calendar::new(),
            index: KeyIndex::of_short_lived(),
            open: Vec::new(),
            members: VecDeque::new(),
            older: 0,
            watermark: WATERMARK_NONE,
            keys: Vec::new(),
            times: Vec::new(),
            released: Vec::new(),
            order: TimeOrder::default(),
            handles: Vec::new(),
            doubtful: Vec::new(),
        }
    }

    #[inline]
    fn resolve(&mut self, key: &K) -> u32 {
        let (handle, new) = self.index.resolve(key);
        if new && handle as usize == self.open.len() {
            self.open.push(Open::none());
        }
        handle
    }

    /// Takes a container's rows in; whether one of them is from behind what the watermark was.
    fn admit(&mut self, rows: Vec<Update<D>>, watermark: EventTime) -> bool {
        let (mut keys, mut times) = (
            std::mem::take(&mut self.keys),
            std::mem::take(&mut self.times),
        );
        self.keys_of.of(&rows, &mut keys);
        self.times_of.of(&rows, &mut times);
        let mut earliest = EventTime::MAX;
        for (((row, _, diff), key), at) in rows.into_iter().zip(keys.drain(..)).zip(&times) {
            earliest = earliest.min(*at);
            let pending = Pending {
                at: *at,
                key,
                row,
                diff,
            };
            self.calendar.admit(pending, watermark, &mut self.released);
        }
        (self.keys, self.times) = (keys, times);
        earliest < self.watermark
    }

    /// Takes the open sessions of keys apart that rows from behind the watermark have come for.
    #[cold]
    fn reopen(&mut self) {
        let belated = self.released.iter().filter(|row| row.at < self.watermark);
        let handles: BTreeSet<u32> = belated
            .filter_map(|row| self.index.find(&row.key))
            .collect();
        for member in std::mem::take(&mut self.members) {
            if !handles.contains(&member.handle) {
                self.members.push_back(member);
            } else if member.at >= self.open[member.handle as usize].first {
                self.release(member.handle, member.at, member.row, member.copies);
            }
        }
        for handle in handles {
            for (row, copies) in std::mem::take(&mut self.open[handle as usize].older) {
                self.older -= 1;
                let at = (self.at)(&row);
                self.release(handle, at, row, copies);
            }
            self.open[handle as usize].end();
            self.index.remove(handle);
        }
    }

    fn release(&mut self, handle: u32, at: EventTime, row: D, diff: Diff) {
        if let Some(key) = self.index.key(handle).cloned() {
            self.released.push(Pending { at, key, row, diff });
        }
    }

    /// Settles the released rows in order of time.
    fn settle_all(&mut self, out: &mut Emitter<'_, SessionRow<K, A::Output>>) {
        let rows = std::mem::take(&mut self.released);
        let mut order = std::mem::take(&mut self.order);
        order.find(&rows);
        let places = &order.places;
        let at = |place: usize| rows[places[place] as usize].at;
        let mut from = 0;
        while from < places.len() {
            let mut until = places.len().min(from + TOGETHER);
            while until < places.len() && at(until) == at(until - 1) {
                until += 1;
            }
            self.settle(&rows, &places[from..until], out);
            if until < places.len() {
                self.end(at(until).min(WATERMARK_END - 1), out);
            }
            from = until;
        }
        (self.released, self.order) = (rows, order);
        self.released.clear();
    }

    /// Settles some moments.
    fn settle(
        &mut self,
        rows: &[Pending<D, K>],
        order: &[u64],
        out: &mut Emitter<'_, SessionRow<K, A::Output>>,
    ) {
        let row = |place: &u64| &rows[*place as usize];
        let mut handles = std::mem::take(&mut self.handles);
        handles.clear();
        for (i, place) in order.iter().enumerate() {
            if let Some(ahead) = order.get(i + 2 * AHEAD) {
                prefetch(rows, *ahead as usize);
            }
            if let Some(ahead) = order.get(i + AHEAD) {
                self.index.prefetch(row(ahead).key.tag());
            }
            handles.push(self.resolve(&row(place).key));
        }
        let mut from = 0;
        while from < order.len() {
            if let Some(ahead) = handles.get(from + AHEAD_OPEN) {
                prefetch(&self.open, *ahead as usize);
            }
            let Pending {
                at, row: own, diff, ..
            } = row(&order[from]);
            let (mut until, mut copies) = (from + 1, *diff);
            while let Some(next) = order.get(until).map(row) {
                if next.at != *at || next.row != *own {
                    break;
                }
                copies += next.diff;
                until += 1;
            }
            // A retraction of what has not come by now is of nothing: its row would be late.
            if copies > 0 {
                self.add(handles[from], *at, own, copies, out);
            } else {
                self.doubtful.push(handles[from]);
            }
            from = until;
        }
        self.handles = handles;
        while let Some(handle) = self.doubtful.pop() {
            if !self.open[handle as usize].is_open {
                self.index.remove(handle);
            }
        }
    }

    /// Adds copies of a row to its key's session, or begins one.
    #[inline(always)]
    fn add(
        &mut self,
        handle: u32,
        at: EventTime,
        row: &D,
        copies: Diff,
        out: &mut Emitter<'_, SessionRow<K, A::Output>>,
    ) {
        let open = &self.open[handle as usize];
        if open.is_open && at.abs_diff(open.last) > self.gap_us.unsigned_abs() {
            self.emit(handle, out);
        }
        let open = &mut self.open[handle as usize];
        if !open.is_open {
            open.is_open = true;
            open.first = at;
        }
        open.last = at;
        self.aggregate.update(&mut open.state, row, copies);
        self.members.push_back(Member {
            at,
            handle,
            copies,
            row: row.clone(),
        });
    }

    /// Lets a session go out.
    #[inline]
    fn emit(&mut self, handle: u32, out: &mut Emitter<'_, SessionRow<K, A::Output>>) {
        let open = &mut self.open[handle as usize];
        if let Some(key) = self.index.key(handle) {
            let row = || SessionRow {
                key: key.clone(),
                start: open.first,
                last: open.last,
                value: self.aggregate.read(&open.state),
            };
            out.emit_with(row, 1);
        }
        self.older -= open.end();
    }

    /// Lets the sessions go out that no row from `limit` on can join.
    fn end(&mut self, limit: EventTime, out: &mut Emitter<'_, SessionRow<K, A::Output>>) {
        let has_ended =
            |last: EventTime, gap| limit == WATERMARK_END || last.saturating_add(gap) < limit;
        let gap_us = self.gap_us;
        while let Some(oldest) = self.members.front()
            && has_ended(oldest.at, gap_us)
            && let Some(member) = self.members.pop_front()
        {
            if let Some(ahead) = self.members.get(AHEAD) {
                prefetch(&self.open, ahead.handle as usize);
            }
            if let Some(ahead) = self.members.get(AHEAD_OPEN)
                && let Some(key) = self.index.key(ahead.handle)
            {
                self.index.prefetch(key.tag());
            }
            let open = &mut self.open[member.handle as usize];
            if !open.is_open || member.at < open.first {
                continue;
            }
            if has_ended(open.last, gap_us) {
                self.emit(member.handle, out);
                self.index.remove(member.handle);
            } else {
                open.older.push((member.row, member.copies));
                self.older += 1;
            }
        }
    }

    fn sort_members(&mut self) {
        self.members
            .make_contiguous()
            .sort_by_key(|member| member.at);
    }
}

impl<D: Data + Ord, K: Key, A: Aggregate<D>> KeyedState for Finals<D, K, A> {
    type In = D;
    type Out = SessionRow<K, A::Output>;
    const FORMAT: u32 = 2;

    fn epoch(&mut self, time: &EpochTime, rows: Updates<D>, out: &mut Emitter<'_, Self::Out>) {
        let watermark = time.watermark.max(self.watermark);
        let mut any_belated = false;
        for rows in rows.into_containers() {
            any_belated |= self.admit(rows, watermark);
        }
        if any_belated {
            self.reopen();
        }
        self.watermark = watermark;
        self.calendar.release(watermark, &mut self.released);
        self.settle_all(out);
        if any_belated {
            self.sort_members();
        }
        self.end(watermark, out);
    }

    fn save(&self, group: KeyGroup, into: &mut Vec<u8>) -> Result<(), StateError> {
        self.save_group(group, into)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        self.load_group(bytes)
    }

    fn size(&self) -> StateSize {
        let bytes = self.index.bytes()
            + self.open.capacity() * size_of::<Open<D, A::State>>()
            + self.members.capacity() * size_of::<Member<D>>()
            + self.older * size_of::<Copies<D>>()
            + self.calendar.bytes()
            + self.released.capacity() * size_of::<Pending<D, K>>()
            + self.order.bytes();
        StateSize {
            keys: self.index.len(),
            events: self.calendar.len() + self.members.len() + self.older,
            bytes,
        }
    }
}
