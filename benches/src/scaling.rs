//! What becomes of rolling windows with more workers, keys and history: pairs of runs, in turn, and the ratio of each.
//!
//! | pair | the first run | beside | of each | asked |
//! |---|---|---|---|---|
//! | workers | two workers | one | events per second of the wall | 1.8 at least, on a machine that is quiet |
//! | keys | 10 M keys | 1 M | events per CPU-second | 0.8 at least |
//! | history | 14 d | 7 d | CPU-seconds per event | 1/0.95 at most |
//!
//! The two runs of a pair follow each other, and the ratio is taken of these two: what a busy machine does to one it mostly
//! does to the other. The median of the ratios counts.

use std::sync::Arc;

use thalweg::prelude::*;

use crate::asked;
use crate::data::{self, Payment};
use crate::jobs;
use crate::measure::Cost;
use crate::workload::Workload;

/// One side of a pair.
#[derive(Clone, Copy, Debug)]
pub struct Side {
    /// The name of the workload.
    pub workload: &'static str,
    /// Payments.
    pub events: usize,
    /// Users, of whom each is a key.
    pub users: usize,
    /// Worker threads.
    pub workers: usize,
}

/// What is compared of two runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// Events per second of the wall.
    WallRate,
    /// Events per CPU-second of the whole process.
    CpuRate,
    /// CPU-seconds of the whole process per event.
    CpuCost,
}

/// Two runs, and what is asked of the first beside the second.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    /// What is compared, in words.
    pub what: &'static str,
    /// The first run and the one beside it.
    pub sides: [Side; 2],
    /// What is compared of them.
    pub figure: Figure,
    /// The ratio that is asked: at least this of a rate, at most of a cost.
    pub asked: f64,
}

/// What a pair has come to.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// The medians of both sides' figures.
    pub figures: [f64; 2],
    /// The median of the ratios.
    pub ratio: f64,
}

/// The pairs, of a so manieth part of the sizes that are asked for.
#[must_use]
pub fn pairs(part: usize) -> [Pair; 3] {
    let side = |workload, events, users, workers| Side {
        workload,
        events: events / part,
        users: users / part,
        workers,
    };
    let (events, users) = (10_000_000, 1_000_000);
    let large = |workload, workers| side(workload, events, users, workers);
    let of_keys = |users| side("rolling_latest", 2 * events, users, 1);
    [
        Pair {
            what: "events per wall second, two workers ÷ one",
            sides: [large("rolling_latest", 2), large("rolling_latest", 1)],
            figure: Figure::WallRate,
            asked: asked::TWO_WORKERS,
        },
        Pair {
            what: "events per CPU-second, ten times the keys ÷ once",
            sides: [of_keys(10 * users), of_keys(users)],
            figure: Figure::CpuRate,
            asked: asked::TEN_TIMES_THE_KEYS,
        },
        Pair {
            what: "CPU-seconds per event, twice the history ÷ once",
            sides: [
                large("rolling_latest_doubled_history", 1),
                large("rolling_latest", 1),
            ],
            figure: Figure::CpuCost,
            asked: 1.0 / asked::TWICE_THE_HISTORY,
        },
    ]
}

impl Figure {
    /// The figure of a run over so many events.
    #[must_use]
    pub fn of(self, cost: Cost, events: usize) -> f64 {
        let events = events as f64;
        match self {
            Self::WallRate => events / cost.wall_s,
            Self::CpuRate => events / cost.cpu_s,
            Self::CpuCost => cost.cpu_s / events,
        }
    }
}

impl Pair {
    /// Whether a ratio is what is asked.
    #[must_use]
    pub fn is_reached(&self, ratio: f64) -> bool {
        match self.figure {
            Figure::WallRate | Figure::CpuRate => ratio >= self.asked,
            Figure::CpuCost => ratio <= self.asked,
        }
    }

    /// The pair's line in the table: rates in millions a second, costs in µs an event.
    #[must_use]
    pub fn line(&self, found: &Found) -> String {
        let (unit, sign) = match self.figure {
            Figure::WallRate | Figure::CpuRate => (1e-6, '≥'),
            Figure::CpuCost => (1e6, '≤'),
        };
        let [first, beside] = found.figures.map(|figure| figure * unit);
        let reached = if self.is_reached(found.ratio) {
            "reached"
        } else {
            "not reached"
        };
        format!(
            "{:<52} {first:>8.2} {beside:>8.2}  {:>6.2}  {sign} {:>6.2}  {reached}",
            self.what, found.ratio, self.asked
        )
    }

