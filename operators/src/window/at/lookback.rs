//! What labels look back upon: the events of all keys, of which each is read as of any moment.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thalweg_engine::key::Key;
use thalweg_engine::keyed::{KeyGroup, StateSize};
use thalweg_engine::state::KeyIndex;
use thalweg_engine::time::EventTime;
use thalweg_engine::update::{Data, Diff};

use crate::window::rolling::queue::Due;

/// All keys' events, by handle.
pub trait Lookback: 'static {
    /// A key.
    type Key: Key;
    /// An event; it is due when it happened.
    type Event: Due + Data + Ord;
    /// What is read of a key.
    type Windows: Data + PartialEq;
    /// What a label is told.
    type Row: Data;
    /// A key as it was saved.
    type Saved: DeserializeOwned;

    /// Whose an event is.
    fn key_of(event: &Self::Event) -> &Self::Key;
    /// What a label of `at` is told.
    fn row(key: Self::Key, at: EventTime, windows: Self::Windows) -> Self::Row;
    /// How far windows go back, in µs.
    fn widest(&self) -> i64;
    /// The last moment of which windows hold an event of `at`.
    fn held_until(&self, at: EventTime) -> EventTime {
        at.saturating_add(self.widest())
    }
    /// For how long after its newest row a key is asked for, in µs: as far as windows go back, unless rows of any age count.
    fn lingers(&self) -> i64 {
        self.widest()
    }
    /// The keys.
    fn index(&self) -> &KeyIndex<Self::Key>;
    /// All handles are below this.
    fn handles(&self) -> usize;
    /// The handle of a key, made at its first call.
    fn resolve(&mut self, key: &Self::Key) -> u32;
    /// Adds or retracts `diff` copies of an event.
    fn apply(&mut self, handle: u32, event: &Self::Event, diff: Diff);
    /// The windows of a key that end at a moment.
    fn read(&mut self, handle: u32, at: EventTime) -> Self::Windows;
    /// Appends the windows of a key that end at each of some moments, which ascend.
    fn read_all(&mut self, handle: u32, ends: &[EventTime], into: &mut Vec<Self::Windows>);
    /// The windows of a key without events, as of a moment.
    fn no_windows(&self, at: EventTime) -> Self::Windows;
    /// When the key's newest event happened.
    fn newest(&self, handle: u32) -> Option<EventTime>;
    /// Up to here nothing is asked for any more; see [`Lookback::settle`].
    fn settled(&self) -> EventTime;
    /// From now on windows are read only as of moments after this one.
    fn settle(&mut self, until: EventTime);
    /// Forgives what only a late event could pay, and forgets the keys that nothing holds any more.
    fn forgive_unless(&mut self, watermark: EventTime, held: impl Fn(u32) -> bool);
    /// No label asks for the key by time any more: whether it is kept all the same, because rows of any age count.
    fn rests(&mut self, _handle: u32) -> bool {
        false
    }
    /// Drops a key's events, and forgets the key where nothing else is held of it.
    fn forget(&mut self, handle: u32);
    /// The keys of a group, in the order of the index; each reads back as what [`Lookback::restore`] takes.
    fn saved(&self, group: KeyGroup) -> Vec<impl Serialize>;
    /// Takes a saved key over, and returns its handle.
    fn restore(&mut self, saved: Self::Saved) -> u32;
    /// Events may come that were known long after they happened, from now on.
    fn expect_late(&mut self) {}
    /// What is held.
    fn size(&self) -> StateSize;
    /// Asks for the memory of the keys a few places ahead in a list.
    fn prefetch_ahead<T>(&self, list: &[T], i: usize, handle: impl Fn(&T) -> u32);
    /// The same for keys that are about to be forgotten.
    fn prefetch_forgotten(&self, list: &[u32], i: usize);
}

/// An event with the moment at which labels begin to see it, which is when it is due.
pub(in crate::window) trait Seen<E>: Due + Data + Ord {
    /// What happened.
    fn event(&self) -> &E;
}

/// Labels see an event from its own moment on.
impl<E: Due + Data + Ord> Seen<E> for E {
    #[inline(always)]
    fn event(&self) -> &E {
        self
    }
}

/// An event that labels see from when it was known on, which is not before it happened.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(bound(
    serialize = "E: Serialize",
    deserialize = "E: serde::de::DeserializeOwned"
))]
pub(crate) struct Known<E> {
    since: EventTime,
    event: E,
}

impl<E: Due> Known<E> {
    /// An event that came at `arrived`.
    pub(super) fn new(arrived: EventTime, event: E) -> Self {
        let since = arrived.max(event.due());
        Self { since, event }
    }
}

impl<E> Due for Known<E> {
    #[inline(always)]
    fn due(&self) -> EventTime {
        self.since
    }
}

impl<E: Due + Data + Ord> Seen<E> for Known<E> {
    #[inline(always)]
    fn event(&self) -> &E {
        &self.event
    }
}
