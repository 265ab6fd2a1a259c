//! The keyed state of session windows in mode `latest`: rows in, changes out.

use std::rc::Rc;

use thalweg_engine::key::Key;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, KeyedState, StateError, StateSize};
use thalweg_engine::state::{KeyIndex, prefetch};
use thalweg_engine::time::{EventTime, WATERMARK_END, WATERMARK_NONE};
use thalweg_engine::update::{Data, Update, Updates};

use crate::aggregate::Aggregate;
use crate::codec;
use crate::window::owed::Owed;
use crate::window::rolling::timers::Timers;
use crate::window::session::SessionRow;
use crate::window::session::sessions::{Copies, Session, Sessions, Shared, Taken};

/// How far ahead of its use a slot of the index is asked for, in rows.
const AHEAD: usize = 16;
/// The same for a key's sessions.
const AHEAD_SLOT: usize = 8;

/// One key.
struct Slot<D, A: Aggregate<D>> {
    sessions: Sessions<D, A>,
    touched: bool,
    /// When the timer of the key's oldest session is due; the end of time while none stands.
    due: EventTime,
}

/// The keyed state of session windows.
pub(super) struct State<D, K: Key, A: Aggregate<D>> {
    key: Rc<dyn Fn(&D) -> K>,
    shared: Shared<D, A>,
    index: KeyIndex<K>,
    slots: Vec<Slot<D, A>>,
    owed: Owed<D>,
    timers: Timers,
    watermark: EventTime,
    touched: Vec<u32>,
    handles: Vec<u32>,
    taken: Vec<(u32, Taken<D>)>,
}

impl<D: Data + Ord, K: Key, A: Aggregate<D>> State<D, K, A> {
    pub(super) fn new(
        key: Rc<dyn Fn(&D) -> K>,
        at: Rc<dyn Fn(&D) -> EventTime>,
        gap_us: i64,
        aggregate: A,
    ) -> Self {
        let shared = Shared {
            aggregate,
            at,
            gap_us,
            spare: Vec::new(),
            sessions: 0,
            rows: 0,
            capacity: 0,
        };
        Self {
            key,
            shared,
            index: KeyIndex::new(),
            slots: Vec::new(),
            owed: Owed::new(),
            timers: Timers::new(),
            watermark: WATERMARK_NONE,
            touched: Vec::new(),
            handles: Vec::new(),
            taken: Vec::new(),
        }
    }

    #[inline]
    fn resolve(&mut self, key: &K) -> u32 {
        let (handle, new) = self.index.resolve(key);
        if new && handle as usize == self.slots.len() {
            self.slots.push(Slot {
                sessions: Sessions::new(),
                touched: false,
                due: EventTime::MAX,
            });
        }
        handle
    }

    #[inline]
    fn touch(&mut self, handle: u32) {
        let slot = &mut self.slots[handle as usize];
        if !slot.touched {
            slot.touched = true;
            self.touched.push(handle);
        }
    }

    /// Adds a container's rows; what it takes back is put aside until all rows of the epoch are there.
    fn apply(&mut self, rows: Vec<Update<D>>) {
        let mut handles = std::mem::take(&mut self.handles);
        handles.clear();
        for (place, (row, ..)) in rows.iter().enumerate() {
            if let Some((ahead, ..)) = rows.get(place + AHEAD) {
                self.index.prefetch((self.key)(ahead).tag());
            }
            handles.push(self.resolve(&(self.key)(row)));
        }
        for (place, (row, _, diff)) in rows.into_iter().enumerate() {
            if let Some(ahead) = handles.get(place + AHEAD_SLOT) {
                prefetch(&self.slots, *ahead as usize);
            }
            let (handle, at) = (handles[place], (self.shared.at)(&row));
            self.touch(handle);
            if diff > 0 {
                let copies = self.owed.pay(handle, at, &row, diff);
                if copies > 0 {
                    let sessions = &mut self.slots[handle as usize].sessions;
                    sessions.insert(&mut self.shared, at, row, copies);
                }
            } else if diff < 0 {
                self.taken.push((handle, (at, row, -diff)));
            }
        }
        self.handles = handles;
    }

    fn take_back(&mut self) {
        let mut taken = std::mem::take(&mut self.taken);
        taken.sort_unstable();
        for ours in taken.chunk_by(|a, b| a.0 == b.0) {
            let handle = ours[0].0;
            let rows: Vec<Taken<D>> = ours.iter().map(|(_, taken)| taken.clone()).collect();
            let sessions = &mut self.slots[handle as usize].sessions;
            for (at, row, copies) in sessions.take(&mut self.shared, &rows) {
                self.owed.owe(handle, at, row, copies);
            }
        }
        taken.clear();
        self.taken = taken;
    }

    /// Emits what a key's sessions are in place of what they were. Both are by time.
    fn emit_changes(&mut self, handle: u32, out: &mut Emitter<'_, SessionRow<K, A::Output>>) {
        let Some(key) = self.index.key(handle) else {
            return;
        };
        let row = |(start, last, value)| SessionRow {
            key: key.clone(),
            start,
            last,
            value,
        };
        let sessions = &mut self.slots[handle as usize].sessions;
        sessions.before.sort_unstable_by_key(|before| before.0);
        let mut before = sessions.before.drain(..).peekable();
        for session in sessions.all.iter_mut().filter(|session| session.noted) {
            session.noted = false;
            let value = self.shared.aggregate.read(&session.state);
            let now = (session.first, session.last, value);
            while let Some(gone) = before.next_if(|before| before.0 < now.0) {
                out.emit(row(gone), -1);
            }
            match before.next_if(|before| before.0 == now.0) {
                Some(same) if same == now => {}
                old => {
                    if let Some(old) = old {
                        out.emit(row(old), -1);
                    }
                    out.emit(row(now), 1);
                }
            }
        }
        before.for_each(|gone| out.emit(row(gone), -1));
    }