    /// Runs both sides so many times, in turn.
    ///
    /// # Errors
    /// As `Job::run`, and [`JobError::System`] when a job's output does not add up to what is expected of it.
    pub fn run(&self, rounds: usize) -> Result<Found, JobError> {
        let [first, beside] = self.sides;
        let sides = [Ready::new(first)?, Ready::new(beside)?];
        let mut figures = [Vec::new(), Vec::new()];
        let mut ratios = Vec::new();
        for _ in 0..rounds.max(1) {
            let mut round = [0.0; 2];
            for (place, side) in sides.iter().enumerate() {
                round[place] = self.figure.of(side.run()?, side.rows.len());
                figures[place].push(round[place]);
            }
            ratios.push(round[0] / round[1]);
        }
        Ok(Found {
            figures: figures.map(median),
            ratio: median(ratios),
        })
    }
}

/// The table's first line.
#[must_use]
pub fn heading() -> String {
    format!(
        "{:<52} {:>8} {:>8}  {:>6}  {:>8}",
        "rolling windows", "first", "beside", "ratio", "asked"
    )
}

/// A side with its rows, and what its output must add up to.
struct Ready {
    workload: Workload,
    rows: Arc<Vec<Payment>>,
    workers: usize,
    expected: f64,
}

impl Ready {
    fn new(side: Side) -> Result<Self, JobError> {
        let named = |workload: &Workload| workload.name == side.workload;
        let workload = jobs::all().into_iter().find(named);
        let workload = workload
            .ok_or_else(|| JobError::Wrong(format!("there is no workload {:?}", side.workload)))?;
        let rows = (workload.rows)(&Arc::new(data::payments(side.events, side.users)));
        let expected = match (workload.expected, workload.by_hand) {
            (Some(expected), _) => expected(&rows),
            (None, Some(by_hand)) => by_hand(&rows).1,
            (None, None) => f64::NAN,
        };
        Ok(Self {
            workload,
            rows,
            workers: side.workers,
            expected,
        })
    }

    fn run(&self) -> Result<Cost, JobError> {
        let ran = self.workload.run(&self.rows, self.workers)?;
        self.workload.check(ran.digest, self.expected)?;
        Ok(ran.cost)
    }
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_runs_and_its_ratio_is_that_of_its_figures() {
        for pair in pairs(1_000) {
            let found = pair.run(1).unwrap();
            let ratio = found.figures[0] / found.figures[1];
            assert!(ratio.is_finite() && ratio > 0.0, "{}", pair.what);
            assert_eq!(found.ratio, ratio, "{}", pair.what);
        }
    }

    #[test]
    fn pairs_are_of_one_size_but_for_what_they_compare() {
        let [workers, keys, history] = pairs(1);
        let of = |pair: Pair, what: fn(Side) -> usize| pair.sides.map(what);
        assert_eq!(of(workers, |side| side.workers), [2, 1]);
        assert_eq!(of(workers, |side| side.events), [10_000_000; 2]);
        assert_eq!(of(keys, |side| side.users), [10_000_000, 1_000_000]);
        assert_eq!(of(keys, |side| side.events), [20_000_000; 2]);
        assert_eq!(of(history, |side| side.users), [1_000_000; 2]);
        for pair in [keys, history] {
            assert_eq!(of(pair, |side| side.workers), [1; 2]);
        }
    }

    #[test]
    fn a_rate_is_asked_at_least_and_a_cost_at_most() {
        let cost = Cost {
            cpu_s: 4.0,
            wall_s: 2.0,
        };
        let [workers, keys, history] = pairs(1);
        let found = [workers, keys, history].map(|pair| pair.figure.of(cost, 8));
        assert_eq!(found, [4.0, 2.0, 0.5]);
        assert!(workers.is_reached(1.8) && !workers.is_reached(1.79));
        assert!(keys.is_reached(0.8) && !keys.is_reached(0.79));
        assert!(history.is_reached(1.05) && !history.is_reached(1.06));
    }

    #[test]
    fn a_line_shows_both_sides_their_ratio_and_what_is_asked() {
        let [workers, ..] = pairs(1);
        let found = Found {
            figures: [5e6, 4e6],
            ratio: 1.25,
        };
        let line = workers.line(&found);
        let words: Vec<&str> = line.split_whitespace().collect();
        let shown = ["5.00", "4.00", "1.25", "≥", "1.80", "not", "reached"];
        assert!(words.ends_with(&shown), "{line}");
    }

    #[test]
    fn a_side_that_adds_up_to_something_else_has_no_figure() {
        let [workers, ..] = pairs(1_000);
        let mut ready = Ready::new(workers.sides[0]).unwrap();
        ready.expected += 1.0;
        let error = ready.run().unwrap_err().to_string();
        assert!(error.contains("was expected"), "{error}");
    }
}
