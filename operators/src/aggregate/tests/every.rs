//! Every aggregate, a line each, with the function that says by brute force what it reads.

use crate::aggregate::fold::As;
use crate::aggregate::laws::Agrees::{About, Exactly, Within};
use crate::aggregate::*;
use crate::drift::Bins;
use crate::value::{Decimal, Lane, Moments, NULL};

use super::brute::{self, Numbers, Pairs};
use super::laws::{Laws, Row};

/// Hands every aggregate to some laws.
pub(super) fn every_aggregate(laws: &mut impl Laws) {
    sums_and_means(laws);
    shapes_and_pairs(laws);
    extremes_and_order(laws);
    quantiles_and_bins(laws);
    values_and_combinators(laws);
}

fn sums_and_means(laws: &mut impl Laws) {
    laws.hold("count", Exactly, count(), |rows| rows.len() as i64);
    laws.hold(
        "count_where",
        Exactly,
        count_where(|row: &Row| row.n > 0),
        brute::count_positive,
    );
    laws.hold("moments", Exactly, moments(n), brute::moments);
    laws.hold(
        "totals",
        Within(1e-12),
        read_as(totals(cents), means),
        brute::means,
    );
    laws.hold("sum of floats", Within(1e-12), sum(x), |rows| {
        Numbers::x(rows).sum()
    });
    laws.hold("sum of integers", Within(1e-12), sum(n), |rows| {
        Numbers::n(rows).sum()
    });
    laws.hold("mean of floats", Within(1e-12), mean(x), |rows| {
        Numbers::x(rows).mean()
    });
    laws.hold("mean of integers", Within(1e-12), mean(n), |rows| {
        Numbers::n(rows).mean()
    });
    laws.hold("mean of decimals", Within(1e-12), mean(cents), |rows| {
        Numbers::cents(rows).mean()
    });
    laws.hold(
        "geometric_mean of floats",
        Within(1e-12),
        geometric_mean(x),
        |rows| brute::geometric_mean(&brute::sorted_x(rows)),
    );
    laws.hold(
        "geometric_mean of integers",
        Within(1e-12),
        geometric_mean(n),
        |rows| brute::geometric_mean(&brute::sorted_n(rows)),
    );
    laws.hold("variance of floats", Within(1e-12), variance(x), |rows| {
        Numbers::x(rows).variance(0)
    });
    laws.hold("variance of integers", Within(1e-12), variance(n), |rows| {
        Numbers::n(rows).variance(0)
    });
    laws.hold(
        "variance_sample",
        Within(1e-12),
        variance_sample(cents),
        |rows| Numbers::cents(rows).variance(1),
    );
    laws.hold("stddev", Within(1e-12), stddev(x), |rows| {
        Numbers::x(rows).variance(0).map(f64::sqrt)
    });
    laws.hold("stddev_sample", Within(1e-12), stddev_sample(n), |rows| {
        Numbers::n(rows).variance(1).map(f64::sqrt)
    });
}

fn shapes_and_pairs(laws: &mut impl Laws) {
    laws.hold("skew of floats", About(1e-9), skew(x), |rows| {
        Numbers::x(rows).skew()
    });
    laws.hold("skew of integers", About(1e-9), skew(n), |rows| {
        Numbers::n(rows).skew()
    });
    laws.hold("skew_sample", About(1e-9), skew_sample(cents), |rows| {
        Numbers::cents(rows).skew_sample()
    });
    laws.hold("kurtosis of floats", About(1e-9), kurtosis(x), |rows| {
        Numbers::x(rows).kurtosis()
    });
    laws.hold("kurtosis of integers", About(1e-9), kurtosis(n), |rows| {
        Numbers::n(rows).kurtosis()
    });
    laws.hold(
        "kurtosis_sample",
        About(1e-9),
        kurtosis_sample(cents),
        |rows| Numbers::cents(rows).kurtosis_sample(),
    );
    laws.hold("covariance", Within(1e-12), covariance(x, n), |rows| {
        Pairs::of(rows).covariance(0)
    });
    laws.hold(
        "covariance_sample",
        Within(1e-12),
        covariance_sample(x, n),
        |rows| Pairs::of(rows).covariance(1),
    );
    laws.hold("correlation", About(1e-12), correlation(x, n), |rows| {
        Pairs::of(rows).correlation()
    });
    laws.hold("trend", Within(1e-12), trend(at, cents), |rows| {
        brute::trend(rows, |_| true, Numbers::cents)
    });
    laws.hold("trend of integers", Within(1e-12), trend(at, n), |rows| {
        brute::trend(rows, |row| row.n != NULL, Numbers::n)
    });
}