    /// Whether no row can join a session any more, nor any of its own be taken back.
    fn has_ended(&self, last: EventTime) -> bool {
        let end = last.saturating_add(self.shared.gap_us);
        self.watermark == WATERMARK_END || end < self.watermark
    }

    /// Forgets a key's sessions that have ended, then lets the key rest.
    fn settle(&mut self, handle: u32) {
        let all = &self.slots[handle as usize].sessions.all;
        let ended = all.partition_point(|session| self.has_ended(session.last));
        for session in self.slots[handle as usize].sessions.all.drain(..ended) {
            self.shared.forget(session.rows);
        }
        self.rest(handle);
    }

    /// Sets a key's timer, or forgets the key where nothing is left of it.
    fn rest(&mut self, handle: u32) {
        let slot = &mut self.slots[handle as usize];
        slot.touched = false;
        let Some(oldest) = slot.sessions.all.first() else {
            if !self.owed.has(handle) {
                self.index.remove(handle);
            }
            return;
        };
        let end = oldest.last.saturating_add(self.shared.gap_us);
        if self.watermark != WATERMARK_NONE && end < slot.due {
            slot.due = end;
            self.timers.set(handle, end);
        }
    }

    /// Touches the keys whose sessions may have ended: at the first watermark and at the end all of them, since no timer
    /// was set before the one and none is left after the other.
    fn pass_time(&mut self, watermark: EventTime) {
        let mut due = Vec::new();
        if self.watermark == WATERMARK_NONE || watermark == WATERMARK_END {
            due.extend(self.index.iter().map(|(handle, _)| handle));
        } else {
            self.timers.take_due(watermark, &mut due);
            due.retain(|handle| self.slots[*handle as usize].due < watermark);
            for handle in &due {
                self.slots[*handle as usize].due = EventTime::MAX;
            }
        }
        self.watermark = watermark;
        due.into_iter()
            .chain(self.owed.forgive(watermark))
            .for_each(|handle| self.touch(handle));
    }
}

type SavedSession<D, S> = (EventTime, EventTime, S, Vec<Copies<D>>);
type SavedKey<D, K, S> = (K, Vec<SavedSession<D, S>>, Vec<Taken<D>>);

impl<D: Data + Ord, K: Key, A: Aggregate<D>> KeyedState for State<D, K, A> {
    type In = D;
    type Out = SessionRow<K, A::Output>;
    const FORMAT: u32 = 1;

    fn epoch(&mut self, time: &EpochTime, rows: Updates<D>, out: &mut Emitter<'_, Self::Out>) {
        for rows in rows.into_containers() {
            self.apply(rows);
        }
        if !self.taken.is_empty() {
            self.take_back();
        }
        let touched = std::mem::take(&mut self.touched);
        touched.iter().for_each(|key| self.emit_changes(*key, out));
        self.touched = touched;
        if time.watermark > self.watermark {
            self.pass_time(time.watermark);
        }
        let mut touched = std::mem::take(&mut self.touched);
        touched.drain(..).for_each(|key| self.settle(key));
        self.touched = touched;
    }

    fn save(&self, group: KeyGroup, into: &mut Vec<u8>) -> Result<(), StateError> {
        let ours = self.index.iter().filter(|(_, key)| group.holds(key.tag()));
        let keys: Vec<_> = ours
            .map(|(handle, key)| {
                let sessions = self.slots[handle as usize].sessions.all.iter();
                let sessions = sessions.map(|s| (s.first, s.last, &s.state, &s.rows));
                (key, sessions.collect::<Vec<_>>(), self.owed.of(handle))
            })
            .collect();
        codec::encode(&(self.watermark, keys), into)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        let (watermark, keys): (EventTime, Vec<SavedKey<D, K, A::State>>) = codec::decode(bytes)?;
        self.watermark = self.watermark.max(watermark);
        for (key, sessions, owed) in keys {
            let handle = self.resolve(&key);
            for (first, last, state, rows) in sessions {
                self.shared.sessions += 1;
                self.shared.rows += rows.len();
                self.shared.capacity += rows.capacity();
                let all = &mut self.slots[handle as usize].sessions.all;
                all.push(Session {
                    first,
                    last,
                    rows,
                    state,
                    noted: false,
                });
            }
            for (at, row, copies) in owed {
                self.owed.owe(handle, at, row, copies);
            }
            self.rest(handle);
        }
        Ok(())
    }

    fn size(&self) -> StateSize {
        let bytes = self.index.bytes()
            + self.slots.capacity() * size_of::<Slot<D, A>>()
            + self.shared.sessions * size_of::<Session<D, A::State>>()
            + self.shared.capacity * size_of::<Copies<D>>();
        StateSize {
            keys: self.index.len(),
            events: self.shared.rows,
            bytes,
        }
    }
}
