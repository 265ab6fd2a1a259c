//! Rows that wait for the watermark, and the order in which they are then settled.
//!
//! ```text
//! wheel ─ the watermark passes an event ─▶ released ─▶ in order of time
//! behind the watermark already, as in a backfill ──▲
//! ```

use thalweg_engine::time::{EventTime, WATERMARK_END};

use crate::window::rolling::wheel::Wheel;

/// Bits of a packed sort key that hold a row's place.
const PLACE_BITS: u32 = 24;

/// A waiting row with its event time.
pub(crate) trait Waiting: Ord {
    fn at(&self) -> EventTime;
}

/// Waiting rows.
pub(crate) struct Calendar<T>(Wheel<T>);

impl<T: Waiting> Calendar<T> {
    pub(crate) fn new() -> Self {
        Self(Wheel::new(T::at))
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
        // The times stand in the words: rows that have none of their moment beside them are not looked at.
        sort_peers(
            rows,
            order,
            |word| word >> PLACE_BITS,
            |word| word & ((1 << PLACE_BITS) - 1),
        );
        order
            .iter_mut()
            .for_each(|word| *word &= (1 << PLACE_BITS) - 1);
    } else {
        let at = |place| rows[place as usize].at();
        order.extend(0..rows.len() as u64);
        order.sort_unstable_by_key(|place| at(*place));
        sort_peers(rows, order, at, |place| place);
    }
}

/// Sorts the words of one moment by the rows whose places they hold.
#[inline]
fn sort_peers<T: Waiting, M: PartialEq>(
    rows: &[T],
    order: &mut [u64],
    moment: impl Fn(u64) -> M,
    place: impl Fn(u64) -> u64,
) {
    let row = |word: &u64| &rows[place(*word) as usize];
    let mut from = 0;
    while from < order.len() {
        let of = moment(order[from]);
        let mut until = from + 1;
        while until < order.len() && moment(order[until]) == of {
            until += 1;
        }
        if until - from > 1 {
            order[from..until].sort_unstable_by(|a, b| row(a).cmp(row(b)));
        }
        from = until;
    }
}
