//! Asks the system for large pages: of state that is larger than what the processor can translate at once, every row is
//! on a page of its own, and finding the page costs as much as reading the row.
//!
//! ```text
//! memory       |····|····|····|····|····|····|     room, not touched yet
//! pages         4 KiB │ 2 MiB │ 2 MiB │ 4 KiB      from the first touch on, where the system has such
//! rows         ▐▐▐▐▐▐▐▐▐▐▐▐▐▐▌                    where a page is three quarters full, the next one is provided
//! ```
//!
//! The first touch of a large page clears it, which takes 0.2 ms; on a virtual machine whose host has to find the memory,
//! several. So what grows row by row has its next page provided by a thread: rows mostly do not wait for it. Tables, which
//! are filled at once, and pieces that begin at the end of a page still do.

use std::mem::MaybeUninit;
use std::sync::OnceLock;

use crossbeam::channel::{Sender, bounded};

/// Bytes of a piece of what grows by pieces, about: several large pages.
pub(super) const PIECE_BYTES: usize = 16 << 20;

/// Bytes up to which the first piece grows by copying: most states are small.
pub(super) const FIRST_BYTES: usize = 128 << 10;

/// Bytes of a large page on the processors that most run on.
pub(super) const LARGE_PAGE_BYTES: usize = 2 << 20;

/// A vector with room for so many, on large pages if they fill some.
pub(super) fn with_room<T>(len: usize) -> Vec<T> {
    let mut all = Vec::with_capacity(len);
    prefer_large(all.spare_capacity_mut());
    all
}

/// Room that is reserved for a table that doubles: address space, of which nothing is taken before it is touched.
#[derive(Clone, Copy)]
pub(super) struct Reserve {
    /// Bytes from which on a table has room for more than itself.
    from: usize,
    /// Bytes up to which it has room for [`Reserve::TIMES`] as many, or for these at most; beyond, for twice as many.
    upto: usize,
}

impl Reserve {
    /// So much from so many bytes on, up to so many.
    #[cfg(test)]
    pub(super) const fn of(from: usize, upto: usize) -> Self {
        Self { from, upto }
    }

    /// Four doublings.
    const TIMES: usize = 16;

    /// Where the system commits memory when it is touched: on Linux, unless it was told to promise no more than it has.
    pub(super) fn usual() -> Self {
        static IS_GRANTED: OnceLock<bool> = OnceLock::new();
        let is_granted = IS_GRANTED.get_or_init(|| {
            let told = std::fs::read_to_string("/proc/sys/vm/overcommit_memory");
            cfg!(target_os = "linux") && told.is_ok_and(|mode| mode.trim() != "2")
        });
        Self {
            from: if *is_granted { 1 << 20 } else { usize::MAX },
            upto: 256 << 20,
        }
    }

    /// The bytes to have room for where a table is to have so many.
    fn room(self, bytes: usize) -> usize {
        if bytes < self.from {
            return bytes;
        }
        bytes
            .saturating_mul(Self::TIMES)
            .min(self.upto)
            .max(bytes.saturating_mul(2))
    }
}

/// Makes room for as many again, mostly where they lie: a vector that has none moves to where there is room for some more
/// doublings, if the system grants it.
pub(super) fn reserve_to_double<T>(all: &mut Vec<T>, reserve: Reserve) {
    let len = all.len() * 2;
    if len <= all.capacity() {
        return;
    }
    let mut grown = Vec::new();
    let room = reserve.room(len * size_of::<T>()) / size_of::<T>().max(1);
    if grown.try_reserve_exact(room).is_err() {
        grown.reserve_exact(len);
    }
    prefer_large(grown.spare_capacity_mut());
    grown.append(all);
    *all = grown;
}

/// How far from the end of a large page the next one is asked for, in bytes.
const AHEAD_BYTES: usize = LARGE_PAGE_BYTES / 4;

/// Large pages that wait to be provided.
const PAGES_WAITING_MAX: usize = 16;

/// The pages that so many bytes take, with the one that is provided ahead of them.
pub(super) const fn with_page_ahead(bytes: usize) -> usize {
    (bytes + AHEAD_BYTES).next_multiple_of(LARGE_PAGE_BYTES)
}

/// To be told of rows that were put behind all others of a piece: has the next large page provided when it is time.
#[inline(always)]
pub(super) fn grown<T>(piece: &Vec<T>, rows: usize) {
    if let Some(page) = page_ahead(piece, rows)
        && cfg!(target_os = "linux")
    {
        provide(page);
    }
}

/// The address of the large page behind the one that the last rows have filled to three quarters, if there is room for it.
#[inline(always)]
fn page_ahead<T>(piece: &Vec<T>, rows: usize) -> Option<usize> {
    let number = |address: usize| (address + AHEAD_BYTES) / LARGE_PAGE_BYTES;
    let end = piece.as_ptr_range().end.addr();
    if number(end) == number(end - rows * size_of::<T>()) {
        return None;
    }
    let next = number(end) * LARGE_PAGE_BYTES;
    let room_ends = piece.as_ptr().addr() + piece.capacity() * size_of::<T>();
    (next >= end && next + LARGE_PAGE_BYTES <= room_ends).then_some(next)
}

