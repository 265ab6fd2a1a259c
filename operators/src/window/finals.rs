//! The mode `final`, for windows that take a key's rows moment by moment in order of time.
//!
//! ```text
//! (key, at, row) ±n ─▶ queue ─ the watermark passes `at` ─▶ a key's rows of one moment, net ─▶ rows, append-only
//! ```
//!
//! # Invariants
//! 1. A row that is there when the watermark passes it is settled once, together with its key's rows of the same moment
//!    and after all before them.
//! 2. A retraction of what is not there by then is of nothing, and forgotten: its row would be late.
//!
//! What comes from behind the watermark is settled at once. Sources send none; a table computed from windows may, such as
//! that of a window's rows by its start.
//!
//! # Cost
//! Per row a place in the queue until the watermark passes. State: waiting rows, and the window's own.

use serde::Serialize;
use serde::de::DeserializeOwned;
use thalweg_engine::key::Key;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, KeyedState, StateError, StateSize};
use thalweg_engine::time::EventTime;
use thalweg_engine::update::{Data, Diff, Updates};

use crate::codec;
use crate::window::placed::Placed;
use crate::window::rolling::queue::{Pending, Queue};

/// What a window makes of rows that the watermark has passed.
pub(crate) trait Settle: 'static {
    /// What rows belong to.
    type Key: Key;
    /// A row.
    type Row: Data + Ord;
    /// What is written for it.
    type Out: Data;
    /// What [`Settle::saved`] hands over, read back.
    type Saved: DeserializeOwned;
    /// The version of it.
    const FORMAT: u32;

    /// Takes all of a key's rows of one moment, each with how often it is there, and writes one for each.
    fn settle(
        &mut self,
        key: &Self::Key,
        at: EventTime,
        rows: &[(&Self::Row, Diff)],
        out: &mut Emitter<'_, Self::Out>,
    );

    /// Lets go, at the end of an epoch, of what no row can need any more.
    fn let_go(&mut self, time: &EpochTime);

    /// The keys of a group.
    fn saved(&self, group: KeyGroup) -> impl Serialize;

    /// Takes them over.
    fn restore(&mut self, saved: Self::Saved);

    /// What is held, the queue left out.
    fn size(&self) -> StateSize;
}

/// The keyed state of a window in mode `final`.
pub(crate) struct Finals<S: Settle> {
    queue: Queue<Placed<S::Key, S::Row>>,
    window: S,
}

impl<S: Settle> Finals<S> {
    pub(crate) fn of(window: S) -> Self {
        Self {
            queue: Queue::new(),
            window,
        }
    }
}

impl<S: Settle> KeyedState for Finals<S> {
    type In = Placed<S::Key, S::Row>;
    type Out = S::Out;
    const FORMAT: u32 = S::FORMAT;

    fn epoch(
        &mut self,
        time: &EpochTime,
        rows: Updates<Self::In>,
        out: &mut Emitter<'_, Self::Out>,
    ) {
        for (placed, _, diff) in rows {
            self.queue.admit(placed, diff, time.watermark);
        }
        self.queue.release(time.watermark);
        let released = &self.queue.out;
        let mut present = Vec::new();
        let is_same = |a: &Self::In, b: &Self::In| a.at == b.at && a.key == b.key;
        for moment in released.chunks(is_same) {
            let Placed { at, key, .. } = &released[moment.start].row;
            let rows = released.net(moment).filter(|(_, copies)| *copies > 0);
            present.clear();
            present.extend(rows.map(|(placed, copies)| (&placed.row, copies)));
            if !present.is_empty() {
                self.window.settle(key, *at, &present, out);
            }
        }
        self.queue.out.clear();
        self.window.let_go(time);
    }

    fn save(&self, group: KeyGroup, into: &mut Vec<u8>) -> Result<(), StateError> {
        let waiting = self.queue.waiting.iter();
        let waiting: Vec<_> = waiting
            .filter(|waiting| group.holds(waiting.row.key.tag()))
            .collect();
        codec::encode(&(self.window.saved(group), waiting), into)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        type Saved<S> = (
            <S as Settle>::Saved,
            Vec<Pending<Placed<<S as Settle>::Key, <S as Settle>::Row>>>,
        );
        let (keys, waiting): Saved<S> = codec::decode(bytes)?;
        self.window.restore(keys);
        for row in waiting {
            self.queue.waiting.push(row);
        }
        Ok(())
    }

    fn size(&self) -> StateSize {
        let mut size = self.window.size();
        size.events += self.queue.waiting.len();
        size.bytes += self.queue.bytes();
        size
    }
}
