//! The seed's dice, and the trace of what they led to.

use std::sync::{Arc, Mutex, PoisonError};

/// A seeded generator (splitmix64, Steele, Lea and Flood 2014) that all parts of a simulation share.
#[derive(Clone)]
pub(crate) struct Dice(Arc<Mutex<u64>>);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(
            seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03,
        )))
    }

    fn next(&self) -> u64 {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = *state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    /// A number below `limit`.
    pub(crate) fn below(&self, limit: usize) -> usize {
        #[expect(clippy::cast_possible_truncation, reason = "below a usize")]
        let number = (self.next() % limit.max(1) as u64) as usize;
        number
    }

    /// True in `percent` of 100 throws.
    pub(crate) fn chance(&self, percent: u64) -> bool {
        self.next() % 100 < percent
    }
}

/// A running hash of everything that happened.
#[derive(Clone, Default)]
pub(crate) struct Trace(Arc<Mutex<u64>>);

impl Trace {
    pub(crate) fn note(&self, what: &[u64]) {
        let mut hash = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for word in what {
            *hash = (*hash ^ word).wrapping_mul(0x0100_0000_01B3).rotate_left(9);
        }
    }

    pub(crate) fn hash(&self) -> u64 {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
