//! The histograms of all windows, and when they are judged.

use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use thalweg_engine::key::Key;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, KeyedState, StateError, StateSize};
use thalweg_engine::state::KeyIndex;
use thalweg_engine::time::{EventTime, Timestamp};
use thalweg_engine::update::Updates;

use crate::codec;
use crate::drift::baseline::DECILES;
use crate::drift::stream::DriftWindow;
use crate::drift::stream::partial::{Partial, Saved, Tally};
use crate::drift::stream::references::{References, Segment, Segments};
use crate::drift::{Baseline, DriftRow, Ecdf, Thresholds, WindowStats};
use crate::value::{Float, Lane};

/// When a window is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// After every epoch that changed it.
    Latest,
    /// Once, when the watermark has reached its end.
    Final,
}

/// The keyed state of a drift.
pub(super) struct Windows<G: Key, const N: usize> {
    features: [Arc<str>; N],
    segments: Segments<G, N>,
    mode: Mode,
    width_us: i64,
    thresholds: Thresholds,
    index: KeyIndex<(G, EventTime)>,
    /// The tallies of all windows: `N` features a handle.
    tally: Tally,
    is_touched: Vec<bool>,
    touched: Vec<(u32, Vec<Option<DriftWindow>>)>,
    ends: BTreeMap<EventTime, Vec<u32>>,
}

/// The features of a window.
fn features<const N: usize>(handle: u32) -> Range<usize> {
    let first = handle as usize * N;
    first..first + N
}

impl<G: Key, const N: usize> Windows<G, N> {
    pub(super) fn new(
        features: [Arc<str>; N],
        references: References<G, N>,
        mode: Mode,
        width_us: i64,
        thresholds: Thresholds,
    ) -> Self {
        Self {
            features,
            segments: Segments::new(references),
            mode,
            width_us,
            thresholds,
            index: KeyIndex::new(),
            tally: Tally::new(0, false),
            is_touched: Vec::new(),
            touched: Vec::new(),
            ends: BTreeMap::new(),
        }
    }

    /// Adds an epoch's rows to their windows.
    fn apply(&mut self, Partial { groups, tally }: &Partial<G>) {
        for (place, group) in groups.iter().enumerate() {
            let (handle, new) = self.index.resolve(group);
            if new {
                self.open(handle, group.1);
            }
            if self.mode == Mode::Latest && !self.is_touched[handle as usize] {
                let old = if new {
                    vec![None; N]
                } else {
                    self.rows(handle)
                };
                self.is_touched[handle as usize] = true;
                self.touched.push((handle, old));
            }
            let at = handle as usize * N;
            self.tally.merge(at, tally, place * N, N);
        }
    }

    /// Makes room for a window without rows.
    fn open(&mut self, handle: u32, start: EventTime) {
        if handle as usize >= self.is_touched.len() {
            self.is_touched.resize(handle as usize + 1, false);
            self.tally.grow(self.is_touched.len() * N);
        }
        if self.mode == Mode::Final {
            let end = start.saturating_add(self.width_us);
            self.ends.entry(end).or_default().push(handle);
        }
    }

    /// What a window in use is of.
    fn whose(&mut self, handle: u32) -> Option<(Rc<Segment<N>>, Timestamp)> {
        let (segment, start) = self.index.key(handle)?;
        Some((self.segments.of(segment), Timestamp(*start)))
    }

    /// The figures of a feature in a window, if it has rows.
    fn drift(&self, handle: u32, segment: &Segment<N>, feature: usize) -> Option<DriftRow> {
        let baseline = &segment.reference.baselines[feature];
        let place = handle as usize * N + feature;
        judged(&self.tally, place, baseline, &self.thresholds)
    }

    /// The rows of a window, by feature.
    fn rows(&mut self, handle: u32) -> Vec<Option<DriftWindow>> {
        let Some((segment, window)) = self.whose(handle) else {
            return vec![None; N];
        };
        let row = |feature: usize| {
            let drift = self.drift(handle, &segment, feature)?;
            Some(DriftWindow {
                feature: Arc::clone(&self.features[feature]),
                segment: segment.name.clone(),
                window,
                drift,
            })
        };
        (0..N).map(row).collect()
    }

    fn forget(&mut self, handle: u32) {
        self.tally.clear(features::<N>(handle));
        self.index.remove(handle);
    }

