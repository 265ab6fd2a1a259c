//! Retractions that came before their events: each waits until its event pays it, or until that would be late.

use std::collections::BTreeMap;

use thalweg_engine::time::EventTime;

use crate::array::Array;

/// What the keys of one worker owe.
pub(super) struct Debts<const N: usize> {
    /// How many of each; by time first, since time is what ends them.
    by_time: BTreeMap<(EventTime, u32, Array<i64, N>), u32>,
    /// How many different ones a key has.
    by_key: BTreeMap<u32, u32>,
}

impl<const N: usize> Debts<N> {
    pub(super) fn new() -> Self {
        Self {
            by_time: BTreeMap::new(),
            by_key: BTreeMap::new(),
        }
    }

    #[inline(always)]
    pub(super) fn is_empty(&self) -> bool {
        self.by_time.is_empty()
    }

    /// Whether a key owes anything.
    pub(super) fn has(&self, handle: u32) -> bool {
        self.by_key.contains_key(&handle)
    }

    /// Notes `count` events that were taken back before they came.
    pub(super) fn owe(&mut self, handle: u32, at: EventTime, lanes: &Array<i64, N>, count: u32) {
        let owed = self.by_time.entry((at, handle, *lanes)).or_default();
        if *owed == 0 {
            *self.by_key.entry(handle).or_default() += 1;
        }
        *owed += count;
    }

    /// Lets an event that has come pay a debt; false when none stands for it.
    pub(super) fn pay(&mut self, handle: u32, at: EventTime, lanes: &Array<i64, N>) -> bool {
        let debt = (at, handle, *lanes);
        match self.by_time.get_mut(&debt) {
            None => return false,
            Some(1) => {
                self.by_time.remove(&debt);
                self.settle(handle);
            }
            Some(owed) => *owed -= 1,
        }
        true
    }

    /// Forgives what can never be paid: the debts of moments before `watermark`. Returns the keys that owe nothing more.
    pub(super) fn forgive(&mut self, watermark: EventTime) -> Vec<u32> {
        let mut free = Vec::new();
        while let Some(first) = self.by_time.first_entry() {
            let (at, handle, _) = *first.key();
            if at >= watermark {
                break;
            }
            first.remove();
            if self.settle(handle) {
                free.push(handle);
            }
        }
        free
    }

    /// A key's debts.
    pub(super) fn of(&self, handle: u32) -> Vec<(EventTime, Array<i64, N>, u32)> {
        if !self.has(handle) {
            return Vec::new();
        }
        let ours = self.by_time.iter().filter(|(debt, _)| debt.1 == handle);
        ours.map(|(debt, owed)| (debt.0, debt.2, *owed)).collect()
    }

    /// One kind of debt less; whether it was the key's last.
    fn settle(&mut self, handle: u32) -> bool {
        let Some(kinds) = self.by_key.get_mut(&handle) else {
            return false;
        };
        *kinds -= 1;
        let was_last = *kinds == 0;
        if was_last {
            self.by_key.remove(&handle);
        }
        was_last
    }
}
