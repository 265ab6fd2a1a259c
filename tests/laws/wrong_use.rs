//! What makes no sense is refused before anything runs, by an error that names what it is and says what is wanted; what
//! just makes sense runs.

use std::ops::RangeInclusive;
use std::time::Duration;

use thalweg::connectors::memory::{Collect, Log};
use thalweg::operators::key_by::Timeline;
use thalweg::operators::transform::{Smoothing, quantile_buckets, targets};
use thalweg::prelude::*;

/// How a table of numbers is asked.
type Ask = for<'s> fn(&Table<'s, i64>) -> Result<(), JobError>;

fn timed<'s>(numbers: &Table<'s, i64>) -> Timeline<'s, i64, i64> {
    numbers.key_by(|n| n % 5).event_time(|n| *n)
}

fn numbers() -> SourceSpec<i64> {
    let log = Log::rows((0..100).collect()).batch_rows(7);
    log.event_time(|n| *n).lateness(Duration::ZERO)
}

fn category(n: &i64) -> Option<String> {
    Some(n.to_string())
}

const NONE: Duration = Duration::ZERO;
const MICRO: Duration = Duration::from_micros(1);
/// Too short to be seen.
const NANO: Duration = Duration::from_nanos(999);

/// Whatever an operator is told of time and of numbers, each with all that its error says.
const WINDOWS: [(&str, Ask); 14] = [
    (
        "rolling windows need at least one width, each from 1 µs to 292,000 years: got []",
        |numbers| timed(numbers).rolling([]).map(drop),
    ),
    (
        "rolling windows need at least one width, each from 1 µs to 292,000 years: got [1µs, 999ns]",
        |numbers| timed(numbers).rolling([MICRO, NANO]).map(drop),
    ),
    (
        "rolling windows need at least one width, each from 1 µs to 292,000 years: \
         got [18446744073709551615.999999999s]",
        |numbers| timed(numbers).rolling([Duration::MAX]).map(drop),
    ),
    (
        "a tumbling window's width is at least 1 µs: got 0ns",
        |numbers| timed(numbers).tumbling(NONE).map(drop),
    ),
    (
        "a hopping window's width is at least 1 µs: got 0ns",
        |numbers| timed(numbers).hopping(NONE, MICRO).map(drop),
    ),
    (
        "the step between hopping windows is at least 1 µs: got 999ns",
        |numbers| timed(numbers).hopping(hours(1), NANO).map(drop),
    ),
    (
        "at most 10000 hopping windows hold one row: got 10001, 20.001ms wide every 2µs; take longer steps, or \
         rolling windows",
        |numbers| {
            let width = Duration::from_micros(20_001);
            timed(numbers).hopping(width, MICRO * 2).map(drop)
        },
    ),
    (
        "at most 10000 hopping windows hold one row: got 9223372036854775807, 18446744073709551615.999999999s wide \
         every 1µs; take longer steps, or rolling windows",
        |numbers| timed(numbers).hopping(Duration::MAX, MICRO).map(drop),
    ),
    (
        "calendar windows want a time zone of the IANA database, such as 'Europe/London': got 'Berlin'",
        |numbers| {
            let timed = timed(numbers);
            timed.calendar(Calendar::Day, "Berlin").map(drop)
        },
    ),
    (
        "the gap that ends a session is at least 1 µs: got 0ns",
        |numbers| timed(numbers).session(NONE).map(drop),
    ),
    ("the last rows of a key are at least 1: got 0", |numbers| {
        timed(numbers).last_rows(0).map(drop)
    }),
    (
        "the half-life of decayed sums is at least 1 µs: got 0ns",
        |numbers| timed(numbers).decayed(NONE).map(drop),
    ),
    (
        "the time until decayed sums are refreshed is at least 1 µs: got 999ns",
        |numbers| timed(numbers).decayed(MICRO)?.refreshed(NANO).map(drop),
    ),
    (
        "window 'best final': an aggregate of k numbers has a k of at least 1: got 0",
        |numbers| {
            let windows = timed(numbers).tumbling(hours(1))?;
            let best = windows.finals("best", top_k(0, |n: &i64| *n));
            best.map(|row| row.key).sink("best", Collect::new())
        },
    ),
];

