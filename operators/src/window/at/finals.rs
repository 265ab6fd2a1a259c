//! Point-in-time, each label once the watermark has passed its moment: by event time, or as known.
//!
//! ```text
//! events ─▶ wait ─┐ watermark       in order of time: the events that are seen at a label's moment,
//! labels ─▶ wait ─┴─────────▶       then the label, which finds no event that it must not see
//! ```
//!
//! An event is seen from its own moment on, and then labels behind the watermark, as far as the history allows, read
//! their key as of their moment. Or it is seen from when it was known on ([`Known`]): an event that was applied does not
//! tell any more since when it is known, and so events and labels are held back until no label before them can come.

use thalweg_engine::key::Key;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, PairedState, StateError, StateSize};
use thalweg_engine::time::{EventTime, WATERMARK_END};
use thalweg_engine::update::{Data, Diff, Updates};

use crate::codec;
use crate::window::at::lookback::{Known, Lookback, Seen};
use crate::window::at::past::Past;
use crate::window::at::{Answer, Label};
use crate::window::rolling::queue::{Due, Pending, Queue};
use crate::window::rolling::store::AHEAD;

/// The state: events and labels that wait, and the events that the watermark has passed.
pub(super) struct Finals<M: Lookback, S, B> {
    past: Past<M>,
    held_back_us: i64,
    events: Queue<S>,
    labels: Queue<Label<M::Key, B>>,
    handles: Vec<Option<u32>>,
}

impl<M: Lookback, B: Data + Ord> Finals<M, M::Event, B> {
    /// Over events that are seen from their own moment on: labels behind the watermark are answered as they come.
    pub(super) fn by_event_time(store: M, history_us: i64) -> Self {
        Self::new(Past::new(store, history_us), 0)
    }
}

impl<M: Lookback, B: Data + Ord> Finals<M, Known<M::Event>, B> {
    /// Over events that are seen from when they were known on: labels are answered once none before them can come.
    pub(super) fn as_known(store: M, history_us: i64) -> Self {
        Self::new(Past::new(store, history_us).owed_for_long(), history_us)
    }
}

impl<M: Lookback, S: Seen<M::Event>, B: Data + Ord> Finals<M, S, B> {
    fn new(past: Past<M>, held_back_us: i64) -> Self {
        Self {
            past,
            held_back_us,
            events: Queue::new(),
            labels: Queue::new(),
            handles: Vec::new(),
        }
    }

    /// What is due before this is let out.
    fn passed(&self, watermark: EventTime) -> EventTime {
        if watermark == WATERMARK_END {
            watermark
        } else {
            watermark.saturating_sub(self.held_back_us)
        }
    }

    /// Takes the rows of an epoch in; labels that are too late are passed on.
    fn admit(
        &mut self,
        time: &EpochTime,
        events: Updates<S>,
        labels: Updates<Label<M::Key, B>>,
        out: &mut Emitter<'_, Answer<B, M::Row>>,
    ) {
        let passed = self.passed(time.watermark);
        for (seen, _, diff) in events {
            // Known only after it has left every window, an event is in none.
            if seen.due() <= self.past.store.held_until(seen.event().due()) {
                self.events.admit(seen, diff, passed);
            }
        }
        let reach = self.past.reach(time.watermark_before);
        for (asked, _, diff) in labels {
            if asked.at < reach {
                out.emit((asked.label, None), diff);
            } else {
                self.labels.admit(asked, diff, passed);
            }
        }
        self.events.release(passed);
        self.labels.release(passed);
    }

    /// Finds the keys of the rows that are out; those of events are made where they are new.
    fn find_keys(&mut self) {
        let (past, events) = (&mut self.past, &self.events.out);
        past.handles.clear();
        for i in 0..events.len() {
            if let Some(ahead) = events.get(i + 4 * AHEAD) {
                let key = M::key_of(ahead.row.event());
                past.store.index().prefetch(key.tag());
            }
            let handle = past.store.resolve(M::key_of(events[i].row.event()));
            past.handles.push(handle);
        }
        let (labels, index) = (&self.labels.out, past.store.index());
        self.handles.clear();
        for i in 0..labels.len() {
            if let Some(ahead) = labels.get(i + 4 * AHEAD) {
                index.prefetch(ahead.row.key.tag());
            }
            self.handles.push(index.find(&labels[i].row.key));
        }
    }

    /// Applies the events and answers the labels that are out, in order of time.
    fn settle_all(&mut self, out: &mut Emitter<'_, Answer<B, M::Row>>) {
        let mut next = 0;
        let mut first = 0;
        let (events, labels) = (&self.events.out, &self.labels.out);
        while first < labels.len() {
            let asked = &labels[first].row;
            next = self.past.apply_until(events, next, asked.at);
            if !self.past.store.index().is_empty() {
                let handle = |handle: &Option<u32>| handle.unwrap_or_default();
                self.past.store.prefetch_ahead(&self.handles, first, handle);
            }
            let (mut until, mut count): (usize, Diff) = (first, 0);
            while let Some(copy) = labels.get(until).filter(|copy| copy.row == *asked) {
                count += copy.diff;
                until += 1;
            }
            if count != 0 {
                let windows = match self.handles[first] {
                    Some(handle) => self.past.store.read(handle, asked.at),
                    None => self.past.store.no_windows(asked.at),
                };
                let row = || M::row(asked.key.clone(), asked.at, windows);
                out.emit_with(|| (asked.label.clone(), Some(row())), count);
            }
            first = until;
        }
        self.past.apply_until(events, next, EventTime::MAX);
        self.events.out.clear();
        self.labels.out.clear();
    }
}

impl<M: Lookback, S: Seen<M::Event>, B: Data + Ord> PairedState for Finals<M, S, B> {
    type Left = S;
    type Right = Label<M::Key, B>;
    type Out = Answer<B, M::Row>;
    const FORMAT: u32 = 2;

    fn epoch(
        &mut self,
        time: &EpochTime,
        events: Updates<Self::Left>,
        labels: Updates<Self::Right>,
        out: &mut Emitter<'_, Self::Out>,
    ) {
        self.admit(time, events, labels, out);
        self.find_keys();
        self.settle_all(out);
        self.past.settle(time, |_| None, |_| ());
    }

    fn save(&self, group: KeyGroup, into: &mut Vec<u8>) -> Result<(), StateError> {
        let is_ours = |key: &M::Key| group.holds(key.tag());
        let events = self.events.waiting.iter();
        let events = events.filter(|seen| is_ours(M::key_of(seen.row.event())));
        let events: Vec<_> = events.collect();
        let labels = self.labels.waiting.iter();
        let labels: Vec<_> = labels.filter(|label| is_ours(&label.row.key)).collect();
        let store = &self.past.store;
        codec::encode(&(store.settled(), store.saved(group), events, labels), into)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        type Saved<M, S, B> = (
            EventTime,
            Vec<<M as Lookback>::Saved>,
            Vec<Pending<S>>,
            Vec<Pending<Label<<M as Lookback>::Key, B>>>,
        );
        let (settled, keys, events, labels): Saved<M, S, B> = codec::decode(bytes)?;
        self.past
            .store
            .settle(self.past.store.settled().max(settled));
        for key in keys {
            self.past.restore(key, None);
        }
        for event in events {
            self.events.waiting.push(event);
        }
        for label in labels {
            self.labels.waiting.push(label);
        }
        Ok(())
    }

    fn size(&self) -> StateSize {
        let mut size = self.past.store.size();
        size.events += self.events.waiting.len() + self.labels.waiting.len();
        size.bytes += self.events.bytes() + self.labels.bytes();
        size
    }
}
