//! Adds up an epoch's rows per window and segment, before they are exchanged.
//!
//! ```text
//! row ─ time ─▶ window ─ segment ─┬─ a small number: `near` ─┬─▶ place of its tally in this epoch
//!                                  └─ any other: its index ────┘
//! ```
//!
//! The window of the row before is mostly this one's too. Segments are mostly few, and often numbered: those are found
//! without a hash.

use std::collections::BTreeMap;
use std::rc::Rc;

use thalweg_engine::column::Column;
use thalweg_engine::combine::Combiner;
use thalweg_engine::key::{Key, owner};
use thalweg_engine::keyed::Emitter;
use thalweg_engine::state::KeyIndex;
use thalweg_engine::time::{EventTime, window_start};
use thalweg_engine::update::{Data, Update};

use crate::drift::stream::DriftSpec;
use crate::drift::stream::cells::{CHUNK, Cells, Fill};
use crate::drift::stream::partial::Partial;
use crate::drift::stream::references::References;

/// Slots that a window's index begins with: room for some tens of segments, nearly all of which then stand where they are
/// looked for first.
const SLOTS: usize = 256;

/// Emptied windows that are kept from epoch to epoch.
const WINDOWS_KEPT: usize = 64;

/// Segments that are numbers below this are found in a list, which stays in the nearest cache for some windows.
const NEAR: usize = 256;

/// The place of no group.
const NONE: u32 = u32::MAX;

/// A window that rows of this epoch lie in: its segments, each with the place of its group.
struct Window<G> {
    start: EventTime,
    index: KeyIndex<G>,
    places: Vec<u32>,
    /// The places of segments that are small numbers, by number; of segments that are none, empty.
    near: Box<[u32]>,
}

impl<G: Key> Window<G> {
    fn new(start: EventTime) -> Self {
        Self {
            start,
            index: KeyIndex::with_slots(SLOTS),
            places: Vec::new(),
            near: vec![NONE; if G::EXACT { NEAR } else { 0 }].into_boxed_slice(),
        }
    }

    /// The place of a small number that has one. A tag tells such a segment apart from all others.
    #[inline(always)]
    fn near(&self, segment: &G) -> Option<u32> {
        if !G::EXACT {
            return None;
        }
        let tag = usize::try_from(segment.tag()).unwrap_or(usize::MAX);
        let place = self.near.get(tag).copied().unwrap_or(NONE);
        (place != NONE).then_some(place)
    }

    /// The place of any segment, which is `next` if it is new, and whether it is.
    fn resolve(&mut self, segment: &G, next: u32) -> (u32, bool) {
        let (handle, new) = self.index.resolve(segment);
        if new {
            self.places.push(next);
            if let Ok(tag) = usize::try_from(segment.tag())
                && let Some(near) = self.near.get_mut(tag)
            {
                *near = next;
            }
        }
        (self.places[handle as usize], new)
    }

    /// Forgets all segments; the memory stays.
    fn clear(&mut self) {
        self.index.clear();
        self.places.clear();
        self.near.fill(NONE);
    }
}

/// Where a window stands in this epoch.
#[derive(Clone, Copy)]
struct Place {
    start: EventTime,
    window: usize,
}

impl Place {
    #[inline(always)]
    fn holds(self, at: EventTime, width_us: i64) -> bool {
        at >= self.start && at.wrapping_sub(self.start) < width_us
    }
}

/// The combiner of a drift.
pub(super) struct Combine<D, G: Key, const N: usize> {
    times_of: Column<D, EventTime>,
    segments_of: Column<D, G>,
    fill: Fill<D, N>,
    width_us: i64,
    workers: usize,
    references: References<G, N>,
    times: Vec<EventTime>,
    segments: Vec<G>,
    places: Vec<u32>,
    cells: Cells<N>,
    /// The windows of this epoch, then emptied ones for the next.
    windows: Vec<Window<G>>,
    by_start: BTreeMap<EventTime, usize>,
    /// The windows of the last row, and of the last one that lay in another.
    last: Option<Place>,
    other: Option<Place>,
}

