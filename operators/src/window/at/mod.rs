//! Point-in-time: the windows of a label's key exactly as of the label's moment, not as of the last row written.
//!
//! ```text
//! events  ──x──x─────x──x────x──▶ event time      label (key, t) ─▶ (label, windows [t − width, t] of its key)
//! label        [═══ width ═══ t]                  closed at both ends: events at t itself are inside
//! ```
//!
//! | mode | when a label is answered | repaired | what counts |
//! |---|---|---|---|
//! | [`PointInTime::finals`] | once the watermark has passed `t` | never | every event, by event time |
//! | [`PointInTime::corrections`] | in its own epoch | until the watermark has passed `t` | every event, by event time |
//! | [`PointInTime::as_known`] | in its own epoch | never | what had arrived by then, in the epoch itself included |
//! | [`PointInTime::as_known_by`] | once the watermark has passed `t` and the history | never | what had arrived by `t`, as the events themselves record it |
//!
//! In the end `corrections` holds what `finals` holds. A label whose key has no events has empty windows. Any window can
//! be asked, of all events up to the label's moment:
//!
//! | window | what a label is told |
//! |---|---|
//! | [`Rolling`](crate::window::rolling::Rolling) moments and totals, [`Sliding`](crate::window::sliding::Sliding) aggregates | its widths up to the moment |
//! | [last rows](crate::window::last_rows::LastRows::at) | the newest so many |
//! | [tumbling, hopping, by calendar](crate::window::grouped::Grouped::at) | the windows that hold the moment, from their start on |
//! | [lifetime](crate::window::grouped::Grouped::at) | all |
//! | [sessions](crate::window::session::SessionWindows::at) | the one that is open at the moment, if any |
//! | [fading sums](crate::window::decayed::Decayed::at) | all, faded as of the moment |
//!
//! What `as_known` answers depends on how rows are cut into epochs, for it has no other record of when a row came: it is
//! for streams. Over files an epoch holds many rows, and what came after a label in its epoch counts. `as_known_by` is
//! for logs whose events say when they arrived, and depends on nothing but the rows.
//!
//! # Invariants
//! 1. Every update of a label yields its answer with its own sign: a label that is taken back takes its answer back,
//!    whatever that is by then.
//! 2. `None` stands for an update that came too late to be answered: the watermark had passed its moment by more than
//!    [`PointInTime::history`], and its events may be gone. Nothing is dropped. The watermark is that of the label's epoch:
//!    over a file whose rows share one, no label is behind. With a history as long as labels are late, none is ever `None`,
//!    and the answer is the same however rows are cut.
//! 3. In `as_known_by` an event at `e` that arrived at `a` counts for the labels of `e ≤ t` and `a ≤ t`. No event is known
//!    before it happens: `a < e` is taken as `a = e`.
//!
//! # Cost
//! Per event: a place in its key's windows, as in `latest`; in `finals` it waits for the watermark before that, and in
//! `as_known_by` for the watermark to pass its arrival and the history. Per label: its key's windows, read once; a late
//! event in `corrections` reads those of the labels in `[e, e + widest width]` twice, where rows of any age count those of
//! all labels from `e` on that may change. To read is to go back from the key's newest event to the label's moment or, where less, through
//! what the windows hold: in `finals` there is nothing to go back over, but for a label behind the watermark, and in
//! `as_known_by` never. Aggregates move from one label's windows to those of the next: an event costs two updates a window
//! at most while labels come in order, and none where no label of its key is near. So do windows that start at fixed moments
//! and lifetimes; those that overlap, sessions and last rows are read anew for each label, fading sums from one sum
//! for each half-life that the watermark and the history have not passed.
//! State: the events that a moment to come may read, to the widest window and the history, and what waits or may change:
//! labels, and in `finals` and `as_known_by` events. Of a lifetime and of fading sums the events before the history are in
//! one state. A key with last rows, a lifetime or fading sums is never forgotten. In `as_known_by` sessions and fading sums
//! keep all events, and their keys.

pub(in crate::window) mod asked;
mod corrections;
mod finals;
pub(in crate::window) mod kept;
mod known;
pub(in crate::window) mod lookback;
mod past;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::rc::Rc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thalweg_engine::column::Column;
use thalweg_engine::key::Key;
use thalweg_engine::keyed::PairedState;
use thalweg_engine::table::Table;
use thalweg_engine::time::{EventTime, micros_of};
use thalweg_engine::update::{Data, Diff};

use crate::key_by::Timeline;
use crate::table_ops::TableOps;
use crate::window::rolling::queue::Due;
pub use asked::Asked;
use corrections::Corrections;
use finals::Finals;
use known::AsKnown;
use lookback::{Known, Lookback, Seen};

/// A label with its key's windows as of its moment; `None` where it came too late.
pub type Answer<B, Row> = (B, Option<Row>);

/// What can be asked as of the moments of labels: windows of every kind.
pub trait Features<'s>: Sealed<'s> {}

/// What only this crate says of features.
pub trait Sealed<'s>: Clone {
    /// A row of the table that the windows are over.
    type Of: Data;
    /// What a label is told: a key's windows.
    type Row: Data;
    /// Where the events are held.
    type Past: Lookback<Row = Self::Row>;

    /// What the operators are named after.
    fn name(&self) -> &str;
    /// An empty place for the events.
    fn past(&self) -> Self::Past;
    /// The events, as `see` wraps them together with their rows.
    fn events<E: Data>(
        &self,
        see: impl Fn(&Self::Of, <Self::Past as Lookback>::Event) -> E + 'static,
    ) -> Table<'s, E>;
}

