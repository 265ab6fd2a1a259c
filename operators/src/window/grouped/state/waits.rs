//! Rows that are laid by for their windows, and when they are counted.

use thalweg_engine::key::Key;
use thalweg_engine::time::EventTime;
use thalweg_engine::update::{Data, Update};

use super::{Groups, Mode};
use crate::aggregate::Aggregate;
use crate::window::grouped::count::count_all;
use crate::window::grouped::open::{SLOTS, SLOTS_NEAR};
use crate::window::grouped::waiting::Waiting;
use crate::window::grouped::windows::Place;

impl<D: Data, K: Key, A: Aggregate<D>> Groups<D, K, A> {
    /// Whether rows wait to be counted. Where windows are put together of panes, these are counted as they come.
    pub(super) fn rows_wait(&self) -> bool {
        Waiting::<D>::PLAIN && self.mode == Mode::Final && self.overlap.is_none()
    }

    /// Lays rows by, each for its windows.
    pub(super) fn lay_by(&mut self, rows: &[Update<D>], over: EventTime) {
        self.each_run(rows, over, |this, run| {
            let rows = &rows[run];
            for nth in 0..this.panes.windows().len() {
                let place = this.panes.windows()[nth];
                if this.waiting.is_enough(place, rows.len()) {
                    this.count_into(place, rows);
                } else if this.waiting.add(place, rows) {
                    this.count_waiting(place);
                }
            }
        });
    }

    /// Counts rows into the groups of a window.
    fn count_into(&mut self, place: Place, rows: &[Update<D>]) {
        self.keys_of.of(rows, &mut self.keys);
        let before = self.windows.keys();
        let (aggregate, keys) = (&self.aggregate, &self.keys);
        self.windows.change(place, |open| {
            count_all(aggregate, rows, keys, open, SLOTS);
        });
        self.keys.clear();
        let new_groups = self.windows.keys() - before;
        self.waiting.counted(rows.len(), new_groups);
    }

    /// The same with the rows of a window that wait.
    pub(super) fn count_waiting(&mut self, place: Place) {
        let rows = self.waiting.take(place);
        self.count_into(place, &rows);
        self.waiting.put_back(place, rows);
    }

    /// Counts the rows that wait of a window that has no groups, where such windows take turns.
    pub(super) fn count_in_turn(&mut self, place: Place) {
        let rows = self.waiting.take(place);
        self.keys_of.of(&rows, &mut self.keys);
        let (keys, turn) = (&self.keys, &mut self.turn);
        count_all(&self.aggregate, &rows, keys, turn, SLOTS_NEAR);
        self.keys.clear();
        self.waiting.counted(rows.len(), self.turn.len());
        self.waiting.put_back(place, rows);
    }
}
