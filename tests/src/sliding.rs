//! Rolling windows of any aggregates, by brute force: what is there of a key, filtered by time, summed up anew.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use thalweg::engine::time::WATERMARK_END;

use crate::event::Event;
use crate::oracle::{Net, net};
use crate::summary::Summary;

/// What the aggregates read over one window.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WindowFacts {
    /// Rows.
    pub count: i64,
    /// Distinct `other`.
    pub distinct: u64,
    /// The greatest `(at, id)`.
    pub newest: Option<(i64, u32)>,
    /// `other`: small numbers, so that no change of an exact sum is lost when it is read as a float.
    pub whole: Summary,
    /// `real`.
    pub real: Summary,
}

/// A row of rolling windows of aggregates.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SlidRow {
    /// The key.
    pub key: i64,
    /// The key's newest event; for final rows, the event itself.
    pub at: i64,
    /// The windows, in the order of the widths.
    pub windows: Vec<WindowFacts>,
}

type Events<'a> = Vec<(&'a Event, i64)>;

/// The events that are there, by key: a retraction whose event has not come takes nothing away.
fn by_key(input: &Net<Event>) -> BTreeMap<i64, Events<'_>> {
    let mut keys: BTreeMap<i64, Events<'_>> = BTreeMap::new();
    for (event, copies) in input.iter().filter(|(_, copies)| **copies > 0) {
        keys.entry(event.key).or_default().push((event, *copies));
    }
    keys
}

/// Windows that end at `end`, both ends inside.
fn windows(events: &Events<'_>, end: i64, widths: &[i64]) -> Vec<WindowFacts> {
    let facts = |width: &i64| {
        let inside = || {
            events
                .iter()
                .filter(|(event, _)| event.at >= end - *width && event.at <= end)
        };
        let lane = |of: &dyn Fn(&Event) -> Option<i64>| -> Vec<_> {
            inside().map(|(event, n)| (of(event), *n)).collect()
        };
        let distinct: BTreeSet<i64> = inside().filter_map(|(event, _)| event.other).collect();
        WindowFacts {
            count: inside().map(|(_, copies)| copies).sum(),
            distinct: distinct.len() as u64,
            newest: inside().map(|(event, _)| (event.at, event.id)).max(),
            whole: Summary::whole(&lane(&|event| event.other)),
            real: Summary::real(&lane(&|event| event.real_lane()[0])),
        }
    };
    widths.iter().map(facts).collect()
}

/// A row per key: its windows end at its newest event, or at `as_of` where that is later; a key without an event in
/// the widest has no row.
#[must_use]
pub fn sliding_latest(input: &Net<Event>, widths: &[i64], as_of: i64) -> Net<SlidRow> {
    let widest = widths.iter().copied().max().unwrap_or(0);
    let keys = by_key(input);
    let rows = keys.iter().filter_map(|(key, events)| {
        let at = events.iter().map(|(event, _)| event.at).max()?;
        let end = at.max(as_of);
        let row = || SlidRow {
            key: *key,
            at,
            windows: windows(events, end, widths),
        };
        (at >= end - widest).then(|| (row(), 1))
    });
    rows.collect()
}

/// A key's windows as of the moments beside labels, with each label as often as it is there.
#[must_use]
pub fn sliding_at(
    input: &Net<Event>,
    labels: impl IntoIterator<Item = ((Event, i64), i64)>,
    widths: &[i64],
) -> Net<(Event, SlidRow)> {
    let keys = by_key(input);
    let answer = |(label, at): (Event, i64)| {
        let none = Events::new();
        let row = SlidRow {
            key: label.key,
            at,
            windows: windows(keys.get(&label.key).unwrap_or(&none), at, widths),
        };
        (label, row)
    };
    net(labels
        .into_iter()
        .map(|(asked, copies)| (answer(asked), copies)))
}

/// A row per event that `watermark` has passed, with the event.
#[must_use]
pub fn sliding_final(input: &Net<Event>, widths: &[i64], watermark: i64) -> Net<(Event, SlidRow)> {
    let passed = |at: i64| at < watermark || watermark == WATERMARK_END;
    let mut rows = Net::new();
    for (key, events) in &by_key(input) {
        for (event, copies) in events.iter().filter(|(event, _)| passed(event.at)) {
            let row = SlidRow {
                key: *key,
                at: event.at,
                windows: windows(events, event.at, widths),
            };
            rows.insert((**event, row), *copies);
        }
    }
    rows
}
