//! The keyed state of grouped windows: rows into windows, changes or ended windows out.

mod waits;

use std::ops::Range;

use thalweg_engine::column::Column;
use thalweg_engine::key::Key;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, KeyedState, StateError, StateSize};
use thalweg_engine::time::{EventTime, WATERMARK_END};
use thalweg_engine::update::{Data, Diff, Update, Updates};

use crate::aggregate::Aggregate;
use crate::codec;
use crate::window::grouped::count::{TOGETHER, Touched, count, touch};
use crate::window::grouped::open::{Group, Open, Use};
use crate::window::grouped::overlap::{Overlap, panes_of};
use crate::window::grouped::panes::Panes;
use crate::window::grouped::waiting::Waiting;
use crate::window::grouped::windows::{Place, Windows};
use crate::window::grouped::{GroupRow, Span};

/// When a group's row goes out, and until when it changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// After every epoch that changed it; where windows are not kept for ever, until the watermark has passed their ends
    /// by so many microseconds.
    Latest { kept_us: Option<i64> },
    /// Once, when the watermark has reached the window's end.
    Final,
}

/// Rows that follow one another and lie in the same windows: which of the rows in hand, and of the places.
struct Run {
    rows: Range<usize>,
    windows: Range<usize>,
}

/// The keyed state of grouped windows.
pub(super) struct Groups<D, K: Key, A: Aggregate<D>> {
    keys_of: Column<D, K>,
    times_of: Column<D, EventTime>,
    span: Span,
    mode: Mode,
    aggregate: A,
    windows: Windows<K, A::State>,
    /// Where windows overlap: then those above are panes, of which it puts the windows together.
    overlap: Option<Overlap<K, A::State>>,
    panes: Panes,
    keys: Vec<K>,
    times: Vec<EventTime>,
    runs: Vec<Run>,
    places: Vec<Place>,
    touched: Vec<Touched<A::Output>>,
    /// Rows that a window has not counted yet, where it is written once and rows are plain.
    waiting: Waiting<D>,
    /// What windows that end without having counted any are counted in, in turn.
    turn: Open<K, A::State>,
    /// Rows of the epoch that came for windows that are over alone.
    forgotten: usize,
}

impl<D: Data, K: Key, A: Aggregate<D>> Groups<D, K, A> {
    pub(super) fn new(
        keys_of: Column<D, K>,
        times_of: Column<D, EventTime>,
        span: Span,
        mode: Mode,
        aggregate: A,
    ) -> Self {
        let overlapping = match mode {
            Mode::Final if A::ADD.is_some() => panes_of(&span),
            _ => None,
        };
        let (span, overlap) = match overlapping {
            Some((pane, overlap)) => (pane, Some(overlap)),
            None => (span, None),
        };
        Self {
            keys_of,
            times_of,
            span,
            mode,
            aggregate,
            windows: Windows::new(),
            waiting: Waiting::new(),
            turn: Open::new(EventTime::MIN),
            overlap,
            panes: Panes::default(),
            keys: Vec::new(),
            times: Vec::new(),
            runs: Vec::new(),
            places: Vec::new(),
            touched: Vec::new(),
            forgotten: 0,
        }
    }

    /// Finds the runs of rows that lie in the same windows, and lets `end` see which rows each is of: their windows are
    /// those of the last row.
    #[inline(always)]
    fn each_run(
        &mut self,
        rows: &[Update<D>],
        over: EventTime,
        mut end: impl FnMut(&mut Self, Range<usize>),
    ) {
        let mut times = std::mem::take(&mut self.times);
        self.times_of.of(rows, &mut times);
        let mut begun = 0;
        while let Some(at) = times.get(begun) {
            let windows = &mut self.windows;
            self.panes.move_to(*at, over, &self.span, windows);
            let within = self.panes.moments();
            // The first is within, or the last moment of all.
            let rest = times[begun + 1..].iter();
            let run = begun + 1 + rest.take_while(|at| within.contains(at)).count();
            if self.panes.all_over() {
                self.forgotten += run - begun;
            }
            end(self, begun..run);
            begun = run;
        }
        self.times = times;
    }

