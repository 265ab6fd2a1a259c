//! The events of all keys, and when the keys may be forgotten: once no label can ask for them.

use thalweg_engine::key::Key;
use thalweg_engine::keyed::EpochTime;
use thalweg_engine::time::{EventTime, WATERMARK_END};
use thalweg_engine::update::Updates;

use crate::window::at::lookback::{Lookback, Seen};
use crate::window::rolling::queue::{Due, Released};
use crate::window::rolling::silences::Silences;
use crate::window::rolling::store::AHEAD;

const MINUTE_US: i64 = 60_000_000;

/// The events, and when their keys may be forgotten.
pub(super) struct Past<M: Lookback> {
    pub(super) store: M,
    history_us: i64,
    /// For so long what is owed of a moment may still be paid, after the watermark has passed it.
    owed_us: i64,
    silences: Silences,
    silent: Vec<u32>,
    pub(super) handles: Vec<u32>,
}

impl<M: Lookback> Past<M> {
    pub(super) fn new(store: M, history_us: i64) -> Self {
        let span_us = store.lingers().saturating_add(history_us);
        // Keys that are never forgotten need not be looked at with every epoch.
        let span_us = if span_us == 0 { MINUTE_US } else { span_us };
        Self {
            store,
            history_us,
            owed_us: 0,
            silences: Silences::new(span_us),
            silent: Vec::new(),
            handles: Vec::new(),
        }
    }

    /// Events of a moment may be applied for as long as labels can ask for them: others that are equal may pay what is
    /// owed of it.
    pub(super) fn owed_for_long(mut self) -> Self {
        self.owed_us = self.store.widest().saturating_add(self.history_us);
        self.store.expect_late();
        self
    }

    /// The earliest moment that a label may ask for.
    pub(super) fn reach(&self, watermark: EventTime) -> EventTime {
        watermark.saturating_sub(self.history_us)
    }

    /// The handle of a key, made at its first call, for a row of the moment `at`.
    #[inline(always)]
    pub(super) fn resolve(&mut self, key: &M::Key, at: EventTime) -> u32 {
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
    pub(super) fn resolve_all(&mut self, events: &Updates<M::Event>) {
        self.handles.clear();
        for events in events.containers() {
            for (i, (event, _, _)) in events.iter().enumerate() {
                if let Some((ahead, _, _)) = events.get(i + 4 * AHEAD) {
                    self.store.index().prefetch(M::key_of(ahead).tag());
                }
                let handle = self.store.resolve(M::key_of(event));
                self.handles.push(handle);
            }
        }
        for (i, (event, _, _)) in events.iter().enumerate() {
            self.silences.prefetch_ahead(&self.handles, i);
            self.note(self.handles[i], event.due());
        }
    }

    /// Applies an epoch's events, whose keys were resolved.
    pub(super) fn apply_all(&mut self, events: &Updates<M::Event>) {
        let handles = std::mem::take(&mut self.handles);
        for (i, (event, _, diff)) in events.iter().enumerate() {
            self.store.prefetch_ahead(&handles, i, |handle| *handle);
            self.store.apply(handles[i], event, *diff);
        }
        self.handles = handles;
    }

    /// Applies the events that are out and seen at `until`, from a place on, whose keys were resolved; returns the place
    /// that comes next.
    #[inline]
    pub(super) fn apply_until<S: Seen<M::Event>>(
        &mut self,
        events: &Released<S>,
        mut next: usize,
        until: EventTime,
    ) -> usize {
        while let Some(seen) = events.get(next).filter(|seen| seen.row.due() <= until) {
            self.store
                .prefetch_ahead(&self.handles, next, |handle| *handle);
            self.silences.prefetch_ahead(&self.handles, next);
            let (handle, event) = (self.handles[next], seen.row.event());
            self.note(handle, event.due());
            self.store.apply(handle, event, seen.diff);
            next += 1;
        }
        next
    }

    /// Up to here rows may ask by time for what a key had at `newest`.
    fn asked_until(&self, newest: EventTime) -> EventTime {
        newest
            .saturating_add(self.store.lingers())
            .saturating_add(self.history_us)
    }

    /// Lets time pass to the end of an epoch. `newest_label` is that of a key, if it holds one; `forgotten` is told
    /// which keys have no label any more that could change.
    pub(super) fn settle(
        &mut self,
        time: &EpochTime,
        newest_label: impl Fn(u32) -> Option<EventTime>,
        mut forgotten: impl FnMut(u32),
    ) {
        let holds = |handle| newest_label(handle).is_some();
        let owed_from = time.watermark.saturating_sub(self.owed_us);
        self.store.forgive_unless(owed_from, holds);
        if time.watermark != WATERMARK_END {
            // Rows at the watermark itself may still come, or be retracted.
            let passed = self.reach(time.watermark).saturating_sub(1);
            self.store.settle(passed);
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
                    if !self.store.rests(handle) {
                        self.store.forget(handle);
                    }
                    forgotten(handle);
                }
            }
        }
        silent.clear();
        self.silent = silent;
    }

    /// Takes a saved key over, with the newest of its labels.
    pub(super) fn restore(&mut self, saved: M::Saved, label: Option<EventTime>) -> u32 {
        let handle = self.store.restore(saved);
        let newest = self.store.newest(handle).max(label);
        self.note(handle, newest.unwrap_or(EventTime::MIN));
        handle
    }
}
