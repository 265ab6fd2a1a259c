//! A monotonic stack: the events that are the extreme of some window that ends now, oldest first.
//!
//! For a minimum: times ascend, values ascend, and of any later suffix of the events the first entry in it is the
//! least. Unlike the textbook's queue it takes events in the middle and lets go of any.
//!
//! # Invariants
//! 1. An event is in the stack exactly when no event after it (in ring order) is at least as extreme.
//! 2. The entries stand in ring order.

use std::collections::VecDeque;

use thalweg_engine::time::EventTime;

use crate::window::rolling::form::Form;

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

/// The stack of one lane and one extreme.
#[derive(Clone, Debug)]
pub(super) struct Stack<E, F: Form> {
    entries: VecDeque<(F::Time, F::Number)>,
    extreme: std::marker::PhantomData<E>,
}

impl<E: Extreme, F: Form> Stack<E, F> {
    pub(super) fn new() -> Self {
        Self {
            entries: VecDeque::new(),
            extreme: std::marker::PhantomData,
        }
    }

    pub(super) fn capacity(&self) -> usize {
        self.entries.capacity()
    }

    /// The oldest and the newest entry, for prefetching.
    #[inline(always)]
    pub(super) fn ends(&self) -> impl Iterator<Item = &(F::Time, F::Number)> {
        self.entries.front().into_iter().chain(self.entries.back())
    }

    /// The extreme of the events from `start` on; `from` speeds up a walk over windows from wide to narrow.
    #[inline(always)]
    pub(super) fn first_from(
        &self,
        anchor: u32,
        start: EventTime,
        from: &mut usize,
    ) -> Option<F::Number> {
        loop {
            let (at, value) = *self.entries.get(*from)?;
            if F::time(anchor, at) >= start {
                return Some(value);
            }
            *from += 1;
        }
    }

    /// An event newer than (or as new as) all others.
    #[inline]
    pub(super) fn push(&mut self, at: F::Time, value: F::Number) {
        if value == F::NULL {
            return;
        }
        while self
            .entries
            .back()
            .is_some_and(|last| E::dominates(value, last.1))
        {
            self.entries.pop_back();
        }
        self.make_room();
        self.entries.push_back((at, value));
    }

    /// Grows by half, not to twice: a stack holds few, and there are two for each lane of a key.
    #[inline(always)]
    fn make_room(&mut self) {
        let length = self.entries.len();
        if length == self.entries.capacity() {
            self.entries.reserve_exact((length / 2).max(1));
        }
    }

    /// An event somewhere in the middle, after all others of its time.
    pub(super) fn insert(&mut self, at: F::Time, value: F::Number) {
        if value == F::NULL {
            return;
        }
        let place = self.entries.partition_point(|entry| entry.0 <= at);
        if self
            .entries
            .get(place)
            .is_some_and(|next| E::dominates(next.1, value))
        {
            return;
        }
        let mut first = place;
        while first > 0 && E::dominates(value, self.entries[first - 1].1) {
            first -= 1;
        }
        if first < place {
            self.entries[first] = (at, value);
            self.entries.drain(first + 1..place);
        } else {
            self.make_room();
            self.entries.insert(place, (at, value));
        }
    }

    /// An event that has left the ring. `older` yields what the ring still holds, from time `at` back to the oldest.
    pub(super) fn remove(
        &mut self,
        at: F::Time,
        value: F::Number,
        older: impl Iterator<Item = (F::Time, F::Number)>,
    ) {
        let first = self.entries.partition_point(|entry| entry.0 < at);
        let same_time = self
            .entries
            .range(first..)
            .take_while(|entry| entry.0 == at);
        let Some(offset) = same_time.clone().position(|entry| entry.1 == value) else {
            return;
        };
        let place = first + offset;
        self.entries.remove(place);
        let before = place.checked_sub(1).map(|index| self.entries[index]);
        let mut best = self.entries.get(place).map(|next| next.1);
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
            self.make_room();
            self.entries.insert(place, event);
        }
    }

    /// Drops the entries before `cut`.
    pub(super) fn evict(&mut self, anchor: u32, cut: EventTime) {
        let is_old = |first: &(F::Time, F::Number)| F::time(anchor, first.0) < cut;
        while self.entries.front().is_some_and(is_old) {
            self.entries.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
        let mut seed = 7_u64;
        let mut draw = |limit: u64| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % limit
        };
        for _ in 0..300 {
            let (mut ring, mut stack) =
                (Vec::<(EventTime, i64)>::new(), Stack::<Least, Wide>::new());
            for _ in 0..60 {
                if !ring.is_empty() && draw(3) == 0 {
                    let place = draw(ring.len() as u64) as usize;
                    // An equal event that stands first is the one that leaves, as in the ring.
                    let event = ring[place];
                    let place = ring.iter().position(|other| *other == event).unwrap();
                    ring.remove(place);
                    let until = ring.partition_point(|other| other.0 <= event.0);
                    stack.remove(event.0, event.1, ring[..until].iter().rev().copied());
                } else {
                    let value = if draw(10) == 0 { NULL } else { draw(6) as i64 };
                    let event = (draw(8) as i64, value);
                    let place = ring.partition_point(|other| other.0 <= event.0);
                    if place == ring.len() {
                        stack.push(event.0, event.1);
                    } else {
                        stack.insert(event.0, event.1);
                    }
                    ring.insert(place, event);
                }
                // Entries equal in time and value may stand for one another; compare what they are.
                let entries: Vec<_> = stack.entries.iter().copied().collect();
                assert_eq!(entries, expected(&ring), "ring {ring:?}");
            }
        }
    }
}
