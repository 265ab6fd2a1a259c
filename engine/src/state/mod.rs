//! Containers that keyed state is made of, laid out for the cache.

mod index;
mod pages;
mod prefetch;
mod slab;

pub use index::KeyIndex;
pub use pages::filled;
pub use prefetch::{prefetch, prefetch_part};
pub use slab::Slab;
