//! Retractions that came before their rows: each waits until its row pays it, or until that row would be late.

use std::collections::BTreeMap;

use thalweg_engine::time::EventTime;
use thalweg_engine::update::Diff;

/// What the keys of one worker owe.
pub(crate) struct Owed<D> {
    /// How many copies; by time first, since time is what ends them.
    by_time: BTreeMap<(EventTime, u32, D), Diff>,
    /// How many different rows a key owes.
    by_key: BTreeMap<u32, usize>,
}

impl<D: Clone + Ord> Owed<D> {
    pub(crate) fn new() -> Self {
        Self {
            by_time: BTreeMap::new(),
            by_key: BTreeMap::new(),
        }
    }

    /// Whether a key owes anything.
    #[inline]
    pub(crate) fn has(&self, handle: u32) -> bool {
        !self.by_key.is_empty() && self.by_key.contains_key(&handle)
    }

    /// Notes copies that were taken back before they came.
    pub(crate) fn owe(&mut self, handle: u32, at: EventTime, row: D, copies: Diff) {
        let owed = self.by_time.entry((at, handle, row)).or_default();
        if *owed == 0 {
            *self.by_key.entry(handle).or_default() += 1;
        }
        *owed += copies;
    }

    /// Lets copies that have come pay what is owed of them, and returns how many are left.
    #[inline]
    pub(crate) fn pay(&mut self, handle: u32, at: EventTime, row: &D, copies: Diff) -> Diff {
        if self.has(handle) {
            self.pay_some(handle, at, row, copies)
        } else {
            copies
        }
    }

    #[cold]
    fn pay_some(&mut self, handle: u32, at: EventTime, row: &D, copies: Diff) -> Diff {
        let debt = (at, handle, row.clone());
        let Some(owed) = self.by_time.get_mut(&debt) else {
            return copies;
        };
        let paid = copies.min(*owed);
        *owed -= paid;
        if *owed == 0 {
            self.by_time.remove(&debt);
            self.settle(handle);
        }
        copies - paid
    }

    /// How many copies of a row come or go, of all that an epoch says of it: those that come pay what is owed first, and of
    /// those that go the ones that are not `there` are owed. Behind `passed`, the watermark before the epoch, none go.
    pub(crate) fn change(
        &mut self,
        (handle, at, row): (u32, EventTime, &D),
        diff: Diff,
        passed: EventTime,
        there: impl FnOnce() -> Diff,
    ) -> Diff {
        if diff > 0 {
            return self.pay(handle, at, row, diff);
        }
        if diff == 0 || at < passed {
            return 0;
        }
        let taken = diff.max(-there());
        if taken > diff {
            self.owe(handle, at, row.clone(), taken - diff);
        }
        taken
    }

    /// Forgives what can never be paid: the rows of moments before `watermark`. Returns the keys that owe nothing more.
    pub(crate) fn forgive(&mut self, watermark: EventTime) -> Vec<u32> {
        let mut free = Vec::new();
        while let Some(first) = self.by_time.first_entry() {
            let (at, handle) = (first.key().0, first.key().1);
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
    pub(crate) fn of(&self, handle: u32) -> Vec<(EventTime, &D, Diff)> {
        if !self.has(handle) {
            return Vec::new();
        }
        let ours = self.by_time.iter().filter(|(debt, _)| debt.1 == handle);
        ours.map(|((at, _, row), copies)| (*at, row, *copies))
            .collect()
    }

    /// One row less that a key owes; whether it was the last.
    fn settle(&mut self, handle: u32) -> bool {
        let Some(rows) = self.by_key.get_mut(&handle) else {
            return false;
        };
        *rows -= 1;
        let was_last = *rows == 0;
        if was_last {
            self.by_key.remove(&handle);
        }
        was_last
    }
}
