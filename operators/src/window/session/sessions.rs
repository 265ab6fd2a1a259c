//! One key's sessions, by time: how a row joins them, and how they break where rows are taken back.

use std::ops::Range;
use std::rc::Rc;

use thalweg_engine::time::EventTime;
use thalweg_engine::update::Diff;

use crate::aggregate::Aggregate;

/// Emptied lists of rows that are kept for the next sessions, more than an epoch begins, and how long they may be.
const SPARE_MAX: usize = 65_536;
const SPARE_ROWS_MAX: usize = 8;

/// A row with how many copies of it there are: at least one.
pub(super) type Copies<D> = (D, Diff);

/// Copies to be taken back, with their moment.
pub(super) type Taken<D> = (EventTime, D, Diff);

/// Rows without a gap between them.
pub(super) struct Session<D, S> {
    pub(super) first: EventTime,
    pub(super) last: EventTime,
    /// In any order: they are looked at only when one is taken back, or when sessions join.
    pub(super) rows: Vec<Copies<D>>,
    pub(super) state: S,
    /// Whether what it was before this epoch is among [`Sessions::before`], or it was nothing.
    pub(super) noted: bool,
}

/// A session as it was before the epoch.
pub(super) type Before<O> = (EventTime, EventTime, O);

/// What all keys share.
pub(super) struct Shared<D, A> {
    pub(super) aggregate: A,
    pub(super) at: Rc<dyn Fn(&D) -> EventTime>,
    pub(super) gap_us: i64,
    pub(super) spare: Vec<Vec<Copies<D>>>,
    pub(super) sessions: usize,
    pub(super) rows: usize,
    /// Rows that there is room for, the spare lists included.
    pub(super) capacity: usize,
}

impl<D, A> Shared<D, A> {
    /// Whether nothing but a gap's length lies between two moments.
    #[inline]
    fn joins(&self, earlier: EventTime, later: EventTime) -> bool {
        later <= earlier || later.abs_diff(earlier) <= self.gap_us.unsigned_abs()
    }

    #[inline]
    fn push(&mut self, rows: &mut Vec<Copies<D>>, row: D, copies: Diff) {
        let before = rows.capacity();
        rows.push((row, copies));
        self.rows += 1;
        self.capacity += rows.capacity() - before;
    }

    /// Takes the list of a session that is no more.
    pub(super) fn forget(&mut self, mut rows: Vec<Copies<D>>) {
        self.sessions -= 1;
        self.rows -= rows.len();
        if self.spare.len() < SPARE_MAX && rows.capacity() <= SPARE_ROWS_MAX {
            rows.clear();
            self.spare.push(rows);
        } else {
            self.capacity -= rows.capacity();
        }
    }
}

/// A key's sessions.
pub(super) struct Sessions<D, A: Aggregate<D>> {
    /// By time: between one's last row and the next one's first there is more than the gap.
    pub(super) all: Vec<Session<D, A::State>>,
    /// What this epoch has changed, as it was.
    pub(super) before: Vec<Before<A::Output>>,
}

impl<D: Ord + Clone, A: Aggregate<D>> Sessions<D, A> {
    pub(super) fn new() -> Self {
        Self {
            all: Vec::new(),
            before: Vec::new(),
        }
    }

    /// Adds copies of a row.
    #[inline]
    pub(super) fn insert(
        &mut self,
        shared: &mut Shared<D, A>,
        at: EventTime,
        row: D,
        copies: Diff,
    ) {
        let place = match self.all.last() {
            Some(newest) if newest.first > at => self.after(at),
            _ => self.all.len(),
        };
        let older = place > 0 && shared.joins(self.all[place - 1].last, at);
        let newer = place < self.all.len() && shared.joins(at, self.all[place].first);
        let place = match (older, newer) {
            (true, false) => place - 1,
            (false, true) => place,
            (true, true) => self.join(shared, place - 1),
            (false, false) => self.begin(shared, place, at),
        };
        self.note(shared, place);
        let session = &mut self.all[place];
        session.first = session.first.min(at);
        session.last = session.last.max(at);
        shared.aggregate.update(&mut session.state, &row, copies);
        shared.push(&mut session.rows, row, copies);
    }

    /// The place of the first session that begins after a moment.
    fn after(&self, at: EventTime) -> usize {
        self.all.partition_point(|session| session.first <= at)
    }

    /// Notes what a session was before the epoch.
    #[inline]
    fn note(&mut self, shared: &Shared<D, A>, place: usize) {
        let session = &mut self.all[place];
        if !session.noted {
            session.noted = true;
            let value = shared.aggregate.read(&session.state);
            self.before.push((session.first, session.last, value));
        }
    }

    #[inline]
    fn begin(&mut self, shared: &mut Shared<D, A>, place: usize, at: EventTime) -> usize {
        let session = Session {
            first: at,
            last: at,
            rows: shared.spare.pop().unwrap_or_default(),
            state: A::State::default(),
            noted: true,
        };
        shared.sessions += 1;
        self.all.insert(place, session);
        place
    }

