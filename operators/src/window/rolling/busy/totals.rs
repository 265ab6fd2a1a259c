//! Exact sums of one lane in one window, and what an event adds to them.

use crate::value::{Accumulator, Lane, NULL, Wide128};

/// Running totals of one lane in one window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Totals<L: Lane> {
    pub(super) sum: Wide128,
    pub(super) squares: L::Squares,
}

impl<L: Lane> Totals<L> {
    pub(super) const ZERO: Self = Self {
        sum: Wide128::ZERO,
        squares: L::Squares::ZERO,
    };

    #[inline(always)]
    pub(super) fn add(&mut self, share: &Share<L>) {
        self.sum.add(share.sum);
        self.squares.add(share.squares);
    }

    #[inline(always)]
    pub(super) fn sub(&mut self, share: &Share<L>) {
        self.sum.sub(share.sum);
        self.squares.sub(share.squares);
    }
}

/// What an event adds to the totals of every window that holds it.
#[derive(Clone, Copy)]
pub(super) struct Share<L: Lane> {
    sum: Wide128,
    squares: L::Squares,
    pub(super) count: u32,
}

impl<L: Lane> Share<L> {
    #[inline(always)]
    pub(super) fn of(value: i64) -> Self {
        if value == NULL {
            return Self {
                sum: Wide128::ZERO,
                squares: L::Squares::ZERO,
                count: 0,
            };
        }
        let unit = L::unit(value);
        Self {
            sum: unit.into(),
            squares: L::square(unit),
            count: 1,
        }
    }
}
