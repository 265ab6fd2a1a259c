//! The keyed state of joins in time.

use thalweg_engine::key::Key;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, PairedState, StateError, StateSize};
use thalweg_engine::state::{KeyIndex, prefetch};
use thalweg_engine::time::{EventTime, WATERMARK_NONE};
use thalweg_engine::update::{Data, Diff, Updates};

use super::changes::Changes;
use super::run::{self, Held, prefix};
use super::side::{Handles, Side, slot_of};
use super::slot::Slot;
use super::{Mode, Rule, show_matches};
use crate::codec;
use crate::window::rolling::timers::Timers;

/// How far ahead of its use a key's rows are asked for, in rows.
const AHEAD_SLOT: usize = 8;

/// Rows for which the sweep passes over one key; at least [`SWEEP_MIN`] keys an epoch.
const SWEEP_ROWS: usize = 8;
const SWEEP_MIN: usize = 64;

/// The keyed state of a join in time.
pub(super) struct Timed<K: Key, L, R, U> {
    left: Side<L, K>,
    right: Side<R, K>,
    rule: U,
    mode: Mode,
    index: KeyIndex<K>,
    slots: Vec<Slot<L, R>>,
    timers: Timers,
    marked: Vec<u32>,
    changes: Changes<L, R>,
    handles: [Handles; 2],
    /// The watermark that rows of this epoch are not below.
    watermark: EventTime,
    swept: usize,
    held: usize,
    heap_bytes: usize,
}

type Out<L, R> = (L, Option<R>);

impl<K: Key, L: Data + Ord, R: Data + Ord, U: Rule<R>> Timed<K, L, R, U> {
    pub(super) fn new(left: Side<L, K>, right: Side<R, K>, rule: U, mode: Mode) -> Self {
        Self {
            left,
            right,
            rule,
            mode,
            index: KeyIndex::new(),
            slots: Vec::new(),
            timers: Timers::new(),
            marked: Vec::new(),
            changes: Changes::new(),
            handles: Default::default(),
            watermark: WATERMARK_NONE,
            swept: 0,
            held: 0,
            heap_bytes: 0,
        }
    }

    fn change_right(&mut self, handle: u32, row: R, diff: Diff, out: &mut Emitter<'_, Out<L, R>>) {
        let at = (self.right.at)(&row);
        let slot = &mut self.slots[handle as usize];
        if slot.rights.len() == slot.rights.capacity() {
            self.make_room(handle, Slot::grow_rights);
        }
        let slot = &mut self.slots[handle as usize];
        let before = slot.rights.len();
        if slot.lefts.is_empty() {
            run::change(&mut slot.rights, at, row, diff);
        } else if self.mode == Mode::Final {
            run::change(&mut slot.rights, at, row, diff);
            self.mark(handle);
        } else if U::PAIRWISE {
            self.change_pairs(handle, at, row, diff, out);
        } else {
            self.change_matches(handle, at, row, diff);
        }
        let slot = &self.slots[handle as usize];
        self.held = self.held + slot.rights.len() - before;
    }

    /// Replaces the matches that may change: those before against those after.
    fn change_matches(&mut self, handle: u32, at: EventTime, row: R, diff: Diff) {
        let Slot { rights, lefts, .. } = &mut self.slots[handle as usize];
        let (first, last) = self.rule.touched(rights, at);
        let from = prefix(lefts, |time| time < first);
        let until = prefix(lefts, |time| time <= last).max(from);
        let (rule, changes) = (&self.rule, &mut self.changes);
        let mut write = |rights: &[Held<R>], sign: Diff| {
            for left in &lefts[from..until] {
                show_matches(rule, rights, left.at, |right, count| {
                    let diff = left.count * count * sign;
                    changes.push(handle, left.row.clone(), right.cloned(), diff);
                });
            }
        };
        write(rights, -1);
        run::change(rights, at, row, diff);
        write(rights, 1);
        if from < until {
            self.mark(handle);
        }
    }

