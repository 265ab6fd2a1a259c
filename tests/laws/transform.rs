//! Transforms in jobs: what is fitted is brute force at every epoch, rows go through it as of their epoch (of all kinds
//! at once: `fitted`), and targets are encoded as of each row's time without its own label, whatever its size.

use std::collections::BTreeMap;

use tests::case::{Case, Retractions};
use tests::dice::Dice;
use tests::epochs::{Witness, assert_every_epoch, assert_every_epoch_appends, once};
use tests::event::{Event, REAL_UNITS};
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

/// What a row's label is; brute force adds labels up in units of 2⁻²⁰, which are all that is drawn.
type LabelOf = fn(&Event) -> Option<f64>;

fn small(event: &Event) -> Option<f64> {
    event.other.map(|n| n as f64)
}

/// Labels whose sums floats would round, labels that are none, and labels of which three do not add up.
fn mixed(event: &Event) -> Option<f64> {
    match event.id % 13 {
        0 | 1 => Some(1e16),
        2 => Some(-1e16),
        3 => Some(1.0),
        4 => Some(0.5),
        5 => Some(-(2_f64.powi(-20))),
        6 => Some(f64::NAN),
        7 => Some(f64::INFINITY),
        8 => Some(f64::NEG_INFINITY),
        9 => Some(2_f64.powi(62)),
        10 if event.id.is_multiple_of(2) => Some(4.5e18),
        10 => Some(-0.0),
        _ => small(event),
    }
}

fn encoding(
    case: &Case,
    lap: &Lap,
    label: LabelOf,
    witness: &Witness,
    out: Collect<(Event, Real)>,
) -> Job {
    let (case, lap, witness) = (case.clone(), *lap, witness.clone());
    Job::new("targets", move |g| {
        let events = g.source("events", case.source(&lap))?;
        witness.watch(&events);
        let encoded = events
            .key_by(|event| event.key)
            .event_time(|event| event.at)
            .target_encoded("target", case.widths()[0], label, ROWS, PRIOR)?;
        encoded
            .map(|(event, mean)| (event, Real(mean)))
            .sink("out", out.clone())
    })
}

const UNITS: f64 = REAL_UNITS as f64;

/// From where on sums of labels are not kept, in units: 2⁶³.
const SUM_LIMIT: i128 = 1 << 83;

/// A label in units, where it is one.
fn units(label: Option<f64>) -> Option<i128> {
    let label = label.filter(|label| label.abs() < 2_f64.powi(62));
    label.map(|label| (label * UNITS) as i128)
}

fn encoded(input: &Net<Event>, width: i64, watermark: i64, label: LabelOf) -> Net<(Event, Real)> {
    let passed = |at: i64| at < watermark || watermark == WATERMARK_END;
    let mut rows = Net::new();
    for (event, copies) in input.iter().filter(|(event, _)| passed(event.at)) {
        let known = input.iter().filter(|(other, _)| {
            other.key == event.key && other.at <= event.at && other.at >= event.at - width
        });
        let (mut all, mut others, mut count) = (0, 0, 0);
        for (other, copies) in known {
            // One copy of the row itself is left out.
            let left = copies - i64::from(other == event);
            if let Some(label) = units(label(other)) {
                all += label * i128::from(*copies);
                others += label * i128::from(left);
                count += left;
            }
        }
        let is_kept = |sum: i128| (-SUM_LIMIT..SUM_LIMIT).contains(&sum);
        let mean = match count {
            0 => PRIOR,
            _ if !is_kept(all) || !is_kept(others) => f64::NAN,
            _ => (others as f64 / UNITS + ROWS * PRIOR) / (count as f64 + ROWS),
        };
        rows.insert((*event, Real(mean)), *copies);
    }
    rows
}

fn targets_are_encoded(seeds: std::ops::Range<u64>, label: LabelOf) {
    for_seeds(seeds, |seed| {
        let mut dice = Dice::new(seed);
        let case = Case::draw(&mut dice, 120, Retractions::InOrder);
        let (lap, witness) = (Lap::draw(&mut dice), Witness::default());
        let written = once(&lap, |out| encoding(&case, &lap, label, &witness, out));
        assert_every_epoch_appends(
            &(seed, lap, &case),
            &witness.seen(),
            &written,
            |input, time| encoded(input, case.widths_us[0], time.watermark, label),
        );
    });
}

#[test]
fn targets_are_encoded_as_of_each_row_without_its_own_label() {
    targets_are_encoded(1_000..1_160, small);
}

/// The own label was taken off the rounded sum: beside 1e16 a label of 1 stayed in its own encoding, or took others
/// along.
#[test]
fn a_row_s_own_label_is_left_out_exactly_whatever_the_sizes_of_the_others() {
    targets_are_encoded(3_000..3_256, mixed);
}

#[test]
fn targets_are_encoded_alike_in_any_order() {
    for_seeds(4_000..4_060, |seed| {
        let mut dice = Dice::new(seed);
        let case = Case::draw(&mut dice, 150, Retractions::Anywhere).unlimited();
        let expected = encoded(&net(case.rows()), case.widths_us[0], WATERMARK_END, mixed);
        for case in [case.clone(), case.shuffled(&mut dice)] {
            let (lap, quiet) = (Lap::draw(&mut dice), Witness::default());
            let (written, _) = lap.simulate(|out| encoding(&case, &lap, mixed, &quiet, out));
            let found = net(written.into_iter().map(|(row, _, diff)| (row, diff)));
            assert_same(&found, &expected, &(seed, &lap, &case));
        }
    });
}
