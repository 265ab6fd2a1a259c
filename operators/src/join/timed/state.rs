//! The keyed state of joins in time.

use thalweg_engine::key::Key;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, PairedState, StateError, StateSize};
use thalweg_engine::state::{KeyIndex, prefetch};
use thalweg_engine::time::{EventTime, WATERMARK_NONE};
use thalweg_engine::update::{Data, Diff, Updates};

use super::changes::Changes;
use super::run::{self, Held};
use super::side::{Places, Side, slot_of};
use super::slot::{NONE, Slot};
use super::waiting::Waiting;
use super::{Mode, Rule, show_matches};
use crate::codec;
use crate::window::rolling::timers::Timers;

/// How far ahead of its use a key's slot is asked for, in rows.
const AHEAD_SLOT: usize = 16;
/// The same of right rows that do not lie in the slot, which must be there by then.
const AHEAD_RIGHTS: usize = 4;

/// The keyed state of a join in time.
pub(super) struct Timed<K: Key, L, R, U> {
    left: Side<L, K>,
    right: Side<R, K>,
    pub(super) rule: U,
    pub(super) mode: Mode,
    pub(super) index: KeyIndex<K>,
    pub(super) slots: Vec<Slot<R>>,
    pub(super) waiting: Waiting<L>,
    timers: Timers,
    marked: Vec<u32>,
    pub(super) changes: Changes<L, R>,
    places: [Places; 2],
    /// The watermark that rows of this epoch are not below.
    pub(super) watermark: EventTime,
    /// Whether nothing comes on the right after this epoch.
    right_has_ended: bool,
    /// Whether nothing comes on the right from this epoch on, so that left rows have nothing to wait for.
    right_is_over: bool,
    pub(super) swept: usize,
    pub(super) held: usize,
    pub(super) heap_bytes: usize,
}

/// What goes out.
pub(super) type Out<L, R> = (L, Option<R>);

impl<K: Key, L: Data + Ord, R: Data + Ord, U: Rule<R>> Timed<K, L, R, U> {
    pub(super) fn new(left: Side<L, K>, right: Side<R, K>, rule: U, mode: Mode) -> Self {
        Self {
            left,
            right,
            rule,
            mode,
            index: KeyIndex::new(),
            slots: Vec::new(),
            waiting: Waiting::new(),
            timers: Timers::new(),
            marked: Vec::new(),
            changes: Changes::new(),
            places: Default::default(),
            watermark: WATERMARK_NONE,
            right_has_ended: false,
            right_is_over: false,
            swept: 0,
            held: 0,
            heap_bytes: 0,
        }
    }

    #[inline(always)]
    fn change_right(
        &mut self,
        handle: u32,
        at: EventTime,
        row: R,
        diff: Diff,
        out: &mut Emitter<'_, Out<L, R>>,
    ) {
        let slot = &self.slots[handle as usize];
        if slot.rights.len() == slot.rights.capacity() {
            self.make_room(handle);
        }
        let slot = &mut self.slots[handle as usize];
        let before = slot.rights.len();
        if slot.waiting == NONE {
            run::change(&mut slot.rights, at, row, diff);
        } else {
            self.change_awaited(handle, at, row, diff, out);
        }
        let slot = &self.slots[handle as usize];
        self.held = self.held + slot.rights.len() - before;
    }

    #[inline(always)]
    fn change_left(
        &mut self,
        handle: u32,
        at: EventTime,
        row: L,
        diff: Diff,
        watermark: EventTime,
        out: &mut Emitter<'_, Out<L, R>>,
    ) {
        if diff < 0 || self.mode == Mode::Final {
            self.mark(handle);
        }
        let slot = &self.slots[handle as usize];
        if self.mode == Mode::Latest {
            // What takes a row back stays beside it, until both can be dropped.
            let waits = !self.right_is_over
                && (diff < 0 || self.rule.settled_after(&slot.rights, at) >= watermark);
            if !U::PAIRWISE && !waits && !slot.marked {
                let matches = self.rule.matches(&slot.rights, at);
                let right = matches.iter().find(|right| right.is_present());
                if right.is_some() || self.rule.keeps_unmatched() {
                    out.emit_with(|| (row, right.map(|right| right.row.clone())), diff);
                }
                return;
            }
            show_matches(&self.rule, &slot.rights, at, |right, count| {
                let (left, right, diff) = (row.clone(), right.cloned(), diff * count);
                if slot.marked {
                    self.changes.push(handle, left, right, diff);
                } else {
                    out.emit_with(|| (left, right), diff);
                }
            });
            if !waits {
                return;
            }
        }
        self.wait(
            handle,
            Held {
                at,
                row,
                count: diff,
            },
        );
    }

    /// Keeps a left row whose matches may still change.
    #[inline(never)]
    fn wait(&mut self, handle: u32, left: Held<L>) {
        if self.waiting.is_full(self.slots[handle as usize].waiting) {
            self.prune(handle, self.watermark);
        }
        let slot = &mut self.slots[handle as usize];
        if slot.waiting == NONE {
            slot.waiting = self.waiting.enter();
        }
        let lefts = self.waiting.with_room(slot.waiting);
        let before = lefts.rows.len();
        if self.mode == Mode::Final {
            lefts.push(left);
        } else {
            run::change(&mut lefts.rows, left.at, left.row, left.count);
        }
        self.held = self.held + lefts.rows.len() - before;
    }

