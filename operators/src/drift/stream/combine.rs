//! Adds up an epoch's rows per window and segment, before they are exchanged.
//!
//! ```text
//! row ─ time ─▶ window ─ segment ─▶ group { tally, baselines }        the window of the row before is mostly this one's
//! ```

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use thalweg_engine::combine::Combiner;
use thalweg_engine::key::Key;
use thalweg_engine::keyed::Emitter;
use thalweg_engine::state::KeyIndex;
use thalweg_engine::time::{EventTime, window_start};
use thalweg_engine::update::{Data, Update};

use crate::column::Column;
use crate::drift::Baseline;
use crate::drift::stream::partial::{Partial, Tally};
use crate::drift::stream::{DriftSpec, References};

/// Slots that a window's index begins with.
const SLOTS: usize = 64;

/// Emptied windows that are kept from epoch to epoch.
const WINDOWS_KEPT: usize = 64;

/// One window of one segment in this epoch.
pub(super) struct Group<const N: usize> {
    tally: Tally,
    baselines: [Arc<Baseline>; N],
}

/// Adds rows to the groups at the places given: the closure that reads a row's values is compiled into the loop.
pub(super) type AddRows<D, const N: usize> = Rc<dyn Fn(&[Update<D>], &[u32], &mut [Group<N>])>;

/// The rows' `values` into their groups.
pub(super) fn add_rows<D, const N: usize>(
    values: impl Fn(&D) -> [Option<f64>; N] + 'static,
) -> AddRows<D, N> {
    Rc::new(move |rows, places, groups| {
        for ((row, _, diff), place) in rows.iter().zip(places) {
            let Group { tally, baselines } = &mut groups[*place as usize];
            tally.add_row(&values(row), baselines, *diff);
        }
    })
}

/// A window that rows of this epoch lie in: its segments, each with the place of its group.
struct Window<G> {
    start: EventTime,
    index: KeyIndex<G>,
    places: Vec<u32>,
}

/// The combiner of a drift.
pub(super) struct Combine<D, G: Key, const N: usize> {
    times_of: Column<D, EventTime>,
    segments_of: Column<D, G>,
    add_rows: AddRows<D, N>,
    width_us: i64,
    exact: bool,
    references: References<G, N>,
    times: Vec<EventTime>,
    segments: Vec<G>,
    places: Vec<u32>,
    groups: Vec<Group<N>>,
    /// The windows of this epoch, then emptied ones for the next.
    windows: Vec<Window<G>>,
    by_start: BTreeMap<EventTime, usize>,
    /// The window of the last row; beyond all of them before the first.
    last: usize,
}

impl<D: Data, G: Key, const N: usize> Combine<D, G, N> {
    pub(super) fn new(spec: &DriftSpec<'_, D, G, N>, references: References<G, N>) -> Self {
        Self {
            times_of: spec.times.clone(),
            segments_of: spec.segments.clone(),
            add_rows: Rc::clone(&spec.add_rows),
            width_us: spec.width_us,
            exact: spec.exact,
            references,
            times: Vec::new(),
            segments: Vec::new(),
            places: Vec::new(),
            groups: Vec::new(),
            windows: Vec::new(),
            by_start: BTreeMap::new(),
            last: usize::MAX,
        }
    }

    /// Whether the window of the last row holds this moment too.
    #[inline(always)]
    fn holds(&self, at: EventTime) -> bool {
        let last = self.windows.get(self.last);
        last.is_some_and(|last| at >= last.start && at.wrapping_sub(last.start) < self.width_us)
    }

    /// Finds the window of another moment, or opens it.
    fn move_to(&mut self, at: EventTime) {
        let (start, open) = (window_start(at, self.width_us), self.by_start.len());
        self.last = *self.by_start.entry(start).or_insert(open);
        if self.last == self.windows.len() {
            self.windows.push(Window {
                start,
                index: KeyIndex::with_slots(SLOTS),
                places: Vec::new(),
            });
        }
        self.windows[self.last].start = start;
    }
}

impl<D: Data, G: Key, const N: usize> Combiner<D> for Combine<D, G, N> {
    type Partial = Partial<G>;

    fn add(&mut self, rows: &[Update<D>]) {
        self.times_of.of(rows, &mut self.times);
        self.segments_of.of(rows, &mut self.segments);
        self.places.clear();
        for n in 0..rows.len() {
            let at = self.times[n];
            if !self.holds(at) {
                self.move_to(at);
            }
            let window = &mut self.windows[self.last];
            let segment = &self.segments[n];
            let (handle, new) = window.index.resolve(segment);
            if new {
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "an epoch has fewer than 2³² groups"
                )]
                window.places.push(self.groups.len() as u32);
                self.groups.push(Group {
                    tally: Tally::new(N, self.references.bins_max(), self.exact),
                    baselines: self.references.of(segment).clone(),
                });
            }
            self.places.push(window.places[handle as usize]);
        }
        (self.add_rows)(rows, &self.places, &mut self.groups);
    }

    fn finish(&mut self, out: &mut Emitter<'_, Partial<G>>) {
        for window in &mut self.windows[..self.by_start.len()] {
            for ((_, segment), place) in window.index.iter().zip(&window.places) {
                let partial = Partial {
                    group: (segment.clone(), window.start),
                    tally: std::mem::take(&mut self.groups[*place as usize].tally),
                };
                out.emit(partial, 1);
            }
            window.index.clear();
            window.places.clear();
        }
        self.by_start.clear();
        self.groups.clear();
        // No row of the next epoch is taken for one of a window that was emptied.
        self.last = usize::MAX;
        self.windows.truncate(WINDOWS_KEPT);
    }
}
