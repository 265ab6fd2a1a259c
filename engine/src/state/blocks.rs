//! Room for many short runs of rows, such as what each key holds: blocks of few sizes, carved from pieces that lie on
//! large pages, and used again.
//!
//! ```text
//! sizes    4 │ 6 │ 8 │ 12 │ 16 │ 24 │ …          each half as large again as the one before, or a third
//! pieces   [ 4 │ 12 │ 6 │ 4 │ … ]  [ 24 │ …      about 16 MiB, made one by one; a large block is a piece of its own
//! free     of each size, those that were given back
//! ```
//!
//! An allocator would put them wherever there is room, each on a small page of its own.

use crate::state::pages::{LARGE_PAGE_BYTES, with_room};
use crate::state::prefetch_part;

/// Bytes of a piece, about: several large pages.
const PIECE_BYTES: usize = 16 << 20;

/// Bytes of the first piece, which grows by copying: most states are small.
const FIRST_BYTES: usize = 128 << 10;

/// Rows of the smallest block.
const ROWS_MIN: u32 = 4;

/// Rows in blocks.
#[derive(Debug)]
pub struct Blocks<T> {
    pieces: Vec<Vec<T>>,
    /// The piece that blocks are carved from.
    open: usize,
    /// Pieces that a large block was.
    vacant: Vec<usize>,
    /// Of each size, the blocks that were given back.
    free: Vec<Vec<u32>>,
    /// Rows in all pieces.
    len: usize,
    /// Where a block is put while it moves.
    moving: Vec<T>,
}

/// A block: its first row, and how many it has. The default has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Block {
    first: u32,
    rows: u32,
}

impl Block {
    /// Rows that it has room for.
    #[inline(always)]
    #[must_use]
    pub const fn rows(self) -> usize {
        self.rows as usize
    }
}

/// The size of the blocks of a class.
const fn rows_of(class: usize) -> u32 {
    let doubled = ROWS_MIN << (class / 2);
    doubled + if class % 2 == 1 { doubled / 2 } else { 0 }
}

/// The class of the smallest blocks that hold so many rows.
const fn class_of(rows: u32) -> usize {
    if rows <= ROWS_MIN {
        return 0;
    }
    // Of rows 2ⁿ + 1 to 3·2ⁿ⁻¹ the class is the odd one, of 3·2ⁿ⁻¹ + 1 to 2ⁿ⁺¹ the next.
    let power = (rows - 1).ilog2();
    let is_upper = (rows - 1) >> (power - 1) & 1;
    (2 * (power - ROWS_MIN.ilog2()) + 1 + is_upper) as usize
}

impl<T: Copy + Default> Default for Blocks<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Copy + Default> Blocks<T> {
    /// Bits of a row's number that count within a piece.
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
    /// Rows of the first piece.
    const ROWS_FIRST: usize = Self::ROWS >> (PIECE_BYTES / FIRST_BYTES).ilog2();
    /// Rows of a block that is a piece of its own: it goes back to the system.
    const ROWS_LARGE: usize = Self::ROWS / 8;

    /// No block.
    #[must_use]
    pub fn new() -> Self {
        Self {
            pieces: vec![Vec::new()],
            open: 0,
            vacant: Vec::new(),
            free: Vec::new(),
            len: 0,
            moving: Vec::new(),
        }
    }