type KeyOf<'s, R> = <<R as Sealed<'s>>::Past as Lookback>::Key;
type EventOf<'s, R> = <<R as Sealed<'s>>::Past as Lookback>::Event;

/// A label on its way to its key's windows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(bound(
    serialize = "B: Serialize",
    deserialize = "B: serde::de::DeserializeOwned"
))]
pub(crate) struct Label<K: Key, B> {
    at: EventTime,
    key: K,
    label: B,
}

impl<K: Key, B> Due for Label<K, B> {
    #[inline(always)]
    fn due(&self) -> EventTime {
        self.at
    }
}

/// Windows as of the moments of labels, declared but not yet running: choose a mode.
#[derive(Clone)]
pub struct PointInTime<'s, R: Features<'s>, B: Data> {
    features: R,
    labels: Timeline<'s, B, KeyOf<'s, R>>,
    history_us: i64,
}

impl<'s, R: Features<'s>, B: Data + Ord> PointInTime<'s, R, B> {
    /// What labels are asked of, and the labels.
    pub(in crate::window) fn new(features: &R, labels: &Timeline<'s, B, KeyOf<'s, R>>) -> Self {
        Self {
            features: features.clone(),
            labels: labels.clone(),
            history_us: 0,
        }
    }

    /// How far behind the watermark labels may be; not at all unless told otherwise. A chargeback that is known sixty
    /// days after its payment is a label sixty days behind. Events are kept for so much longer. Its own source must let it
    /// in, by the time at which it is told.
    #[must_use]
    pub fn history(mut self, history: Duration) -> Self {
        self.history_us = micros_of(history);
        self
    }

    /// Each label once the watermark has passed its moment; what comes later never changes its answer.
    #[must_use]
    pub fn finals(&self) -> Table<'s, Answer<B, R::Row>> {
        let state = Finals::by_event_time(self.features.past(), self.history_us);
        self.run("final", |_, event| event, state)
    }

    /// Each label at once, over what is known so far, and repaired as events come late or are taken back.
    #[must_use]
    pub fn corrections(&self) -> Table<'s, Answer<B, R::Row>> {
        let state = Corrections::new(self.features.past(), self.history_us);
        self.run("corrections", |_, event| event, state)
    }

    /// Each label at once, over the events that had arrived by the label's own epoch, and never repaired: what a model
    /// that was asked then would have been told. A label that comes several times is answered as of its first coming,
    /// until it is taken back.
    ///
    /// It is for streams: over files an epoch holds many rows, and those that follow a label in its epoch count. Where
    /// events say when they arrived, [`PointInTime::as_known_by`] asks them.
    #[must_use]
    pub fn as_known(&self) -> Table<'s, Answer<B, R::Row>> {
        let state = AsKnown::new(self.features.past(), self.history_us);
        self.run("as known", |_, event| event, state)
    }

    /// Each label over the events that had arrived by its moment, and never repaired: what a model that was asked then
    /// would have been told, by the record of the events themselves. `arrived` says when an event was known, in the time
    /// of the labels; before its event time it counts as known at that. An event that arrives late counts from then on,
    /// at its event time, in the windows that still reach back to it and among the last rows.
    ///
    /// A label is answered once the watermark has passed its moment and the [history](PointInTime::history) beyond it, so
    /// that labels which are behind are answered as exactly as any other. The answer does not depend on epochs, on the
    /// order of rows or on workers. The watermark is that of event time: an event must be in time by its own, however
    /// much later it says that it arrived.
    #[must_use]
    pub fn as_known_by(
        &self,
        arrived: impl Fn(&R::Of) -> EventTime + 'static,
    ) -> Table<'s, Answer<B, R::Row>> {
        let state = Finals::as_known(self.features.past(), self.history_us);
        let see = move |row: &R::Of, event| Known::new(arrived(row), event);
        self.run("as known by arrival", see, state)
    }

    fn run<S, P>(
        &self,
        mode: &str,
        see: impl Fn(&R::Of, EventOf<'s, R>) -> S + 'static,
        state: P,
    ) -> Table<'s, P::Out>
    where
        S: Seen<EventOf<'s, R>>,
        P: PairedState<Left = S, Right = Label<KeyOf<'s, R>, B>>,
    {
        let name = format!("{} at labels {mode}", self.features.name());
        let (key, at) = (
            Rc::clone(&self.labels.keyed.key),
            Rc::clone(&self.labels.at),
        );
        let table = &self.labels.keyed.table;
        let labels = table.map_ref(&format!("{name} project"), move |label| Label {
            at: at(label),
            key: key(label),
            label: label.clone(),
        });
        self.features.events(see).keyed_with(
            &name,
            Column::new(|seen: &S| R::Past::key_of(seen.event()).tag()),
            &labels,
            Column::new(|label: &Label<KeyOf<'s, R>, B>| label.key.tag()),
            state,
        )
    }
}

/// Rows for labels are linear: as many as the label is there, with its sign.
fn as_they_are(count: Diff) -> Diff {
    count
}