fn extremes_and_order(laws: &mut impl Laws) {
    laws.hold("min of floats", Exactly, min(x), |rows| {
        brute::sorted_x(rows).first().copied()
    });
    laws.hold("max of floats", Exactly, max(x), |rows| {
        brute::sorted_x(rows).last().copied()
    });
    laws.hold("min of integers", Exactly, min(n), |rows| {
        brute::sorted_n(rows).first().copied()
    });
    laws.hold("max of integers", Exactly, max(n), |rows| {
        brute::sorted_n(rows).last().copied()
    });
    laws.hold("top_k of floats", Exactly, top_k(3, x), |rows| {
        brute::top(brute::sorted_x(rows), 3)
    });
    laws.hold("top_k of integers", Exactly, top_k(2, n), |rows| {
        brute::top(brute::sorted_n(rows), 2)
    });
    laws.hold("bottom_k of floats", Exactly, bottom_k(3, x), |rows| {
        brute::bottom(brute::sorted_x(rows), 3)
    });
    laws.hold("bottom_k of integers", Exactly, bottom_k(2, n), |rows| {
        brute::bottom(brute::sorted_n(rows), 2)
    });
    laws.hold("arg_max of floats", Exactly, arg_max(x, id), |rows| {
        brute::by_x(rows).last().copied()
    });
    laws.hold("arg_max of integers", Exactly, arg_max(n, id), |rows| {
        brute::by_n(rows).last().copied()
    });
    laws.hold("arg_min of floats", Exactly, arg_min(x, id), |rows| {
        brute::by_x(rows).first().copied()
    });
    laws.hold("arg_min of integers", Exactly, arg_min(n, id), |rows| {
        brute::by_n(rows).first().copied()
    });
    laws.hold("first", Exactly, first(event, word), |rows| {
        brute::words_in_order(rows).first().cloned()
    });
    laws.hold("last", Exactly, last(event, word), |rows| {
        brute::words_in_order(rows).last().cloned()
    });
    laws.hold("first_k", Exactly, first_k(4, event, word), |rows| {
        brute::first_words(rows, 4)
    });
    laws.hold("last_k", Exactly, last_k(4, event, word), |rows| {
        brute::last_words(rows, 4)
    });
    laws.hold("rate", Within(1e-12), rate(at), brute::rate);
    laws.hold("time_since_last", Exactly, time_since_last(at), |rows| {
        rows.iter().map(at).max().map(LastAt)
    });
    laws.hold("last_gap", Exactly, last_gap(at), brute::last_gap);
}