    fn emit_changes(&mut self, out: &mut Emitter<'_, DriftWindow>) {
        for (handle, old) in std::mem::take(&mut self.touched) {
            self.is_touched[handle as usize] = false;
            for (old, new) in old.into_iter().zip(self.rows(handle)) {
                out.replace(old, new);
            }
            if self.tally.is_zero(features::<N>(handle)) {
                self.forget(handle);
            }
        }
    }

    fn emit_ended(&mut self, watermark: EventTime, out: &mut Emitter<'_, DriftWindow>) {
        while let Some(first) = self.ends.first_entry() {
            if *first.key() > watermark {
                break;
            }
            for handle in first.remove() {
                self.emit_all(handle, out);
                self.forget(handle);
            }
        }
    }

    /// Emits the rows of a window, each made in its place.
    fn emit_all(&mut self, handle: u32, out: &mut Emitter<'_, DriftWindow>) {
        let Some((segment, window)) = self.whose(handle) else {
            return;
        };
        for (feature, name) in self.features.iter().enumerate() {
            if let Some(drift) = self.drift(handle, &segment, feature) {
                let row = || DriftWindow {
                    feature: Arc::clone(name),
                    segment: segment.name.clone(),
                    window,
                    drift,
                };
                out.emit_with(row, 1);
            }
        }
    }
}

/// A feature's figures; `None` without rows, or while retractions have come before what they retract.
fn judged(
    tally: &Tally,
    feature: usize,
    baseline: &Baseline,
    thresholds: &Thresholds,
) -> Option<DriftRow> {
    let count = |diff: &i64| u64::try_from(*diff).ok();
    let mut counts = [0; DECILES];
    for (count, diff) in counts.iter_mut().zip(tally.bins(feature)) {
        *count = u64::try_from(*diff).ok()?;
    }
    let (nulls, infinities) = tally.dropped(feature);
    let (n_null, n_infinite) = (count(&nulls)?, count(&infinities)?);
    let n_ok: u64 = counts.iter().sum();
    let n = n_ok + n_null + n_infinite;
    if n == 0 {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "the mean is rounded once more")]
    let mean = tally.sum(feature) / n_ok as f64;
    let values = tally.values(feature).and_then(|values| {
        let present = values
            .iter()
            .filter_map(|(value, diff)| Some((Float::read(*value), count(&diff)?)));
        Ecdf::from_counts(present).ok()
    });
    let window = WindowStats {
        n,
        n_null,
        n_infinite,
        counts: &counts,
        mean,
        values: values.as_ref(),
    };
    DriftRow::new(&window, baseline, thresholds).ok()
}

impl<G: Key, const N: usize> KeyedState for Windows<G, N> {
    type In = Partial<G>;
    type Out = DriftWindow;
    const FORMAT: u32 = 1;

    fn epoch(
        &mut self,
        time: &EpochTime,
        rows: Updates<Self::In>,
        out: &mut Emitter<'_, DriftWindow>,
    ) {
        for (partial, _, _) in &rows {
            self.apply(partial);
        }
        match self.mode {
            Mode::Latest => self.emit_changes(out),
            Mode::Final if time.has_risen() => self.emit_ended(time.watermark, out),
            Mode::Final => {}
        }
        if self.index.is_empty() && !self.is_touched.is_empty() {
            self.index = KeyIndex::new();
            self.is_touched = Vec::new();
            self.tally = Tally::new(0, false);
        }
    }

    fn save(&self, group: KeyGroup, into: &mut Vec<u8>) -> Result<(), StateError> {
        let ours = self.index.iter().filter(|(_, key)| group.holds(key.tag()));
        let windows: Vec<_> = ours
            .map(|(handle, key)| Saved {
                group: key.clone(),
                tally: self.tally.piece(features::<N>(handle)),
            })
            .collect();
        codec::encode(&windows, into)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        let windows: Vec<Saved<G>> = codec::decode(bytes)?;
        for Saved { group, tally } in windows {
            if !tally.is_of(N) {
                return Err(StateError::Decode(format!(
                    "a window's tally is not one of {N} features and {DECILES} bins each"
                )));
            }
            let (handle, _) = self.index.resolve(&group);
            self.open(handle, group.1);
            self.tally.merge(handle as usize * N, &tally, 0, N);
        }
        Ok(())
    }

    fn size(&self) -> StateSize {
        StateSize {
            keys: self.index.len(),
            events: self.index.len() * N,
            bytes: self.index.bytes() + self.tally.bytes() + self.is_touched.capacity(),
        }
    }
}
