//! Rows that wait for the watermark, by event time: released in order of time, whole moments at once.
//!
//! ```text
//! buckets of ~ a minute, unsorted ─ the watermark enters one ─▶ heap ─ passes an event ─▶ released, sorted
//! ```
//!
//! No ring of fixed size: a backfill spans years in one epoch, and a ring would wrap.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use thalweg_engine::time::{EventTime, WATERMARK_END};

/// Buckets of 2²⁶ µs, 67 s.
const BUCKET_SHIFT: u32 = 26;

/// A waiting row with its event time.
pub(crate) trait Waiting: Ord {
    fn at(&self) -> EventTime;
}

/// Waiting rows.
pub(crate) struct Calendar<T> {
    buckets: BTreeMap<i64, Vec<T>>,
    /// The rows of the buckets up to the one that the watermark stands in.
    near: BinaryHeap<Reverse<T>>,
    near_bucket: i64,
    len: usize,
}

impl<T: Waiting> Calendar<T> {
    pub(crate) fn new() -> Self {
        Self {
            buckets: BTreeMap::new(),
            near: BinaryHeap::new(),
            near_bucket: i64::MIN,
            len: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.buckets
            .values()
            .flatten()
            .chain(self.near.iter().map(|waiting| &waiting.0))
    }

    #[inline]
    pub(crate) fn push(&mut self, row: T) {
        self.len += 1;
        let bucket = row.at() >> BUCKET_SHIFT;
        if bucket <= self.near_bucket {
            self.near.push(Reverse(row));
        } else {
            self.buckets.entry(bucket).or_default().push(row);
        }
    }

    /// Takes out every row whose time the watermark has passed (`at < watermark`), in order.
    pub(crate) fn release(&mut self, watermark: EventTime, released: &mut Vec<T>) {
        let first = released.len();
        let bucket = watermark >> BUCKET_SHIFT;
        while let Some(waiting) = self.near.peek() {
            if waiting.0.at() >= watermark && watermark != WATERMARK_END {
                break;
            }
            released.extend(self.near.pop().map(|waiting| waiting.0));
        }
        while let Some(entry) = self.buckets.first_entry() {
            if *entry.key() > bucket {
                break;
            }
            let (start, mut rows) = entry.remove_entry();
            if start < bucket || watermark == WATERMARK_END {
                released.append(&mut rows);
            } else {
                let (passed, waiting): (Vec<T>, Vec<T>) =
                    rows.into_iter().partition(|row| row.at() < watermark);
                released.extend(passed);
                self.near.extend(waiting.into_iter().map(Reverse));
            }
        }
        self.near_bucket = self.near_bucket.max(bucket);
        released[first..].sort_unstable();
        self.len -= released.len() - first;
    }
}
