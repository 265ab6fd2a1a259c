//! Point-in-time by arrival: each label at once, over what had arrived by its own epoch, and never repaired.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thalweg_engine::key::Key;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, PairedState, StateError, StateSize};
use thalweg_engine::time::EventTime;
use thalweg_engine::update::{Data, Diff, Updates};

use crate::codec;
use crate::window::at::lookback::Lookback;
use crate::window::at::past::Past;
use crate::window::at::{Answer, Label};

/// How often a label is there, and what it was told. Below zero it was taken back before it came.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound(
    serialize = "X: Serialize",
    deserialize = "X: serde::de::DeserializeOwned"
))]
struct Told<X> {
    count: Diff,
    windows: X,
}

/// A key's labels by moment.
type Labels<M, B> = BTreeMap<(EventTime, B), Told<<M as Lookback>::Windows>>;

/// The state: events, and what labels were told for as long as these may be taken back.
pub(super) struct AsKnown<M: Lookback, B> {
    past: Past<M>,
    labels: Vec<Labels<M, B>>,
    held: usize,
    asked: Vec<(u32, EventTime, B, Diff)>,
}

impl<M: Lookback, B: Data + Ord> AsKnown<M, B> {
    pub(super) fn new(store: M, history_us: i64) -> Self {
        Self {
            past: Past::new(store, history_us),
            labels: Vec::new(),
            held: 0,
            asked: Vec::new(),
        }
    }

    fn make_room(&mut self) {
        let handles = self.past.store.handles();
        if handles > self.labels.len() {
            self.labels.resize_with(handles, BTreeMap::new);
        }
    }

    /// Answers the labels of the epoch, or takes back what they were told.
    fn answer(&mut self, reach: EventTime, out: &mut Emitter<'_, Answer<B, M::Row>>) {
        let mut asked = std::mem::take(&mut self.asked);
        asked.sort_unstable();
        for key in asked.chunk_by(|a, b| a.0 == b.0) {
            let labels = &mut self.labels[key[0].0 as usize];
            self.held -= labels.len();
            while labels
                .first_key_value()
                .is_some_and(|label| label.0.0 < reach)
            {
                labels.pop_first();
            }
            for copies in key.chunk_by(|a, b| (a.1, &a.2) == (b.1, &b.2)) {
                self.change(copies, out);
            }
            self.held += self.labels[key[0].0 as usize].len();
        }
        asked.clear();
        self.asked = asked;
    }

    fn change(
        &mut self,
        copies: &[(u32, EventTime, B, Diff)],
        out: &mut Emitter<'_, Answer<B, M::Row>>,
    ) {
        let (handle, at, label) = (copies[0].0, copies[0].1, &copies[0].2);
        let diff: Diff = copies.iter().map(|copy| copy.3).sum();
        let (labels, store) = (&mut self.labels[handle as usize], &mut self.past.store);
        let told = labels.entry((at, label.clone()));
        let told = told.or_insert_with(|| Told {
            count: 0,
            windows: store.no_windows(at),
        });
        let before = told.count.max(0);
        told.count += diff;
        let after = told.count.max(0);
        if before == 0 && after > 0 {
            told.windows = store.read(handle, at);
        }
        if after != before
            && let Some(key) = store.index().key(handle)
        {
            let row = || M::row(key.clone(), at, told.windows.clone());
            out.emit_with(|| (label.clone(), Some(row())), after - before);
        }
        if told.count == 0 {
            labels.remove(&(at, label.clone()));
        }
    }
}

impl<M: Lookback, B: Data + Ord> PairedState for AsKnown<M, B> {
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
        self.past.resolve_all(&events);
        self.past.apply_all(&events);
        let reach = self.past.reach(time.watermark_before);
        for (asked, _, diff) in labels {
            if asked.at < reach {
                out.emit((asked.label, None), diff);
            } else {
                let handle = self.past.resolve(&asked.key, asked.at);
                self.asked.push((handle, asked.at, asked.label, diff));
            }
        }
        self.make_room();
        self.answer(reach, out);
        let labels = &self.labels;
        let newest = |handle: u32| Some(labels.get(handle as usize)?.last_key_value()?.0.0);
        let mut forgotten = Vec::new();
        self.past
            .settle(time, newest, |handle| forgotten.push(handle));
        for handle in forgotten {
            let labels = &mut self.labels[handle as usize];
            self.held -= labels.len();
            labels.clear();
        }
    }

    fn save(&self, group: KeyGroup, into: &mut Vec<u8>) -> Result<(), StateError> {
        let store = &self.past.store;
        let keys = store.index().iter();
        let ours = keys.filter(|(_, key)| group.holds(key.tag()));
        let labels = ours.map(|(handle, _)| self.labels[handle as usize].iter().collect());
        let labels: Vec<Vec<_>> = labels.collect();
        let keys: Vec<_> = store.saved(group).into_iter().zip(labels).collect();
        codec::encode(&(store.settled(), keys), into)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        type Labels<M, B> = Vec<((EventTime, B), Told<<M as Lookback>::Windows>)>;
        type Saved<M, B> = Vec<(<M as Lookback>::Saved, Labels<M, B>)>;
        let (settled, keys): (EventTime, Saved<M, B>) = codec::decode(bytes)?;
        self.past
            .store
            .settle(self.past.store.settled().max(settled));
        for (key, labels) in keys {
            let newest = labels.last().map(|label| label.0.0);
            let handle = self.past.restore(key, newest);
            self.make_room();
            self.held += labels.len();
            self.labels[handle as usize] = labels.into_iter().collect();
        }
        Ok(())
    }

    fn size(&self) -> StateSize {
        let mut size = self.past.store.size();
        size.events += self.held;
        size.bytes += self.labels.capacity() * size_of::<Labels<M, B>>()
            + self.held * size_of::<((EventTime, B), Told<M::Windows>)>();
        size
    }
}
