//! The rows of one side that wait for the watermark, and come out in order of time.

use serde::{Deserialize, Serialize};
use thalweg_engine::key::Key;
use thalweg_engine::time::EventTime;
use thalweg_engine::update::Diff;

use crate::window::rolling::at::Label;
use crate::window::rolling::calendar::{Calendar, Waiting, in_time_order};
use crate::window::rolling::event::Event;

/// A row that waits, with its sign.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Pending<R> {
    pub(super) row: R,
    pub(super) diff: Diff,
}

impl<K: Key, const N: usize, P: Ord> Waiting for Pending<Event<K, N, P>> {
    fn at(&self) -> EventTime {
        self.row.at
    }
}

impl<K: Key, B: Ord> Waiting for Pending<Label<K, B>> {
    fn at(&self) -> EventTime {
        self.row.at
    }
}

/// The rows that wait, and those that an epoch has let out.
pub(super) struct Queue<R> {
    pub(super) waiting: Calendar<Pending<R>>,
    released: Vec<Pending<R>>,
    order: Vec<u64>,
}

impl<R> Queue<R>
where
    Pending<R>: Waiting,
{
    pub(super) fn new() -> Self {
        Self {
            waiting: Calendar::new(),
            released: Vec::new(),
            order: Vec::new(),
        }
    }

    /// Takes a row in.
    #[inline]
    pub(super) fn admit(&mut self, row: R, diff: Diff, watermark: EventTime) {
        self.waiting
            .admit(Pending { row, diff }, watermark, &mut self.released);
    }

    /// Lets out what the watermark has passed.
    pub(super) fn release(&mut self, watermark: EventTime) {
        self.waiting.release(watermark, &mut self.released);
        in_time_order(&self.released, &mut self.order);
    }

    /// How many rows are out.
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// The rows that are out, in order of time, from a place on.
    #[inline(always)]
    pub(super) fn get(&self, place: usize) -> Option<&Pending<R>> {
        let place = *self.order.get(place)?;
        Some(&self.released[place as usize])
    }

    /// Forgets the rows that are out.
    pub(super) fn clear(&mut self) {
        self.released.clear();
        self.order.clear();
    }
}
