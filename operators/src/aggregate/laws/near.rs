//! How near two answers are to each other.

use std::collections::BTreeMap;

use crate::aggregate::LastAt;
use crate::value::{Lane, Moments, Real};

/// How near an answer must be to that of brute force.
#[derive(Clone, Copy, Debug)]
pub enum Agrees {
    /// Equal.
    Exactly,
    /// No further apart than this share of the greater of the two.
    Within(f64),
    /// No further apart than this.
    About(f64),
}

/// Answers that can be near one another: floats, and what holds floats. All others are near if they are equal.
///
/// ```
/// use thalweg_operators::aggregate::laws::{Agrees, Near};
///
/// /// A level, and a word for it.
/// struct Level(f64, String);
///
/// impl Near for Level {
///     fn near(&self, other: &Self, agrees: Agrees) -> bool {
///         self.0.near(&other.0, agrees) && self.1 == other.1
///     }
/// }
///
/// let [one, other] = [0.1 + 0.2, 0.3].map(|level| Level(level, "low".to_owned()));
/// assert!(one.near(&other, Agrees::Within(1e-12)) && !one.near(&other, Agrees::Exactly));
/// ```
pub trait Near {
    /// Whether two answers are near enough.
    fn near(&self, other: &Self, agrees: Agrees) -> bool;
}

impl Near for f64 {
    fn near(&self, other: &Self, agrees: Agrees) -> bool {
        let apart = (self - other).abs();
        match agrees {
            Agrees::Exactly => self == other,
            Agrees::Within(share) => apart <= share * self.abs().max(other.abs()),
            Agrees::About(bound) => apart <= bound,
        }
    }
}

impl Near for Real {
    fn near(&self, other: &Self, agrees: Agrees) -> bool {
        self.0.near(&other.0, agrees)
    }
}

macro_rules! near_if_equal {
    ($($t:ty),*) => {$(
        impl Near for $t {
            fn near(&self, other: &Self, _: Agrees) -> bool {
                self == other
            }
        }
    )*};
}
near_if_equal!(i64, i32, u64, u32, u8, bool, String, LastAt);

impl<L: Lane> Near for Moments<L> {
    fn near(&self, other: &Self, _: Agrees) -> bool {
        self == other
    }
}

impl<T: Near> Near for Option<T> {
    fn near(&self, other: &Self, agrees: Agrees) -> bool {
        match (self, other) {
            (Some(one), Some(other)) => one.near(other, agrees),
            (one, other) => one.is_none() && other.is_none(),
        }
    }
}

impl<T: Near> Near for Vec<T> {
    fn near(&self, other: &Self, agrees: Agrees) -> bool {
        self.len() == other.len() && self.iter().zip(other).all(|(a, b)| a.near(b, agrees))
    }
}

impl<K: PartialEq, V: Near> Near for BTreeMap<K, V> {
    fn near(&self, other: &Self, agrees: Agrees) -> bool {
        let mut pairs = self.iter().zip(other);
        self.len() == other.len() && pairs.all(|(a, b)| a.0 == b.0 && a.1.near(b.1, agrees))
    }
}

impl<A: Near, B: Near> Near for (A, B) {
    fn near(&self, other: &Self, agrees: Agrees) -> bool {
        self.0.near(&other.0, agrees) && self.1.near(&other.1, agrees)
    }
}

impl<A: Near, B: Near, C: Near> Near for (A, B, C) {
    fn near(&self, other: &Self, agrees: Agrees) -> bool {
        self.0.near(&other.0, agrees)
            && self.1.near(&other.1, agrees)
            && self.2.near(&other.2, agrees)
    }
}