    /// Adds or takes away one right row of each left row that it matches.
    fn change_pairs(
        &mut self,
        handle: u32,
        at: EventTime,
        row: R,
        diff: Diff,
        out: &mut Emitter<'_, Out<L, R>>,
    ) {
        let slot = &mut self.slots[handle as usize];
        let (before, after) = run::change(&mut slot.rights, at, row.clone(), diff);
        let change = after.max(0) - before.max(0);
        let (first, last) = self.rule.touched(&slot.rights, at);
        let from = prefix(&slot.lefts, |time| time < first);
        let until = prefix(&slot.lefts, |time| time <= last).max(from);
        if change == 0 || from == until {
            return;
        }
        // Only then may the epoch hold what undoes this.
        if diff < 0 || slot.lefts[from..until].iter().any(|left| left.count < 0) {
            self.mark(handle);
        }
        let slot = &self.slots[handle as usize];
        let waits = slot.marked;
        let mut give = |left: &L, right: Option<R>, diff| {
            let left = left.clone();
            if waits {
                self.changes.push(handle, left, right, diff);
            } else {
                out.emit_with(|| (left, right), diff);
            }
        };
        for left in &slot.lefts[from..until] {
            if self.rule.keeps_unmatched() {
                let matches = self.rule.matches(&slot.rights, left.at).iter();
                let present = matches.filter(|right| right.is_present()).take(2).count();
                if before <= 0 && present == 1 {
                    give(&left.row, None, -left.count);
                } else if after <= 0 && present == 0 {
                    give(&left.row, None, left.count);
                }
            }
            give(&left.row, Some(row.clone()), left.count * change);
        }
    }

    fn change_left(
        &mut self,
        handle: u32,
        row: L,
        diff: Diff,
        watermark: EventTime,
        out: &mut Emitter<'_, Out<L, R>>,
    ) {
        let at = (self.left.at)(&row);
        if diff < 0 || self.mode == Mode::Final {
            self.mark(handle);
        }
        let slot = &mut self.slots[handle as usize];
        if self.mode == Mode::Latest {
            show_matches(&self.rule, &slot.rights, at, |right, count| {
                let (left, right, diff) = (row.clone(), right.cloned(), diff * count);
                if slot.marked {
                    self.changes.push(handle, left, right, diff);
                } else {
                    out.emit_with(|| (left, right), diff);
                }
            });
            // What takes a row back stays beside it, until both can be dropped.
            if diff > 0 && self.rule.settled_after(&slot.rights, at) < watermark {
                return;
            }
        }
        if slot.lefts.len() == slot.lefts.capacity() {
            self.make_room(handle, Slot::grow_lefts);
        }
        let slot = &mut self.slots[handle as usize];
        let before = slot.lefts.len();
        if self.mode == Mode::Final {
            let count = diff;
            slot.wait(Held { at, row, count });
        } else {
            run::change(&mut slot.lefts, at, row, diff);
        }
        self.held = self.held + slot.lefts.len() - before;
    }

    fn mark(&mut self, handle: u32) {
        let slot = &mut self.slots[handle as usize];
        if !slot.marked {
            slot.marked = true;
            self.marked.push(handle);
        }
    }

    /// Drops what the watermark has freed, and grows what is nearly full all the same.
    #[inline(never)]
    fn make_room(&mut self, handle: u32, grow: fn(&mut Slot<L, R>)) {
        self.prune(handle, self.watermark);
        let slot = &mut self.slots[handle as usize];
        let before = slot.heap_bytes();
        grow(slot);
        self.heap_bytes = self.heap_bytes + slot.heap_bytes() - before;
    }

    fn prune(&mut self, handle: u32, watermark: EventTime) {
        let slot = &mut self.slots[handle as usize];
        let before = slot.len();
        if self.mode == Mode::Latest {
            slot.settle(&self.rule, watermark, |_, _| {});
        }
        slot.prune(&self.rule, watermark);
        self.held = self.held + slot.len() - before;
    }

    /// Writes what waits, added up.
    fn write_changes(&mut self, out: &mut Emitter<'_, Out<L, R>>) {
        for handle in self.marked.drain(..) {
            self.slots[handle as usize].marked = false;
        }
        self.changes.write(out);
    }

    /// Writes the left rows of the marked keys, and of those that are due, that nothing can change any more.
    fn write_settled(&mut self, time: &EpochTime, out: &mut Emitter<'_, Out<L, R>>) {
        let mut marked = std::mem::take(&mut self.marked);
        if time.is_end() {
            let waiting = (0..).zip(&self.slots);
            let waiting = waiting.filter(|(_, slot)| !slot.lefts.is_empty());
            marked.extend(waiting.map(|(handle, _)| handle));
        } else if time.has_risen() {
            self.timers.take_due(time.watermark, &mut marked);
        }
        for (place, handle) in marked.iter().enumerate() {
            if let Some(ahead) = marked.get(place + AHEAD_SLOT) {
                prefetch(&self.slots, *ahead as usize);
            }
            let slot = &mut self.slots[*handle as usize];
            slot.marked = false;
            if slot.due < time.watermark {
                slot.due = EventTime::MAX;
            }
            let before = slot.len();
            let next = slot.settle(&self.rule, time.watermark, |left, rights| {
                if left.is_present() {
                    show_matches(&self.rule, rights, left.at, |right, count| {
                        out.emit_with(|| (left.row.clone(), right.cloned()), left.count * count);
                    });
                }
            });
            self.held = self.held + slot.len() - before;
            if let Some(next) = next.filter(|next| *next < slot.due) {
                slot.due = next;
                self.timers.set(*handle, next);
            }
        }
        marked.clear();
        self.marked = marked;
    }