    /// Joins a session with the next one: the rows of the smaller are added to the larger.
    fn join(&mut self, shared: &mut Shared<D, A>, place: usize) -> usize {
        self.note(shared, place);
        self.note(shared, place + 1);
        let newer = self.all.remove(place + 1);
        let older = &mut self.all[place];
        older.last = newer.last;
        let (mut rows, mut state) = (newer.rows, newer.state);
        if rows.len() > older.rows.len() {
            std::mem::swap(&mut rows, &mut older.rows);
            std::mem::swap(&mut state, &mut older.state);
        }
        for (row, copies) in &rows {
            shared.aggregate.update(&mut older.state, row, *copies);
        }
        let before = older.rows.capacity();
        older.rows.append(&mut rows);
        shared.capacity += older.rows.capacity() - before;
        shared.forget(rows);
        place
    }

    /// Takes copies back, which are in order of time and row; returns those that are not there.
    pub(super) fn take(&mut self, shared: &mut Shared<D, A>, taken: &[Taken<D>]) -> Vec<Taken<D>> {
        let mut absent = Vec::new();
        let mut rest = taken;
        while let Some((at, row, copies)) = rest.first() {
            let place = self.after(*at);
            let inside = place.checked_sub(1).filter(|p| *at <= self.all[*p].last);
            let Some(place) = inside else {
                absent.push((*at, row.clone(), *copies));
                rest = &rest[1..];
                continue;
            };
            let last = self.all[place].last;
            let (ours, others) = rest.split_at(rest.partition_point(|taken| taken.0 <= last));
            self.note(shared, place);
            self.all[place].take(shared, ours, &mut absent);
            self.split(shared, place);
            rest = others;
        }
        absent
    }

    /// Breaks a session, whose rows are in order of time, where they are further apart than the gap.
    fn split(&mut self, shared: &mut Shared<D, A>, place: usize) {
        let session = &mut self.all[place];
        let parts = session.parts(shared);
        let Some(largest) = (0..parts.len()).max_by_key(|part| parts[*part].len()) else {
            let session = self.all.remove(place);
            return shared.forget(session.rows);
        };
        let at = |row: &Copies<D>| (shared.at)(&row.0);
        let mut states = Vec::with_capacity(parts.len());
        let mut state = std::mem::take(&mut session.state);
        for (number, part) in parts.iter().enumerate() {
            let mut own = A::State::default();
            if number != largest {
                for (row, copies) in &session.rows[part.clone()] {
                    shared.aggregate.update(&mut state, row, -copies);
                    shared.aggregate.update(&mut own, row, *copies);
                }
            }
            states.push(own);
        }
        states[largest] = state;
        let mut newer = Vec::with_capacity(parts.len() - 1);
        for part in parts.iter().skip(1).rev() {
            let rows = session.rows.split_off(part.start);
            shared.capacity += rows.capacity();
            newer.push(Session {
                first: rows.first().map_or(0, at),
                last: rows.last().map_or(0, at),
                rows,
                state: states.pop().unwrap_or_default(),
                noted: true,
            });
        }
        session.state = states.pop().unwrap_or_default();
        shared.sessions += newer.len();
        self.all
            .splice(place + 1..place + 1, newer.into_iter().rev());
    }
}

impl<D: Ord + Clone, S> Session<D, S> {
    /// Takes copies out of the rows, which are in order then, and adds those that are not there to `absent`.
    fn take<A: Aggregate<D, State = S>>(
        &mut self,
        shared: &mut Shared<D, A>,
        taken: &[Taken<D>],
        absent: &mut Vec<Taken<D>>,
    ) {
        let at = Rc::clone(&shared.at);
        self.rows
            .sort_by(|(a, _), (b, _)| at(a).cmp(&at(b)).then_with(|| a.cmp(b)));
        let mut from = 0;
        for (moment, row, copies) in taken {
            let before = |copies: &Copies<D>| (at(&copies.0), &copies.0) < (*moment, row);
            from += self.rows[from..].partition_point(before);
            let mut left = *copies;
            for (_, there) in self.rows[from..]
                .iter_mut()
                .take_while(|there| there.0 == *row)
            {
                let gone = left.min(*there);
                *there -= gone;
                left -= gone;
            }
            if left < *copies {
                shared.aggregate.update(&mut self.state, row, left - copies);
            }
            if left > 0 {
                absent.push((*moment, row.clone(), left));
            }
        }
        let before = self.rows.len();
        self.rows.retain(|(_, copies)| *copies > 0);
        shared.rows -= before - self.rows.len();
    }

    /// The parts that the rows, which are in order, lie in; the first and the last moment are those of the first part.
    fn parts<A>(&mut self, shared: &Shared<D, A>) -> Vec<Range<usize>> {
        let mut parts = Vec::new();
        let (mut start, mut last) = (0, None);
        for (place, (row, _)) in self.rows.iter().enumerate() {
            let at = (shared.at)(row);
            match last {
                None => self.first = at,
                Some(last) if !shared.joins(last, at) => {
                    if start == 0 {
                        self.last = last;
                    }
                    parts.push(start..place);
                    start = place;
                }
                Some(_) => {}
            }
            last = Some(at);
        }
        if let Some(last) = last {
            if start == 0 {
                self.last = last;
            }
            parts.push(start..self.rows.len());
        }
        parts
    }
}
