//! Containers that keyed state is made of, laid out for the cache.

mod index;
mod prefetch;

pub use index::KeyIndex;
pub use prefetch::prefetch;
