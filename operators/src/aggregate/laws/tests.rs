//! Aggregates that keep the laws, and for each law one that breaks it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::{Deserialize, Serialize};
use thalweg_engine::update::Diff;

use crate::aggregate::laws::{self, Agrees, Laws, Near};
use crate::aggregate::{Additive, Aggregate, count, distinct, fold, max, mean, sum};

/// An aggregate over small numbers.
fn over<A: Aggregate<i64>>(
    aggregate: A,
    brute: impl Fn(&[i64]) -> A::Output + 'static,
) -> Laws<i64, A> {
    let rows = laws::of(aggregate).rows(|draws| draws.within(-3..=3));
    rows.reads(brute).called("it").seed(7)
}

/// What is said of the law that is broken.
#[track_caller]
fn broken<A: Aggregate<i64>>(laws: &Laws<i64, A>, said: &str)
where
    A::Output: std::fmt::Debug,
{
    let held = catch_unwind(AssertUnwindSafe(|| laws.hold()));
    let text = *held.unwrap_err().downcast::<String>().unwrap();
    assert!(text.contains(said), "{text}");
}

fn total(rows: &[i64]) -> i64 {
    rows.iter().sum()
}

#[test]
fn aggregates_of_the_library_keep_the_laws_in_windows_too() {
    let exact = |rows: &[i64]| rows.iter().sum::<i64>() as f64;
    over(sum(|n: &i64| *n), exact).hold();
    let both = (count(), max(|n: &i64| *n));
    over(both, |rows| {
        let greatest = rows.iter().max().map(|n| *n as f64);
        (rows.len() as i64, greatest)
    })
    .hold();
    over(mean(|n: &i64| *n as f64 / 7.0), |rows| {
        let sum: f64 = rows.iter().map(|n| *n as f64 / 7.0).sum();
        (!rows.is_empty()).then(|| sum / rows.len() as f64)
    })
    .agrees(Agrees::About(1e-15))
    .cases(1_000)
    .hold();
}

#[test]
fn a_wrong_answer_is_found() {
    let all = distinct(|n: &i64| Some(n.abs()));
    let laws = over(all, |rows| {
        let mut rows = rows.to_vec();
        rows.sort_unstable();
        rows.dedup();
        rows.len() as u64
    });
    broken(&laws, "it, seed 7, case ");
    broken(&laws, ", and by brute force ");
}

#[test]
fn an_order_that_shows_is_found() {
    let floats = fold(
        |sum: &mut f64, n: &i64, diff| *sum += *n as f64 / 7.0 * diff as f64,
        |sum| *sum,
    );
    let brute = |rows: &[i64]| total(rows) as f64 / 7.0;
    let laws = over(floats, brute).agrees(Agrees::About(1e-9));
    broken(&laws, "when the same rows come in another order");
}

#[test]
fn an_order_that_is_hidden_in_the_state_is_found() {
    // Rows, their sum, and a number that every order makes another; without rows it is 0 again.
    let ordered = fold(
        |(rows, sum, order): &mut (i64, i64, i64), n: &i64, diff| {
            (*rows, *sum) = (*rows + diff, *sum + n * diff);
            let next = order.wrapping_mul(31).wrapping_add(n * diff);
            *order = if *rows == 0 { 0 } else { next };
        },
        |(_, sum, _)| *sum,
    );
    broken(&over(ordered, total), "the order left a trace in the state");
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Forgetful {
    #[serde(skip)]
    sum: i64,
}

#[test]
fn a_state_that_is_not_saved_is_found() {
    let sum = fold(
        |state: &mut Forgetful, n: &i64, diff| state.sum += n * diff,
        |state| state.sum,
    );
    broken(&over(sum, total), "saved and loaded is another");
}

/// A sum whose parts add up, but not as often as they are told.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Once<const TIMES: Diff>(i64);

impl<const TIMES: Diff> Additive for Once<TIMES> {
    fn add(&mut self, other: &Self, _: Diff) {
        self.0 += other.0 * TIMES;
    }
}

fn once<const TIMES: Diff>() -> impl Aggregate<i64, State = Once<TIMES>, Output = i64> {
    let add = |state: &mut Once<TIMES>, n: &i64, diff| state.0 += n * diff;
    fold(add, |state: &Once<TIMES>| state.0).additive()
}

#[test]
fn parts_that_do_not_add_up_are_found() {
    broken(&over(once::<2>(), total), "parts do not add up: it reads");
    broken(&over(once::<1>(), total), "a part left a trace");
}

#[test]
fn a_trace_of_what_was_taken_back_is_found() {
    let touched = fold(
        |state: &mut (i64, Diff), n: &i64, diff| {
            *state = (state.0 + n * diff, state.1 + diff.abs());
        },
        |state| state.0,
    );
    broken(&over(touched, total), "retracted rows left a trace");
}

#[test]
fn an_aggregate_that_makes_no_sense_is_refused() {
    let sum = fold(|sum: &mut i64, n: &i64, diff| *sum += n * diff, |sum| *sum);
    let none = sum.require(false, || "no sum is asked for".to_owned());
    broken(&over(none, total), "it: no sum is asked for");
}

/// A number that is equal to every other: a window does not see that it has changed.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Alike(i64);

impl PartialEq for Alike {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Near for Alike {
    fn near(&self, other: &Self, _: Agrees) -> bool {
        self.0 == other.0
    }
}

#[test]
fn what_goes_wrong_in_windows_alone_is_found() {
    let alike = fold(
        |sum: &mut i64, n: &i64, diff| *sum += n * diff,
        |sum| Alike(*sum),
    );
    let laws = over(alike, |rows| Alike(total(rows))).agrees(Agrees::Exactly);
    laws.each_case(|draws| laws.by_itself(draws));
    broken(&laws, "mode: Latest }, what stands after epoch");
}

#[test]
fn the_same_seed_draws_the_same_cases() {
    let drawn = |seed| {
        let mut draws = laws::Draws::seeded(seed);
        let cases = (0..20).map(|_| draws.case(|draws| draws.within(0..=9)));
        cases.collect::<Vec<_>>()
    };
    assert_eq!(drawn(1), drawn(1));
    assert_ne!(drawn(1), drawn(2));
    let sizes: Vec<_> = drawn(1).iter().map(|(rows, _)| rows.len()).collect();
    assert!(sizes.contains(&0) && sizes.contains(&1), "{sizes:?}");
}
