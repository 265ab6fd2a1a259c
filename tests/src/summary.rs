//! Moments as plain numbers, read from the engine's or computed from scratch.
//!
//! Definitions, over the numbers `x` of `n` events that are not null: Σx; min; max;
//! variance = Σ_{i<j} (xᵢ − xⱼ)² / n², which is (n·Σx² − (Σx)²) / n² without a cancelling subtraction.

use ethnum::I256;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thalweg::operators::value::{Lane, Moments};

use crate::event::REAL_UNITS;

/// Moments; floats as their bits, so that rows have an order and equality is to the bit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Default)]
pub struct Summary {
    /// Events, nulls included.
    pub events: u64,
    /// Numbers.
    pub count: u64,
    /// Σx.
    pub sum: Option<u64>,
    /// The least.
    pub min: Option<u64>,
    /// The greatest.
    pub max: Option<u64>,
    /// The population variance; `None` where it may have overflowed.
    pub variance: Option<u64>,
}

/// Whether two rows may differ though they look alike: some sum is beyond 2⁵³, or its squares are lost.
pub fn changes_unseen(row: &impl Serialize) -> bool {
    fn in_value(value: &Value) -> bool {
        match value {
            Value::Array(values) => values.iter().any(in_value),
            Value::Object(fields) => match (fields.get("sum"), fields.get("variance")) {
                (Some(sum), Some(variance)) => {
                    let bits = sum.as_u64().unwrap_or_default();
                    let is_large = f64::from_bits(bits).abs() >= 9_007_199_254_740_992.0;
                    is_large || (variance.is_null() && fields["count"] != 0)
                }
                _ => fields.values().any(in_value),
            },
            _ => false,
        }
    }
    serde_json::to_value(row).is_ok_and(|row| in_value(&row))
}

impl Summary {
    /// What the engine computed.
    #[must_use]
    pub fn read<L: Lane>(moments: &Moments<L>) -> Self {
        Self {
            events: moments.events(),
            count: moments.count(),
            sum: bits(moments.sum()),
            min: bits(moments.min()),
            max: bits(moments.max()),
            variance: bits(moments.variance()),
        }
    }

    /// Of whole numbers with how often each is there.
    #[must_use]
    pub fn whole(numbers: &[(Option<i64>, i64)]) -> Self {
        Self::scaled(numbers, 1.0, |present| {
            let largest = present.iter().map(|(x, _)| u128::from(x.unsigned_abs()));
            let largest = largest.max().unwrap_or(0);
            let count: u64 = present
                .iter()
                .map(|(_, copies)| copies.unsigned_abs())
                .sum();
            let most = largest
                .checked_mul(largest)
                .and_then(|square| square.checked_mul(count.into()));
            most.is_some_and(|most| most < 1 << 127)
        })
    }

    /// Of whole numbers as `totals` has it: without extremes, and with a variance wherever the sum of squares fits.
    #[must_use]
    pub fn totals(numbers: &[(Option<i64>, i64)]) -> Self {
        let mut totals = Self::scaled(numbers, 1.0, |present| {
            let squares = present
                .iter()
                .map(|(x, copies)| I256::from(*x) * I256::from(*x) * I256::from(*copies));
            squares.fold(I256::ZERO, |sum, square| sum + square) < I256::ONE << 127_u32
        });
        (totals.min, totals.max) = (None, None);
        totals
    }

    /// Of floats in [`REAL_UNITS`]: none of those drawn can overflow.
    #[must_use]
    pub fn real(numbers: &[(Option<i64>, i64)]) -> Self {
        Self::scaled(numbers, REAL_UNITS as f64, |_| true)
    }

    /// The same without extremes.
    #[must_use]
    pub fn real_totals(numbers: &[(Option<i64>, i64)]) -> Self {
        Self {
            min: None,
            max: None,
            ..Self::real(numbers)
        }
    }

    fn scaled(
        numbers: &[(Option<i64>, i64)],
        scale: f64,
        fits: impl Fn(&[(i64, i64)]) -> bool,
    ) -> Self {
        let present: Vec<(i64, i64)> = numbers
            .iter()
            .filter_map(|(number, copies)| Some(((*number)?, *copies)))
            .collect();
        let sum: i128 = present
            .iter()
            .map(|(x, copies)| i128::from(*x) * i128::from(*copies))
            .sum();
        let count: i64 = present.iter().map(|(_, copies)| copies).sum();
        let least = present.iter().map(|(x, _)| *x).min();
        let greatest = present.iter().map(|(x, _)| *x).max();
        let fits = fits(&present);
        let n = count as f64;
        Self {
            events: numbers
                .iter()
                .map(|(_, copies)| copies.unsigned_abs())
                .sum(),
            count: count.unsigned_abs(),
            sum: Some((sum as f64 / scale).to_bits()),
            min: bits(least.map(|x| x as f64 / scale)),
            max: bits(greatest.map(|x| x as f64 / scale)),
            variance: bits(
                (count > 0 && fits).then(|| spread(&present) / (n * n) / (scale * scale)),
            ),
        }
    }
}

/// Σ_{i<j} (xᵢ − xⱼ)², rounded once.
fn spread(numbers: &[(i64, i64)]) -> f64 {
    let mut sum = I256::ZERO;
    for (i, (x, copies)) in numbers.iter().enumerate() {
        for (y, others) in &numbers[..i] {
            let apart = I256::from(i128::from(*x) - i128::from(*y));
            sum += apart * apart * I256::from(copies * others);
        }
    }
    // The parser of the standard library rounds correctly.
    let decimal: Result<f64, _> = sum.to_string().parse();
    i128::try_from(sum).map_or_else(|_| decimal.unwrap_or(f64::NAN), |sum| sum as f64)
}

fn bits(number: Option<f64>) -> Option<u64> {
    // −0.0 is 0.0: a sum has no sign of its own.
    number.map(|number| (number + 0.0).to_bits())
}