    /// Adds rows to their windows, run by run and one window at a time.
    fn apply(&mut self, rows: &[Update<D>], over: EventTime) {
        self.keys_of.of(rows, &mut self.keys);
        self.runs.clear();
        self.places.clear();
        self.each_run(rows, over, |this, rows| {
            let first = this.places.len();
            for place in this.panes.windows() {
                this.windows.slab[*place as usize].prefetch(&this.keys[rows.clone()]);
                this.places.push(*place);
            }
            let windows = first..this.places.len();
            this.runs.push(Run { rows, windows });
        });
        for run in &self.runs {
            let (rows, keys) = (&rows[run.rows.clone()], &self.keys[run.rows.clone()]);
            for place in &self.places[run.windows.clone()] {
                self.windows.change(*place, |open| {
                    open.prefetch_groups(keys);
                    if self.mode == Mode::Final {
                        count(&self.aggregate, rows, keys, open);
                    } else {
                        touch(
                            &self.aggregate,
                            rows,
                            keys,
                            (*place, open),
                            &mut self.touched,
                        );
                    }
                    let overlap = self.overlap.as_mut();
                    if let Some(overlap) = overlap.filter(|overlap| overlap.has_entered(open.start))
                    {
                        for ((row, _, diff), key) in rows.iter().zip(keys) {
                            let handle = open.resolve(key);
                            let change = |state: &mut _| self.aggregate.update(state, row, *diff);
                            overlap.change(open.group_mut(handle), *diff, change);
                        }
                    }
                });
            }
        }
    }

    fn emit_changes(&mut self, out: &mut Emitter<'_, GroupRow<K, A::Output>>) {
        let mut touched = std::mem::take(&mut self.touched);
        for Touched { place, handle, old } in touched.drain(..) {
            let open = &mut self.windows.slab[place as usize];
            let start = open.start;
            let group = open.group_mut(handle);
            group.used = Use::Resting;
            let new = (group.rows > 0).then(|| self.aggregate.read(&group.state));
            let is_empty = group.rows == 0 && group.state == A::State::default();
            if old != new {
                let row = |value| GroupRow {
                    key: group.key.clone(),
                    start,
                    value,
                };
                if let Some(old) = old {
                    out.emit_with(|| row(old), -1);
                }
                if let Some(new) = new {
                    out.emit_with(|| row(new), 1);
                }
            }
            if is_empty {
                self.windows.forget(place, handle);
            }
        }
        self.touched = touched;
    }

    /// Up to here windows, or the panes of windows that overlap, are over by this watermark: they take no rows.
    fn over(&self, watermark: EventTime) -> EventTime {
        let lag_us = match (self.mode, &self.overlap) {
            (Mode::Final, None) => 0,
            (Mode::Final, Some(overlap)) => overlap.lag_us(),
            (Mode::Latest { kept_us: Some(_) }, _) if watermark == WATERMARK_END => 0,
            (Mode::Latest { kept_us }, _) => kept_us.unwrap_or(EventTime::MAX),
        };
        if lag_us == EventTime::MAX {
            return EventTime::MIN;
        }
        watermark.saturating_sub(lag_us)
    }

    /// Closes the windows whose rows no longer change.
    fn close_over(&mut self, over: EventTime) {
        while let Some((start, _)) = self.windows.first() {
            if self.span.end(start) > over {
                return;
            }
            self.windows.close(start);
        }
    }

    /// Emits the windows that have ended in this epoch.
    fn emit_ended(&mut self, time: &EpochTime, out: &mut Emitter<'_, GroupRow<K, A::Output>>) {
        let watermark = time.watermark;
        if let Some(mut overlap) = self.overlap.take() {
            let add = |state: &mut _, other: &_, times| {
                if let Some(add) = A::ADD {
                    add(state, other, times);
                }
            };
            overlap.leave_written(&mut self.windows, add);
            while let Some(start) = overlap.end_next(watermark, &mut self.windows, add) {
                self.emit_window(start, overlap.groups(), out);
                overlap.leave_written(&mut self.windows, add);
            }
            overlap.rise(watermark);
            self.overlap = Some(overlap);
            return;
        }
        while let Some((start, place)) = self.windows.first() {
            if self.span.end(start) > watermark {
                break;
            }
            let waits = !self.waiting.of(place).is_empty();
            let in_turn = waits && self.windows.slab[place as usize].len() == 0;
            if in_turn {
                self.count_in_turn(place);
            } else if waits {
                self.count_waiting(place);
            }
            let open = if in_turn {
                &self.turn
            } else {
                &self.windows.slab[place as usize]
            };
            self.emit_window(start, open.groups(), out);
            self.turn.clear();
            self.waiting.close(place);
            self.windows.close(start);
        }
    }

