//! The keyed state of grouped windows: rows into windows, changes or ended windows out.

use std::rc::Rc;

use thalweg_engine::key::Key;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, KeyedState, StateError, StateSize};
use thalweg_engine::time::EventTime;
use thalweg_engine::update::{Data, Diff, Updates};

use crate::aggregate::Aggregate;
use crate::codec;
use crate::window::grouped::open::Group;
use crate::window::grouped::windows::{Place, Windows};
use crate::window::grouped::{GroupRow, Span};

/// When a group's row goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// After every epoch that changed it.
    Latest,
    /// Once, when the watermark has reached the window's end.
    Final,
}

/// How far ahead of its use a slot of an index is asked for, in rows.
const AHEAD: usize = 16;

/// The windows that the row before may be in, which mostly are the next row's too.
#[derive(Default)]
struct Around {
    /// Moments from here on…
    from: EventTime,
    /// …until here have the same newest window.
    until: EventTime,
    /// The windows, the newest first: start, end, and the place, once a row has opened it.
    windows: Vec<(EventTime, EventTime, Option<Place>)>,
    /// How many windows had been closed: places are used again.
    closed: u64,
}

/// A group that the epoch has touched, with its row before.
struct Touched<O> {
    place: Place,
    handle: u32,
    old: Option<O>,
}

/// The keyed state of grouped windows.
pub(super) struct Groups<D, K: Key, A: Aggregate<D>> {
    key: Rc<dyn Fn(&D) -> K>,
    at: Rc<dyn Fn(&D) -> EventTime>,
    span: Span,
    mode: Mode,
    aggregate: A,
    windows: Windows<K, A::State>,
    touched: Vec<Touched<A::Output>>,
    around: Around,
}

impl<D: Data, K: Key, A: Aggregate<D>> Groups<D, K, A> {
    pub(super) fn new(
        key: Rc<dyn Fn(&D) -> K>,
        at: Rc<dyn Fn(&D) -> EventTime>,
        span: Span,
        mode: Mode,
        aggregate: A,
    ) -> Self {
        Self {
            key,
            at,
            span,
            mode,
            aggregate,
            windows: Windows::new(),
            touched: Vec::new(),
            around: Around::default(),
        }
    }

    /// Finds the windows around a moment: once per window and not per row.
    #[inline]
    fn look_around(&mut self, at: EventTime) {
        let around = &self.around;
        if at < around.from || at >= around.until || around.closed != self.windows.closed() {
            self.find_around(at);
        }
    }

    #[inline(never)]
    fn find_around(&mut self, at: EventTime) {
        let newest = self.span.newest_start(at);
        let around = &mut self.around;
        around.from = newest;
        around.until = self.span.next_start(newest);
        around.closed = self.windows.closed();
        around.windows.clear();
        around.windows.push((newest, self.span.end(newest), None));
        // Rows at the newest window's start are in most: later ones have left the oldest where the step does not divide
        // the width.
        let mut start = newest;
        while let Some(older) = self.span.older_start(start, newest) {
            around.windows.push((older, self.span.end(older), None));
            start = older;
        }
    }

    #[inline]
    fn apply(&mut self, row: &D, diff: Diff) {
        let (key, at) = ((self.key)(row), (self.at)(row));
        self.look_around(at);
        for window in &mut self.around.windows {
            let (start, end, known) = *window;
            if at >= end {
                break;
            }
            let place = known.unwrap_or_else(|| self.windows.at(start));
            window.2 = Some(place);
            let handle = self.windows.resolve(place, &key);
            let group = &mut self.windows.slab[place].groups[handle as usize];
            if self.mode == Mode::Latest && !group.touched {
                group.touched = true;
                let old = (group.rows > 0).then(|| self.aggregate.read(&group.state));
                self.touched.push(Touched { place, handle, old });
            }
            group.rows += diff;
            self.aggregate.update(&mut group.state, row, diff);
        }
    }

    /// Asks for what a row further on will need, where that is not at hand anyway: of the one window of a lifetime, and
    /// of windows that overlap.
    #[inline]
    fn prefetch(&mut self, ahead: &D) {
        if matches!(self.span, Span::Lifetime) {
            let place = self.windows.at(0);
            let tag = (self.key)(ahead).tag();
            self.windows.slab[place].index.prefetch(tag);
        } else if self.around.windows.len() > 1 {
            let tag = (self.key)(ahead).tag();
            for place in self.around.windows.iter().filter_map(|window| window.2) {
                self.windows.slab[place].index.prefetch(tag);
            }
        }
    }

    fn emit_changes(&mut self, out: &mut Emitter<'_, GroupRow<K, A::Output>>) {
        let mut touched = std::mem::take(&mut self.touched);
        for Touched { place, handle, old } in touched.drain(..) {
            let open = &mut self.windows.slab[place];
            let group = &mut open.groups[handle as usize];
            group.touched = false;
            let new = (group.rows > 0).then(|| self.aggregate.read(&group.state));
            let is_empty = group.rows == 0 && group.state == A::State::default();
            let start = open.start;
            if let (true, Some(key)) = (old != new, open.index.key(handle)) {
                let row = |value| GroupRow {
                    key: key.clone(),
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

    /// Emits the windows that have ended: no row before `watermark` can come any more.
    fn emit_ended(&mut self, watermark: EventTime, out: &mut Emitter<'_, GroupRow<K, A::Output>>) {
        while let Some((start, place)) = self.windows.first() {
            if self.span.end(start) > watermark {
                break;
            }
            let open = &self.windows.slab[place];
            for (handle, key) in open.index.iter() {
                let Group { rows, state, .. } = &open.groups[handle as usize];
                if *rows > 0 {
                    let row = || GroupRow {
                        key: key.clone(),
                        start,
                        value: self.aggregate.read(state),
                    };
                    out.emit_with(row, 1);
                }
            }
            self.windows.close(start);
        }
    }
}

impl<D: Data, K: Key, A: Aggregate<D>> KeyedState for Groups<D, K, A> {
    type In = D;
    type Out = GroupRow<K, A::Output>;
    const FORMAT: u32 = 1;

    fn epoch(&mut self, time: &EpochTime, rows: Updates<D>, out: &mut Emitter<'_, Self::Out>) {
        for rows in rows.containers() {
            for (i, (row, _, diff)) in rows.iter().enumerate() {
                if let Some(ahead) = rows.get(i + AHEAD) {
                    self.prefetch(&ahead.0);
                }
                self.apply(row, *diff);
            }
        }
        match self.mode {
            Mode::Latest => self.emit_changes(out),
            Mode::Final if time.has_risen() => self.emit_ended(time.watermark, out),
            Mode::Final => {}
        }
    }

    fn save(&self, group: KeyGroup, into: &mut Vec<u8>) -> Result<(), StateError> {
        let ours = self
            .windows
            .groups()
            .filter(|(_, key, ..)| group.holds(key.tag()));
        codec::encode(&ours.collect::<Vec<_>>(), into)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        let groups: Vec<(EventTime, K, i64, A::State)> = codec::decode(bytes)?;
        for (start, key, rows, state) in groups {
            let place = self.windows.at(start);
            let handle = self.windows.resolve(place, &key);
            self.windows.slab[place].groups[handle as usize] = Group {
                rows,
                state,
                touched: false,
            };
        }
        Ok(())
    }

    fn size(&self) -> StateSize {
        StateSize {
            keys: self.windows.keys(),
            events: self.windows.keys(),
            bytes: self.windows.bytes(),
        }
    }
}
