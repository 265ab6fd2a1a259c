//! The features that newer ones of their key have taken the place of, as it came to be so.
//!
//! ```text
//! first ─▶ │ f₃ │ f₁ ─ prev ─▶ f₃ │ … │ f₇ ─ prev ─▶ f₁, jump ─▶ f₃ │ ◀─ end
//! ```
//!
//! Places are numbers that are never used twice, so that a feature that was let go is known by its place alone.

use std::collections::VecDeque;

use thalweg_engine::time::EventTime;

use super::heads::{NONE, Timed};

/// A feature that is not its key's newest.
pub(super) struct Logged<R> {
    pub(super) feature: Timed<R>,
    pub(super) prev: u64,
    /// One further back, so that a search takes as many steps as the length has bits.
    jump: u64,
    depth: u32,
    /// No label from here on matches it.
    pub(super) until: EventTime,
    /// Whether it was taken out of its chain.
    pub(super) is_gone: bool,
}

/// The features, by place.
pub(super) struct Log<R> {
    features: VecDeque<Logged<R>>,
    first: u64,
}

impl<R> Log<R> {
    pub(super) fn new() -> Self {
        Self {
            features: VecDeque::new(),
            first: 0,
        }
    }

    /// The feature at a place, unless it was let go.
    #[inline(always)]
    pub(super) fn at(&self, place: u64) -> Option<&Logged<R>> {
        self.features.get(self.index(place))
    }

    #[inline(always)]
    pub(super) fn at_mut(&mut self, place: u64) -> Option<&mut Logged<R>> {
        let index = self.index(place);
        self.features.get_mut(index)
    }

    /// Where a place is; beyond the end for one that was let go, and for none.
    #[inline(always)]
    fn index(&self, place: u64) -> usize {
        usize::try_from(place.wrapping_sub(self.first)).unwrap_or(usize::MAX)
    }

    /// The place of the next feature.
    #[inline(always)]
    pub(super) fn end(&self) -> u64 {
        self.first + self.features.len() as u64
    }

    /// From a place in a chain, the last feature that is still `newer`, if any is, and the one after it.
    #[inline(always)]
    pub(super) fn descend(
        &self,
        mut place: u64,
        newer: impl Fn(&Timed<R>) -> bool,
    ) -> (Option<u64>, u64) {
        let mut last = None;
        while let Some(logged) = self.at(place) {
            if !newer(&logged.feature) {
                break;
            }
            last = Some(place);
            place = logged.prev;
            if let Some(jumped) = self.at(logged.jump)
                && !jumped.is_gone
                && newer(&jumped.feature)
            {
                last = Some(logged.jump);
                place = jumped.prev;
            }
        }
        (last, place)
    }

    /// Adds a feature that comes before the one at `prev` in its chain. Jumps are those of a stack (Myers 1983, «An applicative
    /// random-access stack»), twice as far where the two before are as far as each other; what comes to lie between a
    /// feature and where it jumps to makes the jump longer, never wrong.
    #[inline(always)]
    pub(super) fn push(&mut self, feature: Timed<R>, prev: u64, until: EventTime) {
        let (mut jump, mut depth) = (prev, 0);
        if let Some(before) = self.at(prev) {
            depth = before.depth.saturating_add(1);
            if let Some(first) = self.at(before.jump)
                && let Some(second) = self.at(first.jump)
                && before.depth.wrapping_sub(first.depth) == first.depth.wrapping_sub(second.depth)
            {
                jump = first.jump;
            }
        }
        self.features.push_back(Logged {
            feature,
            prev,
            jump,
            depth,
            until,
            is_gone: false,
        });
    }

    /// Lets go of what is dead where the log begins.
    pub(super) fn trim(&mut self, watermark: EventTime) {
        while let Some(oldest) = self.features.front()
            && oldest.until < watermark
        {
            self.features.pop_front();
            self.first += 1;
        }
    }

    /// Lets go of all that is dead; the new places of the old ones.
    pub(super) fn compact(&mut self, watermark: EventTime) -> impl Fn(u64) -> u64 + use<R> {
        let (old_first, first) = (self.first, self.end());
        let mut next = first;
        let moved = self.features.iter().map(|logged| {
            let lives = logged.until >= watermark;
            next += u64::from(lives);
            if lives { next - 1 } else { NONE }
        });
        let moved: Vec<u64> = moved.collect();
        let place_of = move |place: u64| {
            let index = usize::try_from(place.wrapping_sub(old_first)).unwrap_or(usize::MAX);
            moved.get(index).copied().unwrap_or(NONE)
        };
        self.features.retain(|logged| logged.until >= watermark);
        self.first = first;
        for logged in &mut self.features {
            logged.prev = place_of(logged.prev);
            logged.jump = place_of(logged.jump);
        }
        place_of
    }

    pub(super) fn len(&self) -> usize {
        self.features.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.features.capacity() * size_of::<Logged<R>>()
    }
}
