//! A key's open session, and rows on their way into it and out of it.

use thalweg_engine::time::EventTime;
use thalweg_engine::update::Diff;

use crate::window::rolling::wheel::Waiting;
use crate::window::session::sessions::Copies;

/// The longest list of rows whose memory is kept for the next session in its place.
const SPARE_ROWS_MAX: usize = 8;

/// A row that waits for the watermark. Ordered by time, then by what it is.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pending<D, K> {
    pub(super) at: EventTime,
    pub(super) key: K,
    pub(super) row: D,
    pub(super) diff: Diff,
}

impl<D, K> Waiting for Pending<D, K> {
    fn at(&self) -> EventTime {
        self.at
    }
}

/// A row of a session, for one gap after its time.
pub(super) struct Member<D> {
    pub(super) at: EventTime,
    pub(super) handle: u32,
    pub(super) copies: Diff,
    pub(super) row: D,
}

/// A key's session, if one is open.
pub(super) struct Open<D, S> {
    pub(super) is_open: bool,
    pub(super) first: EventTime,
    pub(super) last: EventTime,
    pub(super) state: S,
    /// Its rows that are no longer among the members: looked at only when one is taken back.
    pub(super) older: Vec<Copies<D>>,
}

impl<D, S: Default> Open<D, S> {
    pub(super) fn none() -> Self {
        Self {
            is_open: false,
            first: 0,
            last: 0,
            state: S::default(),
            older: Vec::new(),
        }
    }

    /// Makes room for the next session; returns how many rows were older.
    #[inline]
    pub(super) fn end(&mut self) -> usize {
        let older = self.older.len();
        self.is_open = false;
        self.state = S::default();
        if self.older.capacity() > SPARE_ROWS_MAX {
            self.older = Vec::new();
        } else {
            self.older.clear();
        }
        older
    }
}
