//! When a key's row changes with no new event: handles by the moment after which they are due.
//!
//! Setting is a push, taking is a drain; see [`Wheel`].

use thalweg_engine::time::EventTime;

use crate::window::rolling::wheel::{Waiting, Wheel};

/// A handle with the moment after which it is due, in twelve bytes: every key that can expire has one.
#[derive(Clone, Copy)]
struct Timer {
    after: [u32; 2],
    handle: u32,
}

impl Timer {
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
    fn new(after: EventTime, handle: u32) -> Self {
        let bits = after.cast_unsigned();
        Self {
            after: [(bits >> 32) as u32, bits as u32],
            handle,
        }
    }
}

impl Waiting for Timer {
    #[inline(always)]
    fn at(&self) -> EventTime {
        let [high, low] = self.after.map(u64::from);
        (high << 32 | low).cast_signed()
    }
}

/// Handles by the moment after which they are due.
pub(crate) struct Timers {
    wheel: Wheel<Timer>,
    passed: Vec<Timer>,
}

impl Timers {
    pub(crate) fn new() -> Self {
        Self {
            wheel: Wheel::new(),
            passed: Vec::new(),
        }
    }

    /// Sets a timer: `handle` is due once the watermark has passed `after`.
    #[inline]
    pub(crate) fn set(&mut self, handle: u32, after: EventTime) {
        self.wheel.push(Timer::new(after, handle));
    }

    /// Bytes held, capacity included.
    pub(crate) fn bytes(&self) -> usize {
        self.wheel.bytes() + self.passed.capacity() * size_of::<Timer>()
    }

    /// Takes out every handle that is due at `watermark`.
    pub(crate) fn take_due(&mut self, watermark: EventTime, due: &mut Vec<u32>) {
        self.wheel.pass(watermark, &mut self.passed);
        due.extend(self.passed.drain(..).map(|timer| timer.handle));
    }
}
