//! Keys, and the frozen hash that deals them to 128 key groups.
//!
//! ```text
//! key ── tag() ──▶ u64 ── × 0x9E37_79B9_7F4A_7C15 ──▶ top 7 bits = key group ── group × workers / 128 ──▶ worker
//! ```
//!
//! State on disk depends on [`Key::tag`] and [`key_group`]: they are frozen. A changed constant is a changed format.

use std::fmt::Debug;
use std::sync::Arc;

use crate::time::Timestamp;
use crate::update::Data;

/// Key groups that state is dealt in: any number of workers up to this can share a job's state.
pub const KEY_GROUPS: usize = 128;

/// 2⁶⁴ divided by the golden ratio, made odd (Knuth, The Art of Computer Programming 3, 6.4).
pub const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// The key group of a tag, from 0 to 127.
#[must_use]
#[inline]
pub const fn key_group(tag: u64) -> usize {
    (tag.wrapping_mul(GOLDEN) >> 57) as usize
}

/// The worker that owns a tag's key group: groups are dealt in ranges.
#[must_use]
#[inline]
pub const fn owner(tag: u64, workers: usize) -> usize {
    key_group(tag) * workers / KEY_GROUPS
}

/// What rows can be keyed by.
pub trait Key: Data + Ord + Debug {
    /// Whether equal tags mean equal keys: true for integers of up to 64 bits. Others are compared in full.
    const EXACT: bool;

    /// 64 bits that are equal for equal keys. Frozen.
    fn tag(&self) -> u64;
}

macro_rules! integer_keys {
    ($($int:ty),*) => {$(
        impl Key for $int {
            const EXACT: bool = true;
            #[inline]
            fn tag(&self) -> u64 {
                *self as u64
            }
        }
    )*};
}
integer_keys!(u8, u16, u32, u64, i8, i16, i32, i64);

impl Key for () {
    const EXACT: bool = true;
    fn tag(&self) -> u64 {
        0
    }
}

impl Key for bool {
    const EXACT: bool = true;
    fn tag(&self) -> u64 {
        u64::from(*self)
    }
}

impl Key for Timestamp {
    const EXACT: bool = true;
    fn tag(&self) -> u64 {
        self.0.tag()
    }
}

impl Key for String {
    const EXACT: bool = false;
    fn tag(&self) -> u64 {
        tag_bytes(self.as_bytes())
    }
}

/// Shared text: cheap to clone, so the better choice for text that repeats, such as a country.
impl Key for Arc<str> {
    const EXACT: bool = false;
    fn tag(&self) -> u64 {
        tag_bytes(self.as_bytes())
    }
}

impl<K: Key> Key for Option<K> {
    const EXACT: bool = false;
    fn tag(&self) -> u64 {
        self.as_ref().map_or(GOLDEN, |key| fold(1, key.tag()))
    }
}

macro_rules! tuple_keys {
    ($($name:ident),+) => {
        impl<$($name: Key),+> Key for ($($name,)+) {
            const EXACT: bool = false;
            #[expect(non_snake_case, reason = "the macro names a value after its type")]
            fn tag(&self) -> u64 {
                let ($($name,)+) = self;
                let mut tag = 0;
                $(tag = fold(tag, $name.tag());)+
                tag
            }
        }
    };
}
tuple_keys!(A, B);
tuple_keys!(A, B, C);
tuple_keys!(A, B, C, D);
tuple_keys!(A, B, C, D, E);

/// The tag of some bytes: eight at a time, little end first, then the length. Frozen.
#[must_use]
pub fn tag_bytes(bytes: &[u8]) -> u64 {
    let mut tag = GOLDEN;
    for chunk in bytes.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        tag = fold(tag, u64::from_le_bytes(word));
    }
    fold(tag, bytes.len() as u64)
}

/// Mixes `next` into `tag`: the two halves of a 128-bit product, xored (as wyhash does). Frozen.
fn fold(tag: u64, next: u64) -> u64 {
    let product =
        u128::from(tag ^ 0xA076_1D64_78BD_642F) * u128::from(next ^ 0xE703_7ED1_A0B4_28DB);
    #[expect(clippy::cast_possible_truncation, reason = "both halves are meant")]
    let halves = (product as u64, (product >> 64) as u64);
    halves.0 ^ halves.1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hash is part of the format of state on disk: these numbers may never change.
    #[test]
    fn the_hash_is_frozen() {
        assert_eq!(key_group(1), 79);
        assert_eq!(key_group(42), 122);
        assert_eq!("thalweg".to_string().tag(), 9_216_443_399_287_340_379);
        assert_eq!((7_i32, "x".to_string()).tag(), 12_966_009_229_018_653_064);
    }

    #[test]
    fn every_worker_owns_a_range_of_groups_and_every_group_has_an_owner() {
        for workers in 1..=KEY_GROUPS {
            let mut last = 0;
            for group in 0..KEY_GROUPS {
                let worker = group * workers / KEY_GROUPS;
                assert!(worker == last || worker == last + 1);
                last = worker;
            }
            assert_eq!(last, workers - 1);
        }
    }
}
