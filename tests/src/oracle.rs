//! Brute force: what tables must hold, from the definitions, over the whole input at once.

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::{Deserialize, Serialize};
use thalweg::engine::time::{WATERMARK_END, WATERMARK_NONE};

use crate::case::Case;
use crate::event::{Event, Signed};
use crate::summary::Summary;

/// How often each row is there; zeros gone.
pub type Net<D> = BTreeMap<D, i64>;

/// Adds signed rows up.
pub fn net<D: Ord>(rows: impl IntoIterator<Item = (D, i64)>) -> Net<D> {
    let mut net = BTreeMap::new();
    for (row, diff) in rows {
        *net.entry(row).or_insert(0) += diff;
    }
    net.retain(|_, count| *count != 0);
    net
}

/// Holds a table to what was expected, and names only the rows that differ.
///
/// # Panics
/// When they differ.
pub fn assert_same<D: Ord + Debug>(found: &Net<D>, expected: &Net<D>, context: &dyn Debug) {
    let without = |a: &Net<D>, b: &Net<D>| {
        let differ = a.iter().filter(|(row, count)| b.get(row) != Some(count));
        differ.map(|entry| format!("{entry:?}")).collect::<Vec<_>>()
    };
    let (more, less) = (without(found, expected), without(expected, found));
    assert!(
        more.is_empty() && less.is_empty(),
        "written:     {}\nbrute force: {}\nin {context:?}",
        more.join("\n             "),
        less.join("\n             ")
    );
}

/// What the gate lets in and what it does not, by its rule: a row is late when it is before the newest time that its
/// partition has let in, less the lateness.
#[derive(Clone, Debug)]
pub struct Admitted {
    /// Rows that go in.
    pub rows: Signed<Event>,
    /// Late rows.
    pub late: Signed<Event>,
    /// The watermark that rows are as of in the end: the greatest moment that any partition's watermark came to.
    pub as_of: i64,
}

/// The gate, over a whole log.
#[must_use]
pub fn admitted(case: &Case) -> Admitted {
    let mut all = Admitted {
        rows: Vec::new(),
        late: Vec::new(),
        as_of: WATERMARK_NONE,
    };
    for partition in &case.partitions {
        let mut watermark = WATERMARK_NONE;
        for (event, diff) in partition {
            if event.at < watermark {
                all.late.push((*event, *diff));
                continue;
            }
            all.rows.push((*event, *diff));
            if let Some(lateness) = case.lateness_us {
                watermark = watermark.max(event.at - lateness);
            }
        }
        all.as_of = all.as_of.max(watermark);
    }
    all
}

/// A row of rolling windows: `windows[window][lane]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RolledRow {
    /// The key.
    pub key: i64,
    /// The key's newest event; for final rows, the event itself.
    pub at: i64,
    /// The windows.
    pub windows: Vec<Vec<Summary>>,
}

/// What a rolling window stores of an event: the numbers of its lanes, and how they are summed up.
#[derive(Clone, Copy)]
pub struct Lanes {
    /// The numbers, nulls as `None`.
    pub of: fn(&Event) -> Vec<Option<i64>>,
    /// How one lane is summed up.
    pub sum: fn(&[(Option<i64>, i64)]) -> Summary,
}

/// The two lanes of whole numbers.
pub const WHOLE: Lanes = Lanes {
    of: |event| event.whole_lanes().to_vec(),
    sum: Summary::whole,
};

/// The same as totals: without extremes.
pub const TOTALS: Lanes = Lanes {
    sum: Summary::totals,
    ..WHOLE
};

/// The two lanes of floats.
pub const REAL: Lanes = Lanes {
    of: |event| event.real_lanes().to_vec(),
    sum: Summary::real,
};

/// The same as totals: without extremes.
pub const REAL_TOTALS: Lanes = Lanes {
    sum: Summary::real_totals,
    ..REAL
};

type Numbers = (i64, Vec<Option<i64>>);

/// Windows that end at `end`, both ends inside.
fn windows(
    events: &[(&Numbers, i64)],
    end: i64,
    widths: &[i64],
    lanes: &Lanes,
) -> Vec<Vec<Summary>> {
    let count = events.first().map_or(0, |event| event.0.1.len());
    let window = |width: &i64| {
        let inside = events
            .iter()
            .filter(|((at, _), _)| *at >= end.saturating_sub(*width) && *at <= end);
        let lane = |lane: usize| {
            let numbers: Vec<_> = inside
                .clone()
                .map(|((_, numbers), copies)| (numbers[lane], *copies))
                .collect();
            (lanes.sum)(&numbers)
        };
        (0..count).map(lane).collect()
    };
    widths.iter().map(window).collect()
}