impl<D: Data, G: Key, const N: usize> Combine<D, G, N> {
    pub(super) fn new(spec: &DriftSpec<'_, D, G, N>, references: References<G, N>) -> Self {
        let of = (spec.times.clone(), spec.segments.clone());
        let fill = Rc::clone(&spec.fill);
        let workers = spec.table.graph().workers();
        Self::empty(of, fill, spec.width_us, spec.exact, workers, references)
    }

    /// Without any row, by where rows lie in time and in which segment.
    fn empty(
        (times_of, segments_of): (Column<D, EventTime>, Column<D, G>),
        fill: Fill<D, N>,
        width_us: i64,
        exact: bool,
        workers: usize,
        references: References<G, N>,
    ) -> Self {
        Self {
            times_of,
            segments_of,
            fill,
            width_us,
            workers,
            cells: Cells::new(exact, references.common()),
            references,
            times: Vec::new(),
            segments: Vec::new(),
            places: Vec::new(),
            windows: Vec::new(),
            by_start: BTreeMap::new(),
            last: None,
            other: None,
        }
    }

    /// The window that holds this moment.
    #[inline(always)]
    fn window_of(&mut self, at: EventTime) -> Place {
        for _ in 0..2 {
            if let Some(last) = self.last.filter(|last| last.holds(at, self.width_us)) {
                return last;
            }
            std::mem::swap(&mut self.last, &mut self.other);
        }
        // Neither does, and both stand as before: the last one is now the other.
        self.other = self.last;
        let found = self.find_window(at);
        self.last = Some(found);
        found
    }

    /// Finds the window of another moment, or opens it.
    fn find_window(&mut self, at: EventTime) -> Place {
        let (start, open) = (window_start(at, self.width_us), self.by_start.len());
        let window = *self.by_start.entry(start).or_insert(open);
        if window == self.windows.len() {
            self.windows.push(Window::new(start));
        }
        self.windows[window].start = start;
        Place { start, window }
    }

    /// Finds the places of the rows whose times and segments are at hand, from one window to the next.
    fn find_places(&mut self) {
        let rows = self.times.len();
        self.places.resize(rows, 0);
        let mut from = 0;
        while from < rows {
            let place = self.window_of(self.times[from]);
            let same = self.times[from + 1..]
                .iter()
                .take_while(|at| place.holds(**at, self.width_us));
            let upto = from + 1 + same.count();
            let window = &mut self.windows[place.window];
            let segments = self.segments[from..upto].iter();
            for (segment, place) in segments.zip(&mut self.places[from..upto]) {
                if let Some(near) = window.near(segment) {
                    *place = near;
                    continue;
                }
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "an epoch has fewer than 2³² groups"
                )]
                let next = self.cells.next() as u32;
                let (found, new) = window.resolve(segment, next);
                if new {
                    self.cells.open(self.references.of(segment));
                }
                *place = found;
            }
            from = upto;
        }
    }
}

impl<D: Data, G: Key, const N: usize> Combiner<D> for Combine<D, G, N> {
    type Partial = Partial<G>;

    fn add(&mut self, rows: &[Update<D>]) {
        // In pieces, so that a row is still near when it is looked at again.
        for rows in rows.chunks(CHUNK) {
            self.times_of.of(rows, &mut self.times);
            self.segments_of.of(rows, &mut self.segments);
            self.find_places();
            self.cells.add(rows, &self.places, &self.fill);
        }
    }

