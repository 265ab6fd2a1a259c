//! The keyed state of grouped windows: rows into windows, changes or ended windows out.

use thalweg_engine::key::Key;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, KeyedState, StateError, StateSize};
use thalweg_engine::state::prefetch;
use thalweg_engine::time::EventTime;
use thalweg_engine::update::{Data, Update, Updates};

use crate::aggregate::Aggregate;
use crate::codec;
use crate::column::Column;
use crate::window::grouped::open::Group;
use crate::window::grouped::pane::Pane;
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

/// Rows that are worked on together: enough to hide the way to memory, few enough to stay in the nearest cache.
const TOGETHER: usize = 64;

/// A row in one of its windows: its place among the rows in hand, and its group.
struct Member {
    row: u32,
    place: Place,
    handle: u32,
}

/// A group that the epoch has touched, with its row before.
struct Touched<O> {
    place: Place,
    handle: u32,
    old: Option<O>,
}

/// The keyed state of grouped windows.
pub(super) struct Groups<D, K: Key, A: Aggregate<D>> {
    keys_of: Column<D, K>,
    times_of: Column<D, EventTime>,
    span: Span,
    mode: Mode,
    aggregate: A,
    windows: Windows<K, A::State>,
    pane: Pane,
    keys: Vec<K>,
    times: Vec<EventTime>,
    members: Vec<Member>,
    touched: Vec<Touched<A::Output>>,
}

impl<D: Data, K: Key, A: Aggregate<D>> Groups<D, K, A> {
    pub(super) fn new(
        keys_of: Column<D, K>,
        times_of: Column<D, EventTime>,
        span: Span,
        mode: Mode,
        aggregate: A,
    ) -> Self {
        Self {
            keys_of,
            times_of,
            span,
            mode,
            aggregate,
            windows: Windows::new(),
            pane: Pane::default(),
            keys: Vec::new(),
            times: Vec::new(),
            members: Vec::new(),
            touched: Vec::new(),
        }
    }

    /// Notes each row's windows, and asks for the place of its key in them.
    fn place(&mut self, rows: &[Update<D>]) {
        self.keys_of.of(rows, &mut self.keys);
        self.times_of.of(rows, &mut self.times);
        self.members.clear();
        for ((row, key), at) in (0..).zip(&self.keys).zip(&self.times) {
            if !self.pane.holds(*at) {
                self.pane.move_to(*at, &self.span, &mut self.windows);
            }
            let tag = key.tag();
            for place in self.pane.windows() {
                self.windows.slab[*place as usize].index.prefetch(tag);
                self.members.push(Member {
                    row,
                    place: *place,
                    handle: 0,
                });
            }
        }
    }

    /// Finds each member's group, and asks for it.
    fn resolve(&mut self) {
        for member in &mut self.members {
            let key = &self.keys[member.row as usize];
            member.handle = self.windows.resolve(member.place, key);
            let groups = &self.windows.slab[member.place as usize].groups;
            prefetch(groups, member.handle as usize);
        }
    }

    fn apply(&mut self, rows: &[Update<D>]) {
        for member in &self.members {
            let (row, _, diff) = &rows[member.row as usize];
            let open = &mut self.windows.slab[member.place as usize];
            let group = &mut open.groups[member.handle as usize];
            if self.mode == Mode::Latest && !group.touched {
                group.touched = true;
                let old = (group.rows > 0).then(|| self.aggregate.read(&group.state));
                self.touched.push(Touched {
                    place: member.place,
                    handle: member.handle,
                    old,
                });
            }
            group.rows += diff;
            self.aggregate.update(&mut group.state, row, *diff);
        }
    }

    fn emit_changes(&mut self, out: &mut Emitter<'_, GroupRow<K, A::Output>>) {
        let mut touched = std::mem::take(&mut self.touched);
        for Touched { place, handle, old } in touched.drain(..) {
            let open = &mut self.windows.slab[place as usize];
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
            let open = &self.windows.slab[place as usize];
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
        self.pane = Pane::default();
        for rows in rows
            .containers()
            .iter()
            .flat_map(|rows| rows.chunks(TOGETHER))
        {
            self.place(rows);
            self.resolve();
            self.apply(rows);
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
            self.windows.slab[place as usize].groups[handle as usize] = Group {
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