/// Leaves the large page at an address to the thread that provides them, one of the process. Where it has enough to do, or
/// is not to be had, whoever touches the page waits for it, as for any other.
#[cold]
#[inline(never)]
fn provide(page: usize) {
    static PAGES: OnceLock<Option<Sender<usize>>> = OnceLock::new();
    let pages = PAGES.get_or_init(|| {
        let (pages, asked) = bounded(PAGES_WAITING_MAX);
        let thread = std::thread::Builder::new().name("large pages".to_owned());
        let started = thread.spawn(move || {
            for page in asked {
                populate(page);
            }
        });
        started.is_ok().then_some(pages)
    });
    if let Some(pages) = pages {
        let _ = pages.try_send(page);
    }
}

/// Touches a large page without changing what is there; whether the system did so.
fn populate(page: usize) -> bool {
    #[cfg(target_os = "linux")]
    {
        // SAFETY: the call changes nothing that memory holds, and may come while others use it. Where the room has been
        // given back meanwhile it fails, or what is there now has its pages before it asks for them.
        #[expect(unsafe_code, reason = "the standard library knows no advice on memory")]
        let failed = unsafe {
            libc::madvise(
                std::ptr::without_provenance_mut(page),
                LARGE_PAGE_BYTES,
                libc::MADV_POPULATE_WRITE,
            )
        };
        failed == 0
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = page;
        false
    }
}

/// Asks that the large pages that lie wholly in some room be used; what has been touched stays as it is.
fn prefer_large<T>(room: &mut [MaybeUninit<T>]) {
    #[cfg(target_os = "linux")]
    {
        let first = room.as_mut_ptr().cast::<u8>();
        let skipped = first.align_offset(LARGE_PAGE_BYTES);
        let bytes = size_of_val(room).saturating_sub(skipped) / LARGE_PAGE_BYTES * LARGE_PAGE_BYTES;
        if bytes > 0 {
            // SAFETY: the advice changes neither what the room holds nor who may use it, and the room is held here
            // alone. A system that has no large pages refuses, and nothing is lost.
            #[expect(unsafe_code, reason = "the standard library knows no advice on memory")]
            unsafe {
                libc::madvise(
                    first.wrapping_add(skipped).cast(),
                    bytes,
                    libc::MADV_HUGEPAGE,
                );
            }
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = room;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_asked_for_once_three_quarters_of_one_are_full() {
        let mut piece: Vec<u64> = with_room(PIECE_BYTES / 8);
        let mut asked = Vec::new();
        while piece.len() < piece.capacity() {
            let rows = (piece.capacity() - piece.len()).min(10_000);
            piece.resize(piece.len() + rows, 7);
            let end = piece.as_ptr_range().end.addr();
            if let Some(page) = page_ahead(&piece, rows) {
                assert!(page > end && page - end <= AHEAD_BYTES);
                asked.push(page);
            }
        }
        let pages = PIECE_BYTES / LARGE_PAGE_BYTES;
        assert!((pages - 2..pages).contains(&asked.len()));
        assert!(
            asked
                .windows(2)
                .all(|pair| pair[1] - pair[0] == LARGE_PAGE_BYTES)
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_page_that_was_provided_is_in_memory_and_the_next_is_not() {
        // Larger than what an allocator hands out again.
        let piece: Vec<u64> = with_room(3 * PIECE_BYTES / 8);
        let first = piece.as_ptr().addr().next_multiple_of(LARGE_PAGE_BYTES);
        if populate(first) {
            assert_eq!(resident_bytes(first), LARGE_PAGE_BYTES);
            assert_eq!(resident_bytes(first + LARGE_PAGE_BYTES), 0);
        } else {
            println!("skipped a_page_that_was_provided…: Linux provides pages from 5.14 on");
        }
        drop(piece);
        populate(first);
    }

    /// Bytes of a large page that are in memory, as the system says.
    #[cfg(target_os = "linux")]
    #[expect(unsafe_code, reason = "a test of what the system holds")]
    fn resident_bytes(page: usize) -> usize {
        // SAFETY: the call only reads a number of the system.
        let page_bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize;
        let mut is_resident = vec![0_u8; LARGE_PAGE_BYTES / page_bytes];
        // SAFETY: there is a byte for each page, and the caller holds them.
        let failed = unsafe {
            let page = std::ptr::without_provenance_mut(page);
            libc::mincore(page, LARGE_PAGE_BYTES, is_resident.as_mut_ptr())
        };
        assert_eq!(failed, 0);
        is_resident.iter().filter(|page| **page & 1 == 1).count() * page_bytes
    }

    #[test]
    fn a_vector_that_doubles_moves_less_often_than_it_doubles() {
        let reserve = Reserve {
            from: 1 << 10,
            upto: 1 << 16,
        };
        let (mut all, mut moves) = (vec![7_u8; 64], Vec::new());
        while all.len() < 1 << 20 {
            let before = all.as_ptr();
            reserve_to_double(&mut all, reserve);
            if all.as_ptr() != before {
                moves.push(all.len() * 2);
            }
            all.resize(all.len() * 2, 7);
        }
        assert!(all.iter().all(|value| *value == 7));
        // Small ones each time; then for four doublings, up to the limit; beyond, for one more.
        let small = [1 << 7, 1 << 8, 1 << 9];
        let large = [1 << 10, 1 << 15, 1 << 17, 1 << 19];
        assert!(moves.iter().eq(small.iter().chain(&large)), "{moves:?}");
        assert_eq!(Reserve::of(usize::MAX, 1 << 16).room(1 << 30), 1 << 30);
    }

    #[test]
    fn what_lies_on_large_pages_is_what_was_put_there() {
        for len in [0, 1, 1_000, 3_000_000] {
            let mut all = with_room(len);
            all.resize(len, 7_u64);
            assert!(all.len() == len && all.iter().all(|value| *value == 7));
        }
    }
}
