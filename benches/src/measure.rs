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

/// Runs `work` and measures it.
#[expect(clippy::disallowed_methods, reason = "a bench reads the clock")]
pub fn measured<T>(work: impl FnOnce() -> T) -> (T, Cost) {
    let (cpu, wall) = (ProcessTime::now(), Instant::now());
    let result = work();
    (
        result,
        Cost {
            cpu_s: cpu.elapsed().as_secs_f64(),
            wall_s: wall.elapsed().as_secs_f64(),
        },
    )
}