const OTHERS: [(&str, Ask); 13] = [
    (
        "window 'all': labels ask for a lifetime up to their moments, and its rows have none; call event_time before \
         lifetime",
        |numbers| {
            let lifetime = numbers.key_by(|n| n % 5).lifetime();
            let answers = lifetime.at("all", count(), &timed(numbers)).finals();
            answers
                .map(|answer| answer.0)
                .sink("answers", Collect::new())
        },
    ),
    (
        "interval join 'near' wants a lower bound that is not above its upper one: got 1..=0 µs",
        |numbers| {
            let timed = timed(numbers);
            let reversed = RangeInclusive::new(1, 0);
            timed.interval_join("near", &timed, reversed).map(drop)
        },
    ),
    (
        "the window of windowed join 'together' is at least 1 µs: got 0ns",
        |numbers| {
            let timed = timed(numbers);
            timed.windowed_join("together", &timed, NONE).map(drop)
        },
    ),
    (
        "drift 'moved' needs a window of at least 1 µs and at least one feature: got 0 µs and 1 features",
        |numbers| {
            let moved = numbers.drift("moved", |n| *n).every(NONE);
            let moved = moved.features(["n"], |n| [Some(*n as f64)]);
            moved.finals(&Baselines::default()).map(drop)
        },
    ),
    (
        "drift 'moved' needs a window of at least 1 µs and at least one feature: got 3600000000 µs and 0 features",
        |numbers| {
            let moved = numbers.drift("moved", |n| *n);
            moved.latest(&Baselines::default()).map(drop)
        },
    ),
    (
        "drift 'moved' tells features apart by their names: got 'n' twice",
        |numbers| {
            let moved = numbers.drift("moved", |n| *n);
            let moved = moved.features(["n", "m", "n"], |n| [Some(*n as f64); 3]);
            moved.latest(&Baselines::default()).map(drop)
        },
    ),
    (
        "drift 'moved' has no baseline for the feature 'n': fit one; there are [\"m\"]",
        |numbers| {
            let moved = numbers.drift("moved", |n| *n);
            let moved = moved.features(["n"], |n| [Some(*n as f64)]);
            let baselines = Baseline::fit("m", [Some(1.0)]).into_iter().collect();
            moved.latest(&baselines).map(drop)
        },
    ),
    ("quantile buckets are at least 2: got 1", |_| {
        quantile_buckets(1, |n: &i64| *n).map(drop)
    }),
    (
        "target encoding is smoothed by 0 rows or more: got -1",
        |_| {
            let smoothing = Smoothing::Rows(Real(-1.0));
            targets(smoothing, category, |n: &i64| *n).map(drop)
        },
    ),
    (
        "target encoding wants a finite prior, such as the mean of all labels: got NaN",
        |numbers| encoded(numbers, MICRO, f64::NAN),
    ),
    (
        "the width of target encoding is at least 1 µs: got 0ns",
        |numbers| encoded(numbers, NONE, 0.5),
    ),
    (
        "the name 'seen' is empty or taken: every source, sink and operator of a job has its own",
        |numbers| numbers.sink("seen", Collect::new()),
    ),
    (
        "the name '' is empty or taken: every source, sink and operator of a job has its own",
        |table| table.graph().source("", numbers()).map(drop),
    ),
];

fn encoded(numbers: &Table<'_, i64>, width: Duration, prior: f64) -> Result<(), JobError> {
    let timed = timed(numbers);
    let encoded = timed.target_encoded("encoded", width, |n| Some(*n as f64), 1.0, prior);
    encoded.map(drop)
}

#[test]
fn what_makes_no_sense_is_refused_by_name_before_anything_runs() {
    for (text, ask) in WINDOWS.into_iter().chain(OTHERS) {
        for workers in 1..=2 {
            let seen = Collect::new();
            let into = seen.clone();
            let job = Job::new("wrong", move |g| {
                let numbers = g.source("numbers", numbers())?;
                numbers.sink("seen", into.clone())?;
                ask(&numbers)
            });
            match job.run(Config::workers(workers).unwrap()) {
                Err(JobError::Wrong(said)) => assert_eq!(said, text),
                ended => panic!("instead of «{text}»: {ended:?}"),
            }
            assert!(seen.updates().is_empty(), "{text}: something ran");
        }
    }
}

#[test]
fn what_just_makes_sense_runs() {
    let out = Collect::new();
    let into = out.clone();
    let job = Job::new("right", move |g| {
        let numbers = g.source("numbers", numbers())?;
        let timed = timed(&numbers);
        let ran = |name: &'static str, rows: Table<'_, ()>| {
            let rows = rows.map(move |()| name.to_owned());
            rows.sink(name, into.clone())
        };
        let rolling = timed.rolling([MICRO * 3, MICRO, MICRO * 3])?;
        let rolling = rolling.totals("rolling", |n| *n);
        ran("rolling", rolling.finals(|_| ()).map(drop))?;
        let tumbling = timed.tumbling(MICRO)?.finals("tumbling", count());
        ran("tumbling", tumbling.map(drop))?;
        timed.hopping(MICRO * 20_000, MICRO * 2)?;
        // Only number 0 is in a window: the next one begins an hour later.
        let hopping = timed.hopping(MICRO, hours(1))?;
        let hopping = hopping.finals("hopping", count());
        ran("hopping", hopping.map(drop))?;
        let sessions = timed.session(MICRO)?.finals("sessions", count());
        ran("sessions", sessions.map(drop))?;
        let last = timed.last_rows(1)?.latest("last", count());
        ran("last", last.map(drop))?;
        let decayed = timed.decayed(MICRO)?.refreshed(MICRO)?;
        ran("decayed", decayed.latest("decayed", |n| *n).map(drop))?;

        // Of one time are the rows that are the same.
        let near = timed.interval_join("near", &timed, 0..=0)?;
        ran("near", near.finals().map(drop))?;
        let together = timed.windowed_join("together", &timed, MICRO)?;
        ran("together", together.finals().map(drop))?;
        let asof = timed.asof("asof", &timed).tolerance(NONE).nearest();
        let found = asof.finals().filter(|(_, found)| found.is_some());
        ran("asof", found.map(drop))
    });
    job.run(Config::workers(2).unwrap()).unwrap();
    let rows = out.net();
    let rows: Vec<_> = rows.iter().map(|(name, n)| (name.as_str(), *n)).collect();
    let expected = [
        ("asof", 100),
        ("decayed", 5),
        ("hopping", 1),
        ("last", 5),
        ("near", 100),
        ("rolling", 100),
        ("sessions", 100),
        ("together", 100),
        ("tumbling", 100),
    ];
    assert_eq!(rows, expected);
}