    fn finish(&mut self, out: &mut Emitter<'_, Partial<G>>) {
        let share = self.cells.next() * N / self.workers;
        let empty = || Partial::with_capacity(share);
        let mut partials: Vec<_> = (0..self.workers).map(|_| empty()).collect();
        for (number, window) in self.windows[..self.by_start.len()].iter_mut().enumerate() {
            for ((_, segment), place) in window.index.iter().zip(&window.places) {
                let group = (segment.clone(), window.start);
                let Partial { groups, tally } = &mut partials[owner(group.tag(), self.workers)];
                let at = groups.len() * N;
                self.cells.move_into(*place as usize, tally, at);
                groups.push(group);
            }
            if number < WINDOWS_KEPT {
                window.clear();
            }
        }
        for partial in partials {
            if !partial.groups.is_empty() {
                out.emit(partial, 1);
            }
        }
        self.by_start.clear();
        self.cells.clear();
        // No row of the next epoch is taken for one of a window that was emptied.
        (self.last, self.other) = (None, None);
        self.windows.truncate(WINDOWS_KEPT);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::drift::stream::cells::fill;
    use crate::drift::stream::partial::Tally;
    use crate::drift::{Baseline, Baselines};
    use crate::laws::{Row, log};

    type Groups = BTreeMap<(i64, EventTime), Tally>;

    fn value(row: &Row) -> [Option<f64>; 1] {
        [(row.value != 0).then_some(row.value as f64)]
    }

    fn references() -> References<i64, 1> {
        let baseline = Baseline::fit("value", (-3..4).map(|value| Some(f64::from(value))));
        let baselines = Baselines::from_iter([baseline.unwrap()]);
        References::new("combine", &[Arc::from("value")], &baselines, |_| None).unwrap()
    }

    fn combine(width_us: i64, exact: bool, workers: usize) -> Combine<Row, i64, 1> {
        let of = (
            Column::new(|row: &Row| row.at),
            Column::new(|row: &Row| row.key),
        );
        Combine::empty(of, fill(value), width_us, exact, workers, references())
    }

    fn brute(rows: &[Update<Row>], width_us: i64, exact: bool) -> Groups {
        let (references, mut groups) = (references(), Groups::new());
        for (row, _, diff) in rows {
            let group = (row.key, row.at.div_euclid(width_us) * width_us);
            let empty = || Tally::new(1, exact);
            let tally = groups.entry(group).or_insert_with(empty);
            tally.add_row(&value(row), &references.whole.baselines, *diff);
        }
        groups
    }

    #[test]
    fn an_epoch_is_added_up_per_window_and_segment_and_leaves_nothing_to_the_next() {
        for seed in 0..40 {
            // Segments below zero, small ones, and larger ones.
            let epochs = log(seed, 1_000, |row| Row {
                at: row.at - 5_000,
                key: row.key * 150 - 300,
                ..row
            });
            // One at a time, and so many that an epoch has more windows than are kept.
            for (together, width_us) in [1, 20]
                .into_iter()
                .flat_map(|n| [1, 1_000, 2_500, 100_000].map(|width_us| (n, width_us)))
            {
                let exact = seed % 2 == 0;
                let mut combine = combine(width_us, exact, 1 + seed as usize % 3);
                for epochs in epochs.chunks(together) {
                    let rows = epochs.iter().flat_map(|(_, rows)| rows);
                    let rows: Vec<_> = rows.map(|(row, diff)| (*row, 1, *diff)).collect();
                    rows.chunks(5 + 300 * (seed as usize % 3))
                        .for_each(|rows| combine.add(rows));
                    let (mut buffer, mut written) = (Vec::new(), Vec::new());
                    let mut pass_on = |full: &mut Vec<_>| written.append(full);
                    let mut out = Emitter::new(1, &mut buffer, &mut pass_on);
                    combine.finish(&mut out);
                    out.finish();
                    let partials = || written.iter().map(|(partial, ..)| partial);
                    let count: usize = partials().map(|partial| partial.groups.len()).sum();
                    let found: Groups = partials()
                        .flat_map(|Partial { groups, tally }| {
                            let places = groups.iter().enumerate();
                            places.map(|(n, group)| (*group, tally.piece(n..n + 1)))
                        })
                        .collect();
                    assert_eq!(found.len(), count, "seed {seed}: each group once");
                    assert_eq!(
                        found,
                        brute(&rows, width_us, exact),
                        "seed {seed}, {width_us} µs"
                    );
                }
            }
        }
    }
}
