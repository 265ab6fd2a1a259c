//! One key's events, and the aggregates of its windows as they stand.

use std::collections::BTreeMap;
use std::ops::Bound::{self, Excluded, Included};

use thalweg_engine::time::EventTime;
use thalweg_engine::update::{Data, Diff};

use crate::aggregate::Aggregate;
use crate::array::Array;
use crate::window::events::{self, Events, present};
use crate::window::rolling::widths::Widths;

/// A key's events, and its windows' aggregates.
pub struct Windows<D: Ord, A: Aggregate<D>, const W: usize> {
    pub(super) events: Events<D>,
    states: [A::State; W],
    /// Events from here on, in each window, are in its state, up to `until`.
    starts: [EventTime; W],
    until: EventTime,
}

impl<D: Data + Ord, A: Aggregate<D>, const W: usize> Windows<D, A, W> {
    /// Windows that hold whatever is newer than their starts.
    pub(super) fn new() -> Self {
        Self {
            events: Events::new(),
            states: std::array::from_fn(|_| A::State::default()),
            starts: [EventTime::MIN; W],
            until: EventTime::MAX,
        }
    }

    /// Windows that hold nothing until they are looked at as of a moment.
    pub(super) fn closed() -> Self {
        Self {
            starts: [EventTime::MAX; W],
            until: EventTime::MIN,
            ..Self::new()
        }
    }

    /// Adds `diff` copies of an event.
    pub(super) fn change(&mut self, aggregate: &A, at: EventTime, row: &D, diff: Diff) {
        let change = events::add(&mut self.events, at, row, diff);
        for (state, start) in self.states.iter_mut().zip(&self.starts) {
            if at >= *start && at <= self.until && change != 0 {
                aggregate.update(state, row, change);
            }
        }
    }

    /// Forgives the retractions of moments up to `until` whose events have not come: they would be final.
    pub(super) fn forgive(&mut self, until: EventTime) {
        for (_, moment) in self.events.range_mut(..=until) {
            moment.retain(|_, count| present(*count) > 0);
        }
        self.events.retain(|_, moment| !moment.is_empty());
    }

    /// The newest event that is there, up to `until`.
    pub(super) fn newest(&self, until: EventTime) -> Option<EventTime> {
        let any = |moment: &BTreeMap<D, Diff>| moment.values().any(|count| present(*count) > 0);
        let mut newest = self.events.range(..=until).rev();
        newest.find(|(_, moment)| any(moment)).map(|(at, _)| *at)
    }

    /// Moves all windows so that they end at `end`, whatever is newer.
    pub(super) fn look(&mut self, aggregate: &A, end: EventTime, widths: &Widths<W>) {
        for (window, width) in widths.as_given().iter().enumerate() {
            let (old, new) = (self.starts[window], end.saturating_sub(*width));
            let state = &mut self.states[window];
            let moved = [(old, self.until), (new, end)];
            events::recount(aggregate, &self.events, state, moved);
            self.starts[window] = new;
        }
        self.until = end;
    }

    /// Adds the events of a span to a window's state, or takes them out.
    fn add(
        &mut self,
        aggregate: &A,
        window: usize,
        span: (Bound<EventTime>, Bound<EventTime>),
        sign: Diff,
    ) {
        events::count(
            aggregate,
            &self.events,
            &mut self.states[window],
            span,
            sign,
        );
    }

    /// Moves all windows so that they end at `end`, which is not before the newest event.
    pub(super) fn slide(&mut self, aggregate: &A, end: EventTime, widths: &Widths<W>) {
        for (window, width) in widths.as_given().iter().enumerate() {
            let (old, new) = (self.starts[window], end.saturating_sub(*width));
            let sign = if new > old { -1 } else { 1 };
            let moved = (Included(old.min(new)), Excluded(old.max(new)));
            self.add(aggregate, window, moved, sign);
            self.starts[window] = new;
        }
    }

    /// What the aggregates read as of a moment that newer events have followed; the windows stay at their newest event.
    pub(super) fn read_back(
        &mut self,
        aggregate: &A,
        at: EventTime,
        widths: &Widths<W>,
    ) -> Array<A::Output, W> {
        let newest = self.newest(EventTime::MAX).unwrap_or(at);
        self.look(aggregate, at, widths);
        let read = self.read(aggregate);
        self.look(aggregate, newest, widths);
        // Nothing is newer, and what comes to be is inside.
        self.until = EventTime::MAX;
        read
    }

    /// What the aggregates read.
    pub(super) fn read(&self, aggregate: &A) -> Array<A::Output, W> {
        Array(std::array::from_fn(|window| {
            aggregate.read(&self.states[window])
        }))
    }

    /// The moment after which the first event leaves a window.
    pub(super) fn next_expiry(&self, widths: &Widths<W>) -> Option<EventTime> {
        let leaves = |window: usize| {
            let first = self.events.range(self.starts[window]..).next()?;
            Some(first.0.saturating_add(widths.as_given()[window]))
        };
        (0..W).filter_map(leaves).min()
    }

    /// Drops the events before `cut`, from the windows too.
    pub(super) fn let_go(&mut self, aggregate: &A, cut: EventTime) {
        if self
            .events
            .first_key_value()
            .is_none_or(|first| *first.0 >= cut)
        {
            return;
        }
        for window in 0..W {
            if self.starts[window] < cut && self.until < cut {
                self.states[window] = A::State::default();
            } else if self.starts[window] < cut {
                let left = (Included(self.starts[window]), Excluded(cut));
                self.add(aggregate, window, left, -1);
            }
            self.starts[window] = self.starts[window].max(cut);
        }
        self.evict(cut);
    }

    /// Drops the events before `cut`, which have left every window.
    pub(super) fn evict(&mut self, cut: EventTime) {
        events::evict(&mut self.events, cut);
    }
}
