//! Fading sums, one row per row once the watermark has passed it.

use std::marker::PhantomData;

use serde::Serialize;
use thalweg_engine::key::Key;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, StateSize};
use thalweg_engine::state::KeyIndex;
use thalweg_engine::time::EventTime;
use thalweg_engine::update::{Data, Diff};

use crate::value::{Lane, NULL};
use crate::window::decayed::fading::HalfLives;
use crate::window::decayed::settled::{Numbered, OfRow, Settled};
use crate::window::finals::Settle;

/// Each key's sums as of its newest row that the watermark has passed.
pub(super) struct Passed<D, K, L> {
    lives: HalfLives,
    index: KeyIndex<K>,
    keys: Vec<Settled>,
    of: PhantomData<(D, L)>,
}

impl<D: Data, K: Key, L: Lane> Passed<D, K, L> {
    pub(super) fn new(half_life_us: i64) -> Self {
        Self {
            lives: HalfLives::new(half_life_us),
            index: KeyIndex::new(),
            keys: Vec::new(),
            of: PhantomData,
        }
    }

    fn resolve(&mut self, key: &K) -> &mut Settled {
        let (handle, _) = self.index.resolve(key);
        if handle as usize == self.keys.len() {
            self.keys.push(Settled::default());
        }
        &mut self.keys[handle as usize]
    }
}

impl<D: Data + Ord, K: Key, L: Lane> Settle for Passed<D, K, L> {
    type Key = K;
    type Row = Numbered<D>;
    type Out = OfRow<D, K>;
    type Saved = Vec<(K, Settled)>;
    const FORMAT: u32 = 1;

    fn settle(
        &mut self,
        key: &K,
        at: EventTime,
        rows: &[(&Numbered<D>, Diff)],
        out: &mut Emitter<'_, Self::Out>,
    ) {
        let any_number = rows.iter().any(|((_, lane), _)| *lane != NULL);
        // A key without a number has nothing to be kept.
        let known = self.index.find(key);
        let mut settled = known.map_or_else(Settled::default, |handle| self.keys[handle as usize]);
        let rows = rows.iter().copied();
        settled.settle::<D, K, L>(&self.lives, (key, at), rows, out);
        if any_number {
            *self.resolve(key) = settled;
        }
    }

    fn let_go(&mut self, _: &EpochTime) {}

    fn saved(&self, group: KeyGroup) -> impl Serialize {
        let ours = self.index.iter().filter(|(_, key)| group.holds(key.tag()));
        ours.map(|(handle, key)| (key, &self.keys[handle as usize]))
            .collect::<Vec<_>>()
    }

    fn restore(&mut self, saved: Self::Saved) {
        for (key, settled) in saved {
            *self.resolve(&key) = settled;
        }
    }

    fn size(&self) -> StateSize {
        StateSize {
            keys: self.index.len(),
            events: 0,
            bytes: self.index.bytes() + self.keys.capacity() * size_of::<Settled>(),
        }
    }
}
