//! When a key's row changes with no new event: handles by the moment after which they are due.
//!
//! Setting is a push, taking is a drain; see [`Wheel`].

use thalweg_engine::time::EventTime;

use crate::window::rolling::wheel::Wheel;

/// A handle with the moment after which it is due.
type Timer = (EventTime, u32);

/// Handles by the moment after which they are due.
pub(crate) struct Timers {
    wheel: Wheel<Timer>,
    passed: Vec<Timer>,
}

impl Timers {
    pub(crate) fn new() -> Self {
        Self {
            wheel: Wheel::new(|timer| timer.0),
            passed: Vec::new(),
        }
    }

    /// Sets a timer: `handle` is due once the watermark has passed `after`.
    #[inline]
    pub(crate) fn set(&mut self, handle: u32, after: EventTime) {
        self.wheel.push((after, handle));
    }

    /// Bytes held, capacity included.
    pub(crate) fn bytes(&self) -> usize {
        self.wheel.bytes() + self.passed.capacity() * size_of::<Timer>()
    }

    /// Takes out every handle that is due at `watermark`.
    pub(crate) fn take_due(&mut self, watermark: EventTime, due: &mut Vec<u32>) {
        self.wheel.pass(watermark, &mut self.passed);
        due.extend(self.passed.drain(..).map(|timer| timer.1));
    }
}
