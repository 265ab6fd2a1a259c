//! Transforms in jobs: what is fitted is brute force at every epoch, rows go through it as of their epoch, and targets
//! are encoded as of each row's time without its own label.

use std::collections::BTreeMap;

use tests::case::{Case, Retractions};
use tests::dice::Dice;
use tests::epochs::{Witness, assert_every_epoch, assert_every_epoch_appends, once};
use tests::event::Event;
use tests::lap::Lap;
use tests::oracle::{Net, assert_same, net};
use thalweg::connectors::memory::Collect;
use thalweg::engine::time::WATERMARK_END;
use thalweg::operators::transform::{Fitted, MinMax, min_max};
use thalweg::operators::value::Real;
use thalweg::prelude::*;

use crate::for_seeds;

type Row = (Event, Option<Real>);

fn fitting(
    case: &Case,
    lap: &Lap,
    witness: &Witness,
    fitted: Collect<Fitted<i64, MinMax>>,
    out: Collect<Row>,
) -> Job {
    let (case, lap, witness) = (case.clone(), *lap, witness.clone());
    Job::new("fit", move |g| {
        let events = g.source("events", case.source(&lap))?;
        witness.watch(&events);
        let keyed = events.key_by(|event| event.key);
        let ranges = keyed.fit("range", min_max(|event: &Event| event.other));
        ranges.sink("fitted", fitted.clone())?;
        let scaled = keyed.transformed_by("scaled", &ranges, |event, range: Option<&MinMax>| {
            let place = range.and_then(|range| range.apply(event.other.map(|n| n as f64)));
            (event, place.map(Real))
        });
        scaled.sink("out", out.clone())
    })
}

fn ranges(input: &Net<Event>) -> BTreeMap<i64, (i64, i64)> {
    let mut ranges: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
    for (key, n) in input
        .keys()
        .filter_map(|event| Some((event.key, event.other?)))
    {
        let range = ranges.entry(key).or_insert((n, n));
        *range = (n.min(range.0), n.max(range.1));
    }
    ranges
}

fn params((min, max): (i64, i64)) -> MinMax {
    MinMax {
        min: Real(min as f64),
        max: Real(max as f64),
    }
}

#[test]
fn what_is_fitted_is_brute_force_at_every_epoch_and_rows_go_through_it() {
    for_seeds(0..160, |seed| {
        let mut dice = Dice::new(seed);
        let case = Case::draw(&mut dice, 120, Retractions::InOrder);
        let (lap, witness, fitted) = (Lap::draw(&mut dice), Witness::default(), Collect::new());
        let written = once(&lap, |out| {
            fitting(&case, &lap, &witness, fitted.clone(), out)
        });
        let (seen, context) = (witness.seen(), (seed, lap, &case));
        assert_every_epoch(
            &context,
            &seen,
            &fitted.updates(),
            |row| row.key,
            |input, _| {
                let rows = ranges(input).into_iter().map(|(key, range)| Fitted {
                    key,
                    params: params(range),
                });
                rows.map(|row| (row, 1)).collect()
            },
        );
        let mut input = Net::new();
        for (epoch, rows) in seen.rows {
            input = net(input.into_iter().chain(rows.iter().copied()));
            let ranges = ranges(&input);
            let expected = net(rows.into_iter().map(|(event, diff)| {
                let place = ranges
                    .get(&event.key)
                    .zip(event.other)
                    .map(|((min, max), n)| {
                        let width = if min == max { 1 } else { max - min };
                        Real((n - min) as f64 / width as f64)
                    });
                ((event, place), diff)
            }));
            let found = written.iter().filter(|(_, at, _)| *at == epoch);
            let found = net(found.map(|(row, _, diff)| (*row, *diff)));
            assert_same(&found, &expected, &(epoch, context));
        }
    });
}

const ROWS: f64 = 2.0;
const PRIOR: f64 = 0.5;

fn encoding(case: &Case, lap: &Lap, witness: &Witness, out: Collect<(Event, Real)>) -> Job {
    let (case, lap, witness) = (case.clone(), *lap, witness.clone());
    Job::new("targets", move |g| {
        let events = g.source("events", case.source(&lap))?;
        witness.watch(&events);
        let label = |event: &Event| event.other.map(|n| n as f64);
        let encoded = events
            .key_by(|event| event.key)
            .event_time(|event| event.at)
            .target_encoded("target", case.widths()[0], label, ROWS, PRIOR)?;
        encoded
            .map(|(event, mean)| (event, Real(mean)))
            .sink("out", out.clone())
    })
}

fn encoded(input: &Net<Event>, width: i64, watermark: i64) -> Net<(Event, Real)> {
    let passed = |at: i64| at < watermark || watermark == WATERMARK_END;
    let mut rows = Net::new();
    for (event, copies) in input.iter().filter(|(event, _)| passed(event.at)) {
        let known = input.iter().filter(|(other, _)| {
            other.key == event.key && other.at <= event.at && other.at >= event.at - width
        });
        let (mut sum, mut count) = (0, 0);
        for (label, copies) in known.filter_map(|(other, copies)| Some((other.other?, copies))) {
            (sum, count) = (sum + label * copies, count + copies);
        }
        if let Some(own) = event.other {
            (sum, count) = (sum - own, count - 1);
        }
        let mean = match count {
            0 => PRIOR,
            _ => (sum as f64 + ROWS * PRIOR) / (count as f64 + ROWS),
        };
        rows.insert((*event, Real(mean)), *copies);
    }
    rows
}

#[test]
fn targets_are_encoded_as_of_each_row_without_its_own_label() {
    for_seeds(1_000..1_160, |seed| {
        let mut dice = Dice::new(seed);
        let case = Case::draw(&mut dice, 120, Retractions::InOrder);
        let (lap, witness) = (Lap::draw(&mut dice), Witness::default());
        let written = once(&lap, |out| encoding(&case, &lap, &witness, out));
        assert_every_epoch_appends(
            &(seed, lap, &case),
            &witness.seen(),
            &written,
            |input, time| encoded(input, case.widths_us[0], time.watermark),
        );
    });
}
