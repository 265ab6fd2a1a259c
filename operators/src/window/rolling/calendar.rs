//! Rows that wait for the watermark, by event time, and the order in which they are then settled.
//!
//! ```text
//! buckets of ~ 17 s, unsorted ─ the watermark enters one ─▶ heap ─ passes an event ─▶ released ─▶ in order of time
//! behind the watermark already, as in a backfill ────────────────────────────────────▲
//! ```
//!
//! No ring of fixed size: a backfill spans years in one epoch, and a ring would wrap.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use thalweg_engine::time::{EventTime, WATERMARK_END};

/// Buckets of 2²⁴ µs, 17 s.
const BUCKET_SHIFT: u32 = 24;

/// Bits of a packed sort key that hold a row's place.
const PLACE_BITS: u32 = 24;

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
        self.len += 1;
        let bucket = row.at() >> BUCKET_SHIFT;
        if bucket <= self.near_bucket {
            self.near.push(Reverse(row));
        } else {
            self.buckets.entry(bucket).or_default().push(row);
        }
    }

    /// Takes out every row whose time the watermark has passed (`at < watermark`).
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
        self.len -= released.len() - first;
    }
}

/// The places of `rows` in order of time, and at one moment in the order of the rows themselves.
///
/// Times and places are sorted together in one word where they fit, which is nearly always: half the time of sorting
/// the rows.
pub(crate) fn in_time_order<T: Waiting>(rows: &[T], order: &mut Vec<u64>) {
    order.clear();
    let times = || rows.iter().map(Waiting::at);
    let (Some(first), Some(last)) = (times().min(), times().max()) else {
        return;
    };
    let span = last.abs_diff(first);
    let fits = rows.len() <= 1 << PLACE_BITS && span < 1 << (64 - PLACE_BITS);
    if fits {
        let packed = times()
            .zip(0..)
            .map(|(at, place)| at.abs_diff(first) << PLACE_BITS | place);
        order.extend(packed);
        order.sort_unstable();
        order
            .iter_mut()
            .for_each(|word| *word &= (1 << PLACE_BITS) - 1);
    } else {
        order.extend(0..rows.len() as u64);
        order.sort_unstable_by_key(|place| rows[*place as usize].at());
    }
    let mut from = 0;
    while from < order.len() {
        let at = rows[order[from] as usize].at();
        let peers = order[from..]
            .iter()
            .take_while(|place| rows[**place as usize].at() == at);
        let until = from + peers.count();
        if until - from > 1 {
            order[from..until].sort_unstable_by(|a, b| rows[*a as usize].cmp(&rows[*b as usize]));
        }
        from = until;
    }
}
