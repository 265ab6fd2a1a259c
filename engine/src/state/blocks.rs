//! Room for many short runs of rows, such as what each key holds: blocks of few sizes, carved from pieces that lie on
//! large pages, and used again.
//!
//! ```text
//! sizes    4 │ 6 │ 8 │ 12 │ 16 │ 24 │ …          each half as large again as the one before, or a third
//! pieces   [ 4 │ 12 │ 6 │ 4 │ … ]  [ 24 │ …      each as large as all before it, up to about 16 MiB; a large block is a
//!                                                piece of its own
//! free     of each size, those that were given back: they serve those of their own size, and of the next smaller one
//! ```
//!
//! An allocator would put them wherever there is room, each on a small page of its own.
//!
//! # Cost
//! Only a large block goes back to the system when it is given back: runs that all grow in step hold at most about three
//! times their room, and what once was held stays until they go.

use crate::state::pages::{
    FIRST_BYTES, LARGE_PAGE_BYTES, PIECE_BYTES, grown, with_page_ahead, with_room,
};
use crate::state::prefetch_part;

/// Rows of the smallest block.
const ROWS_MIN: u32 = 4;

/// Rows in blocks.
#[derive(Debug)]
pub struct Blocks<T> {
    pieces: Vec<Vec<T>>,
    /// The piece that blocks are carved from.
    open: u32,
    /// Pieces that a large block was.
    vacant: Vec<u32>,
    /// Of each size, the blocks that were given back.
    free: Vec<Vec<Place>>,
    /// Rows in all pieces.
    len: usize,
    /// Where a block is put while it moves.
    moving: Vec<T>,
}

/// Where a block begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Place {
    piece: u32,
    row: u32,
}

/// A block. The default has no rows.
#[derive(Debug, Default)]
pub(super) struct Block {
    first: Place,
    rows: u32,
}

impl Block {
    /// Rows that it has room for.
    #[inline(always)]
    pub(super) const fn rows(&self) -> usize {
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

/// A number of rows, or of pieces.
#[inline(always)]
pub(super) const fn small(number: usize) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "fewer than 2³² pieces, and as many rows in one"
    )]
    let small = number as u32;
    small
}

impl<T: Copy + Default> Default for Blocks<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Copy + Default> Blocks<T> {
    const ROW_BYTES: usize = if size_of::<T>() == 0 {
        1
    } else {
        size_of::<T>()
    };
    /// Rows of a piece.
    const ROWS: usize = PIECE_BYTES / Self::ROW_BYTES;
    /// Rows of the first piece, which grows by copying: most states are small.
    const ROWS_FIRST: usize = FIRST_BYTES / Self::ROW_BYTES;
    /// Rows of a block that is a piece of its own: it goes back to the system.
    const ROWS_LARGE: usize = Self::ROWS / 8;

    /// Rows that room is kept for in which a block moves; few are larger.
    const ROWS_MOVING: usize = Self::ROWS_FIRST / 16;

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
    pub(super) fn take(&mut self, rows: usize) -> Block {
        let class = class_of(small(rows));
        // One of the next size before a new one: runs that grow leave small blocks behind, which young ones outgrow soon.
        for class in [class, class + 1] {
            if let Some(first) = self.free.get_mut(class).and_then(Vec::pop) {
                let rows = rows_of(class);
                return Block { first, rows };
            }
        }
        let rows = rows_of(class);
        let first = self.carve(rows as usize);
        Block { first, rows }
    }

    /// A new block: behind all others, or a piece of its own.
    fn carve(&mut self, rows: usize) -> Place {
        let is_large = rows >= Self::ROWS_LARGE;
        let open = &self.pieces[self.open as usize];
        let room = if self.open == 0 {
            Self::ROWS_FIRST
        } else {
            open.capacity()
        };
        if is_large || open.len() + rows > room {
            let piece = self.vacant.pop().unwrap_or(small(self.pieces.len()));
            if piece as usize == self.pieces.len() {
                self.pieces.push(Vec::new());
            }
            // As much again as is held: a state of a megabyte does not fill a page of two.
            let room = self.len.clamp(Self::ROWS_FIRST, Self::ROWS);
            self.pieces[piece as usize] = with_room(if is_large { rows } else { room.max(rows) });
            if is_large {
                return self.append(piece, rows);
            }
            self.open = piece;
        }
        self.append(self.open, rows)
    }

    /// A block behind all others of a piece.
    fn append(&mut self, piece: u32, rows: usize) -> Place {
        let rows_of = &mut self.pieces[piece as usize];
        let row = small(rows_of.len());
        rows_of.resize(rows_of.len() + rows, T::default());
        grown(rows_of, rows);
        self.len += rows;
        Place { piece, row }
    }

    /// Takes a block back.
    pub(super) fn give_back(&mut self, block: Block) {
        if block.rows == 0 {
            return;
        }
        if block.rows() >= Self::ROWS_LARGE {
            self.pieces[block.first.piece as usize] = Vec::new();
            self.vacant.push(block.first.piece);
            self.len -= block.rows();
            return;
        }
        let class = class_of(block.rows);
        if self.free.len() <= class {
            self.free.resize_with(class + 1, Vec::new);
        }
        let free = &mut self.free[class];
        if free.len() == free.capacity() {
            // By a quarter: of states with many small blocks these lists are a part that shows.
            free.reserve_exact(free.len() / 4 + 4);
        }
        free.push(block.first);
    }

