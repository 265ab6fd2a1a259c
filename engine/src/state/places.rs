//! The places of an open-addressing table, searched one after another; the table doubles where it lies.
//!
//! ```text
//! hash ─ its top bits ─▶ home │ home + 1 │ …                      the entry stands at the first of them that was free
//!
//! before     │ a b · c │                                          room behind it, not touched
//! doubled    │ a · b · · · c · │     from the last to the first, nearly each to a place at or behind its own
//! ```
//!
//! Hashes keep their order when the table doubles: what had its home at `p` has it at `2p` or `2p + 1`. A few entries come
//! to stand before their old places, because they had been pushed on; they are put in last. So a table of some size is
//! not copied into a second one, for which the system would have to find and clear memory; only small ones and very large
//! ones move ([`Reserve`]).
//!
//! # Invariants
//! Between an entry's home and where it stands no place is free.

use std::ops::{Index, IndexMut};

use crate::key::GOLDEN;
use crate::state::pages::{Reserve, reserve_to_double, with_room};
use crate::state::prefetch;

/// What stands at a place of a table, or that nothing does.
pub trait Place {
    /// A place where nothing stands.
    const FREE: Self;

    /// Whether nothing does.
    fn is_free(&self) -> bool;

    /// The hash of what stands there: its first bits say where the search for it begins.
    fn hash(&self) -> u64;
}

/// The hash of a key's tag, for [`Place::hash`]: without the first 7 bits of what deals keys to key groups, which all keys
/// of a worker may share.
#[inline(always)]
#[must_use]
pub const fn hash_of(tag: u64) -> u64 {
    tag.wrapping_mul(GOLDEN) << 7
}

/// The places: a power of two of them. Which entry is whose is for the caller to tell.
///
/// An entry is put at the free place that [`Places::find`] says, and one place at least is to stay free:
/// [`Places::double`] before none is.
///
/// ```
/// use thalweg_engine::state::{Place, Places, hash_of};
///
/// #[derive(Clone, Copy)]
/// struct Count(u64, u32);
///
/// impl Place for Count {
///     const FREE: Self = Count(0, 0);
///     fn is_free(&self) -> bool {
///         self.1 == 0
///     }
///     fn hash(&self) -> u64 {
///         hash_of(self.0)
///     }
/// }
///
/// let mut counts = Places::new(4);
/// for word in [7, 9, 7] {
///     match counts.find(hash_of(word), |count: &Count| count.0 == word) {
///         Ok(place) => counts[place].1 += 1,
///         Err(free) => counts[free] = Count(word, 1),
///     }
/// }
/// counts.double();
/// let place = counts.find(hash_of(7), |count| count.0 == 7).unwrap();
/// assert_eq!(counts[place].1, 2);
/// ```
pub struct Places<P> {
    all: Vec<P>,
    shift: u32,
}

impl<P: Place> Places<P> {
    /// So many free places, rounded up to a power of two, at least two.
    #[must_use]
    pub fn new(len: usize) -> Self {
        let len = len.max(2).next_power_of_two();
        let mut all = with_room(len);
        all.resize_with(len, || P::FREE);
        Self {
            all,
            shift: 64 - len.trailing_zeros(),
        }
    }

    /// Where the search for a hash begins.
    #[inline(always)]
    #[must_use]
    pub fn home(&self, hash: u64) -> usize {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the table is smaller than memory"
        )]
        let home = (hash >> self.shift) as usize;
        home & (self.all.len() - 1)
    }

    /// Where it goes on.
    #[inline(always)]
    #[must_use]
    pub fn after(&self, place: usize) -> usize {
        (place + 1) & (self.all.len() - 1)
    }

    /// Asks for the first place of a hash ahead of the search.
    #[inline(always)]
    pub fn prefetch(&self, hash: u64) {
        prefetch(&self.all, self.home(hash));
    }

    /// The place of the entry of a hash for which `is_it` holds, or the free one where the search for it ends.
    ///
    /// # Errors
    /// The free place, where there is no such entry.
    #[inline(always)]
    pub fn find(&self, hash: u64, is_it: impl Fn(&P) -> bool) -> Result<usize, usize> {
        let mut place = self.home(hash);
        loop {
            let entry = &self.all[place];
            if entry.is_free() {
                return Err(place);
            }
            if is_it(entry) {
                return Ok(place);
            }
            place = self.after(place);
        }
    }

    /// Makes the table twice as large; all entries may stand elsewhere afterwards.
    #[cold]
    pub fn double(&mut self) {
        self.double_within(Reserve::usual());
    }

    fn double_within(&mut self, reserve: Reserve) {
        let len = self.all.len();
        reserve_to_double(&mut self.all, reserve);
        self.all.resize_with(len * 2, || P::FREE);
        self.shift -= 1;
        // Those that would come to stand before their old places, among others that have yet to move, and those that
        // are pushed on past the end: a few.
        let mut late = Vec::new();
        for place in (0..len).rev() {
            if self.all[place].is_free() {
                continue;
            }
            let entry = std::mem::replace(&mut self.all[place], P::FREE);
            let home = self.home(entry.hash());
            let is_behind = home >= place;
            let mut behind = home..if is_behind { len * 2 } else { home };
            match behind.find(|place| self.all[*place].is_free()) {
                Some(free) => self.all[free] = entry,
                None => late.push(entry),
            }
        }
        for entry in late {
            if let Err(free) = self.find(entry.hash(), |_| false) {
                self.all[free] = entry;
            }
        }
    }

    /// Frees a place; what was pushed on past it moves up, so that it is still found without a tombstone.
    #[inline]
    pub fn vacate(&mut self, mut hole: usize) {
        let mask = self.all.len() - 1;
        let mut next = self.after(hole);
        while !self.all[next].is_free() {
            let home = self.home(self.all[next].hash());
            if (next.wrapping_sub(home) & mask) >= (next.wrapping_sub(hole) & mask) {
                self.all.swap(hole, next);
                hole = next;
            }
            next = self.after(next);
        }
        self.all[hole] = P::FREE;
    }

    /// Frees all places.
    pub fn clear(&mut self) {
        self.all.fill_with(|| P::FREE);
    }

    /// Places, free ones among them.
    #[inline(always)]
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "there are always two")]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// All places, free ones among them.
    pub fn iter(&self) -> std::slice::Iter<'_, P> {
        self.all.iter()
    }

    /// All places, to change what stands there, but neither whether something does nor its hash.
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, P> {
        self.all.iter_mut()
    }

    /// Bytes of all places; the room reserved behind them is none, nor what entries own beyond themselves.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of_val(self.all.as_slice())
    }
}