    pub(super) fn mark(&mut self, handle: u32) {
        let slot = &mut self.slots[handle as usize];
        if !slot.marked {
            slot.marked = true;
            self.marked.push(handle);
        }
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
            let waiting = waiting.filter(|(_, slot)| slot.waiting != NONE);
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
            let Some(lefts) = self.waiting.get_mut(slot.waiting) else {
                continue;
            };
            if lefts.due < time.watermark {
                lefts.due = EventTime::MAX;
            }
            let (before, rights) = (lefts.rows.len(), &slot.rights);
            let next = lefts.settle(&self.rule, rights, time.watermark, |left| {
                if left.is_present() {
                    show_matches(&self.rule, rights, left.at, |right, count| {
                        out.emit_with(|| (left.row.clone(), right.cloned()), left.count * count);
                    });
                }
            });
            self.held -= before - lefts.rows.len();
            if let Some(next) = next.filter(|next| *next < lefts.due) {
                lefts.due = next;
                self.timers.set(*handle, next);
            }
            self.waiting.leave(&mut slot.waiting);
        }
        marked.clear();
        self.marked = marked;
    }

    /// What is taken back comes first, so that the rest of its key is added up with it.
    #[inline(never)]
    fn take_back(
        &mut self,
        time: &EpochTime,
        (left, lefts): (&Updates<L>, &Places),
        (right, rights): (&Updates<R>, &Places),
        out: &mut Emitter<'_, Out<L, R>>,
    ) {
        if lefts.any_retraction {
            let places = lefts.handles.iter().zip(&lefts.times);
            for ((row, _, diff), (handle, at)) in left.iter().zip(places) {
                if *diff < 0 {
                    self.change_left(*handle, *at, row.clone(), *diff, time.watermark, out);
                }
            }
        }
        if rights.any_retraction {
            let places = rights.handles.iter().zip(&rights.times);
            for ((row, _, diff), (handle, at)) in right.iter().zip(places) {
                if *diff < 0 {
                    self.change_right(*handle, *at, row.clone(), *diff, out);
                }
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
        self.right_is_over = self.right_has_ended && right.is_empty();
        let [mut lefts, mut rights] = std::mem::take(&mut self.places);
        let (index, slots) = (&mut self.index, &mut self.slots);
        lefts.resolve(&left, &self.left, index, slots);
        rights.resolve(&right, &self.right, index, slots);
        if lefts.any_retraction || rights.any_retraction {
            self.take_back(time, (&left, &lefts), (&right, &rights), out);
        }
        for (place, (row, _, diff)) in right.into_iter().enumerate() {
            if let Some(ahead) = rights.handles.get(place + AHEAD_SLOT) {
                prefetch(&self.slots, *ahead as usize);
            }
            if diff > 0 {
                self.change_right(rights.handles[place], rights.times[place], row, diff, out);
            }
        }
        for (place, (row, _, diff)) in left.into_iter().enumerate() {
            if let Some(ahead) = lefts.handles.get(place + AHEAD_SLOT) {
                prefetch(&self.slots, *ahead as usize);
            }
            if let Some(ahead) = lefts.handles.get(place + AHEAD_RIGHTS) {
                self.slots[*ahead as usize].prefetch_rights();
            }
            if diff > 0 {
                let (handle, at) = (lefts.handles[place], lefts.times[place]);
                self.change_left(handle, at, row, diff, time.watermark, out);
            }
        }
        match self.mode {
            Mode::Latest => self.write_changes(out),
            Mode::Final => self.write_settled(time, out),
        }
        if time.watermark > WATERMARK_NONE {
            self.sweep(time.watermark, lefts.handles.len() + rights.handles.len());
        }
        self.places = [lefts, rights];
    }

    fn right_has_ended(&mut self) {
        self.right_has_ended = true;
    }

    fn save(&self, group: KeyGroup, into: &mut Vec<u8>) -> Result<(), StateError> {
        let ours = self.index.iter().filter(|(_, key)| group.holds(key.tag()));
        let keys: Vec<_> = ours
            .map(|(handle, key)| {
                let slot = &self.slots[handle as usize];
                let lefts = self.waiting.get(slot.waiting);
                (
                    key,
                    &slot.rights[..],
                    lefts.map_or(&[][..], |lefts| &lefts.rows),
                )
            })
            .collect();
        codec::encode(&keys, into)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        type Saved<K, L, R> = (K, Vec<Held<R>>, Vec<Held<L>>);
        let keys: Vec<Saved<K, L, R>> = codec::decode(bytes)?;
        for (key, rights, lefts) in keys {
            let handle = slot_of(key.tag(), || key.clone(), &mut self.index, &mut self.slots);
            let slot = &mut self.slots[handle as usize];
            self.held += rights.len();
            slot.rights.extend(rights);
            self.heap_bytes += slot.heap_bytes();
            lefts.into_iter().for_each(|left| self.wait(handle, left));
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
                + self.slots.capacity() * size_of::<Slot<R>>()
                + self.heap_bytes
                + self.waiting.bytes(),
        }
    }
}