fn quantiles_and_bins(laws: &mut impl Laws) {
    let qs = || vec![0.0, 0.1, 0.5, 0.99, 1.0];
    let bins = || Bins::new(vec![-5.0, 0.0, 0.5, 2.0]).unwrap();
    laws.hold("median of floats", Exactly, median(x), |rows| {
        brute::quantile(&brute::sorted_x(rows), 0.5)
    });
    laws.hold("median of integers", Exactly, median(n), |rows| {
        brute::quantile(&brute::sorted_n(rows), 0.5)
    });
    laws.hold("quantile", Exactly, quantile(0.3, x), |rows| {
        brute::quantile(&brute::sorted_x(rows), 0.3)
    });
    laws.hold(
        "quantiles of floats",
        Exactly,
        quantiles(qs(), x),
        move |rows| {
            let numbers = brute::sorted_x(rows);
            let quantile = |q: &f64| brute::quantile(&numbers, *q);
            qs().iter().map(quantile).collect()
        },
    );
    laws.hold(
        "quantiles of integers",
        Exactly,
        quantiles(qs(), n),
        move |rows| {
            let numbers = brute::sorted_n(rows);
            let quantile = |q: &f64| brute::quantile(&numbers, *q);
            qs().iter().map(quantile).collect()
        },
    );
    laws.hold(
        "quantile_discrete of floats",
        Exactly,
        quantile_discrete(0.25, x),
        |rows| brute::quantile_discrete(&brute::sorted_x(rows), 0.25),
    );
    laws.hold(
        "quantile_discrete of integers",
        Exactly,
        quantile_discrete(0.25, n),
        |rows| brute::quantile_discrete(&brute::sorted_n(rows), 0.25),
    );
    laws.hold(
        "quantile_approx",
        Within(0.01),
        quantile_approx(0.4, 0.01, x),
        |rows| brute::quantile_lower(&brute::sorted_x(rows), 0.4),
    );
    laws.hold(
        "quantiles_approx",
        Within(0.01),
        quantiles_approx(qs(), 0.01, n),
        move |rows| {
            let numbers = brute::sorted_n(rows);
            let quantile = |q: &f64| brute::quantile_lower(&numbers, *q);
            qs().iter().map(quantile).collect()
        },
    );
    laws.hold(
        "histogram of floats",
        Exactly,
        histogram(bins(), x),
        move |rows| brute::histogram(&brute::sorted_x(rows), &bins()),
    );
    laws.hold(
        "histogram of integers",
        Exactly,
        histogram(bins(), n),
        move |rows| brute::histogram(&brute::sorted_n(rows), &bins()),
    );
}

fn values_and_combinators(laws: &mut impl Laws) {
    laws.hold("distinct", Exactly, distinct(word), |rows| {
        brute::words(rows).len() as u64
    });
    laws.hold("distinct_approx", Exactly, distinct_approx(word), |rows| {
        brute::words(rows).len() as u64
    });
    laws.hold("most_frequent", Exactly, most_frequent(2, word), |rows| {
        brute::most_frequent(rows, 2)
    });
    laws.hold(
        "concentration",
        Within(1e-12),
        concentration(word),
        brute::concentration,
    );
    laws.hold("entropy", Within(1e-12), entropy(word), brute::entropy);
    laws.hold(
        "by",
        Within(1e-12),
        by(category, mean(x)),
        brute::mean_by_category,
    );
    laws.hold(
        "by, twice",
        Exactly,
        by(category, by(word, count())),
        brute::count_by_category_and_word,
    );
    laws.hold(
        "only_if",
        Within(1e-12),
        only_if(|row: &Row| row.n > 0, mean(x)),
        brute::mean_where_positive,
    );
    laws.hold("a tuple", Exactly, (count(), max(n)), |rows| {
        (rows.len() as i64, brute::sorted_n(rows).last().copied())
    });
}

// What the aggregates take out of a row.

pub(super) fn x(row: &Row) -> Option<f64> {
    row.x
}

pub(super) fn n(row: &Row) -> i64 {
    row.n
}

pub(super) fn cents(row: &Row) -> Decimal<2> {
    row.cents
}

pub(super) fn at(row: &Row) -> i64 {
    row.at
}

pub(super) fn id(row: &Row) -> u32 {
    row.id
}

pub(super) fn event(row: &Row) -> (i64, u32) {
    (row.at, row.id)
}

pub(super) fn word(row: &Row) -> Option<String> {
    row.word.clone()
}

pub(super) fn category(row: &Row) -> u8 {
    row.category
}

/// An aggregate whose answer is looked at in another way.
fn read_as<A: Aggregate<Row>, O: Data + PartialEq>(
    aggregate: A,
    look: impl Fn(A::Output) -> O + 'static,
) -> impl Aggregate<Row, State = A::State, Output = O> {
    let reader = aggregate.clone();
    fold(
        move |state: &mut A::State, row, diff| aggregate.update(state, row, diff),
        move |state| look(reader.read(state)),
    )
    .summed::<As<Row, A>>()
}

/// What does not depend on the extremes.
fn means<L: Lane>(moments: Moments<L>) -> (u64, Option<f64>, Option<f64>) {
    (moments.count(), moments.mean(), moments.variance())
}