    /// Passes over some more of the keys and gives back what the watermark has freed.
    fn sweep(&mut self, watermark: EventTime, rows: usize) {
        let keys = (rows / SWEEP_ROWS + SWEEP_MIN).min(self.slots.len());
        for _ in 0..keys {
            self.swept = (self.swept + 1) % self.slots.len();
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a handle is a place among the slots"
            )]
            let handle = self.swept as u32;
            self.prune(handle, watermark);
            let slot = &mut self.slots[self.swept];
            let before = slot.heap_bytes();
            slot.shrink();
            self.heap_bytes = self.heap_bytes + slot.heap_bytes() - before;
            if slot.is_empty() {
                slot.due = EventTime::MAX;
                self.index.remove(handle);
            }
        }
    }
}

impl<K: Key, L: Data + Ord, R: Data + Ord, U: Rule<R>> PairedState for Timed<K, L, R, U> {
    type Left = L;
    type Right = R;
    type Out = (L, Option<R>);
    const FORMAT: u32 = 1;

    fn epoch(
        &mut self,
        time: &EpochTime,
        left: Updates<L>,
        right: Updates<R>,
        out: &mut Emitter<'_, Self::Out>,
    ) {
        self.watermark = time.watermark_before;
        let [mut lefts, mut rights] = std::mem::take(&mut self.handles);
        let (index, slots) = (&mut self.index, &mut self.slots);
        lefts.resolve(&left, &*self.left.key, index, slots);
        rights.resolve(&right, &*self.right.key, index, slots);
        // What is taken back comes first, so that the rest of its key is added up with it.
        if lefts.any_retraction {
            let all = left.iter().zip(&lefts.handles);
            for ((row, _, diff), handle) in all.filter(|(update, _)| update.2 < 0) {
                self.change_left(*handle, row.clone(), *diff, time.watermark, out);
            }
        }
        if rights.any_retraction {
            let all = right.iter().zip(&rights.handles);
            for ((row, _, diff), handle) in all.filter(|(update, _)| update.2 < 0) {
                self.change_right(*handle, row.clone(), *diff, out);
            }
        }
        for (place, (row, _, diff)) in right.into_iter().enumerate() {
            if let Some(ahead) = rights.handles.get(place + AHEAD_SLOT) {
                prefetch(&self.slots, *ahead as usize);
            }
            if diff > 0 {
                self.change_right(rights.handles[place], row, diff, out);
            }
        }
        for (place, (row, _, diff)) in left.into_iter().enumerate() {
            if let Some(ahead) = lefts.handles.get(place + AHEAD_SLOT) {
                prefetch(&self.slots, *ahead as usize);
            }
            if diff > 0 {
                self.change_left(lefts.handles[place], row, diff, time.watermark, out);
            }
        }
        match self.mode {
            Mode::Latest => self.write_changes(out),
            Mode::Final => self.write_settled(time, out),
        }
        if time.watermark > WATERMARK_NONE {
            self.sweep(time.watermark, lefts.handles.len() + rights.handles.len());
        }
        self.handles = [lefts, rights];
    }

    fn save(&self, group: KeyGroup, into: &mut Vec<u8>) -> Result<(), StateError> {
        let ours = self.index.iter().filter(|(_, key)| group.holds(key.tag()));
        let keys: Vec<_> = ours
            .map(|(handle, key)| {
                let slot = &self.slots[handle as usize];
                (key, &slot.rights[..], &slot.lefts[..])
            })
            .collect();
        codec::encode(&keys, into)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        type Saved<K, L, R> = (K, Vec<Held<R>>, Vec<Held<L>>);
        let keys: Vec<Saved<K, L, R>> = codec::decode(bytes)?;
        for (key, rights, lefts) in keys {
            let handle = slot_of(&key, &mut self.index, &mut self.slots);
            let slot = &mut self.slots[handle as usize];
            slot.rights.extend(rights);
            match self.mode {
                Mode::Latest => slot.lefts.extend(lefts),
                Mode::Final => lefts.into_iter().for_each(|left| slot.wait(left)),
            }
            self.held += slot.len();
            self.heap_bytes += slot.heap_bytes();
            if self.mode == Mode::Final {
                self.mark(handle);
            }
        }
        Ok(())
    }

    fn size(&self) -> StateSize {
        StateSize {
            keys: self.index.len(),
            events: self.held,
            bytes: self.index.bytes()
                + self.slots.capacity() * size_of::<Slot<L, R>>()
                + self.heap_bytes,
        }
    }
}
