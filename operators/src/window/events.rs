//! A key's events by time, with how often each is there.

use std::collections::BTreeMap;

use thalweg_engine::time::EventTime;
use thalweg_engine::update::Diff;

/// Events by time, then by the row. A count may be negative for a while: a retraction may come before its event. It takes
/// nothing away until then.
pub(in crate::window) type Events<D> = BTreeMap<EventTime, BTreeMap<D, Diff>>;

/// Adds `diff` copies of an event; how many more are there now.
pub(in crate::window) fn add<D: Ord + Clone>(
    events: &mut Events<D>,
    at: EventTime,
    row: &D,
    diff: Diff,
) -> Diff {
    let moment = events.entry(at).or_default();
    let count = moment.entry(row.clone()).or_default();
    let before = present(*count);
    *count += diff;
    let change = present(*count) - before;
    if *count == 0 {
        moment.remove(row);
        if moment.is_empty() {
            events.remove(&at);
        }
    }
    change
}

/// Drops the events before `cut`.
pub(in crate::window) fn evict<D>(events: &mut Events<D>, cut: EventTime) {
    while let Some(first) = events.first_entry() {
        if *first.key() >= cut {
            break;
        }
        first.remove();
    }
}

/// Keeps the events of moments up to `until` whose counts `keep` wants.
pub(in crate::window) fn retain<D: Ord>(
    events: &mut Events<D>,
    until: EventTime,
    keep: impl Fn(Diff) -> bool,
) {
    let mut left = Vec::new();
    for (at, moment) in events.range_mut(..=until) {
        moment.retain(|_, count| keep(*count));
        if moment.is_empty() {
            left.push(*at);
        }
    }
    for at in left {
        events.remove(&at);
    }
}

/// How many copies are there, of a count that may be below zero.
#[inline]
pub(in crate::window) fn present(count: Diff) -> Diff {
    count.max(0)
}
