//! Rows that wait for the watermark.
//!
//! ```text
//! wheel ─ the watermark passes an event ─▶ released ─▶ in order of time (`order.rs`)
//! behind the watermark already, as in a backfill ──▲
//! ```

use thalweg_engine::time::{EventTime, WATERMARK_END};

use crate::window::rolling::wheel::{Waiting, Wheel};

/// Waiting rows.
pub(crate) struct Calendar<T>(Wheel<T>);

impl<T: Waiting> Calendar<T> {
    pub(crate) fn new() -> Self {
        Self(Wheel::new())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Bytes held, capacity included.
    pub(crate) fn bytes(&self) -> usize {
        self.0.bytes()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter()
    }

    /// Takes a row in, or hands it on where the watermark has passed it.
    #[inline]
    pub(crate) fn admit(&mut self, row: T, watermark: EventTime, released: &mut Vec<T>) {
        if row.at() < watermark {
            released.push(row);
        } else {
            self.push(row);
        }
    }

    #[inline]
    pub(crate) fn push(&mut self, row: T) {
        self.0.push(row);
    }

    /// Takes out every row whose time the watermark has passed (`at < watermark`).
    pub(crate) fn release(&mut self, watermark: EventTime, released: &mut Vec<T>) {
        if watermark == WATERMARK_END {
            self.0.pass_all(released);
        } else {
            self.0.pass(watermark, released);
        }
    }
}
