//! What segments are called, and what they are judged against.

use std::rc::Rc;
use std::sync::Arc;

use thalweg_engine::error::JobError;
use thalweg_engine::key::Key;
use thalweg_engine::state::KeyIndex;

use crate::drift::baseline::DECILES;
use crate::drift::{Baseline, Baselines};

/// Segments whose names are remembered: a job that has more makes names anew.
const SEGMENTS_KEPT: usize = 4_096;

/// The baselines of a segment, with their inner edges side by side.
#[derive(Debug)]
pub(super) struct Reference<const N: usize> {
    pub(super) baselines: [Arc<Baseline>; N],
    pub(super) edges: [[f64; DECILES - 1]; N],
}

impl<const N: usize> Reference<N> {
    fn new(baselines: [Arc<Baseline>; N]) -> Self {
        let edges = std::array::from_fn(|feature| {
            let breakpoints = baselines[feature].breakpoints();
            std::array::from_fn(|n| breakpoints[n + 1])
        });
        Self { baselines, edges }
    }
}

/// A segment's name and its reference.
pub(super) struct Segment<const N: usize> {
    pub(super) name: Option<Arc<str>>,
    pub(super) reference: Rc<Reference<N>>,
}

/// Segments that have been asked for.
pub(super) struct Segments<G: Key, const N: usize> {
    references: References<G, N>,
    index: KeyIndex<G>,
    known: Vec<Rc<Segment<N>>>,
}

impl<G: Key, const N: usize> Segments<G, N> {
    pub(super) fn new(references: References<G, N>) -> Self {
        Self {
            references,
            index: KeyIndex::with_slots(64),
            known: Vec::new(),
        }
    }

    /// A segment's name and its reference.
    pub(super) fn of(&mut self, segment: &G) -> Rc<Segment<N>> {
        if self.known.len() >= SEGMENTS_KEPT {
            self.index.clear();
            self.known.clear();
        }
        let (handle, new) = self.index.resolve(segment);
        if new {
            self.known.push(Rc::new(Segment {
                name: (self.references.segment_name)(segment),
                reference: Rc::clone(self.references.of(segment)),
            }));
        }
        Rc::clone(&self.known[handle as usize])
    }
}

/// The baselines of the watched features.
#[derive(Clone)]
pub(super) struct References<G, const N: usize> {
    pub(super) whole: Rc<Reference<N>>,
    segments: Rc<Vec<(Arc<str>, Rc<Reference<N>>)>>,
    segment_name: fn(&G) -> Option<Arc<str>>,
}

impl<G, const N: usize> References<G, N> {
    pub(super) fn new(
        name: &str,
        features: &[Arc<str>; N],
        baselines: &Baselines,
        segment_name: fn(&G) -> Option<Arc<str>>,
    ) -> Result<Self, JobError> {
        let mut whole = Vec::with_capacity(N);
        for feature in features {
            let baseline = baselines.get(feature, None).ok_or_else(|| {
                let known: Vec<_> = baselines.iter().map(Baseline::feature).collect();
                JobError::Wrong(format!(
                    "drift '{name}' has no baseline for the feature '{feature}': fit one; there are {known:?}"
                ))
            })?;
            whole.push(Arc::new(baseline.clone()));
        }
        let whole: [Arc<Baseline>; N] = whole
            .try_into()
            .map_err(|_| JobError::Wrong("as many baselines as features are needed".into()))?;
        let mut names: Vec<&str> = baselines.iter().filter_map(Baseline::segment).collect();
        names.sort_unstable();
        names.dedup();
        let segments = names.into_iter().map(|segment| {
            let of = |n: usize| {
                let own = baselines
                    .get(&features[n], Some(segment))
                    .cloned()
                    .map(Arc::new);
                own.unwrap_or_else(|| Arc::clone(&whole[n]))
            };
            (
                Arc::from(segment),
                Rc::new(Reference::new(std::array::from_fn(of))),
            )
        });
        let segments = Rc::new(segments.collect());
        Ok(Self {
            whole: Rc::new(Reference::new(whole)),
            segments,
            segment_name,
        })
    }

    /// The reference of all segments, where none has baselines of its own.
    pub(super) fn common(&self) -> Option<Rc<Reference<N>>> {
        self.segments.is_empty().then(|| Rc::clone(&self.whole))
    }

    /// The baselines of a segment: its own, else the whole features'.
    pub(super) fn of(&self, segment: &G) -> &Rc<Reference<N>> {
        if self.segments.is_empty() {
            return &self.whole;
        }
        let name = (self.segment_name)(segment);
        let place = name.and_then(|name| {
            let place = self.segments.binary_search_by(|known| known.0.cmp(&name));
            place.ok()
        });
        place.map_or(&self.whole, |place| &self.segments[place].1)
    }
}
