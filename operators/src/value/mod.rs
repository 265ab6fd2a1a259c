//! Numbers that can be summed exactly, so that order never matters and −x undoes +x to the bit.
//!
//! ```text
//! i64, Decimal<S>  ─▶ lane i64: the number itself          Σx in i128            Σx² in i128
//! f64              ─▶ lane i64: its bits, in numeric order  Σx in i128, 2⁻⁶⁴ units  Σx² in 256 bits, 2⁻¹²⁸ units
//! None, NaN, ±∞    ─▶ lane NULL, counted apart
//! ```
//!
//! Sums wrap and are a group, so a retraction is exact even after an overflow; an overflow is found when a result is
//! read, and the result is then `None`: from the count and the extremes, or, where nobody keeps these, from how often the
//! sum has wrapped.

mod carried;
mod decimal;
mod float;
mod limbs;
pub(crate) mod moments;
mod powers;
mod real;
mod wide;

pub(crate) use carried::Carried;
pub use decimal::{Decimal, Fixed};
pub use float::Float;
pub(crate) use float::unit_of;
pub use limbs::Limbs;
pub use moments::Moments;
pub use powers::{Powers, Wide};
pub use real::Real;
pub(crate) use wide::nearest;
pub use wide::{Wide128, Wide256};

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The lane of a value that is not there. `i64::MIN` itself is therefore no number of a lane.
pub const NULL: i64 = i64::MIN;

/// How the numbers of a lane are added up and read out.
pub trait Lane:
    Clone + Copy + Debug + Default + PartialEq + Send + Serialize + DeserializeOwned + 'static
{
    /// The exact sum of squares.
    type Squares: Accumulator;

    /// A lane's number in units of the sum.
    fn unit(value: i64) -> i128;

    /// How many units make one: 10 to the scale of a decimal, 2⁶⁴ for floats.
    fn units() -> f64;

    /// The square of [`Lane::unit`].
    fn square(unit: i128) -> Self::Squares;

    /// A lane's number as a float.
    fn read(value: i64) -> f64;

    /// The least m with |number| < 2ᵐ; 0 for numbers within ±1.
    fn magnitude(value: i64) -> u32;

    /// Whether the totals of `count` numbers of such a magnitude fit their bits, whatever the numbers are.
    fn surely_fits(magnitude: u32, count: u32) -> bool;

    /// A lane's number in 32 bits, in the same order, [`NULL`] as the least; `None` where it does not fit.
    fn narrow(value: i64) -> Option<i32>;

    /// The number that [`Lane::narrow`] was given.
    fn widen(value: i32) -> i64;

    /// A sum as a float; `None` when `count` numbers within `±largest` may have overflowed it.
    fn read_sum(sum: i128, count: u64, largest: i64) -> Option<f64>;

    /// `n·Σx² − (Σx)²` in units², rounded once: n² times the population variance. `None` as for [`Lane::read_sum`].
    fn read_spread(sum: i128, squares: Self::Squares, count: u64, largest: i64) -> Option<f64>;
}

/// The least b with count < 2ᵇ.
#[inline(always)]
fn bits(count: u32) -> u32 {
    u32::BITS - count.leading_zeros()
}

/// A number that wraps and so forms a group under addition.
pub trait Accumulator:
    Clone + Copy + Debug + Default + PartialEq + Send + Serialize + DeserializeOwned + 'static
{
    /// Nothing added yet.
    const ZERO: Self;
    /// Adds, wrapping.
    fn add(&mut self, other: Self);
    /// Subtracts, wrapping.
    fn sub(&mut self, other: Self);
    /// Adds, and says whether it has wrapped.
    fn add_overflowing(&mut self, other: Self) -> bool;
    /// Subtracts, and says whether it has wrapped.
    fn sub_overflowing(&mut self, other: Self) -> bool;
    /// Whether it is below zero.
    fn is_negative(&self) -> bool;
}

/// What a job's closure may return as a number.
pub trait IntoLane {
    /// How such numbers are added up.
    type Lane: Lane;
    /// The number as a lane, [`NULL`] where there is none.
    fn into_lane(self) -> i64;
}

macro_rules! integer_lanes {
    ($($int:ty),*) => {$(
        impl IntoLane for $int {
            type Lane = Fixed<0>;
            #[inline]
            fn into_lane(self) -> i64 {
                i64::from(self)
            }
        }
    )*};
}
integer_lanes!(i64, i32, i16, i8, u32, u16, u8);

impl IntoLane for f64 {
    type Lane = Float;
    #[inline]
    fn into_lane(self) -> i64 {
        float::lane_of(self)
    }
}

impl IntoLane for f32 {
    type Lane = Float;
    #[inline]
    fn into_lane(self) -> i64 {
        float::lane_of(f64::from(self))
    }
}

impl IntoLane for Real {
    type Lane = Float;
    #[inline]
    fn into_lane(self) -> i64 {
        float::lane_of(self.0)
    }
}

impl<const S: u8> IntoLane for Decimal<S> {
    type Lane = Fixed<S>;
    #[inline]
    fn into_lane(self) -> i64 {
        self.0
    }
}

impl<T: IntoLane> IntoLane for Option<T> {
    type Lane = T::Lane;
    #[inline]
    fn into_lane(self) -> i64 {
        self.map_or(NULL, T::into_lane)
    }
}
