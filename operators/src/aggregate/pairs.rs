//! Exact sums of two numbers, their squares and their product: what covariance, correlation and trend are read from.
//!
//! ```text
//! n²·cov(x, y) = n·Σxy − Σx·Σy          in units, without rounding
//! ```
//!
//! A row counts where it has both numbers.

use serde::{Deserialize, Serialize};
use thalweg_engine::update::Diff;

use crate::aggregate::fold::fold;
use crate::aggregate::{Additive, Aggregate};
use crate::value::{IntoLane, Lane, Limbs, NULL};

/// A sum of numbers of 126 bits, and a count of 63.
type Sum = Limbs<3>;
/// A sum of products of 252 bits, and a count of 63.
type Products = Limbs<5>;
/// The difference of two products of a count and [`Products`], or of two [`Sum`]s: 379 bits and a sign.
type Spread = Limbs<6>;

/// Sums over pairs of numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pairs {
    count: i64,
    x: Sum,
    y: Sum,
    xx: Products,
    xy: Products,
    yy: Products,
}

/// An aggregate of two numbers of each row.
pub(super) fn fold_pairs<D: 'static, X: IntoLane, Y: IntoLane>(
    x: impl Fn(&D) -> X + 'static,
    y: impl Fn(&D) -> Y + 'static,
    read: impl Fn(&Pairs) -> Option<f64> + 'static,
) -> impl Aggregate<D, State = Pairs, Output = Option<f64>> {
    let update = move |pairs: &mut Pairs, row: &D, diff| {
        let (x, y) = (x(row).into_lane(), y(row).into_lane());
        if x != NULL && y != NULL {
            pairs.update(X::Lane::unit(x), Y::Lane::unit(y), diff);
        }
    };
    fold(update, read).additive()
}

impl Additive for Pairs {
    fn add(&mut self, other: &Self, times: Diff) {
        self.count += other.count * times;
        self.x.add_copies(other.x, times);
        self.y.add_copies(other.y, times);
        self.xx.add_copies(other.xx, times);
        self.xy.add_copies(other.xy, times);
        self.yy.add_copies(other.yy, times);
    }
}

impl Pairs {
    fn update(&mut self, x: i128, y: i128, diff: Diff) {
        self.count += diff;
        let copies = i128::from(diff);
        self.x = self.x + Sum::from(copies) * x.into();
        self.y = self.y + Sum::from(copies) * y.into();
        let (x, y) = (Products::from(x), Products::from(y));
        let (xs, ys) = (Products::from(copies) * x, Products::from(copies) * y);
        self.xx = self.xx + xs * x;
        self.xy = self.xy + xs * y;
        self.yy = self.yy + ys * y;
    }

    /// How many pairs there are; `None` for none, and while retractions wait for what they retract.
    #[expect(clippy::cast_precision_loss, reason = "a divisor")]
    pub(super) fn count(&self) -> Option<f64> {
        (self.count > 0).then_some(self.count as f64)
    }

    /// n²·cov(x, x), in units.
    pub(super) fn xx(&self) -> f64 {
        self.spread(self.xx, self.x, self.x)
    }

    /// n²·cov(x, y), in units.
    pub(super) fn xy(&self) -> f64 {
        self.spread(self.xy, self.x, self.y)
    }

    /// n²·cov(y, y), in units.
    pub(super) fn yy(&self) -> f64 {
        self.spread(self.yy, self.y, self.y)
    }

    fn spread(&self, products: Products, a: Sum, b: Sum) -> f64 {
        let spread =
            Spread::from(i128::from(self.count)) * products.widen() - a.widen() * b.widen();
        spread.nearest()
    }
}