/// Rolling windows, a row per key: they end at the key's newest event, or at `as_of` where that is later; a key
/// without an event in the widest has no row.
#[must_use]
pub fn rolling_latest(
    input: &Net<Event>,
    widths: &[i64],
    as_of: i64,
    lanes: &Lanes,
) -> Net<RolledRow> {
    let stored = net(input
        .iter()
        .map(|(event, copies)| ((event.key, (event.at, (lanes.of)(event))), *copies)));
    let mut by_key: BTreeMap<i64, Vec<(&Numbers, i64)>> = BTreeMap::new();
    for ((key, numbers), copies) in stored.iter().filter(|(_, copies)| **copies > 0) {
        by_key.entry(*key).or_default().push((numbers, *copies));
    }
    let widest = widths.iter().copied().max().unwrap_or(0);
    let row = |(key, events): (&i64, &Vec<(&Numbers, i64)>)| {
        let at = events.iter().map(|((at, _), _)| *at).max()?;
        let end = at.max(as_of);
        let row = RolledRow {
            key: *key,
            at,
            windows: windows(events, end, widths, lanes),
        };
        (at >= end.saturating_sub(widest)).then_some((row, 1))
    };
    by_key.iter().filter_map(row).collect()
}

/// Rolling windows, a row per event that `watermark` has passed, with the event's id.
#[must_use]
pub fn rolling_final(
    input: &Net<Event>,
    widths: &[i64],
    watermark: i64,
    lanes: &Lanes,
) -> Net<(u32, RolledRow)> {
    let passed = |event: &Event| event.at < watermark || watermark == WATERMARK_END;
    let mut by_key: BTreeMap<i64, Vec<(Numbers, i64)>> = BTreeMap::new();
    for (event, copies) in input.iter().filter(|(_, copies)| **copies > 0) {
        let numbers = (event.at, (lanes.of)(event));
        by_key
            .entry(event.key)
            .or_default()
            .push((numbers, *copies));
    }
    let row = |(event, copies): (&Event, &i64)| {
        let events: Vec<_> = by_key[&event.key].iter().map(|(e, n)| (e, *n)).collect();
        let row = RolledRow {
            key: event.key,
            at: event.at,
            windows: windows(&events, event.at, widths, lanes),
        };
        ((event.id, row), *copies)
    };
    net(input
        .iter()
        .filter(|(event, copies)| **copies > 0 && passed(event))
        .map(row))
}

/// A key's windows as of the moments beside labels, with each label as often as it is there.
#[must_use]
pub fn rolling_at(
    input: &Net<Event>,
    labels: impl IntoIterator<Item = ((Event, i64), i64)>,
    widths: &[i64],
    lanes: &Lanes,
) -> Net<(Event, RolledRow)> {
    let stored = net(input
        .iter()
        .map(|(event, copies)| ((event.key, (event.at, (lanes.of)(event))), *copies)));
    let empty = (0, vec![None; (lanes.of)(&Event::default()).len()]);
    let answer = |label: Event, at: i64| {
        let of_key = stored
            .iter()
            .filter(|((key, _), copies)| *key == label.key && **copies > 0);
        let mut events: Vec<_> = of_key.map(|((_, event), n)| (event, *n)).collect();
        // What is there no times says how many lanes there are.
        events.push((&empty, 0));
        let row = RolledRow {
            key: label.key,
            at,
            windows: windows(&events, at, widths, lanes),
        };
        (label, row)
    };
    net(labels
        .into_iter()
        .map(|((label, at), copies)| (answer(label, at), copies)))
}

/// A group's aggregates.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Default)]
pub struct GroupFacts {
    /// The key.
    pub key: i64,
    /// The window's first moment; 0 for a lifetime.
    pub start: i64,
    /// Rows.
    pub count: i64,
    /// Rows whose `other` is above zero.
    pub positive: i64,
    /// `value`.
    pub whole: Summary,
    /// `value`, without extremes.
    pub totals: Summary,
    /// `real`.
    pub real: Summary,
    /// Distinct `other`.
    pub distinct: u64,
    /// The greatest `(at, id)`.
    pub newest: Option<(i64, u32)>,
}

/// Groups by key and window start (`None`: one window for ever), those with rows. Counts must not be negative.
#[must_use]
pub fn groups(input: &Net<Event>, width_us: Option<i64>) -> Net<GroupFacts> {
    let mut groups: BTreeMap<(i64, i64), Vec<(&Event, i64)>> = BTreeMap::new();
    for (event, copies) in input {
        let start = width_us.map_or(0, |width| event.at.div_euclid(width) * width);
        groups
            .entry((event.key, start))
            .or_default()
            .push((event, *copies));
    }
    groups
        .iter()
        .map(|((key, start), rows)| (facts(*key, *start, rows), 1))
        .collect()
}

fn facts(key: i64, start: i64, rows: &[(&Event, i64)]) -> GroupFacts {
    let lane = |of: &dyn Fn(&Event) -> Option<i64>| {
        let numbers: Vec<_> = rows.iter().map(|(event, n)| (of(event), *n)).collect();
        numbers
    };
    let positive = rows.iter().filter(|(event, _)| event.other > Some(0));
    let distinct: std::collections::BTreeSet<i64> =
        rows.iter().filter_map(|(event, _)| event.other).collect();
    GroupFacts {
        key,
        start,
        count: rows.iter().map(|(_, n)| n).sum(),
        positive: positive.map(|(_, n)| n).sum(),
        whole: Summary::whole(&lane(&|event| event.whole_lanes()[0])),
        totals: Summary::totals(&lane(&|event| event.whole_lanes()[0])),
        real: Summary::real(&lane(&|event| event.real_lane()[0])),
        distinct: distinct.len() as u64,
        newest: rows.iter().map(|(event, _)| (event.at, event.id)).max(),
    }
}
