//! Point-in-time, each label once the watermark has passed its moment.
//!
//! ```text
//! events ─▶ wait ─┐ watermark       in order of time: the events up to a label's moment,
//! labels ─▶ wait ─┴─────────▶       then the label, which finds no event newer than itself
//! ```
//!
//! A label that comes behind the watermark, as far as the history allows, reads its key as of its moment.

use thalweg_engine::key::Key;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, PairedState, StateError, StateSize};
use thalweg_engine::time::EventTime;
use thalweg_engine::update::{Data, Diff, Updates};

use crate::codec;
use crate::value::Lane;
use crate::window::rolling::at::past::Past;
use crate::window::rolling::at::{Answer, Label};
use crate::window::rolling::calendar::Waiting;
use crate::window::rolling::event::{Event, Rolled};
use crate::window::rolling::form::Form;
use crate::window::rolling::queue::{Pending, Queue};
use crate::window::rolling::store::{AHEAD, SavedKey, Store};
use crate::window::rolling::widths::Widths;

impl<K: Key, B: Ord> Waiting for Pending<Label<K, B>> {
    fn at(&self) -> EventTime {
        self.row.at
    }
}

/// The state: events and labels that wait, and the events that the watermark has passed.
pub(super) struct Finals<K: Key, L: Lane, B, const N: usize, const W: usize, F: Form> {
    past: Past<K, L, N, W, F>,
    events: Queue<Event<K, N, ()>>,
    labels: Queue<Label<K, B>>,
    handles: Vec<Option<u32>>,
}

impl<K: Key, L: Lane, B: Data + Ord, const N: usize, const W: usize, F: Form>
    Finals<K, L, B, N, W, F>
{
    pub(super) fn new(widths: Widths<W>, history_us: i64) -> Self {
        Self {
            past: Past::new(widths, history_us),
            events: Queue::new(),
            labels: Queue::new(),
            handles: Vec::new(),
        }
    }

    /// Finds the keys of the rows that are out; those of events are made where they are new.
    fn find_keys(&mut self) {
        let (past, events) = (&mut self.past, &self.events.out);
        past.handles.clear();
        for i in 0..events.len() {
            if let Some(ahead) = events.get(i + 4 * AHEAD) {
                past.store.index.prefetch(ahead.row.key.tag());
            }
            let handle = past.store.resolve(&events[i].row.key);
            past.handles.push(handle);
        }
        let (labels, index) = (&self.labels.out, &past.store.index);
        self.handles.clear();
        for i in 0..labels.len() {
            if let Some(ahead) = labels.get(i + 4 * AHEAD) {
                index.prefetch(ahead.row.key.tag());
            }
            self.handles.push(index.find(&labels[i].row.key));
        }
    }

    /// Applies the events and answers the labels that are out, in order of time.
    fn settle_all(&mut self, out: &mut Emitter<'_, Answer<B, K, L, N, W>>) {
        let mut next = 0;
        let mut first = 0;
        let (events, labels) = (&self.events.out, &self.labels.out);
        while first < labels.len() {
            let asked = &labels[first].row;
            next = self.past.apply_until(events, next, asked.at);
            if !self.past.store.index.is_empty() {
                let handle = |handle: &Option<u32>| handle.unwrap_or_default();
                self.past.store.prefetch_ahead(&self.handles, first, handle);
            }
            let (mut until, mut count): (usize, Diff) = (first, 0);
            while let Some(copy) = labels.get(until).filter(|copy| copy.row == *asked) {
                count += copy.diff;
                until += 1;
            }
            if count != 0 {
                let mut windows = [Store::<K, L, N, W, F>::no_windows()];
                if let Some(handle) = self.handles[first] {
                    self.past.store.read(handle, &[asked.at], &mut windows);
                }
                let [windows] = windows;
                let rolled = || Rolled {
                    key: asked.key.clone(),
                    at: asked.at,
                    windows,
                };
                out.emit_with(|| (asked.label.clone(), Some(rolled())), count);
            }
            first = until;
        }
        self.past.apply_until(events, next, EventTime::MAX);
        self.events.out.clear();
        self.labels.out.clear();
    }
}

impl<K: Key, L: Lane, B: Data + Ord, const N: usize, const W: usize, F: Form> PairedState
    for Finals<K, L, B, N, W, F>
{
    type Left = Event<K, N, ()>;
    type Right = Label<K, B>;
    type Out = Answer<B, K, L, N, W>;
    const FORMAT: u32 = 2;

    fn epoch(
        &mut self,
        time: &EpochTime,
        events: Updates<Self::Left>,
        labels: Updates<Self::Right>,
        out: &mut Emitter<'_, Self::Out>,
    ) {
        for (event, _, diff) in events {
            self.events.admit(event, diff, time.watermark);
        }
        let reach = self.past.reach(time.watermark_before);
        for (asked, _, diff) in labels {
            if asked.at < reach {
                out.emit((asked.label, None), diff);
            } else {
                self.labels.admit(asked, diff, time.watermark);
            }
        }
        self.events.release(time.watermark);
        self.labels.release(time.watermark);
        self.find_keys();
        self.settle_all(out);
        self.past.settle(time, |_| None, |_| ());
    }

    fn save(&self, group: KeyGroup, into: &mut Vec<u8>) -> Result<(), StateError> {
        let is_ours = |key: &K| group.holds(key.tag());
        let events = self.events.waiting.iter();
        let events: Vec<_> = events.filter(|event| is_ours(&event.row.key)).collect();
        let labels = self.labels.waiting.iter();
        let labels: Vec<_> = labels.filter(|label| is_ours(&label.row.key)).collect();
        let store = &self.past.store;
        codec::encode(&(store.settled, store.saved(group), events, labels), into)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        type Saved<K, const N: usize, B> = (
            EventTime,
            Vec<SavedKey<K, N>>,
            Vec<Pending<Event<K, N, ()>>>,
            Vec<Pending<Label<K, B>>>,
        );
        let (settled, keys, events, labels): Saved<K, N, B> = codec::decode(bytes)?;
        self.past.store.settled = self.past.store.settled.max(settled);
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
        size.bytes += self.events.waiting.bytes() + self.labels.waiting.bytes();
        size
    }
}
