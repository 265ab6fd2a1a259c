//! Last rows as of the moments of labels.
//!
//! ```text
//!   ──●───●──[ ●─────●──● ]──▲──●───●──▶ event time      n = 3: the newest rows up to the label's moment ▲, that moment
//!                            label                       itself included, however long ago they were
//! ```

use thalweg_engine::key::Key;
use thalweg_engine::time::EventTime;
use thalweg_engine::update::{Data, Diff};

use crate::aggregate::Aggregate;
use crate::key_by::Timeline;
use crate::window::at::PointInTime;
use crate::window::at::asked::{Asked, Windows};
use crate::window::at::kept::{MOMENTS_MORE, View};
use crate::window::events::{self, Events, present};
use crate::window::last_rows::{LastRow, LastRows};

impl<'s, D: Data + Ord, K: Key> LastRows<'s, D, K> {
    /// The last rows as of the moments of labels, another table by the same key: the newest rows up to the label's moment,
    /// those at that moment among them. A row's `at` is the label's moment; a label whose key has no row yet reads the
    /// aggregates of none.
    #[must_use]
    pub fn at<B: Data + Ord, A: Aggregate<D>>(
        &self,
        name: &str,
        aggregate: A,
        labels: &Timeline<'s, B, K>,
    ) -> PointInTime<'s, Asked<Self, A>, B> {
        Asked::of(self, name, aggregate, labels)
    }
}

impl<'s, D: Data + Ord, K: Key> Windows<'s> for LastRows<'s, D, K> {
    type Of = D;
    type Key = K;
    type View<A: Aggregate<D>> = Newest<A>;

    fn timeline(&self) -> &Timeline<'s, D, K> {
        &self.timeline
    }

    fn view<A: Aggregate<D>>(&self, aggregate: A) -> Newest<A> {
        Newest::new(self.rows, aggregate)
    }
}

/// How many rows are aggregated, and how.
pub struct Newest<A> {
    rows: Diff,
    aggregate: A,
}

impl<A> Newest<A> {
    pub(in crate::window) fn new(rows: usize, aggregate: A) -> Self {
        let rows = Diff::try_from(rows).unwrap_or(Diff::MAX);
        Self { rows, aggregate }
    }

    /// Drops all but the newest rows up to `settled`: what comes there yet can only push older ones out. Returns how many
    /// moments were walked over.
    fn look<D: Data + Ord>(&self, slot: &mut Slot<D>, settled: EventTime) -> usize {
        let (mut left, mut walked) = (self.rows, 0);
        let mut newest = slot.events.range(..=settled).rev();
        let first = newest.find(|(_, moment)| {
            walked += 1;
            let there = moment.values().map(|count| present(*count));
            left = left.saturating_sub(there.sum());
            left <= 0
        });
        if let Some((first, _)) = first {
            let first = *first;
            events::evict(&mut slot.events, first);
        }
        walked
    }
}

/// A key's rows.
pub struct Slot<D> {
    events: Events<D>,
    /// From so many moments on there is a look for old ones.
    look_from: usize,
}

impl<D: Data + Ord, A: Aggregate<D>> View<D> for Newest<A> {
    type Slot = Slot<D>;
    type Base = ();
    type Windows = A::Output;
    type Row<K: Key> = LastRow<K, A::Output>;

    fn row<K: Key>(key: K, at: EventTime, value: A::Output) -> Self::Row<K> {
        LastRow { key, at, value }
    }

    fn widest(&self) -> Option<i64> {
        None
    }

    fn empty(&self) -> Slot<D> {
        Slot {
            events: Events::new(),
            look_from: MOMENTS_MORE,
        }
    }

    fn events(slot: &Slot<D>) -> &Events<D> {
        &slot.events
    }

    fn base(_: &Self::Slot) -> &() {
        &()
    }

    fn change(&self, slot: &mut Slot<D>, at: EventTime, row: &D, diff: Diff) {
        events::add(&mut slot.events, at, row, diff);
    }

    fn let_go(&self, slot: &mut Slot<D>, settled: EventTime) {
        if slot.events.len() >= slot.look_from {
            let walked = self.look(slot, settled);
            slot.look_from = slot.events.len() + walked.max(MOMENTS_MORE);
        }
    }

    /// What is owed up to `settled` is owed for good, and forgiven.
    fn trim(&self, slot: &mut Slot<D>, settled: EventTime) {
        self.look(slot, settled);
        events::retain(&mut slot.events, settled, |count| count > 0);
    }

    fn read(&self, slot: &mut Slot<D>, at: EventTime) -> A::Output {
        let (mut state, mut left) = (A::State::default(), self.rows);
        let newest = slot.events.range(..=at).rev();
        for (row, count) in newest.flat_map(|(_, moment)| moment.iter().rev()) {
            let copies = present(*count).min(left);
            if copies > 0 {
                self.aggregate.update(&mut state, row, copies);
                left -= copies;
            }
            if left == 0 {
                break;
            }
        }
        self.aggregate.read(&state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::{count, sum};
    use crate::laws::Draws;

    /// Rows come after what is settled, copies of some, and are taken back, also before they come; some were known late.
    #[test]
    fn rows_are_let_go_that_no_later_moment_reads_and_no_others() {
        let mut draws = Draws::seeded(11);
        for case in 0..300 {
            let rows = 1 + draws.below(4) as usize;
            let view = Newest::new(rows, (count(), sum(|row: &i64| *row)));
            let (mut kept, mut all) = (View::<i64>::empty(&view), View::<i64>::empty(&view));
            let mut settled = 0;
            for step in 0..150_i64 {
                settled += draws.below(3) as i64;
                if draws.below(8) == 0 {
                    view.trim(&mut kept, settled);
                    let settled_moments = kept.events.range(..=settled).count();
                    assert!(settled_moments <= rows, "case {case}: {settled_moments}");
                }
                view.let_go(&mut kept, settled);
                let late = draws.below(5) == 0;
                let (at, row, diff) = if late {
                    (settled - draws.below(30) as i64, 100 + step, 1)
                } else {
                    let diff = if draws.below(4) == 0 { -1 } else { 1 };
                    let at = settled + 1 + draws.below(12) as i64;
                    (at, draws.below(3) as i64, diff)
                };
                view.change(&mut kept, at, &row, diff);
                view.change(&mut all, at, &row, diff);
                for _ in 0..3 {
                    let asked = settled + 1 + draws.below(15) as i64;
                    let read = view.read(&mut kept, asked);
                    assert_eq!(read, view.read(&mut all, asked), "case {case}, {step}");
                }
                let held = kept.events.range(..=settled).count();
                assert!(held <= 2 * rows + 24, "case {case}: {held} moments");
            }
        }
    }
}