impl<P> Index<usize> for Places<P> {
    type Output = P;

    #[inline(always)]
    fn index(&self, place: usize) -> &P {
        &self.all[place]
    }
}

impl<P> IndexMut<usize> for Places<P> {
    #[inline(always)]
    fn index_mut(&mut self, place: usize) -> &mut P {
        &mut self.all[place]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// A hash with what is known of it; zero where nothing stands.
    #[derive(Clone, Debug)]
    struct Known(u64, u64);

    impl Place for Known {
        const FREE: Self = Known(0, 0);

        fn is_free(&self) -> bool {
            self.0 == 0
        }

        fn hash(&self) -> u64 {
            self.0
        }
    }

    /// Where a hash stands, or where it may.
    fn find(places: &Places<Known>, hash: u64) -> usize {
        let found = places.find(hash, |known| known.0 == hash);
        found.unwrap_or_else(|free| free)
    }

    /// Hashes that differ in their first bits, in their last, and those that crowd at both ends of the table.
    #[test]
    fn all_is_found_through_doubling_and_leaving_wherever_it_crowds() {
        let hashes: [fn(u64) -> u64; 5] = [
            |n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15),
            |n| n,
            |n| u64::MAX - n,
            |n| if n.is_multiple_of(2) { n } else { u64::MAX - n },
            |n| (n << 60) | n,
        ];
        for (kind, hash) in hashes.iter().enumerate() {
            let mut places = Places::new(2);
            let mut known = BTreeMap::new();
            let mut seed = 1_u64;
            for round in 0..6_000 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let hash = hash(1 + (seed >> 33) % 700);
                let place = find(&places, hash);
                if seed.is_multiple_of(3) {
                    if known.remove(&hash).is_some() {
                        places.vacate(place);
                    }
                } else {
                    known.insert(hash, round);
                    places[place] = Known(hash, round);
                }
                if known.len() * 4 > places.len() * 3 {
                    places.double();
                    let found = places.iter().filter(|place| !place.is_free());
                    let found: BTreeMap<_, _> = found.map(|known| (known.0, known.1)).collect();
                    assert_eq!(found, known, "kind {kind}, round {round}");
                }
                let value = places[find(&places, hash)].1;
                assert_eq!(value, known.get(&hash).copied().unwrap_or(0), "kind {kind}");
            }
            for (hash, value) in &known {
                assert_eq!(places[find(&places, *hash)].1, *value, "kind {kind}");
            }
            places.clear();
            assert!(places.iter().all(Place::is_free) && places.len() >= 512);
        }
    }

    /// Wherever it lies when it doubles.
    #[test]
    fn a_large_table_doubles_with_all_that_is_in_it() {
        for reserve in [
            Reserve::usual(),
            Reserve::of(1 << 12, 1 << 16),
            Reserve::of(1 << 12, usize::MAX),
        ] {
            let mut places: Places<Known> = Places::new(1 << 7);
            for n in 1..=200_000_u64 {
                let hash = n.wrapping_mul(0x9E37_79B9_7F4A_7C15);
                if n as usize * 2 > places.len() {
                    places.double_within(reserve);
                }
                let place = find(&places, hash);
                places[place] = Known(hash, n);
            }
            for n in 1..=200_000_u64 {
                let hash = n.wrapping_mul(0x9E37_79B9_7F4A_7C15);
                assert_eq!(places[find(&places, hash)].1, n);
            }
            assert_eq!(places.bytes(), (1 << 19) * size_of::<Known>());
        }
    }
}
