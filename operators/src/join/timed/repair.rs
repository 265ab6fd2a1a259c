//! A right row that comes or goes where left rows wait: what they had, against what they have.

use thalweg_engine::key::Key;
use thalweg_engine::keyed::Emitter;
use thalweg_engine::time::EventTime;
use thalweg_engine::update::{Data, Diff};

use super::run::{self, Held, prefix};
use super::state::{Out, Timed};
use super::{Mode, Rule, show_matches};

impl<K: Key, L: Data + Ord, R: Data + Ord, U: Rule<R>> Timed<K, L, R, U> {
    /// Changes a right row of a key whose left rows wait.
    #[inline(never)]
    pub(super) fn change_awaited(
        &mut self,
        handle: u32,
        at: EventTime,
        row: R,
        diff: Diff,
        out: &mut Emitter<'_, Out<L, R>>,
    ) {
        if self.mode == Mode::Final {
            run::change(&mut self.slots[handle as usize].rights, at, row, diff);
            self.mark(handle);
        } else if U::PAIRWISE {
            self.change_pairs(handle, at, row, diff, out);
        } else {
            self.change_matches(handle, at, row, diff);
        }
    }

    /// The left rows of a key that wait.
    fn lefts(&self, handle: u32) -> &[Held<L>] {
        let place = self.slots[handle as usize].waiting;
        self.waiting.get(place).map_or(&[], |lefts| &lefts.rows)
    }

    /// Replaces the matches that may change: those before against those after.
    fn change_matches(&mut self, handle: u32, at: EventTime, row: R, diff: Diff) {
        let slot = &mut self.slots[handle as usize];
        let (rights, lefts) = (&mut slot.rights, self.waiting.get(slot.waiting));
        let lefts = lefts.map_or(&[][..], |lefts| &lefts.rows);
        let (first, last) = self.rule.touched(rights, at);
        let from = prefix(lefts, |time| time < first);
        let until = prefix(lefts, |time| time <= last).max(from);
        let (rule, changes) = (&self.rule, &mut self.changes);
        let mut write = |rights: &[Held<R>], sign: Diff| {
            for left in &lefts[from..until] {
                show_matches(rule, rights, left.at, |right, count| {
                    let diff = left.count * count * sign;
                    changes.push(handle, left.row.clone(), right.cloned(), diff);
                });
            }
        };
        write(rights, -1);
        run::change(rights, at, row, diff);
        write(rights, 1);
        if from < until {
            self.mark(handle);
        }
    }

    /// Adds or takes away one right row of each left row that it matches.
    fn change_pairs(
        &mut self,
        handle: u32,
        at: EventTime,
        row: R,
        diff: Diff,
        out: &mut Emitter<'_, Out<L, R>>,
    ) {
        let slot = &mut self.slots[handle as usize];
        let (before, after) = run::change(&mut slot.rights, at, row.clone(), diff);
        let change = after.max(0) - before.max(0);
        let (first, last) = self.rule.touched(&slot.rights, at);
        let lefts = self.lefts(handle);
        let from = prefix(lefts, |time| time < first);
        let until = prefix(lefts, |time| time <= last).max(from);
        if change == 0 || from == until {
            return;
        }
        // Only then may the epoch hold what undoes this.
        if diff < 0 || lefts[from..until].iter().any(|left| left.count < 0) {
            self.mark(handle);
        }
        let slot = &self.slots[handle as usize];
        let waits = slot.marked;
        let lefts = self.waiting.get(slot.waiting);
        let lefts = lefts.map_or(&[][..], |lefts| &lefts.rows);
        let mut give = |left: &L, right: Option<R>, diff| {
            let left = left.clone();
            if waits {
                self.changes.push(handle, left, right, diff);
            } else {
                out.emit_with(|| (left, right), diff);
            }
        };
        for left in &lefts[from..until] {
            if self.rule.keeps_unmatched() {
                let matches = self.rule.matches(&slot.rights, left.at).iter();
                let present = matches.filter(|right| right.is_present()).take(2).count();
                if before <= 0 && present == 1 {
                    give(&left.row, None, -left.count);
                } else if after <= 0 && present == 0 {
                    give(&left.row, None, left.count);
                }
            }
            give(&left.row, Some(row.clone()), left.count * change);
        }
    }
}
