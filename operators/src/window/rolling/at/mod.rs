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
//!
//! In the end `corrections` holds what `finals` holds. A label whose key has no events has empty windows.
//!
//! # Invariants
//! 1. Every update of a label yields its answer with its own sign: a label that is taken back takes its answer back,
//!    whatever that is by then.
//! 2. `None` stands for an update that came too late to be answered: the watermark had passed its moment by more than
//!    [`PointInTime::history`], and its events may be gone. Nothing is dropped.
//!
//! # Cost
//! Per event: a place in its key's windows, as in `latest`; in `finals` it waits for the watermark before that. Per label:
//! its key's windows, read once; a late event in `corrections` reads those of the labels in `[e, e + widest width]`
//! twice. To read is to go back from the key's newest event to the label's moment or, where less, through what the windows
//! hold: in `finals` there is nothing to go back over, but for a label behind the watermark. State: the events of the
//! widest window and the history, and what waits or may change: labels, and in `finals` events.

mod corrections;
mod finals;
mod known;
mod past;
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
use crate::value::Lane;
use crate::window::rolling::event::{Event, Rolled};
use crate::window::rolling::form::{Form, Wide};
use crate::window::rolling::{AtOf, KeyOf, Rolling};

/// A label with its key's windows as of its moment; `None` where it came too late.
pub type Answer<B, K, L, const N: usize, const W: usize> = (B, Option<Rolled<K, L, N, W>>);

/// A label on its way to its key's windows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(bound(
    serialize = "B: Serialize",
    deserialize = "B: serde::de::DeserializeOwned"
))]
struct Label<K: Key, B> {
    at: EventTime,
    key: K,
    label: B,
}

/// Rolling windows as of the moments of labels, declared but not yet running: choose a mode.
#[derive(Clone)]
pub struct PointInTime<
    's,
    D: Data,
    B: Data,
    K: Key,
    L: Lane,
    const N: usize,
    const W: usize,
    F: Form = Wide,
> {
    features: Rolling<'s, D, K, L, N, W, F>,
    labels: Table<'s, B>,
    key: KeyOf<B, K>,
    at: AtOf<B>,
    history_us: i64,
}

impl<'s, D: Data, K: Key, L: Lane, const N: usize, const W: usize, F: Form>
    Rolling<'s, D, K, L, N, W, F>
{
    /// The windows as of the moments of labels, another table by the same key: what a model is trained on.
    #[must_use]
    pub fn at<B: Data + Ord>(
        &self,
        labels: &Timeline<'s, B, K>,
    ) -> PointInTime<'s, D, B, K, L, N, W, F> {
        PointInTime {
            features: self.clone(),
            labels: labels.keyed.table.clone(),
            key: Rc::clone(&labels.keyed.key),
            at: Rc::clone(&labels.at),
            history_us: 0,
        }
    }
}

impl<'s, D: Data, B: Data + Ord, K: Key, L: Lane, const N: usize, const W: usize, F: Form>
    PointInTime<'s, D, B, K, L, N, W, F>
{
    /// How far behind the watermark labels may be; not at all unless told otherwise. A chargeback that is known sixty
    /// days after its payment is a label sixty days behind. Events are kept for so much longer.
    #[must_use]
    pub fn history(mut self, history: Duration) -> Self {
        self.history_us = micros_of(history);
        self
    }

    /// Each label once the watermark has passed its moment; what comes later never changes its answer.
    #[must_use]
    pub fn finals(&self) -> Table<'s, Answer<B, K, L, N, W>> {
        self.run(
            "final",
            finals::Finals::<_, _, _, N, W, F>::new(self.features.widths, self.history_us),
        )
    }

    /// Each label at once, over what is known so far, and repaired as events come late or are taken back.
    #[must_use]
    pub fn corrections(&self) -> Table<'s, Answer<B, K, L, N, W>> {
        let state = corrections::Corrections::<_, _, _, N, W, F>::new(
            self.features.widths,
            self.history_us,
        );
        self.run("corrections", state)
    }

    /// Each label at once, over the events that had arrived by the label's own epoch, and never repaired: what a model
    /// that was asked then would have been told. A label that comes several times is answered as of its first coming,
    /// until it is taken back.
    #[must_use]
    pub fn as_known(&self) -> Table<'s, Answer<B, K, L, N, W>> {
        let state = known::AsKnown::<_, _, _, N, W, F>::new(self.features.widths, self.history_us);
        self.run("as known", state)
    }

    fn run<S>(&self, mode: &str, state: S) -> Table<'s, S::Out>
    where
        S: PairedState<Left = Event<K, N, ()>, Right = Label<K, B>>,
    {
        let name = format!("{} at labels {mode}", self.features.name);
        let (key, at) = (Rc::clone(&self.key), Rc::clone(&self.at));
        let labels = self
            .labels
            .map_ref(&format!("{name} project"), move |label| Label {
                at: at(label),
                key: key(label),
                label: label.clone(),
            });
        self.features.events(|_| ()).keyed_with(
            &name,
            Event::tags(),
            &labels,
            Column::new(|label: &Label<K, B>| label.key.tag()),
            state,
        )
    }
}

/// Rows for labels are linear: as many as the label is there, with its sign.
fn as_they_are(count: Diff) -> Diff {
    count
}
