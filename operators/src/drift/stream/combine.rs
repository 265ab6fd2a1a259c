//! Adds up an epoch's rows per window and segment, before they are exchanged.

use std::rc::Rc;
use std::sync::Arc;

use thalweg_engine::combine::Combiner;
use thalweg_engine::key::Key;
use thalweg_engine::keyed::Emitter;
use thalweg_engine::state::KeyIndex;
use thalweg_engine::time::{EventTime, window_start};
use thalweg_engine::update::{Data, Update};

use crate::drift::Baseline;
use crate::drift::stream::partial::{Partial, Tally};
use crate::drift::stream::{DriftSpec, References};

/// One window of one segment in this epoch.
struct Group<const N: usize> {
    tally: Tally,
    baselines: [Arc<Baseline>; N],
}

/// The combiner of a drift.
pub(super) struct Combine<D, G: Key, const N: usize> {
    at: Rc<dyn Fn(&D) -> EventTime>,
    segment: Rc<dyn Fn(&D) -> G>,
    values: Rc<dyn Fn(&D) -> [Option<f64>; N]>,
    width_us: i64,
    exact: bool,
    references: References<G, N>,
    /// The start of the window of the row before: mostly the next row's as well.
    start: EventTime,
    index: KeyIndex<(G, EventTime)>,
    groups: Vec<Group<N>>,
}

impl<D: Data, G: Key, const N: usize> Combine<D, G, N> {
    pub(super) fn new(spec: &DriftSpec<'_, D, G, N>, references: References<G, N>) -> Self {
        Self {
            at: Rc::clone(&spec.at),
            segment: Rc::clone(&spec.segment),
            values: Rc::clone(&spec.values),
            width_us: spec.width_us,
            exact: spec.exact,
            references,
            start: 0,
            index: KeyIndex::new(),
            groups: Vec::new(),
        }
    }

    /// A group that the epoch has not seen yet.
    #[cold]
    fn open(&mut self, segment: &G) {
        let baselines = self.references.of(segment).clone();
        let tally = Tally::new(N, self.references.bins_max(), self.exact);
        self.groups.push(Group { tally, baselines });
    }
}

impl<D: Data, G: Key, const N: usize> Combiner<D> for Combine<D, G, N> {
    type Partial = Partial<G>;

    fn add(&mut self, rows: &[Update<D>]) {
        for (row, _, diff) in rows {
            let at = (self.at)(row);
            if at < self.start || at.wrapping_sub(self.start) >= self.width_us {
                self.start = window_start(at, self.width_us);
            }
            let group = ((self.segment)(row), self.start);
            let (handle, new) = self.index.resolve(&group);
            if new {
                self.open(&group.0);
            }
            let Group { tally, baselines } = &mut self.groups[handle as usize];
            tally.add_row(&(self.values)(row), baselines, *diff);
        }
    }

    fn finish(&mut self, out: &mut Emitter<'_, Partial<G>>) {
        let index = std::mem::take(&mut self.index);
        for ((_, group), combined) in index.iter().zip(self.groups.drain(..)) {
            out.emit(
                Partial {
                    group: group.clone(),
                    tally: combined.tally,
                },
                1,
            );
        }
    }
}
