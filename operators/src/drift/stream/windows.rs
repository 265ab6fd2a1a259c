//! The histograms of all windows, and when they are judged.

use std::collections::BTreeMap;
use std::sync::Arc;

use thalweg_engine::key::Key;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, KeyedState, StateError, StateSize};
use thalweg_engine::state::KeyIndex;
use thalweg_engine::time::{EventTime, Timestamp};
use thalweg_engine::update::Updates;

use crate::codec;
use crate::drift::baseline::DECILES;
use crate::drift::stream::partial::{Partial, Tally};
use crate::drift::stream::{DriftWindow, References};
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

#[derive(Default)]
struct Group {
    tally: Tally,
    touched: bool,
}

/// The keyed state of a drift.
pub(super) struct Windows<G: Key, const N: usize> {
    features: [Arc<str>; N],
    references: References<G, N>,
    mode: Mode,
    width_us: i64,
    thresholds: Thresholds,
    index: KeyIndex<(G, EventTime)>,
    groups: Vec<Group>,
    touched: Vec<(u32, Vec<Option<DriftWindow>>)>,
    ends: BTreeMap<EventTime, Vec<u32>>,
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
            references,
            mode,
            width_us,
            thresholds,
            index: KeyIndex::new(),
            groups: Vec::new(),
            touched: Vec::new(),
            ends: BTreeMap::new(),
        }
    }

    /// Adds rows to their window; the first ones of a window are its tally.
    fn apply(&mut self, Partial { group, tally }: Partial<G>) {
        let (handle, new) = self.index.resolve(&group);
        if new {
            self.open(handle, group.1, tally);
            if self.mode == Mode::Latest {
                self.groups[handle as usize].touched = true;
                self.touched.push((handle, vec![None; N]));
            }
            return;
        }
        if self.mode == Mode::Latest && !self.groups[handle as usize].touched {
            self.groups[handle as usize].touched = true;
            let old = self.judge(handle).collect();
            self.touched.push((handle, old));
        }
        self.groups[handle as usize].tally.add(&tally);
    }

    fn open(&mut self, handle: u32, start: EventTime, tally: Tally) {
        let group = Group {
            tally,
            touched: false,
        };
        if handle as usize == self.groups.len() {
            self.groups.push(group);
        } else {
            self.groups[handle as usize] = group;
        }
        if self.mode == Mode::Final {
            let end = start.saturating_add(self.width_us);
            self.ends.entry(end).or_default().push(handle);
        }
    }

    /// The rows of a window: one per feature that has rows.
    fn judge(&self, handle: u32) -> impl Iterator<Item = Option<DriftWindow>> {
        let window = self.index.key(handle).map(|(segment, start)| {
            let name = (self.references.segment_name)(segment);
            (
                name,
                &self.references.of(segment).baselines,
                Timestamp(*start),
            )
        });
        let tally = &self.groups[handle as usize].tally;
        let mut counts = Vec::with_capacity(DECILES);
        window
            .into_iter()
            .flat_map(move |(segment, baselines, window)| {
                let judged = |feature| {
                    let baseline = &baselines[feature];
                    judged(tally, feature, baseline, &self.thresholds, &mut counts)
                };
                let drifts: [_; N] = std::array::from_fn(judged);
                drifts
                    .into_iter()
                    .zip(&self.features)
                    .map(move |(drift, feature)| {
                        Some(DriftWindow {
                            feature: Arc::clone(feature),
                            segment: segment.clone(),
                            window,
                            drift: drift?,
                        })
                    })
            })
    }

    fn forget(&mut self, handle: u32) {
        self.groups[handle as usize] = Group::default();
        self.index.remove(handle);
    }

    fn emit_changes(&mut self, out: &mut Emitter<'_, DriftWindow>) {
        for (handle, old) in std::mem::take(&mut self.touched) {
            self.groups[handle as usize].touched = false;
            for (old, new) in old.into_iter().zip(self.judge(handle)) {
                out.replace(old, new);
            }
            if self.groups[handle as usize].tally.is_zero() {
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
                self.judge(handle)
                    .flatten()
                    .for_each(|row| out.emit(row, 1));
                self.forget(handle);
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
    scratch: &mut Vec<u64>,
) -> Option<DriftRow> {
    let count = |diff: &i64| u64::try_from(*diff).ok();
    let counts = tally.bins(feature, baseline.bins().len()).iter();
    scratch.clear();
    for diff in counts {
        scratch.push(count(diff)?);
    }
    let counts = &*scratch;
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
        counts,
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
        for (partial, _, _) in rows {
            self.apply(partial);
        }
        match self.mode {
            Mode::Latest => self.emit_changes(out),
            Mode::Final if time.has_risen() => self.emit_ended(time.watermark, out),
            Mode::Final => {}
        }
    }

    fn save(&self, group: KeyGroup, into: &mut Vec<u8>) -> Result<(), StateError> {
        let ours = self.index.iter().filter(|(_, key)| group.holds(key.tag()));
        let windows: Vec<_> = ours
            .map(|(handle, key)| Partial {
                group: key.clone(),
                tally: self.groups[handle as usize].tally.clone(),
            })
            .collect();
        codec::encode(&windows, into)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        let windows: Vec<Partial<G>> = codec::decode(bytes)?;
        for window in windows {
            let (handle, _) = self.index.resolve(&window.group);
            self.open(handle, window.group.1, window.tally);
        }
        Ok(())
    }

    fn size(&self) -> StateSize {
        let windows: usize =
            self.groups.first().map_or(0, |group| group.tally.bytes()) * self.groups.len();
        StateSize {
            keys: self.index.len(),
            events: self.index.len() * N,
            bytes: self.index.bytes() + windows,
        }
    }
}
