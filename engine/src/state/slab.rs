//! Rows by handle, in pieces that never move: growing copies nothing and holds no room for as many again.
//!
//! ```text
//! handle ─┬─ upper bits: piece          pieces of about 128 KiB, made one by one
//!         └─ lower bits: row in it
//! ```

use std::ops::{Index, IndexMut};

use crate::state::prefetch_part;

/// Bytes of a piece, about: large enough that the list of pieces stays in the cache.
const PIECE_BYTES: usize = 128 << 10;

/// A slab of rows.
#[derive(Debug)]
pub struct Slab<T> {
    pieces: Vec<Vec<T>>,
    len: usize,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Slab<T> {
    /// Bits of a handle that count within a piece.
    const ROW_BITS: u32 = {
        let rows = PIECE_BYTES
            / if size_of::<T>() == 0 {
                1
            } else {
                size_of::<T>()
            };
        if rows < 2 { 1 } else { rows.ilog2() }
    };
    const ROWS: usize = 1 << Self::ROW_BITS;

    /// Nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            pieces: Vec::new(),
            len: 0,
        }
    }

    /// How many rows there are.
    #[inline(always)]
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds a row, under the handle that [`Slab::len`] was.
    #[inline]
    pub fn push(&mut self, row: T) {
        if self.len == 0 {
            // The first piece grows: most states are small.
            self.pieces.push(Vec::new());
        } else if self.len.is_multiple_of(Self::ROWS) {
            self.pieces.push(Vec::with_capacity(Self::ROWS));
        }
        if let Some(last) = self.pieces.last_mut() {
            last.push(row);
            self.len += 1;
        }
    }

    /// Asks the processor for a row ahead of its use; one that is not there is harmless.
    #[inline(always)]
    pub fn prefetch(&self, handle: usize) {
        self.prefetch_part(handle, 0..size_of::<T>());
    }

    /// Asks for some bytes of a row, whole cache lines.
    #[inline(always)]
    pub fn prefetch_part(&self, handle: usize, bytes: std::ops::Range<usize>) {
        if let Some(piece) = self.pieces.get(handle >> Self::ROW_BITS) {
            prefetch_part(piece, handle % Self::ROWS, bytes);
        }
    }

    /// Bytes held, capacity included; what rows own beyond themselves is not.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let rows: usize = self.pieces.iter().map(Vec::capacity).sum();
        rows * size_of::<T>() + self.pieces.capacity() * size_of::<Vec<T>>()
    }
}

impl<T> Index<usize> for Slab<T> {
    type Output = T;

    #[inline(always)]
    fn index(&self, handle: usize) -> &T {
        &self.pieces[handle >> Self::ROW_BITS][handle % Self::ROWS]
    }
}

impl<T> IndexMut<usize> for Slab<T> {
    #[inline(always)]
    fn index_mut(&mut self, handle: usize) -> &mut T {
        &mut self.pieces[handle >> Self::ROW_BITS][handle % Self::ROWS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stay_under_their_handles_and_hold_little_more_than_themselves() {
        let mut slab = Slab::<[u64; 3]>::new();
        for handle in 0..100_000_usize {
            slab.prefetch(handle);
            assert_eq!(slab.len(), handle);
            slab.push([handle as u64; 3]);
        }
        slab[77_777] = [1, 2, 3];
        for handle in (0..100_000).filter(|handle| *handle != 77_777) {
            assert_eq!(slab[handle], [handle as u64; 3]);
        }
        assert_eq!(slab[77_777], [1, 2, 3]);
        assert!(slab.bytes() < 100_000 * 24 + 2 * PIECE_BYTES);
        let mut few = Slab::<u64>::new();
        (0..5).for_each(|row| few.push(row));
        assert!(few.bytes() < 1_024, "{} bytes", few.bytes());
    }

    #[test]
    fn rows_may_be_wider_than_a_piece() {
        let mut slab = Slab::<[u8; PIECE_BYTES]>::new();
        (0..5).for_each(|row| slab.push([row; PIECE_BYTES]));
        (0..5).for_each(|row| assert_eq!(slab[usize::from(row)][9], row));
    }
}