    #[inline]
    fn emit_window<'a>(
        &'a self,
        start: EventTime,
        groups: impl Iterator<Item = &'a Group<K, A::State>>,
        out: &mut Emitter<'_, GroupRow<K, A::Output>>,
    ) {
        let present = groups.filter(|group| group.rows > 0);
        out.emit_all(present.map(|group| {
            let row = GroupRow {
                key: group.key.clone(),
                start,
                value: self.aggregate.read(&group.state),
            };
            (row, 1)
        }));
    }
}

impl<D: Data, K: Key, A: Aggregate<D>> KeyedState for Groups<D, K, A> {
    type In = D;
    type Out = GroupRow<K, A::Output>;
    const FORMAT: u32 = 3;

    fn epoch(&mut self, time: &EpochTime, mut rows: Updates<D>, out: &mut Emitter<'_, Self::Out>) {
        self.panes = Panes::default();
        let over = self.over(time.watermark_before);
        rows.sort_containers(|row| self.times_of.one(&row.0));
        for rows in rows.containers() {
            if self.rows_wait() {
                self.lay_by(rows, over);
            } else {
                for rows in rows.chunks(TOGETHER) {
                    self.apply(rows, over);
                }
            }
        }
        out.forget(std::mem::take(&mut self.forgotten));
        match self.mode {
            Mode::Latest { .. } => {
                self.emit_changes(out);
                self.close_over(self.over(time.watermark));
            }
            Mode::Final if time.has_risen() => self.emit_ended(time, out),
            Mode::Final => {}
        }
    }

    fn save(&self, group: KeyGroup, into: &mut Vec<u8>) -> Result<(), StateError> {
        let ours = self
            .windows
            .groups()
            .filter(|(_, ours)| group.holds(ours.key.tag()))
            .map(|(start, ours)| (start, &ours.key, ours.rows, &ours.state));
        let next = self.overlap.as_ref().map(|overlap| overlap.next);
        let waiting = self.windows.places().flat_map(|(start, place)| {
            let rows = self.waiting.of(place).iter();
            let ours = rows.filter(|(row, ..)| group.holds(self.keys_of.one(row).tag()));
            ours.map(move |(row, _, diff)| (start, row, diff))
        });
        let waiting: Vec<_> = waiting.collect();
        codec::encode(&(next, ours.collect::<Vec<_>>(), waiting), into)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        type Saved<D, K, S> = (
            Option<EventTime>,
            Vec<(EventTime, K, i64, S)>,
            Vec<(EventTime, D, Diff)>,
        );
        let (next, groups, waiting): Saved<D, K, A::State> = codec::decode(bytes)?;
        if let (Some(overlap), Some(next)) = (&mut self.overlap, next) {
            overlap.next = next;
        }
        for (start, key, rows, state) in groups {
            let place = self.windows.at(start);
            self.windows.change(place, |open| {
                let handle = open.resolve(&key);
                let group = open.group_mut(handle);
                (group.rows, group.state) = (rows, state);
            });
        }
        for (start, row, diff) in waiting {
            let place = self.windows.at(start);
            if self.waiting.add(place, &[(row, 0, diff)]) {
                self.count_waiting(place);
            }
        }
        Ok(())
    }

    fn size(&self) -> StateSize {
        let overlap = self.overlap.as_ref();
        let groups = self.windows.keys() + overlap.map_or(0, Overlap::keys);
        // Of what keys the rows are that wait is not known: at most, each is of one of its own.
        let keys = groups + self.waiting.len();
        StateSize {
            keys,
            events: keys,
            bytes: self.windows.bytes()
                + overlap.map_or(0, Overlap::bytes)
                + self.waiting.bytes()
                + self.turn.bytes(),
        }
    }
}