    /// Exchanges a block for a larger one, in which the rows stand from the first on, beginning with the one at `first`.
    #[cold]
    #[inline(never)]
    pub(super) fn grow(&mut self, block: &mut Block, rows: usize, first: usize) {
        let mut moving = std::mem::take(&mut self.moving);
        moving.clear();
        let (end, begin) = self.rows(block).split_at(first);
        moving.extend_from_slice(begin);
        moving.extend_from_slice(end);
        self.give_back(std::mem::take(block));
        *block = self.take(rows);
        self.rows_mut(block)[..moving.len()].copy_from_slice(&moving);
        if moving.capacity() <= Self::ROWS_MOVING {
            self.moving = moving;
        }
    }

    /// The rows of a block.
    #[inline(always)]
    #[must_use]
    pub(super) fn rows(&self, block: &Block) -> &[T] {
        let row = block.first.row as usize;
        &self.pieces[block.first.piece as usize][row..row + block.rows()]
    }

    /// The rows of a block.
    #[inline(always)]
    pub(super) fn rows_mut(&mut self, block: &Block) -> &mut [T] {
        let row = block.first.row as usize;
        &mut self.pieces[block.first.piece as usize][row..row + block.rows()]
    }

    /// Asks the processor for a row of a block ahead of its use.
    #[inline(always)]
    pub(super) fn prefetch(&self, block: &Block, row: usize) {
        if let Some(piece) = self.pieces.get(block.first.piece as usize) {
            let row = block.first.row as usize + row;
            prefetch_part(piece, row, 0..size_of::<T>());
        }
    }

    /// Bytes held: of pieces what blocks have touched, those that were given back included.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let open = &self.pieces[self.open as usize];
        let [room, touched] = [open.capacity(), open.len()].map(|rows| rows * size_of::<T>());
        let pages = if self.open == 0 {
            room
        } else if room < 2 * LARGE_PAGE_BYTES {
            // One large page at most lies wholly within, and mostly none.
            touched
        } else {
            with_page_ahead(touched).min(room)
        };
        let rows = self.len * size_of::<T>() - touched + pages;
        let places: usize = self.free.iter().map(Vec::capacity).sum();
        rows + places * size_of::<Place>() + self.moving.capacity() * size_of::<T>()
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
            blocks.rows_mut(&block).fill(n);
            taken.push(block);
        }
        let held: usize = taken.iter().map(|block| block.rows()).sum();
        assert_eq!(blocks.len, held);
        assert!(blocks.bytes() >= held * 8 && blocks.bytes() < held * 8 + 2 * LARGE_PAGE_BYTES);
        // Large blocks are pieces, however large, and go back to the system.
        let [larger, large] = [Blocks::<u64>::ROWS_LARGE, 3 * Blocks::<u64>::ROWS].map(|rows| {
            let block = blocks.take(rows);
            blocks.rows_mut(&block).fill(u64::MAX);
            block
        });
        blocks.give_back(larger);
        let after = blocks.take(5);
        blocks.rows_mut(&after).fill(7);
        for (n, block) in taken.iter().enumerate() {
            assert!(
                blocks.rows(block).iter().all(|row| *row == n as u64),
                "block {n}"
            );
        }
        assert!(blocks.rows(&large).iter().all(|row| *row == u64::MAX));
        let before = blocks.bytes();
        taken.drain(..).for_each(|block| blocks.give_back(block));
        for n in 0..40_000 {
            let block = blocks.take(1 + n % 200);
            blocks.rows_mut(&block).fill(0);
        }
        let large_rows = large.rows();
        assert_eq!(blocks.len, held + large_rows + after.rows());
        assert!(blocks.bytes() < before + 40_000 * 16 + 2_048);
        blocks.give_back(large);
        assert!(blocks.bytes() < before - 3 * Blocks::<u64>::ROWS * 8 + 40_000 * 16 + 2_048);
        assert!(blocks.rows(&after).iter().all(|row| *row == 7));
    }

    #[test]
    fn a_block_serves_its_own_size_and_the_next_smaller_one() {
        let mut blocks = Blocks::<u64>::new();
        let given = blocks.take(8);
        let place = given.first;
        blocks.give_back(given);
        assert_ne!(blocks.take(4).first, place);
        let served = blocks.take(6);
        assert_eq!((served.first, served.rows()), (place, 8));
        blocks.give_back(served);
        assert_eq!(blocks.take(7).first, place);
    }

    /// Pieces were of 16 MiB from the second on, of whose last large page a state of three megabytes left a half unused.
    #[test]
    fn a_state_of_few_megabytes_holds_what_it_uses() {
        let (mut blocks, mut held) = (Blocks::<u64>::new(), 0);
        while held < 2 * LARGE_PAGE_BYTES {
            held += blocks.take(24).rows() * size_of::<u64>();
            if held > 2 * FIRST_BYTES {
                assert_eq!(blocks.bytes(), held);
            }
        }
        assert!(blocks.pieces.len() > 4);
    }

    #[test]
    fn few_blocks_hold_little() {
        let mut blocks = Blocks::<u64>::new();
        (0..3).for_each(|_| blocks.rows_mut(&Block::default()).fill(0));
        assert!(blocks.bytes() < 64, "{} bytes", blocks.bytes());
        let _ = blocks.take(3);
        assert!(blocks.bytes() < 256, "{} bytes", blocks.bytes());
    }
}
