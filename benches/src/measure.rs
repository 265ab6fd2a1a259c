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

/// How often a piece of work is run, so that a median stands for it and not for what else its host did just then.
pub struct Turns {
    at_least: usize,
    at_most: usize,
    wall_s: f64,
    since: Stopwatch,
}

impl Turns {
    /// Work of which a speed is asked: so often, and what is over in milliseconds up to five times as often, for 3 s.
    #[must_use]
    pub fn asked(runs: usize) -> Self {
        Self::new([runs, 5 * runs], 3.0)
    }

    /// Work of which none is: so often, and less often what takes more than 20 s.
    #[must_use]
    pub fn beside(runs: usize) -> Self {
        Self::new([1, runs], 20.0)
    }

    fn new([at_least, at_most]: [usize; 2], wall_s: f64) -> Self {
        Self {
            at_least: at_least.max(1),
            at_most,
            wall_s,
            since: Stopwatch::start(),
        }
    }

    /// Whether there is another turn after so many.
    #[must_use]
    pub fn go_on(&self, done: usize) -> bool {
        let in_time = || self.since.elapsed().wall_s < self.wall_s;
        done < self.at_least || (done < self.at_most && in_time())
    }
}

/// Runs `work` and measures it.
pub fn measured<T>(work: impl FnOnce() -> T) -> (T, Cost) {
    let watch = Stopwatch::start();
    let result = work();
    (result, watch.elapsed())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(turns: &Turns) -> usize {
        (0..).find(|done| !turns.go_on(*done)).unwrap()
    }

    #[test]
    fn what_is_asked_has_its_runs_and_what_is_short_has_more() {
        assert_eq!(turns(&Turns::asked(3)), 15);
        assert_eq!(turns(&Turns::beside(3)), 3);
        assert_eq!(turns(&Turns::asked(0)), 1);
    }

    #[test]
    fn what_takes_long_has_no_more_than_it_must() {
        let out_of_time = |turns| Turns {
            wall_s: 0.0,
            ..turns
        };
        assert_eq!(turns(&out_of_time(Turns::asked(3))), 3);
        assert_eq!(turns(&out_of_time(Turns::beside(3))), 1);
    }
}
