//! Every aggregate over a handful of rows: five payments of an hour, and one that was booked by mistake.
//!
//! ```text
//! minute       0      10      20      30      40      50
//! amount     100     300     100     500   9,999   1,000
//! shop    bakery   books  bakery   books  travel  travel
//!                                       taken back
//! ```
//!
//! Runs alone and asserts every line that it prints. What is fractional is as SciPy and NumPy have it,
//! but for what is approximate.

use std::fmt::Debug;
use std::process::ExitCode;

use examples::shown::ended;
use serde::{Deserialize, Serialize};
use thalweg::connectors::memory::{Collect, Log};
use thalweg::operators::drift::Bins;
use thalweg::operators::window::grouped::Grouped;
use thalweg::prelude::*;

/// A payment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Payment {
    minute: i64,
    amount: i64,
    shop: String,
}

fn payments() -> Vec<(Payment, i64)> {
    let payment = |(minute, amount, shop): (i64, i64, &str)| Payment {
        minute,
        amount,
        shop: shop.to_owned(),
    };
    let rows = [
        ((0, 100, "bakery"), 1),
        ((10, 300, "books"), 1),
        ((20, 100, "bakery"), 1),
        ((30, 500, "books"), 1),
        ((40, 9_999, "travel"), 1),
        ((50, 1_000, "travel"), 1),
        ((40, 9_999, "travel"), -1),
    ];
    rows.map(|(row, diff)| (payment(row), diff)).to_vec()
}

const MINUTE_US: i64 = 60_000_000;

fn at(payment: &Payment) -> EventTime {
    payment.minute * MINUTE_US
}

fn amount(payment: &Payment) -> i64 {
    payment.amount
}

fn minute(payment: &Payment) -> i64 {
    payment.minute
}

fn shop(payment: &Payment) -> Option<String> {
    Some(payment.shop.clone())
}

/// The windows that all of it is about.
type Hourly<'s> = Grouped<'s, Payment, u8>;

/// Its place, some aggregates, and what they read.
type Line = (u8, String, String);

/// What was read, in words, with three digits behind the point.
fn said<const N: usize>(read: [(&str, &dyn Debug); N]) -> Vec<Line> {
    let line =
        |(n, (name, value)): (u8, (&str, &dyn Debug))| (n, name.to_owned(), format!("{value:.3?}"));
    (1..).zip(read).map(line).collect()
}

/// What adds up.
fn sums(hourly: &Hourly<'_>, answer: &Collect<Line>) -> Result<(), JobError> {
    let large = |payment: &Payment| payment.amount >= 300;
    let all = (
        (count(), count_where(large), sum(amount), mean(amount)),
        (variance(amount), variance_sample(amount)),
        (stddev(amount), stddev_sample(amount)),
        (skew(amount), skew_sample(amount)),
        (kurtosis(amount), kurtosis_sample(amount)),
        (
            covariance(amount, minute),
            covariance_sample(amount, minute),
        ),
        (correlation(amount, minute), trend(at, amount)),
        (moments(amount), totals(amount)),
    );
    let lines = hourly.finals("sums", all).flat_map(|hour| {
        let (counted, variance, stddev, skew, kurtosis, covariance, line, whole) = hour.value;
        let (moments, totals) = whole;
        said([
            ("count, count where ≥ 300, sum, mean", &counted),
            ("variance, of a sample", &variance),
            ("stddev, of a sample", &stddev),
            ("skew, of a sample", &skew),
            ("kurtosis, of a sample", &kurtosis),
            ("covariance with the minute, of a sample", &covariance),
            ("correlation with the minute, trend per s", &line),
            (
                "moments in one: mean, min, max",
                &(moments.mean(), moments.min(), moments.max()),
            ),
            (
                "totals in one: mean, stddev",
                &(totals.mean(), totals.stddev()),
            ),
        ])
    });
    lines.sink("sums", answer.clone())
}

/// What goes by size or by time.
fn places(hourly: &Hourly<'_>, answer: &Collect<Line>) -> Result<(), JobError> {
    let all = (
        (min(amount), max(amount)),
        (top_k(2, amount), bottom_k(3, amount)),
        (arg_min(amount, minute), arg_max(amount, minute)),
        (first(at, minute), first_k(2, at, minute)),
        (last(at, minute), last_k(2, at, minute)),
        (rate(at), last_gap(at), time_since_last(at)),
    );
    let lines = hourly.finals("places", all).flat_map(|hour| {
        let (ends, ranked, beside, first, last, times) = hour.value;
        let (rate, gap_us, newest) = times;
        // Whoever reads says as of when: here it is the end of the hour.
        let minutes = newest.map(|newest| newest.since_us(hour.start + 60 * MINUTE_US) / MINUTE_US);
        said([
            ("min, max", &ends),
            ("top 2, bottom 3", &ranked),
            ("minute of the min (of two the first), of the max", &beside),
            ("minute of the first, of the first two", &first),
            ("minute of the last, of the last two", &last),
            ("rate per 1,000 s", &rate.map(|rate| rate * 1e3)),
            (
                "minutes in the last gap, since the last",
                &(gap_us.map(|us| us / MINUTE_US), minutes),
            ),
        ])
    });
    lines.sink("places", answer.clone())
}

