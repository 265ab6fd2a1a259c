//! A key's windows that start at fixed moments, as of any moment in them.
//!
//! ```text
//! rows of a key  ──●─[●────●──●▲   )──▶      up to the last moment ▲ that was asked: the next one in the window adds or
//!                    start                   takes out the rows between the two, one in another window begins anew
//! ```

use std::ops::Bound::{Excluded, Included};

use serde::{Deserialize, Serialize};
use thalweg_engine::key::Key;
use thalweg_engine::time::EventTime;
use thalweg_engine::update::{Data, Diff};

use crate::aggregate::Aggregate;
use crate::window::at::kept::{MOMENTS_MORE, View};
use crate::window::events::{self, Events};
use crate::window::grouped::Span;

/// The windows of a key that hold a label's moment, up to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WindowsAt<K, O> {
    /// The key.
    pub key: K,
    /// The label's moment.
    pub at: EventTime,
    /// The newest first: one where windows follow one another, several where they overlap, none between two.
    pub windows: Vec<OpenWindow<O>>,
}

/// A window up to a moment in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenWindow<O> {
    /// The window's first moment; 0 for a lifetime window.
    pub start: EventTime,
    /// What the aggregates read.
    pub value: O,
}

impl<K, O> WindowsAt<K, O> {
    /// What the aggregates read of the newest window.
    #[must_use]
    pub fn value(&self) -> Option<&O> {
        self.windows.first().map(|window| &window.value)
    }
}

/// Which windows, and what is aggregated in them.
pub struct UpTo<A> {
    aggregate: A,
    span: Span,
}

impl<A> UpTo<A> {
    pub(in crate::window) fn new(aggregate: A, span: Span) -> Self {
        Self { aggregate, span }
    }

    /// From where on rows are in the window that begins at `start`.
    fn rows_from(&self, start: EventTime) -> EventTime {
        match self.span {
            Span::Lifetime => EventTime::MIN,
            _ => start,
        }
    }

    /// The starts of the windows that hold a moment, the newest first.
    fn starts(&self, at: EventTime) -> impl Iterator<Item = EventTime> {
        let (newest, _) = self.span.newest(at);
        let starts = std::iter::successors(Some(newest), |start| self.span.older(*start));
        starts.take_while(move |start| self.span.end(*start) > at)
    }

    /// Lets go of the rows of windows that hold no moment after `settled`. All that a lifetime holds up to there are in
    /// its state for good.
    fn look<D: Data + Ord>(&self, slot: &mut Slot<D, A::State>, settled: EventTime)
    where
        A: Aggregate<D>,
    {
        let first = settled.saturating_add(1);
        if let Span::Lifetime = self.span {
            let until = slot.so_far.until.max(settled);
            slot.move_to(&self.aggregate, EventTime::MIN, until);
            events::retain(&mut slot.events, settled, |count| count < 0);
            return;
        }
        let cut = self.starts(first).last().unwrap_or(first);
        if slot.so_far.from < cut {
            let until = slot.so_far.until;
            slot.move_to(&self.aggregate, cut, until);
        }
        events::evict(&mut slot.events, cut);
    }
}

/// A key's rows, and what some of them have come to.
pub struct Slot<D, S> {
    events: Events<D>,
    so_far: SoFar<S>,
    /// From so many moments on there is a look for old ones.
    look_from: usize,
}

/// What the rows in `from..=until` have come to, those included that were let go of.
#[derive(Serialize, Deserialize)]
pub struct SoFar<S> {
    state: S,
    from: EventTime,
    until: EventTime,
}

impl<S: Default> SoFar<S> {
    fn of_none() -> Self {
        Self {
            state: S::default(),
            from: EventTime::MAX,
            until: EventTime::MIN,
        }
    }
}

impl<D: Data + Ord, S: Default> Slot<D, S> {
    /// Moves what is counted to the rows in `from..=until`.
    fn move_to<A: Aggregate<D, State = S>>(
        &mut self,
        aggregate: &A,
        from: EventTime,
        until: EventTime,
    ) {
        let so_far = &mut self.so_far;
        let moved = [(so_far.from, so_far.until), (from, until)];
        events::recount(aggregate, &self.events, &mut so_far.state, moved);
        (so_far.from, so_far.until) = (from, until);
    }
}

impl<D: Data + Ord, A: Aggregate<D>> View<D> for UpTo<A> {
    type Slot = Slot<D, A::State>;
    type Base = SoFar<A::State>;
    type Windows = Vec<OpenWindow<A::Output>>;
    type Row<K: Key> = WindowsAt<K, A::Output>;

    fn row<K: Key>(key: K, at: EventTime, windows: Self::Windows) -> Self::Row<K> {
        WindowsAt { key, at, windows }
    }

    fn widest(&self) -> Option<i64> {
        self.span.longest()
    }

    fn empty(&self) -> Self::Slot {
        Slot {
            events: Events::new(),
            so_far: SoFar::of_none(),
            look_from: MOMENTS_MORE,
        }
    }

    fn events(slot: &Self::Slot) -> &Events<D> {
        &slot.events
    }

    fn base(slot: &Self::Slot) -> &Self::Base {
        &slot.so_far
    }

    /// What a lifetime has come to stays when its rows are let go of.
    fn is_empty(slot: &Self::Slot) -> bool {
        slot.events.is_empty() && slot.so_far.state == A::State::default()
    }

    fn change(&self, slot: &mut Self::Slot, at: EventTime, row: &D, diff: Diff) {
        let change = events::add(&mut slot.events, at, row, diff);
        if change != 0 && at >= slot.so_far.from && at <= slot.so_far.until {
            self.aggregate.update(&mut slot.so_far.state, row, change);
        }
    }

    fn let_go(&self, slot: &mut Self::Slot, settled: EventTime) {
        if slot.events.len() >= slot.look_from {
            self.look(slot, settled);
            slot.look_from = slot.events.len() + MOMENTS_MORE;
        }
    }

    /// What is owed up to `settled` is owed for good, and forgiven.
    fn trim(&self, slot: &mut Self::Slot, settled: EventTime) {
        self.look(slot, settled);
        events::retain(&mut slot.events, settled, |count| count > 0);
    }

    /// Windows that overlap are put together from the newest to the oldest, each of the one before and of what it has more.
    fn read(&self, slot: &mut Self::Slot, at: EventTime) -> Self::Windows {
        let starts: Vec<_> = self.starts(at).collect();
        if let [start] = starts[..] {
            slot.move_to(&self.aggregate, self.rows_from(start), at);
            let value = self.aggregate.read(&slot.so_far.state);
            return vec![OpenWindow { start, value }];
        }
        let (mut state, mut until) = (A::State::default(), Included(at));
        let open = starts.into_iter().map(|start| {
            let more = (Included(start), until);
            events::count(&self.aggregate, &slot.events, &mut state, more, 1);
            until = Excluded(start);
            let value = self.aggregate.read(&state);
            OpenWindow { start, value }
        });
        open.collect()
    }

    fn restore(&self, so_far: Self::Base, events: Events<D>) -> Self::Slot {
        Slot {
            events,
            so_far,
            look_from: MOMENTS_MORE,
        }
    }
}
