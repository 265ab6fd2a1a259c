//! A queue with two ends whose rows lie in a block of many: twenty bytes, where a `VecDeque` has 32 and its rows wherever
//! the allocator had room.
//!
//! ```text
//! block   │ 5 │ 6 │ · │ · │ 3 │ 4 │     rows go round
//!                           head
//! ```

use std::ops::{Bound, Index, RangeBounds};

use crate::state::blocks::{Block, Blocks, small};

/// Up to so many rows are moved one by one.
const FEW: usize = 16;

/// Where the rows of a queue stand. What is dropped without [`Deque::clear`] keeps its block from being used again.
#[derive(Debug, Default)]
pub struct Deque {
    block: Block,
    head: u32,
    len: u32,
}

/// The rows of a queue, to be read.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a, T> {
    block: &'a [T],
    head: usize,
    len: usize,
}

/// An iterator over the rows of a queue.
pub type RowsIter<'a, T> = std::iter::Chain<std::slice::Iter<'a, T>, std::slice::Iter<'a, T>>;

impl Deque {
    /// No rows, and no block.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many rows there are.
    #[inline(always)]
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether there is none.
    #[inline(always)]
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether the next row needs a larger block.
    #[inline(always)]
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.len() == self.block.rows()
    }

    /// The rows.
    #[inline(always)]
    #[must_use]
    pub fn rows<'a, T: Copy + Default>(&self, blocks: &'a Blocks<T>) -> Rows<'a, T> {
        Rows {
            block: blocks.rows(&self.block),
            head: self.head as usize,
            len: self.len(),
        }
    }

    /// Asks the processor for a row ahead of its use; one that is not there is harmless.
    #[inline(always)]
    pub fn prefetch<T: Copy + Default>(&self, blocks: &Blocks<T>, index: usize) {
        blocks.prefetch(&self.block, self.place(index));
    }

    /// Makes room for so many rows in all.
    pub fn reserve<T: Copy + Default>(&mut self, blocks: &mut Blocks<T>, rows: usize) {
        if rows > self.block.rows() {
            blocks.grow(&mut self.block, rows, self.head as usize);
            self.head = 0;
        }
    }

    /// Adds a row behind all others.
    #[inline(always)]
    pub fn push_back<T: Copy + Default>(&mut self, blocks: &mut Blocks<T>, row: T) {
        if self.is_full() {
            self.reserve(blocks, self.len() + 1);
        }
        let place = self.place(self.len());
        blocks.rows_mut(&self.block)[place] = row;
        self.len += 1;
    }

    /// Takes out so many rows from the first on.
    #[inline(always)]
    pub fn drop_front(&mut self, rows: usize) {
        let rows = rows.min(self.len());
        (self.head, self.len) = (small(self.place(rows)), self.len - small(rows));
    }

    /// Takes out so many rows before the end.
    #[inline(always)]
    pub const fn drop_back(&mut self, rows: usize) {
        self.len = self.len.saturating_sub(small(rows));
    }

    /// Puts a row where another stands.
    ///
    /// # Panics
    /// If none does.
    #[inline]
    pub fn set<T: Copy + Default>(&self, blocks: &mut Blocks<T>, index: usize, row: T) {
        assert!(index < self.len(), "no row {index} of {}", self.len);
        blocks.rows_mut(&self.block)[self.place(index)] = row;
    }

    /// Adds a row before the one at an index; what comes after it, or before it, moves, whichever is less.
    ///
    /// # Panics
    /// If the index is greater than the length.
    pub fn insert<T: Copy + Default>(&mut self, blocks: &mut Blocks<T>, index: usize, row: T) {
        assert!(index <= self.len(), "no place {index} in {}", self.len);
        if self.is_full() {
            self.reserve(blocks, self.len() + 1);
        }
        let block = blocks.rows_mut(&self.block);
        self.len += 1;
        if index < self.len() / 2 {
            self.head = small(self.place(block.len() - 1));
            self.move_forward(block, (1, 0), index);
        } else {
            self.move_back(block, (index, index + 1), self.len() - 1 - index);
        }
        block[self.place(index)] = row;
    }

    /// Takes out some rows from an index on; what comes after them, or before them, moves, whichever is less.
    ///
    /// # Panics
    /// If there are not so many.
    pub fn remove<T: Copy + Default>(&mut self, blocks: &mut Blocks<T>, index: usize, rows: usize) {
        assert!(
            index + rows <= self.len(),
            "no {rows} rows at {index} of {}",
            self.len
        );
        let after = self.len() - index - rows;
        let block = blocks.rows_mut(&self.block);
        if index < after {
            self.move_back(block, (0, rows), index);
            self.drop_front(rows);
        } else {
            self.move_forward(block, (index + rows, index), after);
            self.len -= small(rows);
        }
    }

    /// Moves so many rows from an index to a greater one: a few one by one, more of them in pieces that lie together,
    /// the last first.
    #[inline]
    fn move_back<T: Copy>(&self, block: &mut [T], (from, to): (usize, usize), rows: usize) {
        if rows <= FEW {
            for i in (0..rows).rev() {
                block[self.place(to + i)] = block[self.place(from + i)];
            }
            return;
        }
        let mut left = rows;
        while left > 0 {
            let (last, to_last) = (self.place(from + left - 1), self.place(to + left - 1));
            let piece = left.min(last + 1).min(to_last + 1);
            block.copy_within(last + 1 - piece..=last, to_last + 1 - piece);
            left -= piece;
        }
    }

    /// Moves so many rows from an index to a lesser one in the same way, the first first.
    #[inline]
    fn move_forward<T: Copy>(&self, block: &mut [T], (from, to): (usize, usize), rows: usize) {
        if rows <= FEW {
            for i in 0..rows {
                block[self.place(to + i)] = block[self.place(from + i)];
            }
            return;
        }
        let mut moved = 0;
        while moved < rows {
            let (first, to_first) = (self.place(from + moved), self.place(to + moved));
            let piece = (rows - moved).min(block.len() - first.max(to_first));
            block.copy_within(first..first + piece, to_first);
            moved += piece;
        }
    }

    /// Gives the block back.
    pub fn clear<T: Copy + Default>(&mut self, blocks: &mut Blocks<T>) {
        blocks.give_back(std::mem::take(self).block);
    }

    /// Where in the block a row stands, or would.
    #[inline(always)]
    const fn place(&self, index: usize) -> usize {
        around(self.head as usize + index, self.block.rows())
    }
}

