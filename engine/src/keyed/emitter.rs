//! What a state writes its changes to.

use crate::time::Epoch;
use crate::update::{Diff, Update, container_rows};

/// Collects the changes of one epoch and passes them on, a container at a time.
pub struct Emitter<'a, D> {
    epoch: Epoch,
    buffer: &'a mut Vec<Update<D>>,
    pass_on: &'a mut dyn FnMut(&mut Vec<Update<D>>),
    /// Full containers that stay until the end, where changes may be taken back.
    kept: Option<Vec<Vec<Update<D>>>>,
    any_taken_back: bool,
    emitted: u64,
    forgotten: u64,
}

/// Where a change stands that may still be taken back.
#[derive(Clone, Copy, Debug)]
pub struct Place(usize);

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
            kept: None,
            any_taken_back: false,
            emitted: 0,
            forgotten: 0,
        }
    }

    /// Passes nothing on before the end, so that [`Emitter::take_back_equal`] works; to be called before anything else.
    pub fn keep(&mut self) {
        self.kept.get_or_insert_default();
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
        if self.buffer.len() >= container_rows::<D>() {
            self.flush();
        }
        let epoch = self.epoch;
        self.buffer
            .extend(std::iter::once_with(|| (make(), epoch, diff)));
    }

    /// Emits so many copies of each row: what does not change from row to row is looked at once per container.
    #[inline(always)]
    pub fn emit_all(&mut self, mut rows: impl Iterator<Item = (D, Diff)>) {
        let epoch = self.epoch;
        loop {
            let room = container_rows::<D>().saturating_sub(self.buffer.len());
            let fitting = rows.by_ref().take(room);
            self.buffer
                .extend(fitting.map(|(row, diff)| (row, epoch, diff)));
            if self.buffer.len() < container_rows::<D>() {
                return;
            }
            self.flush();
        }
    }

    /// Emits `diff` copies of the row that `make` begins and `end` ends in its place: nothing of it is copied.
    #[inline(always)]
    pub fn emit_in_place(
        &mut self,
        make: impl FnOnce() -> D,
        diff: Diff,
        end: impl FnOnce(&mut D),
    ) -> Place {
        self.emit_with(make, diff);
        let full = self.kept.as_ref().map_or(0, Vec::len);
        let last = self.buffer.len() - 1;
        end(&mut self.buffer[last].0);
        Place(full * container_rows::<D>() + last)
    }

    /// Takes two changes back if they are of equal rows. Nothing may have been passed on: see [`Emitter::keep`].
    pub fn take_back_equal(&mut self, old: Place, new: Place)
    where
        D: PartialEq,
    {
        let [old, new] = [old, new].map(|place| {
            let rows = container_rows::<D>();
            (place.0 / rows, place.0 % rows)
        });
        let container = |place: (usize, usize)| match &self.kept {
            Some(kept) if place.0 < kept.len() => &kept[place.0],
            _ => &*self.buffer,
        };
        if container(old)[old.1].0 != container(new)[new.1].0 {
            return;
        }
        self.any_taken_back = true;
        for place in [old, new] {
            let container = match &mut self.kept {
                Some(kept) if place.0 < kept.len() => &mut kept[place.0],
                _ => &mut *self.buffer,
            };
            container[place.1].2 = 0;
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

    /// Notes updates that came for what has been written for good: they change nothing, but they are counted.
    pub fn forget(&mut self, updates: usize) {
        self.forgotten += updates as u64;
    }

    /// How many updates were forgotten.
    #[must_use]
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Passes on what is buffered, and returns how many updates went out in all.
    pub fn finish(mut self) -> u64 {
        for mut full in self.kept.take().unwrap_or_default() {
            self.hand_on(&mut full);
        }
        self.flush();
        self.emitted
    }

    fn flush(&mut self) {
        if let Some(kept) = &mut self.kept {
            kept.push(std::mem::take(self.buffer));
        } else {
            let mut full = std::mem::take(self.buffer);
            self.hand_on(&mut full);
            *self.buffer = full;
        }
        self.buffer.clear();
        if self.buffer.capacity() < container_rows::<D>() {
            self.buffer.reserve(container_rows::<D>());
        }
    }

    fn hand_on(&mut self, full: &mut Vec<Update<D>>) {
        if self.any_taken_back {
            full.retain(|change| change.2 != 0);
        }
        self.emitted += full.len() as u64;
        if !full.is_empty() {
            (self.pass_on)(full);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_rows_are_taken_back_wherever_they_stand() {
        let (mut buffer, mut written) = (Vec::new(), Vec::new());
        let mut pass_on = |full: &mut Vec<Update<u64>>| written.append(full);
        let mut out = Emitter::new(7, &mut buffer, &mut pass_on);
        out.keep();
        let put = |out: &mut Emitter<'_, u64>, row, diff| {
            out.emit_in_place(|| row, diff, |row| *row /= 10)
        };
        let old: Vec<_> = (0..5_000).map(|row| put(&mut out, row, -1)).collect();
        for (row, old) in (0..5_000).zip(old) {
            let new = put(&mut out, if row % 3 == 0 { row } else { row + 10 }, 1);
            out.take_back_equal(old, new);
        }
        assert_eq!(out.finish(), 2 * 3_333);
        let changed = || (0..5_000).filter(|row| row % 3 != 0);
        let expected = changed().map(|row| (row / 10, 7, -1));
        let expected = expected.chain(changed().map(|row| (row / 10 + 1, 7, 1)));
        assert_eq!(written, expected.collect::<Vec<_>>());
    }
}
