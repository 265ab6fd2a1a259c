//! CPU time and wall time of a piece of work.

use std::time::Instant;

use cpu_time::ProcessTime;

/// What a run cost.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    /// CPU seconds of the whole process, all threads.
    pub cpu_s: f64,
    /// Wall seconds.
    pub wall_s: f64,
}

impl std::ops::Sub for Cost {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            cpu_s: self.cpu_s - before.cpu_s,
            wall_s: self.wall_s - before.wall_s,
        }
    }
}

/// Measures from a moment on.
#[derive(Clone, Copy)]
pub struct Stopwatch {
    cpu: ProcessTime,
    wall: Instant,
}

impl Stopwatch {
    /// Begins now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "a bench reads the clock")]
    pub fn start() -> Self {
        Self {
            cpu: ProcessTime::now(),
            wall: Instant::now(),
        }
    }

    /// What was spent since.
    #[must_use]
    pub fn elapsed(&self) -> Cost {
        Cost {
            cpu_s: self.cpu.elapsed().as_secs_f64(),
            wall_s: self.wall.elapsed().as_secs_f64(),
        }
    }
}

/// Runs `work` and measures it.
pub fn measured<T>(work: impl FnOnce() -> T) -> (T, Cost) {
    let watch = Stopwatch::start();
    let result = work();
    (result, watch.elapsed())
}
