//! The rows that the aggregates of this library are held to the laws over.

use std::cmp::Ordering;
use std::fmt::Debug;

use serde::{Deserialize, Serialize};

use crate::aggregate::Aggregate;
use crate::aggregate::laws::{self, Agrees, Draws, Near};
use crate::value::Decimal;

/// A row with all that an aggregate may ask for. Its order is total, so that NaN and −0.0 are found again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Row {
    /// Seconds in µs, with ties; now and then an extreme.
    pub(super) at: i64,
    pub(super) id: u32,
    pub(super) category: u8,
    /// One of a few words, or none.
    pub(super) word: Option<String>,
    /// Numbers of all magnitudes, and all that is null.
    pub(super) x: Option<f64>,
    /// Small numbers, and the extremes of i64, of which the least is null.
    pub(super) n: i64,
    pub(super) cents: Decimal<2>,
}

impl Row {
    fn parts(&self) -> (i64, u32, u8, &Option<String>, i64, Decimal<2>) {
        (
            self.at,
            self.id,
            self.category,
            &self.word,
            self.n,
            self.cents,
        )
    }
}

impl Ord for Row {
    fn cmp(&self, other: &Self) -> Ordering {
        let numbers = match (self.x, other.x) {
            (Some(one), Some(other)) => one.total_cmp(&other),
            (one, other) => one.is_some().cmp(&other.is_some()),
        };
        self.parts().cmp(&other.parts()).then(numbers)
    }
}

impl PartialOrd for Row {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Row {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Row {}

impl Draws {
    fn small(&mut self) -> i64 {
        self.within(-6..=6)
    }

    pub(super) fn row(&mut self) -> Row {
        let number = match self.below(4) {
            0 => self.one_of(&[
                None,
                Some(f64::NAN),
                Some(f64::INFINITY),
                Some(-f64::INFINITY),
                Some(5e18),
            ]),
            1 => Some(self.one_of(&[-0.0, 0.0, 4e18, -4e18, 1e-30, 1e15, 0.03])),
            2 => Some(self.small() as f64),
            _ => Some(self.small() as f64 / 7.0 * 10_f64.powi(self.small() as i32)),
        };
        Row {
            at: match self.below(30) {
                0 => self.one_of(&[i64::MIN, i64::MAX, -1]),
                _ => self.below(20) as i64 * 1_000_000,
            },
            id: self.below(50) as u32,
            category: self.below(3) as u8,
            word: self
                .one_of(&[
                    None,
                    Some("ox"),
                    Some("elk"),
                    Some("ibex"),
                    Some("auk"),
                    Some(""),
                ])
                .map(str::to_owned),
            x: number,
            n: match self.below(4) {
                0 => self.one_of(&[i64::MIN, i64::MAX, i64::MIN + 1, i64::MAX - 1]),
                _ => self.small(),
            },
            cents: Decimal(self.small() * 1_234 + self.small()),
        }
    }
}

/// Laws that every aggregate of the library keeps.
pub(super) trait Laws {
    /// Tries them on an aggregate, of which `brute` says what it reads over these rows.
    fn hold<A: Aggregate<Row>>(
        &mut self,
        name: &str,
        agrees: Agrees,
        aggregate: A,
        brute: impl Fn(&[Row]) -> A::Output + 'static,
    ) where
        A::Output: Near + Debug;
}

/// The laws of an aggregate by itself, each tried on so many random cases.
pub(super) struct Cases(pub(super) u64);

impl Laws for Cases {
    fn hold<A: Aggregate<Row>>(
        &mut self,
        name: &str,
        agrees: Agrees,
        aggregate: A,
        brute: impl Fn(&[Row]) -> A::Output + 'static,
    ) where
        A::Output: Near + Debug,
    {
        assert!(A::ADD.is_some(), "{name}: its states do not add up");
        let laws = laws::of(aggregate).rows(Draws::row).reads(brute);
        let laws = laws.agrees(agrees).called(name).cases(self.0);
        laws.each_case(|draws| laws.by_itself(draws));
    }
}
