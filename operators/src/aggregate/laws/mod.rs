//! The laws of an aggregate, for one of a job of one's own as for those of this library.
//!
//! ```text
//! random rows, some more than once, some taken back
//!   ├─ in any order, saved and loaded half way ─┐
//!   ├─ in two parts that are added up           ├─▶ state ─▶ read ─┐
//!   └─ in windows, an epoch at a time           ┘                  ├─ the same
//!      the rows that are there in the end ──────▶ brute force ─────┘
//! ```
//!
//! # Laws
//! 1. What is read is what brute force says of the rows that are there: of none, of one, of equal ones, of many.
//! 2. Order leaves no trace in the state, nor, to the bit, in what is read. A retraction may come before its row: then
//!    counts are below zero for a while, and a read may say anything, but must not panic.
//! 3. A state that is saved and loaded is the same, and goes on as if nothing had been.
//! 4. Where states add up, two parts come to the whole, and a part is taken out again.
//! 5. When every row is taken back, the state is its default.
//! 6. Tumbling windows in `latest` read, after every epoch, and hopping windows in `finals` once they have ended, what
//!    the aggregate and brute force say of their rows; saved and loaded in between.
//!
//! ```
//! use thalweg_operators::aggregate::{Aggregate, Ranks, fold, laws};
//!
//! /// How far the middle half of the numbers spreads: what stands three quarters up, less what stands one up.
//! fn middle_half() -> impl Aggregate<i64, State = Ranks<i64>, Output = Option<i64>> {
//!     let update = |numbers: &mut Ranks<i64>, number: &i64, diff| numbers.update(*number, diff);
//!     let up = |numbers: &Ranks<i64>, quarters| numbers.nth(numbers.len() * quarters / 4).copied();
//!     fold(update, move |numbers| Some(up(numbers, 3)? - up(numbers, 1)?)).additive()
//! }
//!
//! laws::of(middle_half())
//!     .rows(|draws| draws.within(-9..=9))
//!     .reads(|numbers| {
//!         let mut sorted = numbers.to_vec();
//!         sorted.sort();
//!         let up = |quarters| sorted.get(sorted.len() * quarters / 4);
//!         Some(up(3)? - up(1)?)
//!     })
//!     .hold();
//! ```

mod by_itself;
mod draws;
mod in_windows;
mod near;
#[cfg(test)]
mod tests;

use std::fmt::Debug;
use std::marker::PhantomData;

use thalweg_engine::update::{Data, Diff};

use crate::aggregate::Aggregate;
use crate::codec;
pub use draws::Draws;
pub use near::{Agrees, Near};

/// Cases that an aggregate is tried on unless told otherwise.
const CASES: u64 = 256;

/// An aggregate that waits to be told how its rows are drawn.
pub struct Of<D, A> {
    aggregate: A,
    of: PhantomData<fn(&D)>,
}

/// An aggregate with its rows, that waits to be told what it reads.
pub struct Over<D, A> {
    aggregate: A,
    draw: Box<dyn Fn(&mut Draws) -> D>,
}

/// An aggregate with its rows, and what it must read.
pub struct Laws<D, A: Aggregate<D>> {
    aggregate: A,
    draw: Box<dyn Fn(&mut Draws) -> D>,
    brute: Box<dyn Fn(&[D]) -> A::Output>,
    agree: Box<dyn Fn(&A::Output, &A::Output) -> bool>,
    name: String,
    cases: u64,
    seed: u64,
}

/// An aggregate that is to be held to the laws.
#[must_use]
pub fn of<D, A: Aggregate<D>>(aggregate: A) -> Of<D, A> {
    Of {
        aggregate,
        of: PhantomData,
    }
}

impl<D, A: Aggregate<D>> Of<D, A> {
    /// How a row is drawn. Few different values find most: rows should be equal now and then, and in each field.
    #[must_use]
    pub fn rows(self, draw: impl Fn(&mut Draws) -> D + 'static) -> Over<D, A> {
        Over {
            aggregate: self.aggregate,
            draw: Box::new(draw),
        }
    }
}

impl<D, A: Aggregate<D>> Over<D, A> {
    /// What the aggregate reads over some rows, by its definition: computed from scratch, with none of its code. Rows that
    /// are there more than once stand there as often.
    #[must_use]
    pub fn reads(self, brute: impl Fn(&[D]) -> A::Output + 'static) -> Laws<D, A> {
        Laws {
            aggregate: self.aggregate,
            draw: self.draw,
            brute: Box::new(brute),
            agree: Box::new(|answer, expected| answer == expected),
            name: "the aggregate".to_owned(),
            cases: CASES,
            seed: 0,
        }
    }
}

impl<D, A: Aggregate<D>> Laws<D, A> {
    /// How near an answer must be to that of brute force; equal unless told otherwise. Two sums of floats that are added
    /// in two orders differ in their last digits: [`Agrees::Within`] a share such as 1e-12 is right for these.
    #[must_use]
    pub fn agrees(mut self, agrees: Agrees) -> Self
    where
        A::Output: Near,
    {
        self.agree = Box::new(move |answer, expected| answer.near(expected, agrees));
        self
    }

    /// What the aggregate is called where a law is broken.
    #[must_use]
    pub fn called(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// How many random cases are tried; 256 unless told otherwise.
    #[must_use]
    pub fn cases(mut self, cases: u64) -> Self {
        self.cases = cases;
        self
    }

    /// What all cases are drawn from; 0 unless told otherwise. The same seed draws the same cases.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Tries all laws on every case.
    ///
    /// # Panics
    /// When a law is broken: with the seed, the number of the case, its rows, what was read and what was to be read. Also
    /// where the aggregate says that it was made with what makes no sense.
    #[track_caller]
    pub fn hold(&self)
    where
        D: Data + Debug,
        A::Output: Debug,
    {
        self.each_case(|draws| {
            self.by_itself(draws)?;
            self.in_windows(draws)
        });
    }

    /// Tries some laws on every case.
    #[track_caller]
    #[expect(clippy::panic, reason = "a test fails by panicking")]
    pub(super) fn each_case(&self, hold: impl Fn(&mut Draws) -> Result<(), String>) {
        if let Err(error) = self.aggregate.check() {
            panic!("{}: {error}", self.name);
        }
        let mut draws = Draws::seeded(self.seed);
        for case in 0..self.cases {
            if let Err(broken) = hold(&mut draws) {
                panic!("{}, seed {}, case {case}: {broken}", self.name, self.seed);
            }
        }
    }

    /// The state after some updates.
    fn all<'a>(&self, updates: impl IntoIterator<Item = (&'a D, Diff)>) -> A::State
    where
        D: 'a,
    {
        let mut state = A::State::default();
        for (row, diff) in updates {
            self.aggregate.update(&mut state, row, diff);
        }
        state
    }

    /// What brute force says of these rows, if the answer agrees with it.
    fn judged(&self, answer: &A::Output, rows: &[D]) -> Result<(), String>
    where
        A::Output: Debug,
    {
        let expected = (self.brute)(rows);
        law((self.agree)(answer, &expected), || {
            format!("it reads {answer:?}, and by brute force {expected:?}")
        })
    }
}

/// A law, and what is said where it is broken.
fn law(holds: bool, broken: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(broken()) }
}

/// A value to the bit, as it is saved.
fn bits<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, String> {
    let mut bits = Vec::new();
    codec::encode(value, &mut bits).map_err(|error| error.to_string())?;
    Ok(bits)
}
