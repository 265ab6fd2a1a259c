//! Sums that fade, by definition: what is there of a key up to a moment, each number times 2^−(age ÷ half-life).

use std::collections::BTreeMap;
use std::fmt::Debug;

use crate::event::{Event, REAL_UNITS};
use crate::oracle::Net;

/// `(key, at, weight, sum)`, the floats as their bits.
pub type Faded = (i64, i64, u64, u64);

/// Rows per key are marked by `None`, those per event by the event.
pub type Marked = (Option<Event>, Faded);

/// The rows that must be there: the moment that each is as of, and how often it is there.
pub type Expected = BTreeMap<(Option<Event>, i64), (i64, i64)>;

/// Of what weighs nothing any more this is left over: halving cuts off less, of a unit of any lane.
const CUT_OFF: f64 = 1.0 / (1_u64 << 59) as f64;

/// The events that are there, with a number: a retraction whose event has not come takes nothing away.
fn numbers(input: &Net<Event>) -> impl Iterator<Item = (&Event, i64, f64)> {
    let there = input.iter().filter(|(_, copies)| **copies > 0);
    there.filter_map(|(event, copies)| {
        let units = event.real_lane()[0]?;
        Some((event, *copies, units as f64 / REAL_UNITS as f64))
    })
}

/// The events by their numbers: those of one key, moment and number are one, of whom a retraction takes back any.
#[must_use]
pub fn by_number(input: &Net<Event>) -> Net<Event> {
    let mut found: BTreeMap<_, (Event, i64)> = BTreeMap::new();
    for (event, copies) in input {
        let number = (event.key, event.at, event.real_lane());
        found.entry(number).or_insert((*event, 0)).1 += copies;
    }
    found.into_values().collect()
}

/// A row per key with numbers, as of the newest of them or `as_of`.
#[must_use]
pub fn decayed_latest(input: &Net<Event>, as_of: i64) -> Expected {
    let mut rows = Expected::new();
    for (event, ..) in numbers(input) {
        let (at, _) = rows.entry((None, event.key)).or_insert((as_of, 1));
        *at = event.at.max(*at);
    }
    rows
}

/// A row per event before `until`, as of it.
#[must_use]
pub fn decayed_final(input: &Net<Event>, until: i64) -> Expected {
    let there = input.iter();
    let there = there.filter(|(event, copies)| **copies > 0 && event.at < until);
    there
        .map(|(event, copies)| ((Some(*event), event.key), (event.at, *copies)))
        .collect()
}

/// A row per label before `until`, as of it; a label that was taken back and has not come takes its answer back.
#[must_use]
pub fn decayed_at(input: &Net<Event>, is_label: impl Fn(&Event) -> bool, until: i64) -> Expected {
    let labels = input.iter();
    let labels = labels.filter(|(event, _)| is_label(event) && event.at < until);
    labels
        .map(|(label, copies)| ((Some(*label), label.key), (label.at, *copies)))
        .collect()
}

/// Holds a table to the rows that must be there, and the sums of each to the definition in floats, within 10⁻¹² of what
/// they add up. Of the events up to a row's moment, `counts` says whose numbers it is told.
///
/// # Panics
/// When a row is missing, is not expected, or is not near.
pub fn assert_faded(
    found: &Net<Marked>,
    expected: &Expected,
    input: &Net<Event>,
    half_life_us: i64,
    counts: impl Fn(&Event, i64) -> bool,
    context: &dyn Debug,
) {
    let rows: Expected = found
        .iter()
        .map(|((event, (key, at, ..)), copies)| ((*event, *key), (*at, *copies)))
        .collect();
    assert_eq!(&rows, expected, "{context:?}");
    assert_eq!(rows.len(), found.len(), "{context:?}: two rows of one");
    for (row, (key, at, found_weight, found_sum)) in found.keys() {
        let (mut weight, mut sum, mut size) = (0.0, 0.0, 0.0);
        let of_key = numbers(input).filter(|(event, ..)| event.key == *key && event.at <= *at);
        let of_key = of_key.filter(|(event, ..)| counts(event, *at));
        for (event, copies, number) in of_key {
            let age = at.abs_diff(event.at) as f64 / half_life_us as f64;
            let copies = (-age).exp2() * copies as f64;
            weight += copies;
            sum += copies * number;
            size += copies * number.abs();
        }
        let near = |found: &u64, wanted: f64, size: f64| {
            (f64::from_bits(*found) - wanted).abs() <= 1e-12 * size + CUT_OFF
        };
        assert!(
            near(found_weight, weight, weight) && near(found_sum, sum, size),
            "{context:?}: {row:?} of {key} at {at} has {} and {}, by definition {weight} and {sum}",
            f64::from_bits(*found_weight),
            f64::from_bits(*found_sum)
        );
    }
}
