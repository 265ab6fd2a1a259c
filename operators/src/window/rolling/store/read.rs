//! Reading keys as of any moments, and forgiving the debts of keys that something else may still hold.

use thalweg_engine::key::Key;
use thalweg_engine::time::EventTime;

use super::Store;
use crate::value::Lane;
use crate::window::rolling::event::Windows;
use crate::window::rolling::form::Form;

impl<K: Key, L: Lane, const N: usize, const W: usize, F: Form> Store<K, L, N, W, F> {
    /// The windows of a key that end at its newest event, for one who never asks for an earlier moment: what has left them
    /// goes. Untouched where the key has no event.
    #[inline(always)]
    pub(in crate::window::rolling) fn fill_onward(
        &mut self,
        handle: u32,
        windows: &mut Windows<L, N, W>,
    ) -> bool {
        let Some(busy) = self.lines.busy(handle) else {
            let held = self.lines.held(handle);
            let newest = held.newest(EventTime::MAX);
            if let Some(newest) = newest {
                held.fill(newest, &self.widths, windows);
            }
            return newest.is_some();
        };
        let newest = self.busy.newest(busy, EventTime::MAX);
        if let Some(newest) = newest {
            self.events -= self.busy.fill_onward(busy, newest, &self.widths, windows);
        }
        newest.is_some()
    }

    /// The windows of a key that end at each of `ends`, which ascend: those of no event where there is none.
    #[inline]
    pub(in crate::window::rolling) fn read(
        &mut self,
        handle: u32,
        ends: &[EventTime],
        windows: &mut [Windows<L, N, W>],
    ) {
        if let Some(busy) = self.lines.busy(handle) {
            return self.busy.read(busy, ends, &self.widths, windows);
        }
        let held = self.lines.held(handle);
        for (end, windows) in ends.iter().zip(windows) {
            held.fill(*end, &self.widths, windows);
        }
    }

    /// Forgives what only a late event could pay, and forgets the keys that nothing holds any more.
    pub(in crate::window::rolling) fn forgive_unless(
        &mut self,
        watermark: EventTime,
        held: impl Fn(u32) -> bool,
    ) {
        if self.debts.is_empty() {
            return;
        }
        for handle in self.debts.forgive(watermark) {
            if !held(handle) {
                self.forget_if_empty(handle);
            }
        }
    }
}
