//! Rows by handle, in pieces: but for the first, while it is small, growing copies nothing and holds no room for as many
//! again.
//!
//! ```text
//! handle ─┬─ upper bits: piece          pieces of about 16 MiB, made one by one
//!         └─ lower bits: row in it
//! ```
//!
//! The room of a piece that has not been used is only reserved: the system gives memory when it is touched, by large pages
//! from the second piece on, of which one is provided ahead.

use std::ops::{Index, IndexMut};

use crate::state::pages::{FIRST_BYTES, PIECE_BYTES, grown, with_page_ahead, with_room};
use crate::state::prefetch_part;

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
    /// Rows that the first piece grows to.
    const ROWS_GROWN: usize = {
        let rows = Self::ROWS >> (PIECE_BYTES / FIRST_BYTES).ilog2();
        if rows == 0 { 1 } else { rows }
    };

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
            self.pieces.push(Vec::new());
        } else if self.len == Self::ROWS_GROWN {
            self.pieces[0].reserve_exact(Self::ROWS - Self::ROWS_GROWN);
        } else if self.len.is_multiple_of(Self::ROWS) {
            self.pieces.push(with_room(Self::ROWS));
        }
        if let Some(last) = self.pieces.last_mut() {
            last.push(row);
            self.len += 1;
            if self.len > Self::ROWS {
                grown(last, 1);
            }
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

    /// Bytes held: the capacity of a piece that grows, of others the pages that rows have touched, and the one ahead; what
    /// rows own beyond themselves is not.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let touched = self.len * size_of::<T>();
        let rows = match &self.pieces[..] {
            [only] if self.len <= Self::ROWS_GROWN => only.capacity() * size_of::<T>(),
            [] | [_] => touched,
            pieces => {
                let room = pieces.len() * Self::ROWS * size_of::<T>();
                with_page_ahead(touched).min(room)
            }
        };
        rows + self.pieces.capacity() * size_of::<Vec<T>>()
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
    use crate::state::pages::LARGE_PAGE_BYTES;

    #[test]
    fn rows_stay_under_their_handles_and_hold_little_more_than_themselves() {
        let mut slab = Slab::<[u64; 3]>::new();
        for handle in 0..1_000_000_usize {
            slab.prefetch(handle);
            assert_eq!(slab.len(), handle);
            slab.push([handle as u64; 3]);
            let held = (handle + 1) * 24;
            assert!(slab.bytes() >= held && slab.bytes() < 2 * held + 1_024);
            assert!(slab.bytes() < held + FIRST_BYTES || slab.pieces.len() > 1);
        }
        assert!(slab.bytes() < 1_000_000 * 24 + 2 * LARGE_PAGE_BYTES + 1_024);
        slab[77_777] = [1, 2, 3];
        for handle in (0..1_000_000).filter(|handle| *handle != 77_777) {
            assert_eq!(slab[handle], [handle as u64; 3]);
        }
        assert_eq!(slab[77_777], [1, 2, 3]);
        let mut few = Slab::<u64>::new();
        (0..5).for_each(|row| few.push(row));
        assert!(few.bytes() < 1_024, "{} bytes", few.bytes());
    }

    #[test]
    fn wide_rows_have_pieces_too() {
        const WIDE: usize = 64 << 10;
        let mut slab = Slab::<[u8; WIDE]>::new();
        (0..=255).for_each(|row| slab.push([row; WIDE]));
        (0..=255).for_each(|row| slab.push([!row; WIDE]));
        assert_eq!(slab.pieces.len(), 2);
        (0..=255).for_each(|row| {
            let place = usize::from(row);
            assert_eq!((slab[place][9], slab[256 + place][WIDE - 1]), (row, !row));
        });
        type Wider = Slab<[u8; 3 * PIECE_BYTES]>;
        assert_eq!((Wider::ROWS, Wider::ROWS_GROWN), (2, 1));
    }
}
