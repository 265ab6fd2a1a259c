//! Containers that keyed state is made of, laid out for the cache.

mod blocks;
mod deque;
mod index;
mod pages;
mod prefetch;
mod slab;

pub use blocks::{Block, Blocks};
pub use deque::{Deque, Rows, RowsIter};
pub use index::KeyIndex;
pub use pages::filled;
pub use prefetch::{prefetch, prefetch_part};
pub use slab::Slab;
