//! Fading sums, one row per key.

use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::rc::Rc;

use thalweg_engine::key::Key;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, KeyedState, StateError, StateSize};
use thalweg_engine::state::KeyIndex;
use thalweg_engine::time::{EventTime, WATERMARK_NONE, window_start};
use thalweg_engine::update::{Data, Updates};

use crate::codec;
use crate::value::{Lane, NULL};
use crate::window::decayed::DecayedRow;
use crate::window::decayed::fading::{Fading, HalfLives};

/// One key.
#[derive(Default)]
struct Slot {
    fading: Fading,
    touched: bool,
}

/// The keyed state of fading sums of a lane in mode `latest`.
pub(super) struct Latest<D, K, L> {
    key: Rc<dyn Fn(&D) -> K>,
    at: Rc<dyn Fn(&D) -> EventTime>,
    lane: Rc<dyn Fn(&D) -> i64>,
    lives: HalfLives,
    refresh_us: Option<i64>,
    index: KeyIndex<K>,
    slots: Vec<Slot>,
    touched: Vec<(u32, Option<DecayedRow<K>>)>,
    as_of: EventTime,
    watermark: EventTime,
    entries: usize,
    /// The keys that owe a number, or have owed it, each with its moment, until the watermark passes that.
    owing: BTreeSet<(EventTime, u32)>,
    of: PhantomData<L>,
}

impl<D: Data, K: Key, L: Lane> Latest<D, K, L> {
    /// `times` are the half-life, and how often all keys are written anew.
    pub(super) fn new(
        key: Rc<dyn Fn(&D) -> K>,
        at: Rc<dyn Fn(&D) -> EventTime>,
        lane: Rc<dyn Fn(&D) -> i64>,
        times: (i64, Option<i64>),
    ) -> Self {
        Self {
            key,
            at,
            lane,
            lives: HalfLives::new(times.0),
            refresh_us: times.1,
            index: KeyIndex::new(),
            slots: Vec::new(),
            touched: Vec::new(),
            as_of: WATERMARK_NONE,
            watermark: WATERMARK_NONE,
            entries: 0,
            owing: BTreeSet::new(),
            of: PhantomData,
        }
    }

    fn resolve(&mut self, key: &K) -> u32 {
        let (handle, new) = self.index.resolve(key);
        if new && handle as usize == self.slots.len() {
            self.slots.push(Slot::default());
        }
        handle
    }

    fn row(&self, handle: u32) -> Option<DecayedRow<K>> {
        let fading = &self.slots[handle as usize].fading;
        let at = fading.newest()?.max(self.as_of);
        let (count, sum) = fading.read::<L>(&self.lives, at);
        Some(DecayedRow {
            key: self.index.key(handle)?.clone(),
            at,
            count,
            sum,
        })
    }

    fn touch(&mut self, handle: u32) {
        if !self.slots[handle as usize].touched {
            self.slots[handle as usize].touched = true;
            let old = self.row(handle);
            self.touched.push((handle, old));
        }
    }

    fn rest(&mut self, handle: u32) {
        let slot = &mut self.slots[handle as usize];
        slot.touched = false;
        let before = slot.fading.len();
        slot.fading.settle(&self.lives, self.watermark);
        self.entries -= before - slot.fading.len();
        if slot.fading.is_empty() {
            self.index.remove(handle);
        }
    }

    /// Forgives what keys owe that the watermark has passed: those that held nothing else are forgotten.
    fn forgive(&mut self) {
        while let Some((at, handle)) = self.owing.first().copied()
            && at < self.watermark
        {
            self.owing.pop_first();
            if self.index.key(handle).is_some() {
                self.touch(handle);
            }
        }
    }
}

impl<D: Data, K: Key, L: Lane> KeyedState for Latest<D, K, L> {
    type In = D;
    type Out = DecayedRow<K>;
    const FORMAT: u32 = 2;

    fn epoch(&mut self, time: &EpochTime, rows: Updates<D>, out: &mut Emitter<'_, Self::Out>) {
        for (row, _, diff) in &rows {
            let lane = (self.lane)(row);
            if lane == NULL {
                continue;
            }
            let handle = self.resolve(&(self.key)(row));
            self.touch(handle);
            let fading = &mut self.slots[handle as usize].fading;
            let before = fading.len();
            let at = (self.at)(row);
            let owes = fading.add::<L>(&self.lives, self.watermark, (at, lane), *diff);
            self.entries = self.entries + fading.len() - before;
            if owes {
                self.owing.insert((at, handle));
            }
        }
        let refreshed = self.refresh_us.filter(|_| time.as_of != WATERMARK_NONE);
        let as_of = refreshed.map_or(self.as_of, |every| window_start(time.as_of, every));
        if as_of > self.as_of {
            let all: Vec<u32> = self.index.iter().map(|(handle, _)| handle).collect();
            all.into_iter().for_each(|handle| self.touch(handle));
            self.as_of = as_of;
        }
        if !time.is_end() {
            self.watermark = time.watermark;
        }
        self.forgive();
        for (handle, old) in std::mem::take(&mut self.touched) {
            out.replace(old, self.row(handle));
            self.rest(handle);
        }
    }

    fn save(&self, group: KeyGroup, into: &mut Vec<u8>) -> Result<(), StateError> {
        let ours = self.index.iter().filter(|(_, key)| group.holds(key.tag()));
        let keys: Vec<_> = ours
            .map(|(handle, key)| (key, &self.slots[handle as usize].fading))
            .collect();
        codec::encode(&(self.as_of, self.watermark, keys), into)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        let (as_of, watermark, keys): (EventTime, EventTime, Vec<(K, Fading)>) =
            codec::decode(bytes)?;
        self.as_of = self.as_of.max(as_of);
        self.watermark = self.watermark.max(watermark);
        for (key, fading) in keys {
            let handle = self.resolve(&key);
            self.entries += fading.len();
            self.owing.extend(fading.owed().map(|at| (at, handle)));
            self.slots[handle as usize].fading = fading;
        }
        Ok(())
    }

    fn size(&self) -> StateSize {
        /// Bytes of an entry of a map: two sums, or a number and its count, and the map's share.
        const ENTRY_BYTES: usize = 80;
        StateSize {
            keys: self.index.len(),
            events: self.entries,
            bytes: self.index.bytes()
                + self.owing.len() * ENTRY_BYTES
                + self.slots.capacity() * size_of::<Slot>()
                + self.entries * ENTRY_BYTES,
        }
    }
}