/// A place in a block of so many rows, which is passed at most once.
#[inline(always)]
const fn around(place: usize, rows: usize) -> usize {
    if place >= rows { place - rows } else { place }
}

impl<'a, T: Copy> Rows<'a, T> {
    /// How many there are.
    #[inline(always)]
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    #[inline(always)]
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The row at an index.
    #[inline(always)]
    #[must_use]
    pub fn get(&self, index: usize) -> Option<T> {
        (index < self.len).then(|| self.block[around(self.head + index, self.block.len())])
    }

    /// The last row.
    #[inline(always)]
    #[must_use]
    pub fn last(&self) -> Option<T> {
        self.get(self.len.wrapping_sub(1))
    }

    /// The rows, from the first to the last.
    pub fn iter(&self) -> RowsIter<'a, T> {
        self.range(..)
    }

    /// Some of the rows, as far as there are such.
    pub fn range(&self, range: impl RangeBounds<usize>) -> RowsIter<'a, T> {
        let from = match range.start_bound() {
            Bound::Included(from) => *from,
            Bound::Excluded(before) => before + 1,
            Bound::Unbounded => 0,
        };
        let until = match range.end_bound() {
            Bound::Included(last) => last + 1,
            Bound::Excluded(until) => *until,
            Bound::Unbounded => self.len,
        };
        let until = until.min(self.len);
        let (from, until) = (self.head + from.min(until), self.head + until);
        let rows = self.block.len();
        let first = &self.block[from.min(rows)..until.min(rows)];
        let second = &self.block[from.max(rows) - rows..until.max(rows) - rows];
        first.iter().chain(second)
    }

    /// How many rows there are before the first of which `is_before` does not hold, if it holds of none after that.
    #[must_use]
    pub fn partition_point(&self, mut is_before: impl FnMut(&T) -> bool) -> usize {
        let (mut from, mut until) = (0, self.len);
        while from < until {
            let middle = usize::midpoint(from, until);
            if is_before(&self[middle]) {
                from = middle + 1;
            } else {
                until = middle;
            }
        }
        from
    }
}

