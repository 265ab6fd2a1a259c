//! What one key holds: its right rows, and where its left rows wait, if any do.

use smallvec::SmallVec;
use thalweg_engine::state::prefetch;
use thalweg_engine::time::EventTime;

use super::Rule;
use super::run::Held;

/// Right rows of most keys: the newest that has passed the watermark, and one that has not.
const FEW: usize = 2;

/// Marks that no left row waits.
pub(super) const NONE: u32 = u32::MAX;

/// A key's right rows, and the place of its left rows. Small rows that are few lie in two cache lines: halves of lines
/// are what slots begin with, so that none of 96 bytes touches a third.
#[repr(align(32))]
pub(super) struct Slot<R> {
    pub(super) rights: SmallVec<[Held<R>; FEW]>,
    /// Where the left rows stand whose matches may still change.
    pub(super) waiting: u32,
    /// `latest`: what the key writes in this epoch is added up first. `final`: the epoch has to look at it in its end.
    pub(super) marked: bool,
}

impl<R> Slot<R> {
    pub(super) fn new() -> Self {
        Self {
            rights: SmallVec::new(),
            waiting: NONE,
            marked: false,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rights.is_empty() && self.waiting == NONE
    }

    /// Bytes beside the slot itself.
    #[inline(always)]
    pub(super) fn heap_bytes(&self) -> usize {
        if self.rights.spilled() {
            self.rights.capacity() * size_of::<Held<R>>()
        } else {
            0
        }
    }

    /// Drops the right rows that no left row from `from` on can match, whatever comes; how many.
    #[inline(always)]
    pub(super) fn prune<U: Rule<R>>(&mut self, rule: &U, from: EventTime) -> usize {
        let spent = rule.spent(&self.rights, from);
        match (spent, self.rights.len()) {
            (0, _) => {}
            // The newer one takes the place of the older one.
            (1, FEW) => drop(self.rights.swap_remove(0)),
            _ => drop(self.rights.drain(..spent)),
        }
        spent
    }

    /// Makes room for more right rows where few are free.
    #[inline(never)]
    pub(super) fn grow(&mut self) {
        if nearly_full(self.rights.len(), self.rights.capacity()) {
            self.rights.reserve(self.rights.len().max(FEW));
        }
    }

    /// Gives back memory that is not in use.
    #[inline(always)]
    pub(super) fn shrink(&mut self) {
        if self.rights.spilled() && self.rights.len() * 4 <= self.rights.capacity() {
            self.rights.shrink_to_fit();
        }
    }

    /// Asks for the oldest right rows where they do not lie in the slot: once what is spent has been dropped, they are
    /// what left rows near the watermark match.
    #[inline(always)]
    pub(super) fn prefetch_rights(&self) {
        if self.rights.spilled() {
            prefetch(&self.rights, 0);
            prefetch(&self.rights, 1);
        }
    }
}

/// Whether dropping has freed too little to wait for the next time.
pub(super) fn nearly_full(len: usize, capacity: usize) -> bool {
    len * 4 >= capacity * 3
}
