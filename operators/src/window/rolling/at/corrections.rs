//! Point-in-time, each label at once and repaired until the watermark has passed its moment.

use std::collections::VecDeque;

use thalweg_engine::key::Key;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, PairedState, StateError, StateSize};
use thalweg_engine::time::EventTime;
use thalweg_engine::update::{Data, Diff, Updates};

use crate::array::Array;
use crate::codec;
use crate::value::Lane;
use crate::window::rolling::at::past::Past;
use crate::window::rolling::at::{Answer, Label, as_they_are};
use crate::window::rolling::event::{Event, Rolled};
use crate::window::rolling::form::Form;
use crate::window::rolling::repair::{Open, Repair};
use crate::window::rolling::store::{AHEAD, SavedKey};
use crate::window::rolling::widths::Widths;

/// An event that may change an answer.
type Late<const N: usize> = (u32, EventTime, Array<i64, N>, Diff);

/// The state: events at once, and by key the labels whose answers may change.
pub(super) struct Corrections<K: Key, L: Lane, B, const N: usize, const W: usize, F: Form> {
    past: Past<K, L, N, W, F>,
    labels: Vec<VecDeque<Open<B>>>,
    held: usize,
    repair: Repair<B, L, N, W>,
    late: Vec<Late<N>>,
    asked: Vec<(u32, Open<B>)>,
    changes: Vec<Open<B>>,
}

impl<K: Key, L: Lane, B: Data + Ord, const N: usize, const W: usize, F: Form>
    Corrections<K, L, B, N, W, F>
{
    pub(super) fn new(widths: Widths<W>, history_us: i64) -> Self {
        Self {
            past: Past::new(widths, history_us),
            labels: Vec::new(),
            held: 0,
            repair: Repair::new(as_they_are, |a, b| a == b),
            late: Vec::new(),
            asked: Vec::new(),
            changes: Vec::new(),
        }
    }

    fn make_room(&mut self) {
        let handles = self.past.store.lines.len();
        if handles > self.labels.len() {
            self.labels.resize_with(handles, VecDeque::new);
        }
    }

    /// Applies the events that reach no label; the others wait to be applied together with what they change.
    fn take_events(&mut self, events: &Updates<Event<K, N, ()>>) {
        self.past.resolve_all(events);
        self.make_room();
        let handles = std::mem::take(&mut self.past.handles);
        for (i, (event, _, diff)) in events.iter().enumerate() {
            let (handle, store) = (handles[i], &mut self.past.store);
            store.prefetch_ahead(&handles, i, |handle| *handle);
            if let Some(ahead) = handles.get(i + 3 * AHEAD) {
                thalweg_engine::state::prefetch(&self.labels, *ahead as usize);
            }
            let last = self.labels[handle as usize].back();
            if last.is_some_and(|label| label.at >= event.at) {
                self.late.push((handle, event.at, event.lanes, *diff));
            } else {
                store.apply(handle, event.at, &event.lanes, *diff);
            }
        }
        self.past.handles = handles;
    }

    fn take_labels(
        &mut self,
        labels: Updates<Label<K, B>>,
        reach: EventTime,
        out: &mut Emitter<'_, Answer<B, K, L, N, W>>,
    ) {
        for (asked, _, diff) in labels {
            if asked.at < reach {
                out.emit((asked.label, None), diff);
                continue;
            }
            let handle = self.past.resolve(&asked.key, asked.at);
            let row = Open {
                at: asked.at,
                of: asked.label,
                count: diff,
            };
            self.asked.push((handle, row));
        }
        self.make_room();
    }

    /// Repairs and answers, key by key.
    fn answer(&mut self, passed: EventTime, out: &mut Emitter<'_, Answer<B, K, L, N, W>>) {
        let (mut late, mut asked) = (
            std::mem::take(&mut self.late),
            std::mem::take(&mut self.asked),
        );
        late.sort_unstable();
        asked.sort_unstable();
        {
            let mut events = late.chunk_by(|a, b| a.0 == b.0).peekable();
            let mut labels = asked.chunk_by(|a, b| a.0 == b.0).peekable();
            loop {
                let of_event = events.peek().map(|events| events[0].0);
                let of_label = labels.peek().map(|labels| labels[0].0);
                let handles = of_event.into_iter().chain(of_label);
                let Some(handle) = handles.min() else { break };
                let events = events.next_if(|events| events[0].0 == handle);
                let labels = labels.next_if(|labels| labels[0].0 == handle);
                let (events, labels) = (events.unwrap_or_default(), labels.unwrap_or_default());
                self.answer_key(handle, events, labels, passed, out);
            }
        }
        late.clear();
        asked.clear();
        (self.late, self.asked) = (late, asked);
    }

    fn answer_key(
        &mut self,
        handle: u32,
        events: &[Late<N>],
        asked: &[(u32, Open<B>)],
        passed: EventTime,
        out: &mut Emitter<'_, Answer<B, K, L, N, W>>,
    ) {
        let (store, rows) = (&mut self.past.store, &mut self.labels[handle as usize]);
        let Some(key) = store.index.key(handle).cloned() else {
            return;
        };
        self.held -= rows.len();
        while rows.front().is_some_and(|row| row.at < passed) {
            rows.pop_front();
        }
        self.changes.clear();
        self.changes
            .extend(asked.iter().map(|asked| asked.1.clone()));
        let widest = store.widths.widest();
        let reached = events
            .iter()
            .map(|event| (event.1, event.1.saturating_add(widest)));
        let spans = reached.chain(self.changes.iter().map(|row| (row.at, row.at)));
        let Some(span) = spans.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))) else {
            return;
        };
        self.repair.begin(store, handle, rows, span, &self.changes);
        for (_, at, lanes, diff) in events {
            store.apply(handle, *at, lanes, *diff);
        }
        self.repair
            .end(store, handle, rows, |label, at, windows, diff| {
                let rolled = || Rolled {
                    key: key.clone(),
                    at,
                    windows: *windows,
                };
                out.emit_with(|| (label.clone(), Some(rolled())), diff);
            });
        self.held += rows.len();
    }
}

