//! When a key's row changes with no new event: one timer per key, for the first event that leaves a window.
//!
//! ```text
//! far    by the minute (2²⁶ µs), unsorted ─ the watermark enters one ─▶ near: 64 slots of about a second
//! ```
//!
//! Setting is a push, taking is a drain; only the slot that the watermark stands in is looked through.

use std::collections::BTreeMap;

use thalweg_engine::time::EventTime;

const FAR_SHIFT: u32 = 26;
const NEAR_SHIFT: u32 = 20;
const SLOTS: usize = 1 << (FAR_SHIFT - NEAR_SHIFT);

/// A handle with the moment after which it is due.
type Timer = (EventTime, u32);

/// Handles by the moment after which they are due.
pub(crate) struct Timers {
    far: BTreeMap<i64, Vec<Timer>>,
    near: Vec<Vec<Timer>>,
    /// The minute that the near slots stand for.
    minute: i64,
}

impl Timers {
    pub(crate) fn new() -> Self {
        Self {
            far: BTreeMap::new(),
            near: (0..SLOTS).map(|_| Vec::new()).collect(),
            minute: i64::MIN >> FAR_SHIFT,
        }
    }

    /// Sets a timer: `handle` is due once the watermark has passed `after`.
    #[inline]
    pub(crate) fn set(&mut self, handle: u32, after: EventTime) {
        let minute = after >> FAR_SHIFT;
        if minute > self.minute {
            self.far.entry(minute).or_default().push((after, handle));
        } else {
            self.set_near(handle, after);
        }
    }

    /// Sets a timer that may be due up to `slack_us` later: few moments are told apart, so that many keys share one.
    #[inline]
    pub(crate) fn set_roughly(&mut self, handle: u32, after: EventTime, slack_us: i64) {
        let step = slack_us.max(1).ilog2();
        self.set(handle, after | ((1 << step) - 1));
    }

    #[inline]
    fn set_near(&mut self, handle: u32, after: EventTime) {
        let slot = (after >> NEAR_SHIFT).saturating_sub(self.minute << (FAR_SHIFT - NEAR_SHIFT));
        let slot = usize::try_from(slot).unwrap_or(0).min(SLOTS - 1);
        self.near[slot].push((after, handle));
    }

    /// Takes out every handle that is due at `watermark`.
    pub(crate) fn take_due(&mut self, watermark: EventTime, due: &mut Vec<u32>) {
        let minute = watermark >> FAR_SHIFT;
        if minute > self.minute {
            let passed = self.near.iter_mut().flat_map(|slot| slot.drain(..));
            due.extend(passed.map(|timer| timer.1));
            self.minute = minute;
        }
        while let Some(first) = self.far.first_entry() {
            if *first.key() > minute {
                break;
            }
            let (at, timers) = first.remove_entry();
            if at < minute {
                due.extend(timers.iter().map(|timer| timer.1));
            } else {
                timers
                    .into_iter()
                    .for_each(|(after, handle)| self.set_near(handle, after));
            }
        }
        let second = (watermark >> NEAR_SHIFT) - (minute << (FAR_SHIFT - NEAR_SHIFT));
        let current = usize::try_from(second).unwrap_or(0).min(SLOTS - 1);
        for slot in &mut self.near[..current] {
            due.extend(slot.drain(..).map(|timer| timer.1));
        }
        self.near[current].retain(|timer| {
            let waits = timer.0 >= watermark;
            if !waits {
                due.push(timer.1);
            }
            waits
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_timer_is_taken_once_and_only_after_its_moment() {
        let mut timers = Timers::new();
        let mut waiting: Vec<Timer> = Vec::new();
        let (mut seed, mut now) = (1_u64, 0_i64);
        for step in 0..20_000_u32 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let ahead = i64::try_from((seed >> 33) % 300_000_000).unwrap();
            timers.set(step, now + ahead);
            waiting.push((now + ahead, step));
            if step % 7 == 0 {
                now += i64::try_from(
                    (seed >> 20) % if step % 70 == 0 { 400_000_000 } else { 900_000 },
                )
                .unwrap();
                let mut due = Vec::new();
                timers.take_due(now, &mut due);
                due.sort_unstable();
                let mut expected: Vec<u32> = waiting
                    .iter()
                    .filter(|timer| timer.0 < now)
                    .map(|timer| timer.1)
                    .collect();
                expected.sort_unstable();
                assert_eq!(due, expected);
                waiting.retain(|timer| timer.0 >= now);
            }
        }
    }
}
