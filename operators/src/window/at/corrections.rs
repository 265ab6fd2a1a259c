//! Point-in-time, each label at once and repaired until the watermark has passed its moment.

use std::collections::VecDeque;

use thalweg_engine::key::Key;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, PairedState, StateError, StateSize};
use thalweg_engine::time::EventTime;
use thalweg_engine::update::{Data, Diff, Updates};

use crate::codec;
use crate::window::at::lookback::Lookback;
use crate::window::at::past::Past;
use crate::window::at::{Answer, Label, as_they_are};
use crate::window::rolling::queue::Due;
use crate::window::rolling::repair::{Open, Repair};
use crate::window::rolling::store::AHEAD;

/// An event that may change an answer, with its key's handle.
type Late<M> = (u32, <M as Lookback>::Event, Diff);

/// The state: events at once, and by key the labels whose answers may change.
pub(super) struct Corrections<M: Lookback, B> {
    past: Past<M>,
    labels: Vec<VecDeque<Open<B>>>,
    held: usize,
    repair: Repair<B, M::Windows>,
    late: Vec<Late<M>>,
    asked: Vec<(u32, Open<B>)>,
    changes: Vec<Open<B>>,
}

impl<M: Lookback, B: Data + Ord> Corrections<M, B> {
    pub(super) fn new(store: M, history_us: i64) -> Self {
        Self {
            past: Past::new(store, history_us),
            labels: Vec::new(),
            held: 0,
            repair: Repair::new(as_they_are, |a, b| a == b),
            late: Vec::new(),
            asked: Vec::new(),
            changes: Vec::new(),
        }
    }

    fn make_room(&mut self) {
        let handles = self.past.store.handles();
        if handles > self.labels.len() {
            self.labels.resize_with(handles, VecDeque::new);
        }
    }

    /// Applies the events that reach no label; the others wait to be applied together with what they change.
    fn take_events(&mut self, events: Updates<M::Event>) {
        self.past.resolve_all(&events);
        self.make_room();
        let handles = std::mem::take(&mut self.past.handles);
        for (i, (event, _, diff)) in events.into_iter().enumerate() {
            let (handle, store) = (handles[i], &mut self.past.store);
            store.prefetch_ahead(&handles, i, |handle| *handle);
            if let Some(ahead) = handles.get(i + 3 * AHEAD) {
                thalweg_engine::state::prefetch(&self.labels, *ahead as usize);
            }
            let last = self.labels[handle as usize].back();
            if last.is_some_and(|label| label.at >= event.due()) {
                self.late.push((handle, event, diff));
            } else {
                store.apply(handle, &event, diff);
            }
        }
        self.past.handles = handles;
    }

    fn take_labels(
        &mut self,
        labels: Updates<Label<M::Key, B>>,
        reach: EventTime,
        out: &mut Emitter<'_, Answer<B, M::Row>>,
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
    fn answer(&mut self, passed: EventTime, out: &mut Emitter<'_, Answer<B, M::Row>>) {
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
        events: &[Late<M>],
        asked: &[(u32, Open<B>)],
        passed: EventTime,
        out: &mut Emitter<'_, Answer<B, M::Row>>,
    ) {
        let (store, rows) = (&mut self.past.store, &mut self.labels[handle as usize]);
        let Some(key) = store.index().key(handle).cloned() else {
            return;
        };
        self.held -= rows.len();
        while rows.front().is_some_and(|row| row.at < passed) {
            rows.pop_front();
        }
        self.changes.clear();
        self.changes
            .extend(asked.iter().map(|asked| asked.1.clone()));
        let reached = events
            .iter()
            .map(|event| (event.1.due(), store.held_until(event.1.due())));
        let spans = reached.chain(self.changes.iter().map(|row| (row.at, row.at)));
        let Some(span) = spans.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))) else {
            return;
        };
        self.repair.begin(store, handle, rows, span, &self.changes);
        for (_, event, diff) in events {
            store.apply(handle, event, *diff);
        }
        self.repair
            .end(store, handle, rows, |label, at, windows, diff| {
                let row = || M::row(key.clone(), at, windows.clone());
                out.emit_with(|| (label.clone(), Some(row())), diff);
            });
        self.held += rows.len();
    }
}

impl<M: Lookback, B: Data + Ord> PairedState for Corrections<M, B> {
    type Left = M::Event;
    type Right = Label<M::Key, B>;
    type Out = Answer<B, M::Row>;
    const FORMAT: u32 = 1;

    fn epoch(
        &mut self,
        time: &EpochTime,
        events: Updates<Self::Left>,
        labels: Updates<Self::Right>,
        out: &mut Emitter<'_, Self::Out>,
    ) {
        self.take_events(events);
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
        let keys = store.index().iter();
        let ours = keys.filter(|(_, key)| group.holds(key.tag()));
        let labels = ours.map(|(handle, _)| &self.labels[handle as usize]);
        let keys: Vec<_> = store.saved(group).into_iter().zip(labels).collect();
        codec::encode(&(store.settled(), keys), into)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        type Saved<M, B> = Vec<(<M as Lookback>::Saved, VecDeque<Open<B>>)>;
        let (settled, keys): (EventTime, Saved<M, B>) = codec::decode(bytes)?;
        self.past
            .store
            .settle(self.past.store.settled().max(settled));
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
