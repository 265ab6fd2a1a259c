//! States that add up: what two parts of the rows come to, put together.
//!
//! ```text
//! update(A) + update(B) = update(A ∪ B)          − takes a part out again, to the bit
//! ```
//!
//! Windows that overlap are put together of the parts that they share, so that a row is counted once and not in each.

use thalweg_engine::update::Diff;

/// Adds copies of one state, as often as the number says, to another; a negative number takes them out.
pub type Add<S> = fn(&mut S, &S, Diff);

/// A state that adds up. Its default is zero.
pub trait Additive {
    /// Adds `times` copies of what `other` has seen; negative ones take it out.
    fn add(&mut self, other: &Self, times: Diff);
}

impl Additive for Diff {
    #[inline(always)]
    fn add(&mut self, other: &Self, times: Diff) {
        *self += other * times;
    }
}

impl<A: Additive, B: Additive> Additive for (A, B) {
    #[inline]
    fn add(&mut self, other: &Self, times: Diff) {
        self.0.add(&other.0, times);
        self.1.add(&other.1, times);
    }
}
