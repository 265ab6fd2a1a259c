//! What waits for a moment, in slots by the digits of that moment: a timing wheel without an end.
//!
//! ```text
//! now      0x…4 A 7 3        a moment's slot: the first digit (of 4 bits) in which it differs from now, and that digit
//! moment   0x…4 A 9 F  ─▶ level 1, digit 9        levels 15 … 0, from 2⁶⁰ µs a slot to 1 µs
//! ```
//!
//! As time passes to `to`, slots below `to` are due whole, and the one slot that `to` lies in is dealt anew: an item
//! moves at most once a level, and nothing is compared with anything else. A backfill may span years in one epoch.

use thalweg_engine::time::EventTime;

/// What waits for a moment.
pub(crate) trait Waiting {
    /// The moment.
    fn at(&self) -> EventTime;
}

#[cfg(test)]
impl<T> Waiting for (EventTime, T) {
    fn at(&self) -> EventTime {
        self.0
    }
}

/// Bits of a digit: with fewer, items move more often; with more, there are more slots to look through.
const DIGIT_BITS: u32 = 4;
const DIGITS: usize = 1 << DIGIT_BITS;
const LEVELS: usize = (EventTime::BITS / DIGIT_BITS) as usize;

/// Bytes of a full piece of a slot, about. Slots of hours hold a good part of all keys: as one piece each, which grows to
/// twice its length, they would hold room for half as many again.
const PIECE_BYTES: usize = 4_096;

/// Emptied pieces that are kept for the next to be filled; the others give their memory back.
const SPARE_PIECES: usize = 16;

/// The items of a slot, in the order in which they came.
struct Slot<T> {
    full: Vec<Vec<T>>,
    /// The piece that is being filled.
    open: Vec<T>,
}

impl<T> Slot<T> {
    const EMPTY: Self = Self {
        full: Vec::new(),
        open: Vec::new(),
    };

    fn iter(&self) -> impl Iterator<Item = &T> {
        self.full.iter().flatten().chain(&self.open)
    }

    fn bytes(&self) -> usize {
        let items = self.full.len() * piece_items::<T>() + self.open.capacity();
        items * size_of::<T>() + self.full.capacity() * size_of::<Vec<T>>()
    }
}

/// Items by the moment that they wait for.
pub(crate) struct Wheel<T> {
    slots: Vec<Slot<T>>,
    /// A bit for each digit of a level that has items.
    filled: [u16; LEVELS],
    /// Items of moments that had passed when they came.
    overdue: Vec<T>,
    spare: Vec<Vec<T>>,
    /// Up to here time has passed, as bits that ascend.
    now: u64,
    len: usize,
}

impl<T: Waiting> Wheel<T> {
    /// A wheel without any item.
    pub(crate) fn new() -> Self {
        Self {
            slots: (0..LEVELS * DIGITS).map(|_| Slot::EMPTY).collect(),
            filled: [0; LEVELS],
            overdue: Vec::new(),
            spare: Vec::new(),
            now: 0,
            len: 0,
        }
    }

    /// How many items wait.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Bytes held, capacity included; what items own beyond themselves is not.
    pub(crate) fn bytes(&self) -> usize {
        let slots: usize = self.slots.iter().map(Slot::bytes).sum();
        let spare = self.spare.len() * piece_items::<T>() + self.overdue.capacity();
        slots + spare * size_of::<T>()
    }

    /// The items, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().flat_map(Slot::iter).chain(&self.overdue)
    }

    /// Lets an item wait.
    #[inline]
    pub(crate) fn push(&mut self, item: T) {
        self.len += 1;
        self.place(item);
    }

    #[inline]
    fn place(&mut self, item: T) {
        let moment = bits(item.at());
        if moment < self.now {
            self.overdue.push(item);
            return;
        }
        let level = level_of(moment ^ self.now);
        let digit = digit_of(moment, level);
        self.filled[level] |= 1 << digit;
        let slot = &mut self.slots[level * DIGITS + digit];
        if slot.open.len() == slot.open.capacity() {
            make_room(slot, &mut self.spare);
        }
        slot.open.push(item);
    }

    /// Takes out every item whose moment `to` has passed: those before it.
    pub(crate) fn pass(&mut self, to: EventTime, due: &mut Vec<T>) {
        let first = due.len();
        due.append(&mut self.overdue);
        let to = bits(to);
        if to > self.now {
            self.turn(to, due);
        }
        self.len -= due.len() - first;
    }

    /// Takes out everything.
    pub(crate) fn pass_all(&mut self, due: &mut Vec<T>) {
        due.append(&mut self.overdue);
        for level in 0..LEVELS {
            self.empty(level, 0..DIGITS, due);
        }
        self.len = 0;
    }

    fn turn(&mut self, to: u64, due: &mut Vec<T>) {
        let top = level_of(to ^ self.now);
        for level in 0..top {
            self.empty(level, 0..DIGITS, due);
        }
        let split = digit_of(to, top);
        self.empty(top, 0..split, due);
        self.now = to;
        let Slot { full, open } = self.take(top, split);
        for mut piece in full.into_iter().chain([open]) {
            for item in piece.drain(..) {
                if bits(item.at()) < to {
                    due.push(item);
                } else {
                    self.place(item);
                }
            }
            self.give_back(piece);
        }
    }

    /// Empties the slots of some digits of a level.
    fn empty(&mut self, level: usize, digits: std::ops::Range<usize>, due: &mut Vec<T>) {
        for digit in digits {
            if self.filled[level] & 1 << digit != 0 {
                let Slot { full, open } = self.take(level, digit);
                for mut piece in full.into_iter().chain([open]) {
                    due.append(&mut piece);
                    self.give_back(piece);
                }
            }
        }
    }

    fn take(&mut self, level: usize, digit: usize) -> Slot<T> {
        self.filled[level] &= !(1 << digit);
        std::mem::replace(&mut self.slots[level * DIGITS + digit], Slot::EMPTY)
    }

    fn give_back(&mut self, piece: Vec<T>) {
        if self.spare.len() < SPARE_PIECES && piece.capacity() >= piece_items::<T>() {
            self.spare.push(piece);
        }
    }
}