impl<K: Key, L: Lane, B: Data + Ord, const N: usize, const W: usize, F: Form> PairedState
    for Corrections<K, L, B, N, W, F>
{
    type Left = Event<K, N, ()>;
    type Right = Label<K, B>;
    type Out = Answer<B, K, L, N, W>;
    const FORMAT: u32 = 1;

    fn epoch(
        &mut self,
        time: &EpochTime,
        events: Updates<Self::Left>,
        labels: Updates<Self::Right>,
        out: &mut Emitter<'_, Self::Out>,
    ) {
        self.take_events(&events);
        let reach = self.past.reach(time.watermark_before);
        self.take_labels(labels, reach, out);
        self.answer(time.watermark_before, out);
        let labels = &self.labels;
        let newest = |handle: u32| Some(labels.get(handle as usize)?.back()?.at);
        let mut forgotten = Vec::new();
        self.past
            .settle(time, newest, |handle| forgotten.push(handle));
        for handle in forgotten {
            let labels = &mut self.labels[handle as usize];
            self.held -= labels.len();
            *labels = VecDeque::new();
        }
    }

    fn save(&self, group: KeyGroup, into: &mut Vec<u8>) -> Result<(), StateError> {
        let store = &self.past.store;
        let ours = store.index.iter().filter(|(_, key)| group.holds(key.tag()));
        let labels = ours.map(|(handle, _)| &self.labels[handle as usize]);
        let keys: Vec<_> = store.saved(group).into_iter().zip(labels).collect();
        codec::encode(&(store.settled, keys), into)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        type Saved<K, const N: usize, B> = Vec<(SavedKey<K, N>, VecDeque<Open<B>>)>;
        let (settled, keys): (EventTime, Saved<K, N, B>) = codec::decode(bytes)?;
        self.past.store.settled = self.past.store.settled.max(settled);
        for (key, labels) in keys {
            let newest = labels.back().map(|label| label.at);
            let handle = self.past.restore(key, newest);
            self.make_room();
            self.held += labels.len();
            self.labels[handle as usize] = labels;
        }
        Ok(())
    }

    fn size(&self) -> StateSize {
        let mut size = self.past.store.size();
        size.events += self.held;
        size.bytes += self.labels.capacity() * size_of::<VecDeque<Open<B>>>()
            + self.held * size_of::<Open<B>>();
        size
    }
}
