//! Rows in order of time: their places are sorted, not they.
//!
//! ```text
//! rows ─▶ words: time since the first │ place ─ first bits ─▶ as many boxes as rows ─▶ the few in a box by comparing
//! ```
//!
//! Times of an epoch are spread over it more or less evenly, so that boxes hold a row or a few each: a third to a half of
//! the time of sorting by comparing alone. A box that holds more is sorted by itself.

use thalweg_engine::time::EventTime;

use crate::window::rolling::wheel::Waiting;

/// Rows that are not worth boxes.
const FEW: usize = 32;

/// Rows of a box beyond which it is sorted by itself: among fewer each is moved to its place, past some others.
const CROWD: u32 = 16;

/// The order of some rows, and the memory for the next.
#[derive(Default)]
pub(crate) struct TimeOrder {
    /// The places of the rows, in order of time, and at one moment in the order of the rows themselves.
    pub(crate) places: Vec<u64>,
    /// How many each box holds, then where it ends.
    boxes: Vec<u32>,
    boxed: Vec<u64>,
}

impl TimeOrder {
    /// Finds the order of other rows.
    pub(crate) fn find<T: Waiting + Ord>(&mut self, rows: &[T]) {
        let words = &mut self.places;
        words.clear();
        let (mut first, mut last) = (EventTime::MAX, EventTime::MIN);
        words.extend(rows.iter().map(|row| {
            let at = row.at();
            (first, last) = (first.min(at), last.max(at));
            at.cast_unsigned()
        }));
        if rows.is_empty() {
            return;
        }
        let place_bits = u64::BITS - (rows.len() as u64 - 1).leading_zeros();
        let bits = place_bits + u64::BITS - last.abs_diff(first).leading_zeros();
        if bits <= u64::BITS && u32::try_from(rows.len()).is_ok() {
            let (first, place_of) = (first.cast_unsigned(), (1 << place_bits) - 1);
            for (word, place) in words.iter_mut().zip(0..) {
                *word = word.wrapping_sub(first) << place_bits | place;
            }
            self.sort_words(bits);
            // The times stand in the words: rows that have none of their moment beside them are not looked at.
            let words = &mut self.places;
            sort_peers(
                rows,
                words,
                |word| word >> place_bits,
                |word| word & place_of,
            );
            words.iter_mut().for_each(|word| *word &= place_of);
        } else {
            let at = |place| rows[place as usize].at();
            words.clear();
            words.extend(0..rows.len() as u64);
            words.sort_unstable_by_key(|place| at(*place));
            sort_peers(rows, words, at, |place| place);
        }
    }

    /// Forgets the rows; the memory stays.
    pub(crate) fn clear(&mut self) {
        self.places.clear();
    }

    /// Bytes held, capacity included.
    pub(crate) fn bytes(&self) -> usize {
        (self.places.capacity() + self.boxed.capacity()) * size_of::<u64>()
            + self.boxes.capacity() * size_of::<u32>()
    }

    /// Sorts words of so many bits, fewer than 2³² of them.
    fn sort_words(&mut self, bits: u32) {
        let words = &mut self.places;
        if words.is_sorted() {
            return;
        }
        if words.len() < FEW {
            words.sort_unstable();
            return;
        }
        let box_bits = words.len().ilog2();
        let shift = bits.saturating_sub(box_bits);
        let box_of = |word: u64| (word >> shift) as usize & ((1 << box_bits) - 1);
        self.boxes.clear();
        self.boxes.resize(1 << box_bits, 0);
        words.iter().for_each(|word| self.boxes[box_of(*word)] += 1);
        // From how many each holds to where it begins.
        let (mut before, mut most) = (0, 0);
        for count in &mut self.boxes {
            most = most.max(*count);
            before += std::mem::replace(count, before);
        }
        self.boxed.resize(words.len(), 0);
        for word in &*words {
            let place = &mut self.boxes[box_of(*word)];
            self.boxed[*place as usize] = *word;
            *place += 1;
        }
        std::mem::swap(words, &mut self.boxed);
        if most > CROWD {
            let mut from = 0;
            for until in self.boxes.iter().map(|end| *end as usize) {
                if until - from > CROWD as usize {
                    words[from..until].sort_unstable();
                }
                from = until;
            }
        }
        // What is in no order yet stands in one box, at most CROWD places away.
        for i in 1..words.len() {
            let word = words[i];
            let mut place = i;
            while place > 0 && words[place - 1] > word {
                words[place] = words[place - 1];
                place -= 1;
            }
            words[place] = word;
        }
    }
}

/// Sorts the words of one moment by the rows whose places they hold.
#[inline]
fn sort_peers<T: Ord, M: PartialEq>(
    rows: &[T],
    words: &mut [u64],
    moment: impl Fn(u64) -> M,
    place: impl Fn(u64) -> u64,
) {
    let row = |word: &u64| &rows[place(*word) as usize];
    let mut from = 0;
    while from < words.len() {
        let of = moment(words[from]);
        let mut until = from + 1;
        while until < words.len() && moment(words[until]) == of {
            until += 1;
        }
        if until - from > 1 {
            words[from..until].sort_unstable_by(|a, b| row(a).cmp(row(b)));
        }
        from = until;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::Draws;

    #[test]
    fn the_order_is_that_of_the_rows_however_they_are_spread() {
        let mut draws = Draws::seeded(1);
        let mut order = TimeOrder::default();
        for round in 0..600 {
            let count = draws.one_of(&[0, 1, 2, 31, 32, 33, 500, 3_000]);
            let start = draws.one_of(&[EventTime::MIN, -7, 0, 1 << 50, EventTime::MAX - 5_000]);
            let spread = draws.one_of(&[1_u64, 2, 70, 5_000, 1 << 40, 1 << 52, 1 << 55, 1 << 62]);
            let crowd = draws.below(3);
            let mut rows: Vec<(EventTime, u64)> = (0..count)
                .map(|_| {
                    // Some in one place, and few far off.
                    let at = match (crowd, draws.below(20)) {
                        (0, _) | (1, 0) => draws.below(spread),
                        _ => draws.below(3),
                    };
                    let at = start.saturating_add_unsigned(at);
                    (at, draws.below(4))
                })
                .collect();
            if round % 5 == 0 {
                rows.sort_unstable();
            }
            order.find(&rows);
            let found = order.places.iter().map(|place| rows[*place as usize]);
            let found: Vec<_> = found.collect();
            let mut places = order.places.clone();
            places.sort_unstable();
            assert!(places.into_iter().eq(0..count), "round {round}: each once");
            rows.sort_unstable();
            assert_eq!(found, rows, "round {round}");
        }
    }
}
