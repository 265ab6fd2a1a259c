//! Which keys have been silent for long, about: a byte for each key, counted down as the watermark passes.
//!
//! ```text
//! handle      0   1   2   3 …
//! steps left  40  0   3   66      0: nobody is there, or it was told already
//! ```
//!
//! A step is between a 32nd and a 64th of the span for which a key is waited for. Noting an event is one write; all keys
//! are counted down together, 16 at an instruction, once a step.

use thalweg_engine::state::prefetch;
use thalweg_engine::time::{EventTime, WATERMARK_NONE};

use crate::window::rolling::store::AHEAD;

/// Bytes that are looked at together.
const LANES: usize = 64;

/// How long each key may still be silent, in steps.
pub(in crate::window) struct Silences {
    left: Vec<u8>,
    step_bits: u32,
    now: i64,
}

impl Silences {
    /// For keys that are waited for over about `span_us`.
    pub(in crate::window) fn new(span_us: i64) -> Self {
        let step_bits = (span_us.max(1) / 32).max(1).ilog2();
        Self {
            left: Vec::new(),
            step_bits,
            now: WATERMARK_NONE >> step_bits,
        }
    }

    /// A key is waited for until the watermark has passed `after`, and one or two steps longer.
    #[inline]
    pub(in crate::window) fn note(&mut self, handle: u32, after: EventTime) {
        let handle = handle as usize;
        if handle >= self.left.len() {
            self.make_room(handle);
        }
        let steps = (after >> self.step_bits)
            .saturating_sub(self.now)
            .saturating_add(1);
        #[expect(
            clippy::cast_sign_loss,
            reason = "clamped: a key that is waited for longer is looked at again"
        )]
        let steps = steps.clamp(1, 255) as u8;
        self.left[handle] = self.left[handle].max(steps);
    }

    /// Asks for the byte of a key some places ahead in a list.
    #[inline(always)]
    pub(in crate::window) fn prefetch_ahead(&self, list: &[u32], i: usize) {
        if let Some(far) = list.get(i + 3 * AHEAD) {
            prefetch(&self.left, *far as usize);
        }
    }

    #[cold]
    fn make_room(&mut self, handle: usize) {
        self.left.resize((handle + 1).next_multiple_of(LANES), 0);
    }

    /// Lets time pass to `watermark`, and tells the keys that have been silent, by handle; each once.
    pub(in crate::window) fn pass(&mut self, watermark: EventTime, silent: &mut Vec<u32>) {
        let now = watermark >> self.step_bits;
        if now <= self.now {
            return;
        }
        let steps = u8::try_from(now.saturating_sub(self.now)).unwrap_or(u8::MAX);
        self.now = now;
        for (chunk, first) in self.left.chunks_exact_mut(LANES).zip((0..).step_by(LANES)) {
            let ends = |left: u8| left.wrapping_sub(1) < steps;
            if chunk.iter().fold(false, |any, left| any | ends(*left)) {
                let ended = chunk.iter().zip(first..).filter(|(left, _)| ends(**left));
                silent.extend(ended.map(|(_, handle)| handle));
            }
            chunk
                .iter_mut()
                .for_each(|left| *left = left.saturating_sub(steps));
        }
    }

    /// Bytes held.
    pub(in crate::window) fn bytes(&self) -> usize {
        self.left.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::Draws;

    #[test]
    fn a_key_is_told_once_after_its_moment_and_at_most_two_steps_later() {
        let mut draws = Draws::seeded(5);
        for span in [1, 7, 31, 32, 1_000, 604_800_000_000] {
            let mut silences = Silences::new(span);
            let slack = 2 << (span / 32).max(1).ilog2();
            let mut waited = vec![None; 300];
            let (mut now, mut silent) = (1_000_000_000_000_000, Vec::new());
            silences.pass(now, &mut silent);
            for _ in 0..3_000 {
                let handle = draws.below(300) as u32;
                let after = now + draws.within(0..=2 * span - 1);
                silences.note(handle, after);
                let waited_until = &mut waited[handle as usize];
                *waited_until = Some(after).max(*waited_until);
                if draws.below(4) == 0 {
                    let step = draws.within(0..=span / 8 + 1);
                    now += step * if draws.below(50) == 0 { 40 } else { 1 };
                    silences.pass(now, &mut silent);
                    for handle in silent.drain(..) {
                        let after = waited[handle as usize].take();
                        assert!(after.is_some_and(|after| after < now), "span {span}");
                    }
                    let forgotten = waited.iter().flatten().find(|after| **after + slack < now);
                    assert_eq!(forgotten, None, "span {span}, now {now}");
                }
            }
        }
    }
}