impl<T> Index<usize> for Rows<'_, T> {
    type Output = T;

    #[inline(always)]
    fn index(&self, index: usize) -> &T {
        assert!(index < self.len, "no row {index} of {}", self.len);
        &self.block[around(self.head + index, self.block.len())]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    #[test]
    fn queues_of_one_room_hold_what_queues_of_their_own_hold() {
        const QUEUES: usize = 30;
        let mut seed = 5_u64;
        let mut draw = |limit: usize| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize % limit
        };
        let mut blocks = Blocks::<(u64, u32)>::new();
        let mut queues: [Deque; QUEUES] = std::array::from_fn(|_| Deque::new());
        let mut expected = vec![VecDeque::new(); QUEUES];
        for step in 0..200_000_u32 {
            let of = draw(QUEUES);
            let (queue, expected) = (&mut queues[of], &mut expected[of]);
            let row = (u64::from(step), step);
            let len = expected.len();
            // By turns queues grow and shrink.
            let shrinks = (step as usize / 5_000 + of).is_multiple_of(3);
            match draw(8) {
                0..=3 if !shrinks => {
                    queue.push_back(&mut blocks, row);
                    expected.push_back(row);
                }
                0 => {
                    let rows = draw(3);
                    queue.drop_back(rows);
                    expected.truncate(len.saturating_sub(rows));
                }
                1..=3 => {
                    let rows = draw(4);
                    queue.drop_front(rows);
                    expected.drain(..rows.min(len));
                }
                4 | 5 => {
                    let index = draw(len + 1);
                    queue.insert(&mut blocks, index, row);
                    expected.insert(index, row);
                }
                6 if len > 0 => {
                    let index = draw(len);
                    let rows = draw((len - index).min(4) + 1);
                    queue.remove(&mut blocks, index, rows);
                    expected.drain(index..index + rows);
                }
                _ if draw(2_000) == 0 => {
                    queue.clear(&mut blocks);
                    expected.clear();
                }
                _ if len > 0 => {
                    let index = draw(len);
                    queue.set(&mut blocks, index, row);
                    expected[index] = row;
                }
                _ => queue.reserve(&mut blocks, draw(20)),
            }
            let rows = queue.rows(&blocks);
            assert!(rows.iter().eq(expected.iter()), "step {step}");
            assert_eq!(rows.last(), expected.back().copied());
            let (from, until) = (draw(len + 2), draw(len + 2));
            let some = expected.iter().take(until).skip(from);
            assert!(rows.range(from..until).eq(some.clone()));
            assert!(rows.range(from..until).rev().eq(some.rev()));
            assert_eq!(rows.get(from), expected.get(from).copied());
            let below = |row: &(u64, u32)| row.1 < step / 2;
            let sorted = rows.iter().is_sorted();
            assert!(!sorted || rows.partition_point(below) == expected.partition_point(below));
        }
        let held = blocks.bytes();
        queues.iter_mut().for_each(|queue| queue.clear(&mut blocks));
        queues
            .iter_mut()
            .for_each(|queue| queue.reserve(&mut blocks, 4));
        assert!(
            blocks.bytes() < held + 4_096,
            "what was given back is used again"
        );
    }
}
