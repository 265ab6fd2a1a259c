//! A monotonic stack: the events that are the extreme of some window that ends now, oldest first.
//!
//! For a minimum: times ascend, values ascend, and of any later suffix of the events the first entry in it is the
//! least. Unlike the textbook's queue it takes events in the middle and lets go of any.
//!
//! # Invariants
//! 1. An event is in the stack exactly when no event after it (in ring order) is at least as extreme.
//! 2. The entries stand in ring order.

use thalweg_engine::state::{Blocks, Deque};
use thalweg_engine::time::EventTime;

use crate::window::rolling::form::{Form, Sealed};

/// Which extreme a stack keeps.
pub(super) trait Extreme {
    /// Whether `a` is at least as extreme as `b`.
    fn dominates<T: Ord>(a: T, b: T) -> bool;
}

/// The least.
#[derive(Clone, Copy, Debug)]
pub(super) struct Least;
/// The greatest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Greatest;

impl Extreme for Least {
    #[inline(always)]
    fn dominates<T: Ord>(a: T, b: T) -> bool {
        a <= b
    }
}

impl Extreme for Greatest {
    #[inline(always)]
    fn dominates<T: Ord>(a: T, b: T) -> bool {
        a >= b
    }
}

/// An event of one lane.
pub(super) type Entry<F> = (<F as Sealed>::Time, <F as Sealed>::Number);

/// The stack of one lane and one extreme, whose entries lie in a room of all keys' stacks.
#[derive(Debug)]
pub(super) struct Stack<E, F> {
    entries: Deque,
    extreme: std::marker::PhantomData<(E, F)>,
}

impl<E: Extreme, F: Form> Stack<E, F> {
    pub(super) fn new() -> Self {
        Self {
            entries: Deque::new(),
            extreme: std::marker::PhantomData,
        }
    }

    /// Gives up all entries and their room.
    pub(super) fn clear(&mut self, room: &mut Blocks<Entry<F>>) {
        self.entries.clear(room);
    }

    /// Asks for the oldest and the newest entry.
    #[inline(always)]
    pub(super) fn prefetch_ends(&self, room: &Blocks<Entry<F>>) {
        self.entries.prefetch(room, 0);
        self.entries
            .prefetch(room, self.entries.len().saturating_sub(1));
    }

    /// The extreme of the events from `start` on; `from` speeds up a walk over windows from wide to narrow.
    #[inline(always)]
    pub(super) fn first_from(
        &self,
        room: &Blocks<Entry<F>>,
        (anchor, start): (u32, EventTime),
        from: &mut usize,
    ) -> Option<F::Number> {
        let entries = self.entries.rows(room);
        loop {
            let (at, value) = entries.get(*from)?;
            if F::time(anchor, at) >= start {
                return Some(value);
            }
            *from += 1;
        }
    }

    /// An event newer than (or as new as) all others.
    #[inline]
    pub(super) fn push(&mut self, room: &mut Blocks<Entry<F>>, (at, value): Entry<F>) {
        if value == F::NULL {
            return;
        }
        let entries = self.entries.rows(room);
        let dominated = (0..entries.len())
            .rev()
            .take_while(|i| E::dominates(value, entries[*i].1))
            .count();
        self.entries.drop_back(dominated);
        self.entries.push_back(room, (at, value));
    }

    /// An event somewhere in the middle, after all others of its time.
    pub(super) fn insert(&mut self, room: &mut Blocks<Entry<F>>, (at, value): Entry<F>) {
        if value == F::NULL {
            return;
        }
        let entries = self.entries.rows(room);
        let place = entries.partition_point(|entry| entry.0 <= at);
        let next = entries.get(place);
        if next.is_some_and(|next| E::dominates(next.1, value)) {
            return;
        }
        let mut first = place;
        while first > 0 && E::dominates(value, entries[first - 1].1) {
            first -= 1;
        }
        if first < place {
            self.entries.set(room, first, (at, value));
            self.entries.remove(room, first + 1, place - first - 1);
        } else {
            self.entries.insert(room, place, (at, value));
        }
    }