    /// A block for at least so many rows, which say nothing yet.
    #[must_use]
    pub fn take(&mut self, rows: usize) -> Block {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a block has fewer than 2³¹ rows"
        )]
        let class = class_of(rows as u32);
        let rows = rows_of(class);
        let free = self.free.get_mut(class).and_then(Vec::pop);
        let first = free.unwrap_or_else(|| self.carve(rows as usize));
        Block { first, rows }
    }

    /// A new block: behind all others, or a piece of its own.
    fn carve(&mut self, rows: usize) -> u32 {
        let is_large = rows >= Self::ROWS_LARGE;
        let room = if self.open == 0 {
            Self::ROWS_FIRST
        } else {
            Self::ROWS
        };
        if is_large || self.pieces[self.open].len() + rows > room {
            let piece = self.vacant.pop().unwrap_or(self.pieces.len());
            if piece == self.pieces.len() {
                self.pieces.push(Vec::new());
            }
            self.pieces[piece] = with_room(if is_large { rows } else { Self::ROWS });
            if is_large {
                return self.append(piece, rows);
            }
            self.open = piece;
        }
        self.append(self.open, rows)
    }

    /// A block behind all others of a piece.
    fn append(&mut self, piece: usize, rows: usize) -> u32 {
        let row = self.pieces[piece].len();
        self.pieces[piece].resize(row + rows, T::default());
        self.len += rows;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a worker holds fewer than 2³² rows in blocks"
        )]
        let first = ((piece << Self::ROW_BITS) + row) as u32;
        first
    }

    /// Takes a block back.
    pub fn give_back(&mut self, block: Block) {
        if block.rows() >= Self::ROWS_LARGE {
            let piece = Self::place(block).0;
            self.pieces[piece] = Vec::new();
            self.vacant.push(piece);
            self.len -= block.rows();
        } else if block.rows > 0 {
            let class = class_of(block.rows);
            if self.free.len() <= class {
                self.free.resize_with(class + 1, Vec::new);
            }
            self.free[class].push(block.first);
        }
    }

    /// Exchanges a block for a larger one, in which the rows stand from the first on, beginning with the one at `first`.
    #[cold]
    #[inline(never)]
    pub fn grow(&mut self, block: &mut Block, rows: usize, first: usize) {
        let mut moving = std::mem::take(&mut self.moving);
        moving.clear();
        let (end, begin) = self.rows(*block).split_at(first);
        moving.extend_from_slice(begin);
        moving.extend_from_slice(end);
        self.give_back(*block);
        *block = self.take(rows);
        self.rows_mut(*block)[..moving.len()].copy_from_slice(&moving);
        self.moving = moving;
    }

    /// The rows of a block.
    #[inline(always)]
    #[must_use]
    pub fn rows(&self, block: Block) -> &[T] {
        let (piece, row) = Self::place(block);
        &self.pieces[piece][row..row + block.rows as usize]
    }

    /// The rows of a block.
    #[inline(always)]
    pub fn rows_mut(&mut self, block: Block) -> &mut [T] {
        let (piece, row) = Self::place(block);
        &mut self.pieces[piece][row..row + block.rows as usize]
    }

    #[inline(always)]
    const fn place(block: Block) -> (usize, usize) {
        let first = block.first as usize;
        (first >> Self::ROW_BITS, first % Self::ROWS)
    }

    /// Asks the processor for a row of a block ahead of its use.
    #[inline(always)]
    pub fn prefetch(&self, block: Block, row: usize) {
        let (piece, first) = Self::place(block);
        if let Some(piece) = self.pieces.get(piece) {
            prefetch_part(piece, first + row, 0..size_of::<T>());
        }
    }

    /// Bytes held: of pieces what blocks have touched.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let touched = self.len * size_of::<T>();
        let rows = match &self.pieces[..] {
            [only] => only.capacity() * size_of::<T>(),
            _ => touched.next_multiple_of(LARGE_PAGE_BYTES),
        };
        let free: usize = self.free.iter().map(|free| free.capacity() * 4).sum();
        rows + free + self.moving.capacity() * size_of::<T>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_holds_what_no_smaller_one_holds() {
        for rows in 1..100_000 {
            let class = class_of(rows);
            assert!(rows_of(class) >= rows, "{rows} rows");
            assert!(class == 0 || rows_of(class - 1) < rows, "{rows} rows");
            assert_eq!(class_of(rows_of(class)), class);
        }
    }

    #[test]
    fn blocks_lie_side_by_side_and_are_used_again() {
        let mut blocks = Blocks::<u64>::new();
        let mut taken = Vec::new();
        for n in 0..40_000_u64 {
            let block = blocks.take(1 + n as usize % 200);
            blocks.rows_mut(block).fill(n);
            taken.push(block);
        }
        let held: usize = taken.iter().map(|block| block.rows()).sum();
        assert_eq!(blocks.len, held);
        assert!(blocks.bytes() >= held * 8 && blocks.bytes() < held * 8 + LARGE_PAGE_BYTES + 1_024);
        // Large blocks are pieces, however large, and go back to the system.
        let [larger, large] = [Blocks::<u64>::ROWS_LARGE, 3 * Blocks::<u64>::ROWS].map(|rows| {
            let block = blocks.take(rows);
            blocks.rows_mut(block).fill(u64::MAX);
            block
        });
        blocks.give_back(larger);
        let after = blocks.take(5);
        blocks.rows_mut(after).fill(7);
        for (n, block) in taken.iter().enumerate() {
            assert!(
                blocks.rows(*block).iter().all(|row| *row == n as u64),
                "block {n}"
            );
        }
        assert!(blocks.rows(large).iter().all(|row| *row == u64::MAX));
        let before = blocks.bytes();
        taken.iter().for_each(|block| blocks.give_back(*block));
        for n in 0..40_000 {
            let block = blocks.take(1 + n % 200);
            blocks.rows_mut(block).fill(0);
        }
        assert_eq!(blocks.len, held + large.rows() + after.rows());
        assert!(blocks.bytes() < before + 40_000 * 8 + 2_048);
        blocks.give_back(large);
        assert!(blocks.bytes() < before - 3 * Blocks::<u64>::ROWS * 8 + 40_000 * 8 + 2_048);
        assert!(blocks.rows(after).iter().all(|row| *row == 7));
    }

    #[test]
    fn few_blocks_hold_little() {
        let mut blocks = Blocks::<u64>::new();
        (0..3).for_each(|_| blocks.rows_mut(Block::default()).fill(0));
        assert!(blocks.bytes() < 64, "{} bytes", blocks.bytes());
        let _ = blocks.take(3);
        assert!(blocks.bytes() < 256, "{} bytes", blocks.bytes());
    }
}
