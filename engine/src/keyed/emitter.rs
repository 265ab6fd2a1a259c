//! What a state writes its changes to.

use crate::time::Epoch;
use crate::update::{Diff, Update, container_rows};

/// Collects the changes of one epoch and passes them on, a container at a time.
pub struct Emitter<'a, D> {
    epoch: Epoch,
    buffer: &'a mut Vec<Update<D>>,
    pass_on: &'a mut dyn FnMut(&mut Vec<Update<D>>),
    emitted: u64,
}

impl<'a, D> Emitter<'a, D> {
    /// An emitter into `pass_on`, which must leave the buffer empty; for tests of a state without a graph.
    pub fn new(
        epoch: Epoch,
        buffer: &'a mut Vec<Update<D>>,
        pass_on: &'a mut dyn FnMut(&mut Vec<Update<D>>),
    ) -> Self {
        Self {
            epoch,
            buffer,
            pass_on,
            emitted: 0,
        }
    }

    /// Emits `diff` copies of `row`. The caller sees to it that differences are net.
    #[inline]
    pub fn emit(&mut self, row: D, diff: Diff) {
        self.emit_with(|| row, diff);
    }

    /// Emits `diff` copies of the row that `make` makes: in its place in the container, so that a wide row is written
    /// once.
    #[inline(always)]
    pub fn emit_with(&mut self, make: impl FnOnce() -> D, diff: Diff) {
        let epoch = self.epoch;
        self.buffer
            .extend(std::iter::once_with(|| (make(), epoch, diff)));
        if self.buffer.len() >= container_rows::<D>() {
            self.flush();
        }
    }

    /// Emits `−old +new`, or nothing where they are equal.
    #[inline]
    pub fn replace(&mut self, old: Option<D>, new: Option<D>)
    where
        D: PartialEq,
    {
        if old == new {
            return;
        }
        if let Some(old) = old {
            self.emit(old, -1);
        }
        if let Some(new) = new {
            self.emit(new, 1);
        }
    }

    /// Passes on what is buffered, and returns how many updates went out in all.
    pub fn finish(mut self) -> u64 {
        self.flush();
        self.emitted
    }

    fn flush(&mut self) {
        self.emitted += self.buffer.len() as u64;
        if !self.buffer.is_empty() {
            (self.pass_on)(self.buffer);
        }
        self.buffer.clear();
        if self.buffer.capacity() < container_rows::<D>() {
            self.buffer.reserve(container_rows::<D>());
        }
    }
}
