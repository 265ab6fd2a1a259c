//! Containers that keyed state is made of, laid out for the cache.

mod blocks;
mod deque;
mod index;
mod pages;
mod places;
mod prefetch;
mod slab;

pub use blocks::Blocks;
pub use deque::{Deque, Rows, RowsIter};
pub use index::KeyIndex;
pub use places::{Place, Places, hash_of};
pub use prefetch::{CACHE_LINE_BYTES, prefetch, prefetch_part};
pub use slab::Slab;