/// How values are distributed.
fn spectrum(hourly: &Hourly<'_>, answer: &Collect<Line>) -> Result<(), JobError> {
    let bins = Bins::new(vec![200.0, 600.0]).map_err(|error| JobError::Wrong(error.to_string()))?;
    let all = (
        (
            median(amount),
            quantile(0.9, amount),
            quantiles([0.1, 0.5], amount),
        ),
        quantile_discrete(0.9, amount),
        (
            quantile_approx(0.9, 0.01, amount),
            quantiles_approx([0.1, 0.5], 0.01, amount),
        ),
        geometric_mean(amount),
        histogram(bins, amount),
        (distinct(shop), distinct_approx(shop)),
        most_frequent(2, shop),
        (entropy(shop), concentration(shop)),
    );
    let lines = hourly.finals("spectrum", all).flat_map(|hour| {
        let (exact, discrete, approximate, geometric, bins, shops, frequent, evenness) = hour.value;
        said([
            ("median, 0.9 quantile, 0.1 and 0.5", &exact),
            ("0.9 quantile that is one of the amounts", &discrete),
            (
                "quantiles 0.9, then 0.1 and 0.5, within 1 % of a neighbour",
                &approximate,
            ),
            ("geometric mean", &geometric),
            ("histogram: below 200, below 600, others", &bins),
            ("shops, shops within 4 %", &shops),
            ("two most frequent shops", &frequent),
            ("entropy in nats, concentration", &evenness),
        ])
    });
    lines.sink("spectrum", answer.clone())
}

/// Any aggregate by a second key, and of some rows.
fn categories(hourly: &Hourly<'_>, answer: &Collect<Line>) -> Result<(), JobError> {
    let books = |payment: &Payment| payment.shop == "books";
    let all = (
        by(|payment: &Payment| payment.shop.clone(), count()),
        by(
            |payment: &Payment| payment.shop.clone(),
            (mean(amount), max(amount)),
        ),
        only_if(books, (sum(amount), last(at, amount))),
    );
    let lines = hourly.latest("categories", all).flat_map(|hour| {
        let (counts, means, books) = hour.value;
        said([
            ("count by shop", &counts),
            ("mean and max by shop", &means),
            ("sum and last where the shop is «books»", &books),
        ])
    });
    lines.sink("categories", answer.clone())
}

/// What each group of aggregates reads.
#[derive(Clone, Default)]
struct Answers {
    sums: Collect<Line>,
    places: Collect<Line>,
    spectrum: Collect<Line>,
    categories: Collect<Line>,
}

fn job(answers: Answers) -> Job {
    Job::new("aggregates", move |g| {
        let log = Log::signed(payments());
        let payments = g.source("payments", log.event_time(at).lateness(hours(1)))?;
        let hourly = payments
            .key_by(|_| 0_u8)
            .event_time(at)
            .tumbling(hours(1))?;
        sums(&hourly, &answers.sums)?;
        places(&hourly, &answers.places)?;
        spectrum(&hourly, &answers.spectrum)?;
        categories(&hourly, &answers.categories)
    })
}

/// Prints what was read, line by line, and holds it to what it must be.
#[expect(clippy::print_stdout, reason = "an example shows what it does")]
fn show(what: &str, answer: &Collect<Line>, expected: &[&str]) {
    println!("{what}");
    let lines = answer.net();
    for ((_, name, read), copies) in &lines {
        println!("  {name}\n    {read}");
        assert_eq!(*copies, 1, "{name}");
    }
    let read: Vec<&str> = lines
        .iter()
        .map(|((_, _, read), _)| read.as_str())
        .collect();
    assert_eq!(read, expected, "{what}");
}

fn run() -> Result<(), JobError> {
    let answers = Answers::default();
    job(answers.clone()).run(Config::workers(2)?)?;
    show(
        "What adds up",
        &answers.sums,
        &[
            "(5, 3, 2000.000, Some(400.000))",
            "(Some(112000.000), Some(140000.000))",
            "(Some(334.664), Some(374.166))",
            "(Some(0.864), Some(1.289))",
            "(Some(-0.672), Some(1.311))",
            "(Some(5200.000), Some(6500.000))",
            "(Some(0.903), Some(0.293))",
            "(Some(400.000), Some(100.000), Some(1000.000))",
            "(Some(400.000), Some(334.664))",
        ],
    );
    show(
        "What goes by size or by time",
        &answers.places,
        &[
            "(Some(100.000), Some(1000.000))",
            "([1000.000, 500.000], [100.000, 100.000, 300.000])",
            "(Some(0), Some(50))",
            "(Some(0), [0, 10])",
            "(Some(50), [50, 30])",
            "Some(1.333)",
            "(Some(20), Some(10))",
        ],
    );
    show(
        "How values are distributed",
        &answers.spectrum,
        &[
            "(Some(300.000), Some(800.000), Some([100.000, 300.000]))",
            "Some(1000.000)",
            "(Some(502.000), Some([100.500, 302.000]))",
            "Some(272.407)",
            "[2, 2, 1]",
            "(3, 3)",
            "[(\"bakery\", 2), (\"books\", 2)]",
            "(Some(1.055), Some(0.360))",
        ],
    );
    show(
        "By a second key, and of some rows",
        &answers.categories,
        &[
            "{\"bakery\": 2, \"books\": 2, \"travel\": 1}",
            "{\"bakery\": (Some(100.000), Some(100.000)), \"books\": (Some(400.000), Some(500.000)), \"travel\": (Some(1000.000), Some(1000.000))}",
            "(800.000, Some(500))",
        ],
    );
    Ok(())
}

fn main() -> ExitCode {
    ended(run())
}
