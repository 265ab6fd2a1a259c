//! Asks the processor for memory ahead of its use: worth a factor of two at a million keys.

/// Bytes that the processor fetches at a time.
pub const CACHE_LINE_BYTES: usize = 64;

/// Prefetches every cache line of `slice[index]`; an index beyond the end is harmless.
#[inline(always)]
pub fn prefetch<T>(slice: &[T], index: usize) {
    prefetch_part(slice, index, 0..size_of::<T>());
}

/// Prefetches some bytes of `slice[index]`, whole cache lines.
#[inline(always)]
pub fn prefetch_part<T>(slice: &[T], index: usize, bytes: std::ops::Range<usize>) {
    #[cfg(target_arch = "x86_64")]
    {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let first = slice
            .as_ptr()
            .wrapping_add(index)
            .cast::<i8>()
            .wrapping_add(bytes.start);
        for line in 0..bytes.len().div_ceil(CACHE_LINE_BYTES) {
            let address = first.wrapping_add(line * CACHE_LINE_BYTES);
            // SAFETY: a prefetch is a hint; the processor ignores addresses that it may not read.
            #[expect(
                unsafe_code,
                reason = "the intrinsic is declared unsafe for its pointer, which it never reads"
            )]
            unsafe {
                _mm_prefetch::<_MM_HINT_T0>(address);
            }
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (slice, index, bytes);
}
