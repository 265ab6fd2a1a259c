//! Every aggregate in windows of each kind reads the same bits over any workers, slicing and order: those of the
//! aggregate by itself over the rows that the window holds. Brute force of the aggregates, and all modes of all windows,
//! are tried where the operators stand, on one worker.

use std::fmt::Debug;

use tests::case::{Case, Retractions};
use tests::dice::Dice;
use tests::event::Event;
use tests::lap::Lap;
use tests::oracle::{Net, admitted, assert_same, net};
use tests::windows::{Cut, Rows, by_key};
use thalweg::connectors::memory::Collect;
use thalweg::operators::drift::Bins;
use thalweg::operators::key_by::Timeline;
use thalweg::prelude::*;

use crate::for_seeds;
use crate::windows::draw;

/// A key, a window's start and its last row's time where there are any, and what all aggregates read, in words: floats
/// have as many digits as tell their bits.
type Read = (i64, i64, i64, String);

/// The event, where it has a row of its own.
type Marked = (Option<Event>, Read);

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

/// All aggregates of the library, over whole numbers with extremes, floats with NaN, and what is not there.
fn all() -> impl Aggregate<Event, Output: Debug> {
    (sums(), spreads(), places(), spectrum(), categories())
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

/// What the aggregates read over these rows, which come in order.
fn words(rows: &Rows<'_>) -> String {
    let aggregate = all();
    let mut state = Default::default();
    for (event, copies) in rows {
        aggregate.update(&mut state, event, *copies);
    }
    format!("{:?}", aggregate.read(&state))
}

/// What is run.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// These windows, written at every change or once.
    Cut(Cut, bool),
    /// As of each event, over the first two widths.
    Rolling,
}

fn rows<'s>(
    timeline: &Timeline<'s, Event, i64>,
    kind: Kind,
    widths: [std::time::Duration; 3],
) -> Result<Table<'s, Marked>, JobError> {
    let micros = |us: i64| std::time::Duration::from_micros(us.unsigned_abs());
    let (groups, finals) = match kind {
        Kind::Rolling => {
            let windows = timeline.rolling([widths[0], widths[1]])?;
            let windows = windows.aggregate("all", all()).finals();
            return Ok(windows.map(|(event, row)| {
                let read = format!("{:?}", row.windows.iter().collect::<Vec<_>>());
                (Some(event), (row.key, 0, row.at, read))
            }));
        }
        Kind::Cut(Cut::Session(gap), finals) => {
            let sessions = timeline.session(micros(gap))?;
            let sessions = if finals {
                sessions.finals("all", all())
            } else {
                sessions.latest("all", all())
            };
            return Ok(sessions.map(|of| {
                let read = format!("{:?}", of.value);
                (None, (of.key, of.start, of.last, read))
            }));
        }
        Kind::Cut(Cut::Last(number), _) => {
            let last = timeline.last_rows(number)?.latest("all", all());
            return Ok(last.map(|of| (None, (of.key, 0, of.at, format!("{:?}", of.value)))));
        }
        Kind::Cut(Cut::Hopping(width, step), finals) => {
            (timeline.hopping(micros(width), micros(step))?, finals)
        }
        Kind::Cut(Cut::London(calendar), finals) => {
            (timeline.calendar(calendar, "Europe/London")?, finals)
        }
    };
    let groups = if finals {
        groups.finals("all", all())
    } else {
        groups.latest("all", all())
    };
    Ok(groups.map(|of| (None, (of.key, of.start, 0, format!("{:?}", of.value)))))
}

fn job(case: &Case, lap: &Lap, kind: Kind, out: Collect<Marked>) -> Job {
    let (case, lap) = (case.clone(), *lap);
    Job::new("aggregates", move |g| {
        let events = g.source("events", case.source(&lap))?;
        let timeline = events
            .key_by(|event| event.key)
            .event_time(|event| event.at);
        rows(&timeline, kind, case.widths())?.sink("out", out.clone())
    })
}

fn expected(kind: Kind, input: &Net<Event>, widths_us: [i64; 3]) -> Net<Marked> {
    match kind {
        Kind::Cut(cut, _) => {
            let windows = cut.held(input).into_iter();
            let read = windows.map(|of| (of.key, of.start, of.last, words(&of.rows)));
            read.map(|read| ((None, read), 1)).collect()
        }
        Kind::Rolling => {
            let keys = by_key(input);
            let as_of = |event: &Event, width: i64| {
                let rows = keys[&event.key].iter();
                let inside = |at: i64| at >= event.at - width && at <= event.at;
                words(
                    &rows
                        .filter(|(event, _)| inside(event.at))
                        .copied()
                        .collect(),
                )
            };
            let there = keys.values().flatten();
            let read = there.map(|(event, copies)| {
                let [a, b] = [widths_us[0], widths_us[1]].map(|width| as_of(event, width));
                let read = (event.key, 0, event.at, format!("[{a}, {b}]"));
                ((Some(**event), read), *copies)
            });
            read.collect()
        }
    }
}

/// As it is, windows end and rows leave while others come; without limit any order is as good.
fn holds(kind: Kind, case: Case, dice: &mut Dice, seed: u64) {
    let unlimited = case.clone().unlimited();
    let reordered = unlimited.shuffled(dice);
    for case in [case, unlimited, reordered] {
        let input = net(admitted(&case).rows);
        let expected = expected(kind, &input, case.widths_us);
        let lap = Lap::draw(dice);
        let (written, _) = lap.simulate(|out| job(&case, &lap, kind, out));
        let found = net(written.into_iter().map(|(row, _, diff)| (row, diff)));
        assert_same(&found, &expected, &(seed, &lap, kind, &case));
    }
}

#[test]
fn windows_read_of_every_aggregate_what_it_reads_alone() {
    for_seeds(0..120, |seed| {
        let mut dice = Dice::new(seed);
        let (cut, case) = draw(&mut dice, 80);
        let finals = dice.chance(50);
        holds(Kind::Cut(cut, finals), case, &mut dice, seed);
    });
}

#[test]
fn rows_as_of_events_read_of_every_aggregate_what_it_reads_alone() {
    for_seeds(1_000..1_040, |seed| {
        let mut dice = Dice::new(seed);
        let case = Case::draw(&mut dice, 60, Retractions::Anywhere);
        holds(Kind::Rolling, case, &mut dice, seed);
    });
}
