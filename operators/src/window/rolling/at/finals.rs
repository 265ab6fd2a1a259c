//! Point-in-time, each label once the watermark has passed its moment.

use serde::{Deserialize, Serialize};
use thalweg_engine::key::Key;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, PairedState, StateError, StateSize};
use thalweg_engine::time::EventTime;
use thalweg_engine::update::{Data, Diff, Updates};

use crate::array::Array;
use crate::codec;
use crate::value::{Lane, Moments};
use crate::window::rolling::at::past::Past;
use crate::window::rolling::at::{Answer, Label};
use crate::window::rolling::calendar::{Calendar, Waiting, in_time_order};
use crate::window::rolling::event::{Event, Rolled};
use crate::window::rolling::form::Form;
use crate::window::rolling::store::{AHEAD, SavedKey};
use crate::window::rolling::widths::Widths;

/// A label that waits, with its sign.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(bound(
    serialize = "B: Serialize",
    deserialize = "B: serde::de::DeserializeOwned"
))]
struct Pending<K: Key, B> {
    asked: Label<K, B>,
    diff: Diff,
}

impl<K: Key, B: Ord> Waiting for Pending<K, B> {
    fn at(&self) -> EventTime {
        self.asked.at
    }
}

/// The state: events at once, labels in a calendar.
pub(super) struct Finals<K: Key, L: Lane, B, const N: usize, const W: usize, F: Form> {
    past: Past<K, L, N, W, F>,
    calendar: Calendar<Pending<K, B>>,
    released: Vec<Pending<K, B>>,
    order: Vec<u64>,
    handles: Vec<Option<u32>>,
}

impl<K: Key, L: Lane, B: Data + Ord, const N: usize, const W: usize, F: Form>
    Finals<K, L, B, N, W, F>
{
    pub(super) fn new(widths: Widths<W>, history_us: i64) -> Self {
        Self {
            past: Past::new(widths, history_us),
            calendar: Calendar::new(),
            released: Vec::new(),
            order: Vec::new(),
            handles: Vec::new(),
        }
    }

    /// Answers the released labels.
    fn answer(&mut self, out: &mut Emitter<'_, Answer<B, K, L, N, W>>) {
        let (labels, order) = (&self.released, &self.order);
        let label = |i: usize| &labels[order[i] as usize].asked;
        self.handles.clear();
        for i in 0..order.len() {
            if i + 4 * AHEAD < order.len() {
                let ahead = label(i + 4 * AHEAD).key.tag();
                self.past.store.index.prefetch(ahead);
            }
            self.handles.push(self.past.store.index.find(&label(i).key));
        }
        let mut first = 0;
        for copies in order.chunk_by(|a, b| labels[*a as usize].asked == labels[*b as usize].asked)
        {
            let (i, asked) = (first, label(first));
            first += copies.len();
            if !self.past.store.index.is_empty() {
                let ahead = |handle: &Option<u32>| handle.unwrap_or_default();
                self.past.store.prefetch_ahead(&self.handles, i, ahead);
            }
            let count: Diff = copies.iter().map(|copy| labels[*copy as usize].diff).sum();
            if count == 0 {
                continue;
            }
            let mut windows = [Array([Array([Moments::EMPTY; N]); W])];
            if let Some(handle) = self.handles[i] {
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
    }
}

impl<K: Key, L: Lane, B: Data + Ord, const N: usize, const W: usize, F: Form> PairedState
    for Finals<K, L, B, N, W, F>
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
        self.past.resolve_all(&events);
        self.past.apply_all(&events);
        let reach = self.past.reach(time.watermark_before);
        for (asked, _, diff) in labels {
            if asked.at < reach {
                out.emit((asked.label, None), diff);
            } else {
                let pending = Pending { asked, diff };
                self.calendar
                    .admit(pending, time.watermark, &mut self.released);
            }
        }
        self.calendar.release(time.watermark, &mut self.released);
        in_time_order(&self.released, &mut self.order);
        self.answer(out);
        self.released.clear();
        self.past.settle(time, |_| None, |_| ());
    }

    fn save(&self, group: KeyGroup, into: &mut Vec<u8>) -> Result<(), StateError> {
        let waiting: Vec<_> = self
            .calendar
            .iter()
            .filter(|pending| group.holds(pending.asked.key.tag()))
            .collect();
        let store = &self.past.store;
        codec::encode(&(store.settled, store.saved(group), waiting), into)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        type Saved<K, const N: usize, B> = (EventTime, Vec<SavedKey<K, N>>, Vec<Pending<K, B>>);
        let (settled, keys, waiting): Saved<K, N, B> = codec::decode(bytes)?;
        self.past.store.settled = self.past.store.settled.max(settled);
        for key in keys {
            self.past.restore(key, None);
        }
        waiting
            .into_iter()
            .for_each(|pending| self.calendar.push(pending));
        Ok(())
    }

    fn size(&self) -> StateSize {
        let mut size = self.past.store.size();
        size.events += self.calendar.len();
        size.bytes += self.calendar.bytes();
        size
    }
}
