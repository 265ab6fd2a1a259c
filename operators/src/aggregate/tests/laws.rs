//! The laws of an aggregate, over random rows that come in any order, more than once, and are taken back.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::{Deserialize, Serialize};
use thalweg_engine::update::Diff;

use crate::aggregate::{Aggregate, LastAt};
use crate::value::{Decimal, Lane, Moments};

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

/// How near an answer must be to that of brute force.
#[derive(Clone, Copy, Debug)]
pub(super) enum Agrees {
    /// Equal.
    Exactly,
    /// Relative to the greater of the two.
    Within(f64),
    /// No further apart than this.
    About(f64),
}

/// Answers that can be near one another.
pub(super) trait Near {
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

macro_rules! near_if_equal {
    ($($t:ty),*) => {$(
        impl Near for $t {
            fn near(&self, other: &Self, _: Agrees) -> bool {
                self == other
            }
        }
    )*};
}
near_if_equal!(i64, u64, u32, u8, String, LastAt);

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

/// Pseudo-random numbers (Knuth's MMIX constants); the tests own them.
pub(super) struct Draws(pub(super) u64);

impl Draws {
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    pub(super) fn one_of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize].clone()
    }

    fn small(&mut self) -> i64 {
        self.below(13) as i64 - 6
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

    /// Rows that are there in the end, and updates that lead there in an order in which nothing is retracted too early.
    fn case(&mut self) -> (Vec<Row>, Vec<(Row, Diff)>) {
        let size = self.one_of(&[0, 1, 1, 2, 3, 4, 8, 30]);
        let few = [self.row(), self.row()];
        let alike = self.below(4) == 0;
        let (mut rows, mut updates) = (Vec::new(), Vec::new());
        for _ in 0..size {
            let row = if alike { self.one_of(&few) } else { self.row() };
            let copies = self.one_of(&[1, 1, 1, 2, 3]);
            rows.extend(vec![row.clone(); copies]);
            let surplus = self.one_of(&[0, 0, 1]);
            updates.push((row.clone(), copies as i64 + surplus));
            if surplus > 0 {
                updates.push((row, -surplus));
            }
        }
        for _ in 0..self.below(4) {
            let gone = self.row();
            updates.push((gone.clone(), 1));
            updates.push((gone, -1));
        }
        (rows, updates)
    }

    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
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
        let mut draws = Draws(0);
        for case in 0..self.0 {
            let (rows, updates) = draws.case();
            let seen = || format!("{name}, case {case}: {rows:#?}");
            let state = all(&aggregate, &updates);
            let answer = aggregate.read(&state);

            let expected = brute(&rows);
            let right = answer.near(&expected, agrees);
            assert!(right, "reads {answer:?}, not {expected:?}: {}", seen());

            let mut shuffled = updates.clone();
            draws.shuffle(&mut shuffled);
            let (before, after) = shuffled.split_at(shuffled.len() / 2);
            let mut other = saved_and_loaded::<A>(&all(&aggregate, before));
            for (row, diff) in after {
                aggregate.update(&mut other, row, *diff);
                // Counts may be negative here: any answer will do, a panic not.
                aggregate.read(&other);
            }
            assert!(
                other == state,
                "the order or a save left a trace: {}",
                seen()
            );
            let bits = |state| postcard::to_stdvec(&aggregate.read(state)).unwrap();
            assert_eq!(bits(&other), bits(&state), "to the bit: {}", seen());

            if let Some(add) = A::ADD {
                let (one, rest) = (all(&aggregate, before), all(&aggregate, after));
                let mut sum = all(&aggregate, before);
                add(&mut sum, &rest, 1);
                assert!(sum == state, "parts do not add up: {}", seen());
                add(&mut sum, &rest, 2);
                add(&mut sum, &rest, -3);
                assert!(sum == one, "a part left a trace: {}", seen());
            }

            draws.shuffle(&mut shuffled);
            for (row, diff) in &shuffled {
                aggregate.update(&mut other, row, -diff);
            }
            assert!(
                other == A::State::default(),
                "retracted rows left a trace: {}",
                seen()
            );
        }
    }
}

fn all<A: Aggregate<Row>>(aggregate: &A, updates: &[(Row, Diff)]) -> A::State {
    let mut state = A::State::default();
    for (row, diff) in updates {
        aggregate.update(&mut state, row, *diff);
    }
    state
}

fn saved_and_loaded<A: Aggregate<Row>>(state: &A::State) -> A::State {
    let bytes = postcard::to_stdvec(state).unwrap();
    postcard::from_bytes(&bytes).unwrap()
}
