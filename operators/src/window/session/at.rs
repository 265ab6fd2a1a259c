//! Sessions as of the moments of labels: the one that is open at a label's moment, as far as it had come by then.
//!
//! ```text
//!   ──●─────[●───●────●──▲ gap ]●──▶ event time      rows up to the label's moment ▲, back to where more than a gap lies
//!                      label                          between two; none if the newest is more than a gap before it
//! ```

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};
use thalweg_engine::key::Key;
use thalweg_engine::time::EventTime;
use thalweg_engine::update::{Data, Diff};

use crate::aggregate::Aggregate;
use crate::key_by::Timeline;
use crate::window::at::PointInTime;
use crate::window::at::asked::{Asked, Windows};
use crate::window::at::kept::{MOMENTS_MORE, View};
use crate::window::events::{self, Events, present};
use crate::window::session::SessionWindows;

/// What a key's session had come to at a label's moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionAt<K, O> {
    /// The key.
    pub key: K,
    /// The label's moment.
    pub at: EventTime,
    /// The session that was open; `None` where the key's newest row was more than a gap before.
    pub session: Option<OpenSession<O>>,
}

/// A session up to a moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenSession<O> {
    /// Its first row's event time.
    pub start: EventTime,
    /// The event time of its last row by then.
    pub last: EventTime,
    /// What the aggregates read.
    pub value: O,
}

impl<'s, D: Data + Ord, K: Key> SessionWindows<'s, D, K> {
    /// The sessions that are open at the moments of labels, another table by the same key, as of these: the rows up to the
    /// label's moment, those at that moment among them. One whose last row by then was exactly a gap before is open.
    ///
    /// In [`as_known_by`](PointInTime::as_known_by) all rows are kept: one that is known however late may join sessions
    /// that were apart.
    #[must_use]
    pub fn at<B: Data + Ord, A: Aggregate<D>>(
        &self,
        name: &str,
        aggregate: A,
        labels: &Timeline<'s, B, K>,
    ) -> PointInTime<'s, Asked<Self, A>, B> {
        Asked::of(self, name, aggregate, labels)
    }
}

impl<'s, D: Data + Ord, K: Key> Windows<'s> for SessionWindows<'s, D, K> {
    type Of = D;
    type Key = K;
    type View<A: Aggregate<D>> = Open<A>;

    fn timeline(&self) -> &Timeline<'s, D, K> {
        &self.timeline
    }

    fn view<A: Aggregate<D>>(&self, aggregate: A) -> Open<A> {
        Open::new(aggregate, self.gap_us)
    }
}

/// What ends a session, and what is aggregated in it.
pub struct Open<A> {
    aggregate: A,
    gap_us: i64,
}

impl<A> Open<A> {
    pub(in crate::window) fn new(aggregate: A, gap_us: i64) -> Self {
        Self { aggregate, gap_us }
    }

    /// Goes back through the session that is open at a moment, moment by moment; where it begins, if there is one.
    fn walk<D>(
        &self,
        events: &Events<D>,
        at: EventTime,
        mut each: impl FnMut(EventTime, &D, Diff),
    ) -> Option<EventTime> {
        let (mut next, mut start) = (at, None);
        let _ = events.range(..=at).rev().try_for_each(|(moment, rows)| {
            let mut there = rows
                .iter()
                .filter(|(_, count)| present(**count) > 0)
                .peekable();
            if there.peek().is_none() {
                return ControlFlow::Continue(());
            }
            if next.saturating_sub(*moment) > self.gap_us {
                return ControlFlow::Break(());
            }
            there.for_each(|(row, count)| each(*moment, row, *count));
            (next, start) = (*moment, Some(*moment));
            ControlFlow::Continue(())
        });
        start
    }

    /// Lets go of the rows of sessions that are over at all moments after `settled`. Returns how many rows were walked
    /// over.
    fn look<D>(&self, slot: &mut Slot<D>, settled: EventTime) -> usize {
        let (first, mut walked) = (settled.saturating_add(1), 0);
        let start = self.walk(&slot.events, first, |_, _, _| walked += 1);
        events::evict(&mut slot.events, start.unwrap_or(first).min(first));
        walked
    }
}

/// A key's rows.
pub struct Slot<D> {
    events: Events<D>,
    /// From so many moments on there is a look for old ones.
    look_from: usize,
}

impl<D: Data + Ord, A: Aggregate<D>> View<D> for Open<A> {
    type Slot = Slot<D>;
    type Base = ();
    type Windows = Option<OpenSession<A::Output>>;
    type Row<K: Key> = SessionAt<K, A::Output>;
    const TAKES_LATE: bool = false;

    fn row<K: Key>(key: K, at: EventTime, session: Self::Windows) -> Self::Row<K> {
        SessionAt { key, at, session }
    }

    fn widest(&self) -> Option<i64> {
        None
    }

    fn lingers(&self) -> i64 {
        self.gap_us
    }

    fn empty(&self) -> Slot<D> {
        Slot {
            events: Events::new(),
            look_from: MOMENTS_MORE,
        }
    }

    fn events(slot: &Slot<D>) -> &Events<D> {
        &slot.events
    }

    fn base(_: &Slot<D>) -> &() {
        &()
    }

    fn change(&self, slot: &mut Slot<D>, at: EventTime, row: &D, diff: Diff) {
        events::add(&mut slot.events, at, row, diff);
    }

    fn let_go(&self, slot: &mut Slot<D>, settled: EventTime) {
        if slot.events.len() >= slot.look_from {
            let walked = self.look(slot, settled);
            slot.look_from = slot.events.len() + walked.max(MOMENTS_MORE);
        }
    }

    /// What is owed up to `settled` is owed for good, and forgiven.
    fn trim(&self, slot: &mut Slot<D>, settled: EventTime) {
        self.look(slot, settled);
        events::retain(&mut slot.events, settled, |count| count > 0);
    }

    fn read(&self, slot: &mut Slot<D>, at: EventTime) -> Self::Windows {
        let (mut state, mut last) = (A::State::default(), None);
        let start = self.walk(&slot.events, at, |moment, row, count| {
            last = last.or(Some(moment));
            self.aggregate.update(&mut state, row, count);
        });
        start.zip(last).map(|(start, last)| OpenSession {
            start,
            last,
            value: self.aggregate.read(&state),
        })
    }
}
