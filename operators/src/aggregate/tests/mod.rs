//! The laws of every aggregate, and what each refuses and holds.

mod brute;
mod every;
mod in_windows;
mod laws;
mod references;

use crate::aggregate::*;
use crate::drift::Bins;
use crate::value::NULL;

use every::{at, every_aggregate, n, x};
use laws::{Cases, Row};

#[test]
fn every_aggregate_keeps_the_laws() {
    every_aggregate(&mut Cases(256));
}

#[test]
#[ignore = "100,000 cases take minutes: cargo test -p thalweg-operators --lib -- --ignored every_aggregate_keeps_the_laws_at_length"]
fn every_aggregate_keeps_the_laws_at_length() {
    every_aggregate(&mut Cases(100_000));
}

#[test]
fn what_is_null_counts_for_nothing() {
    for null in [
        None,
        Some(f64::NAN),
        Some(f64::INFINITY),
        Some(-f64::INFINITY),
        Some(5e18),
    ] {
        let mut state = Default::default();
        let aggregate = (
            mean(|x: &Option<f64>| *x),
            histogram(Bins::new(vec![0.0]).unwrap(), |x: &Option<f64>| *x),
        );
        aggregate.update(&mut state, &null, 1);
        assert_eq!(aggregate.read(&state), (None, vec![0, 0]), "{null:?}");
    }
    let mut state = Default::default();
    let aggregate = max(|n: &i64| *n);
    aggregate.update(&mut state, &NULL, 1);
    assert_eq!(aggregate.read(&state), None);
}

#[test]
fn arguments_that_make_no_sense_are_wrong() {
    fn wrong<A: Aggregate<i64>>(aggregate: A, said: &str) {
        let by_half = by(|n: &i64| n % 2, (count(), aggregate.clone()));
        let some = only_if(|n: &i64| *n > 0, by_half.clone());
        for error in [aggregate.check(), by_half.check(), some.check()] {
            let error = error.unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }
    let number = |n: &i64| *n;
    for q in [95.0, 1.000_001, -0.1, f64::NAN, f64::INFINITY] {
        let got = format!("from 0 to 1, as 0.95: got {q}");
        wrong(quantile(q, number), &got);
        wrong(quantile_discrete(q, number), &got);
        wrong(quantiles([0.5, q], number), &got);
        wrong(quantile_approx(q, 0.01, number), &got);
        wrong(quantiles_approx([0.5, q], 0.01, number), &got);
    }
    for error in [0.0, -0.01, 0.6, 1e-9, f64::NAN] {
        let got = format!("from 2⁻²¹ to 0.5, as 0.01: got {error}");
        wrong(quantile_approx(0.5, error, number), &got);
        wrong(quantiles_approx([0.5], error, number), &got);
    }
    let got = "at least 1: got 0";
    wrong(top_k(0, number), got);
    wrong(bottom_k(0, number), got);
    wrong(first_k(0, number, number), got);
    wrong(last_k(0, number, number), got);
    wrong(most_frequent(0, |n: &i64| Some(*n)), got);

    for q in [0.0, -0.0, 1.0] {
        assert!(
            (quantile(q, number), quantile_approx(q, 0.5, number))
                .check()
                .is_ok()
        );
    }
    let finest = 0.5_f64.powi(21);
    assert!(quantiles_approx([0.5], finest, number).check().is_ok());
    assert!(top_k(1, number).check().is_ok());
}

/// The bytes of a state in the table of `aggregate/mod.rs`.
#[test]
fn states_are_as_large_as_the_table_says() {
    fn bytes<A: Aggregate<Row>>(_: A) -> usize {
        size_of::<A::State>()
    }
    assert_eq!(bytes(count()), 8);
    assert_eq!(bytes(moments(n)), 128);
    assert_eq!((bytes(totals(n)), bytes(totals(x))), (64, 80));
    assert_eq!((bytes(sum(x)), bytes(mean(n))), (32, 32));
    assert_eq!((bytes(variance(x)), bytes(stddev_sample(n))), (88, 88));
    assert_eq!((bytes(skew(x)), bytes(kurtosis(x))), (176, 296));
    assert_eq!((bytes(covariance(x, n)), bytes(trend(at, n))), (176, 176));
}
