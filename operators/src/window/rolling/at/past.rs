//! What labels look back upon: the events of all keys, for as long as a label may ask for them.

use thalweg_engine::key::Key;
use thalweg_engine::keyed::EpochTime;
use thalweg_engine::time::{EventTime, WATERMARK_END};
use thalweg_engine::update::Updates;

use crate::value::Lane;
use crate::window::rolling::event::Event;
use crate::window::rolling::form::Form;
use crate::window::rolling::queue::Released;
use crate::window::rolling::silences::Silences;
use crate::window::rolling::store::{AHEAD, SavedKey, Store};
use crate::window::rolling::widths::Widths;

/// The events, and when their keys may be forgotten.
pub(super) struct Past<K: Key, L: Lane, const N: usize, const W: usize, F: Form> {
    pub(super) store: Store<K, L, N, W, F>,
    history_us: i64,
    silences: Silences,
    silent: Vec<u32>,
    pub(super) handles: Vec<u32>,
}

impl<K: Key, L: Lane, const N: usize, const W: usize, F: Form> Past<K, L, N, W, F> {
    pub(super) fn new(widths: Widths<W>, history_us: i64) -> Self {
        let span_us = widths.widest().saturating_add(history_us);
        Self {
            store: Store::new(widths),
            history_us,
            silences: Silences::new(span_us),
            silent: Vec::new(),
            handles: Vec::new(),
        }
    }

    /// The earliest moment that a label may ask for.
    pub(super) fn reach(&self, watermark: EventTime) -> EventTime {
        watermark.saturating_sub(self.history_us)
    }

    /// The handle of a key, made at its first call, for a row of the moment `at`.
    #[inline(always)]
    pub(super) fn resolve(&mut self, key: &K, at: EventTime) -> u32 {
        let handle = self.store.resolve(key);
        self.note(handle, at);
        handle
    }

    /// A key is waited for until no row can ask for what it had at `newest`.
    #[inline(always)]
    fn note(&mut self, handle: u32, newest: EventTime) {
        self.silences.note(handle, self.asked_until(newest));
    }

    /// Resolves the keys of an epoch's events, into `handles`.
    pub(super) fn resolve_all(&mut self, events: &Updates<Event<K, N, ()>>) {
        self.handles.clear();
        for events in events.containers() {
            for (i, (event, _, _)) in events.iter().enumerate() {
                if let Some((ahead, _, _)) = events.get(i + 4 * AHEAD) {
                    self.store.index.prefetch(ahead.key.tag());
                }
                let handle = self.store.resolve(&event.key);
                self.handles.push(handle);
            }
        }
        for (i, (event, _, _)) in events.iter().enumerate() {
            self.silences.prefetch_ahead(&self.handles, i);
            self.note(self.handles[i], event.at);
        }
    }

    /// Applies an epoch's events, whose keys were resolved.
    pub(super) fn apply_all(&mut self, events: &Updates<Event<K, N, ()>>) {
        let handles = std::mem::take(&mut self.handles);
        for (i, (event, _, diff)) in events.iter().enumerate() {
            self.store.prefetch_ahead(&handles, i, |handle| *handle);
            self.store.apply(handles[i], event.at, &event.lanes, *diff);
        }
        self.handles = handles;
    }

    /// Applies the events that are out and not later than `until`, from a place on, whose keys were resolved; returns the
    /// place that comes next.
    #[inline]
    pub(super) fn apply_until(
        &mut self,
        events: &Released<Event<K, N, ()>>,
        mut next: usize,
        until: EventTime,
    ) -> usize {
        while let Some(event) = events.get(next).filter(|event| event.row.at <= until) {
            self.store
                .prefetch_ahead(&self.handles, next, |handle| *handle);
            self.silences.prefetch_ahead(&self.handles, next);
            let (handle, at) = (self.handles[next], event.row.at);
            self.note(handle, at);
            self.store.apply(handle, at, &event.row.lanes, event.diff);
            next += 1;
        }
        next
    }

    /// Up to here rows may ask for what a key had at `newest`.
    fn asked_until(&self, newest: EventTime) -> EventTime {
        let widest = self.store.widths.widest();
        newest
            .saturating_add(widest)
            .saturating_add(self.history_us)
    }

    /// Lets time pass to the end of an epoch. `newest_label` is that of a key, if it holds one; `forgotten` is told
    /// which keys are gone.
    pub(super) fn settle(
        &mut self,
        time: &EpochTime,
        newest_label: impl Fn(u32) -> Option<EventTime>,
        mut forgotten: impl FnMut(u32),
    ) {
        let holds = |handle| newest_label(handle).is_some();
        self.store.forgive_unless(time.watermark, holds);
        if time.watermark != WATERMARK_END {
            // Rows at the watermark itself may still come, or be retracted.
            self.store.settled = self.reach(time.watermark).saturating_sub(1);
        }
        if !time.has_risen() {
            return;
        }
        let mut silent = std::mem::take(&mut self.silent);
        self.silences.pass(time.as_of, &mut silent);
        for (i, handle) in silent.iter().copied().enumerate() {
            self.store.prefetch_forgotten(&silent, i);
            match self.store.newest(handle).max(newest_label(handle)) {
                Some(newest) if self.asked_until(newest) >= time.as_of => {
                    self.note(handle, newest);
                }
                _ => {
                    self.store.prune(handle, EventTime::MAX);
                    self.store.forget_if_empty(handle);
                    forgotten(handle);
                }
            }
        }
        silent.clear();
        self.silent = silent;
    }

    /// Takes a saved key over, with the newest of its labels.
    pub(super) fn restore(&mut self, saved: SavedKey<K, N>, label: Option<EventTime>) -> u32 {
        let handle = self.store.restore(saved);
        let newest = self.store.newest(handle).max(label);
        self.note(handle, newest.unwrap_or(EventTime::MIN));
        handle
    }
}
