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
use crate::value::IntoLane;

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
            let group = (
                (self.segment)(row),
                window_start((self.at)(row), self.width_us),
            );
            let (handle, new) = self.index.resolve(&group);
            if new {
                self.open(&group.0);
            }
            let Group { tally, baselines } = &mut self.groups[handle as usize];
            for (feature, value) in (self.values)(row).into_iter().enumerate() {
                match value.filter(|value| !value.is_nan()) {
                    None => tally.add_null(feature, *diff),
                    Some(value) => {
                        let bin = baselines[feature].bins().index(value);
                        tally.add_value(feature, bin, value.into_lane(), *diff);
                    }
                }
            }
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
