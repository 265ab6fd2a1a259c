//! Rows that wait for the watermark, and come out in order of time.
//!
//! ```text
//! row, ±n ─▶ waiting ─ the watermark passes it ─▶ out: by time, and at one moment in the order of the rows
//! ```

use std::ops::{Index, Range};

use serde::{Deserialize, Serialize};
use thalweg_engine::time::EventTime;
use thalweg_engine::update::Diff;

use crate::window::rolling::calendar::Calendar;
use crate::window::rolling::order::TimeOrder;
use crate::window::rolling::wheel::Waiting;

/// A row that waits, with its sign.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(in crate::window) struct Pending<R> {
    pub(in crate::window) row: R,
    pub(in crate::window) diff: Diff,
}

/// A row that waits until the watermark has passed its moment.
pub trait Due {
    /// Its moment.
    fn due(&self) -> EventTime;
}

impl<R: Due> Waiting for Pending<R> {
    #[inline(always)]
    fn at(&self) -> EventTime {
        self.row.due()
    }
}

/// The rows that wait, and those that an epoch has let out.
pub(in crate::window) struct Queue<R> {
    pub(in crate::window) waiting: Calendar<Pending<R>>,
    pub(in crate::window) out: Released<R>,
}

impl<R: Due + Ord> Queue<R> {
    pub(in crate::window) fn new() -> Self {
        Self {
            waiting: Calendar::new(),
            out: Released::default(),
        }
    }

    /// Takes a row in.
    #[inline]
    pub(in crate::window) fn admit(&mut self, row: R, diff: Diff, watermark: EventTime) {
        self.waiting
            .admit(Pending { row, diff }, watermark, &mut self.out.rows);
    }

    /// Lets out what the watermark has passed.
    pub(in crate::window) fn release(&mut self, watermark: EventTime) {
        self.waiting.release(watermark, &mut self.out.rows);
        self.out.order.find(&self.out.rows);
    }

    /// Bytes held, capacity included.
    pub(in crate::window) fn bytes(&self) -> usize {
        let Released { rows, order } = &self.out;
        self.waiting.bytes() + rows.capacity() * size_of::<Pending<R>>() + order.bytes()
    }
}

/// Rows that are out, in order of time.
pub(in crate::window) struct Released<R> {
    rows: Vec<Pending<R>>,
    order: TimeOrder,
}

impl<R> Default for Released<R> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            order: TimeOrder::default(),
        }
    }
}

impl<R> Released<R> {
    /// How many there are.
    pub(in crate::window) fn len(&self) -> usize {
        self.order.places.len()
    }

    /// The row at a place, if there are so many.
    #[inline(always)]
    pub(in crate::window) fn get(&self, place: usize) -> Option<&Pending<R>> {
        let place = *self.order.places.get(place)?;
        Some(&self.rows[place as usize])
    }

    /// The rows in a range, those that are equal as one, with how often they are there.
    pub(in crate::window) fn net(&self, mut range: Range<usize>) -> impl Iterator<Item = (&R, Diff)>
    where
        R: PartialEq,
    {
        std::iter::from_fn(move || {
            let first = &self[range.next()?];
            let mut count = first.diff;
            while !range.is_empty() && self[range.start].row == first.row {
                count += self[range.start].diff;
                range.start += 1;
            }
            Some((&first.row, count))
        })
    }

    /// Ranges of rows that stand beside each other and are the same in some way.
    pub(in crate::window) fn chunks(
        &self,
        is_same: impl Fn(&R, &R) -> bool,
    ) -> impl Iterator<Item = Range<usize>> {
        let mut from = 0;
        std::iter::from_fn(move || {
            let first = &self.get(from)?.row;
            let mut until = from + 1;
            while self
                .get(until)
                .is_some_and(|next| is_same(first, &next.row))
            {
                until += 1;
            }
            Some(std::mem::replace(&mut from, until)..until)
        })
    }

    /// Forgets them.
    pub(in crate::window) fn clear(&mut self) {
        self.rows.clear();
        self.order.clear();
    }
}

impl<R> Index<usize> for Released<R> {
    type Output = Pending<R>;

    #[inline(always)]
    fn index(&self, place: usize) -> &Pending<R> {
        &self.rows[self.order.places[place] as usize]
    }
}
