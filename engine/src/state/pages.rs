//! Asks the system for large pages: of state that is larger than what the processor can translate at once, every row is
//! on a page of its own, and finding the page costs as much as reading the row.
//!
//! ```text
//! memory       |····|····|····|····|····|····|     room, not touched yet
//! pages         4 KiB │ 2 MiB │ 2 MiB │ 4 KiB      from the first touch on, where the system has such
//! ```

use std::mem::MaybeUninit;

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

/// So many of what `make` makes, as a table is before it is used: on large pages if it fills some.
#[must_use]
pub fn filled<T>(len: usize, make: impl FnMut() -> T) -> Vec<T> {
    let mut all = with_room(len);
    all.resize_with(len, make);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_on_large_pages_is_what_was_put_there() {
        for len in [0, 1, 1_000, 3_000_000] {
            let all = filled(len, || 7_u64);
            assert!(all.len() == len && all.iter().all(|value| *value == 7));
        }
    }
}
