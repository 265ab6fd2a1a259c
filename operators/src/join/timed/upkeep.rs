//! What the watermark has freed is given back: when its key is touched next, and by a sweep.

use thalweg_engine::key::Key;
use thalweg_engine::time::EventTime;
use thalweg_engine::update::Data;

use super::slot::{NONE, nearly_full};
use super::state::Timed;
use super::{Mode, Rule};

/// Rows for which the sweep passes over one key; at least [`SWEEP_MIN`] keys an epoch.
const SWEEP_ROWS: usize = 8;
const SWEEP_MIN: usize = 64;

impl<K: Key, L: Data + Ord, R: Data + Ord, U: Rule<R>> Timed<K, L, R, U> {
    /// Drops what the watermark has freed, and grows what is nearly full all the same.
    #[inline(always)]
    pub(super) fn make_room(&mut self, handle: u32) {
        self.prune(handle, self.watermark);
        let slot = &mut self.slots[handle as usize];
        if nearly_full(slot.rights.len(), slot.rights.capacity()) {
            let before = slot.heap_bytes();
            slot.grow();
            self.heap_bytes = self.heap_bytes + slot.heap_bytes() - before;
        }
    }

    /// Drops what the watermark has freed.
    #[inline(always)]
    pub(super) fn prune(&mut self, handle: u32, watermark: EventTime) {
        let slot = &mut self.slots[handle as usize];
        if slot.waiting == NONE {
            self.held -= slot.prune(&self.rule, watermark);
        } else {
            self.prune_awaited(handle, watermark);
        }
    }

    #[inline(never)]
    fn prune_awaited(&mut self, handle: u32, watermark: EventTime) {
        let slot = &mut self.slots[handle as usize];
        let mut from = watermark;
        if let Some(lefts) = self.waiting.get_mut(slot.waiting) {
            let before = lefts.rows.len();
            if self.mode == Mode::Latest {
                lefts.settle(&self.rule, &slot.rights, watermark, |_| {});
            }
            self.held -= before - lefts.rows.len();
            from = from.min(lefts.oldest().unwrap_or(watermark));
        }
        self.waiting.leave(&mut slot.waiting);
        self.held -= slot.prune(&self.rule, from);
    }

    /// Passes over some more of the keys and gives back what the watermark has freed.
    pub(super) fn sweep(&mut self, watermark: EventTime, rows: usize) {
        let keys = (rows / SWEEP_ROWS + SWEEP_MIN).min(self.slots.len());
        for _ in 0..keys {
            self.swept += 1;
            if self.swept >= self.slots.len() {
                self.swept = 0;
            }
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
                self.index.remove(handle);
            }
        }
    }
}
