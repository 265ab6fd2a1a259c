//! All aggregates of the library over events, read in words.

use std::fmt::Debug;

use tests::event::Event;
use tests::windows::Rows;
use thalweg::operators::aggregate::Add;
use thalweg::operators::drift::Bins;
use thalweg::prelude::*;

/// What an aggregate reads, in words: floats have as many digits as tell their bits. What is written once for all windows
/// is compiled once too: it is by far the most of this test's code.
#[derive(Clone)]
struct Words<A>(A);

impl<A: Aggregate<Event, Output: Debug>> Aggregate<Event> for Words<A> {
    type State = A::State;
    type Output = String;
    const ADD: Option<Add<A::State>> = A::ADD;

    #[inline(never)]
    fn update(&self, state: &mut A::State, row: &Event, diff: i64) {
        self.0.update(state, row, diff);
    }

    #[inline(never)]
    fn read(&self, state: &A::State) -> String {
        format!("{:?}", self.0.read(state))
    }
}

/// All aggregates of the library, over whole numbers with extremes, floats with NaN, and what is not there.
pub(super) fn all() -> impl Aggregate<Event, Output = String> {
    Words((sums(), spreads(), places(), spectrum(), categories()))
}

/// What they read alone over these rows, which come in order.
pub(super) fn words(rows: &Rows<'_>) -> String {
    let aggregate = all();
    let mut state = Default::default();
    for (event, copies) in rows {
        aggregate.update(&mut state, event, *copies);
    }
    aggregate.read(&state)
}

fn value(event: &Event) -> Option<i64> {
    event.value
}

fn other(event: &Event) -> Option<i64> {
    event.other
}

fn float(event: &Event) -> Option<f64> {
    event.float()
}

fn place(event: &Event) -> (i64, u32) {
    (event.at, event.id)
}

fn sums() -> impl Aggregate<Event, Output: Debug> {
    (
        count(),
        count_where(|event: &Event| event.other.is_some()),
        (sum(value), sum(float)),
        (mean(value), mean(float)),
        moments(float),
        totals(value),
        (
            rate(|event: &Event| event.at),
            last_gap(|event: &Event| event.at),
        ),
        time_since_last(|event: &Event| event.at),
    )
}

fn spreads() -> impl Aggregate<Event, Output: Debug> {
    (
        (variance(value), variance_sample(float)),
        (stddev(float), stddev_sample(value)),
        (skew(float), skew_sample(value)),
        (kurtosis(value), kurtosis_sample(float)),
        (covariance(value, float), covariance_sample(float, other)),
        correlation(float, other),
        trend(|event: &Event| event.at, float),
        geometric_mean(float),
    )
}

fn places() -> impl Aggregate<Event, Output: Debug> {
    (
        (min(value), max(float)),
        (top_k(3, value), bottom_k(2, float)),
        (
            arg_min(float, |event: &Event| event.id),
            arg_max(value, |event: &Event| event.id),
        ),
        (first(place, place), first_k(2, place, place)),
        (last(place, place), last_k(3, place, place)),
    )
}

fn spectrum() -> impl Aggregate<Event, Output: Debug> {
    let bins = Bins::new(vec![-2.0, 0.0, 1.5]).unwrap();
    (
        (
            median(float),
            quantile(0.9, value),
            quantiles([0.1, 0.5], other),
        ),
        quantile_discrete(0.25, float),
        quantile_approx(0.75, 0.01, float),
        quantiles_approx([0.2, 0.99], 0.02, value),
        histogram(bins, float),
        (distinct(other), distinct_approx(value)),
        most_frequent(2, other),
        (entropy(other), concentration(other)),
    )
}

fn categories() -> impl Aggregate<Event, Output: Debug> {
    (
        by(other, (count(), mean(float))),
        only_if(
            |event: &Event| event.id.is_multiple_of(2),
            (count(), median(value)),
        ),
    )
}