    /// An event that has left the ring. `older` yields what the ring still holds, from time `at` back to the oldest.
    pub(super) fn remove(
        &mut self,
        room: &mut Blocks<Entry<F>>,
        (at, value): Entry<F>,
        older: impl Iterator<Item = Entry<F>>,
    ) {
        let entries = self.entries.rows(room);
        let first = entries.partition_point(|entry| entry.0 < at);
        let mut same_time = entries.range(first..).take_while(|entry| entry.0 == at);
        let Some(offset) = same_time.position(|entry| entry.1 == value) else {
            return;
        };
        let place = first + offset;
        let before = place.checked_sub(1).map(|index| entries[index]);
        let mut best = entries.get(place + 1).map(|next| next.1);
        self.entries.remove(room, place, 1);
        let mut surfaced = Vec::new();
        for event in older {
            if before == Some(event) || before.is_some_and(|before| event.0 < before.0) {
                break;
            }
            if event.1 != F::NULL && best.is_none_or(|best| !E::dominates(best, event.1)) {
                best = Some(event.1);
                surfaced.push(event);
            }
        }
        for event in surfaced {
            self.entries.insert(room, place, event);
        }
    }

    /// Drops the entries before `cut`.
    #[inline(always)]
    pub(super) fn evict(&mut self, room: &Blocks<Entry<F>>, anchor: u32, cut: EventTime) {
        let entries = self.entries.rows(room);
        let is_old = |i: &usize| F::time(anchor, entries[*i].0) < cut;
        let old = (0..entries.len()).take_while(is_old).count();
        self.entries.drop_front(old);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::Draws;
    use crate::value::NULL;
    use crate::window::rolling::form::Wide;

    /// Invariant 1, by brute force over the ring.
    fn expected(ring: &[(EventTime, i64)]) -> Vec<(EventTime, i64)> {
        let later_dominates = |i: usize| {
            ring[i + 1..]
                .iter()
                .any(|later| later.1 != NULL && later.1 <= ring[i].1)
        };
        (0..ring.len())
            .filter(|i| ring[*i].1 != NULL && !later_dominates(*i))
            .map(|i| ring[i])
            .collect()
    }

    #[test]
    fn the_stack_holds_what_brute_force_holds_through_inserts_and_removals_with_ties() {
        let mut draws = Draws::seeded(7);
        for _ in 0..300 {
            let mut ring = Vec::<(EventTime, i64)>::new();
            let (mut stack, mut room) = (Stack::<Least, Wide>::new(), Blocks::new());
            for _ in 0..60 {
                if !ring.is_empty() && draws.below(3) == 0 {
                    let place = draws.below(ring.len() as u64) as usize;
                    // An equal event that stands first is the one that leaves, as in the ring.
                    let event = ring[place];
                    let place = ring.iter().position(|other| *other == event).unwrap();
                    ring.remove(place);
                    let until = ring.partition_point(|other| other.0 <= event.0);
                    stack.remove(&mut room, event, ring[..until].iter().rev().copied());
                } else {
                    let value = if draws.below(10) == 0 {
                        NULL
                    } else {
                        draws.within(0..=5)
                    };
                    let event = (draws.within(0..=7), value);
                    let place = ring.partition_point(|other| other.0 <= event.0);
                    if place == ring.len() {
                        stack.push(&mut room, event);
                    } else {
                        stack.insert(&mut room, event);
                    }
                    ring.insert(place, event);
                }
                // Entries equal in time and value may stand for one another; compare what they are.
                let entries: Vec<_> = stack.entries.rows(&room).iter().copied().collect();
                assert_eq!(entries, expected(&ring), "ring {ring:?}");
            }
        }
    }
}
