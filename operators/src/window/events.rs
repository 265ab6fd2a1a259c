//! A key's events by time, with how often each is there.

use std::collections::BTreeMap;
use std::ops::Bound::{self, Excluded, Included};

use thalweg_engine::time::EventTime;
use thalweg_engine::update::Diff;

use crate::aggregate::Aggregate;

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

/// Adds the events of a span to what others have come to, or takes them out.
pub(in crate::window) fn count<D: Ord, A: Aggregate<D>>(
    aggregate: &A,
    events: &Events<D>,
    state: &mut A::State,
    span: (Bound<EventTime>, Bound<EventTime>),
    sign: Diff,
) {
    for (row, count) in events.range(span).flat_map(|(_, moment)| moment) {
        if present(*count) > 0 {
            aggregate.update(state, row, sign * count);
        }
    }
}

/// Moves a state from the events between two moments, both inside, to those between two others.
pub(in crate::window) fn recount<D: Ord, A: Aggregate<D>>(
    aggregate: &A,
    events: &Events<D>,
    state: &mut A::State,
    [old, new]: [(EventTime, EventTime); 2],
) {
    let mut count = |span, sign| count(aggregate, events, state, span, sign);
    let they_meet = old.0 <= old.1 && old.0 <= new.1 && new.0 <= old.1;
    if they_meet {
        let sign = if new.0 > old.0 { -1 } else { 1 };
        let (from, to) = (old.0.min(new.0), old.0.max(new.0));
        count((Included(from), Excluded(to)), sign);
        let sign = if new.1 < old.1 { -1 } else { 1 };
        let (from, to) = (old.1.min(new.1), old.1.max(new.1));
        count((Excluded(from), Included(to)), sign);
        return;
    }
    // What the two share is nothing: none of the old events is taken out one by one.
    *state = A::State::default();
    if new.0 <= new.1 {
        self::count(
            aggregate,
            events,
            state,
            (Included(new.0), Included(new.1)),
            1,
        );
    }
}
