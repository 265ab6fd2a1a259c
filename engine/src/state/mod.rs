//! Containers that keyed state is made of, laid out for the cache.

mod blocks;
mod deque;
mod index;
mod pages;
mod prefetch;
mod slab;

pub use blocks::Blocks;
pub use deque::{Deque, Rows, RowsIter};
pub use index::KeyIndex;
pub use pages::filled;
pub use prefetch::{CACHE_LINE_BYTES, prefetch, prefetch_part};
pub use slab::Slab;