/// Items of a full piece.
const fn piece_items<T>() -> usize {
    let items = PIECE_BYTES
        / if size_of::<T>() == 0 {
            1
        } else {
            size_of::<T>()
        };
    if items < 8 { 8 } else { items }
}

/// Makes room for an item: the first piece of a slot grows, for most slots hold little.
#[inline(never)]
fn make_room<T>(slot: &mut Slot<T>, spare: &mut Vec<Vec<T>>) {
    let items = piece_items::<T>();
    if slot.open.len() >= items {
        let next = spare.pop().unwrap_or_else(|| Vec::with_capacity(items));
        slot.full.push(std::mem::replace(&mut slot.open, next));
    } else if slot.open.capacity() == 0
        && let Some(piece) = spare.pop()
    {
        slot.open = piece;
    } else {
        let more = slot.open.len().max(4).min(items - slot.open.len());
        slot.open.reserve_exact(more);
    }
}

/// A moment as bits in the same order.
#[inline(always)]
fn bits(moment: EventTime) -> u64 {
    moment.cast_unsigned() ^ 1 << 63
}

/// The level of the highest bit; 0 for none.
#[inline(always)]
fn level_of(difference: u64) -> usize {
    ((difference | 1).ilog2() / DIGIT_BITS) as usize
}

#[inline(always)]
fn digit_of(moment: u64, level: usize) -> usize {
    #[expect(clippy::cast_possible_truncation, reason = "a digit has four bits")]
    let digit = (moment >> (level as u32 * DIGIT_BITS)) as usize % DIGITS;
    digit
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::Draws;

    #[test]
    fn every_item_is_taken_once_and_only_after_its_moment() {
        let mut draws = Draws::seeded(1);
        let edges = [EventTime::MIN, -1, 0, 1, EventTime::MAX - 1, EventTime::MAX];
        for round in 0..60 {
            let mut wheel = Wheel::<(EventTime, u32)>::new();
            let mut waiting: Vec<(EventTime, u32)> = Vec::new();
            let mut now = [EventTime::MIN, -5_000, 0, 1 << 50][round % 4];
            let reach = [10, 3_000, 400_000_000_000][round % 3];
            for step in 0..2_000 {
                let moment = match draws.below(100) {
                    0 => draws.one_of(&edges),
                    1..10 => now.saturating_sub(draws.within(0..=reach - 1)),
                    _ => now.saturating_add(draws.within(0..=reach - 1)),
                };
                wheel.push((moment, step));
                waiting.push((moment, step));
                if step % 7 == 0 {
                    let ahead = if step % 70 == 0 {
                        3 * reach
                    } else {
                        reach / 8 + 1
                    };
                    now = now.saturating_add(draws.within(0..=ahead - 1));
                    let mut due = Vec::new();
                    wheel.pass(now, &mut due);
                    due.sort_unstable();
                    let mut expected = waiting.clone();
                    expected.retain(|item| item.0 < now);
                    expected.sort_unstable();
                    assert_eq!(due, expected, "round {round}, step {step}");
                    waiting.retain(|item| item.0 >= now);
                    assert_eq!(wheel.len(), waiting.len());
                    assert_eq!(wheel.iter().count(), waiting.len());
                }
            }
            let mut rest = Vec::new();
            wheel.pass_all(&mut rest);
            rest.sort_unstable();
            waiting.sort_unstable();
            assert_eq!((rest, wheel.len()), (waiting, 0));
        }
    }

    /// Nothing but its moment.
    struct Alone(EventTime);

    impl Waiting for Alone {
        fn at(&self) -> EventTime {
            self.0
        }
    }

    #[test]
    fn emptied_slots_give_their_memory_back() {
        let mut wheel = Wheel::<Alone>::new();
        let mut due = Vec::new();
        for now in 0..200_000 {
            wheel.push(Alone(now * 1_000 + 3_600_000));
            wheel.pass(now * 1_000, &mut due);
        }
        assert_eq!(wheel.len(), 3_601);
        assert!(wheel.bytes() < 40 * 3_600, "{} bytes", wheel.bytes());
    }
}
