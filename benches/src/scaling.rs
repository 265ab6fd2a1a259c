//! What becomes of a job with more workers, keys, history and edges: pairs of runs, in turn, and the ratio of each.
//!
//! | pair | the first run | beside | of each | asked |
//! |---|---|---|---|---|
//! | `two_workers` | rolling windows on two workers | on one | events per second of the wall | 1.8 at least, on a machine that is quiet |
//! | `ten_times_the_keys` | rolling windows of 10 M keys | of 1 M | events per CPU-second | 0.8 at least |
//! | `twice_the_history` | rolling windows of 14 d | of 7 d | CPU-seconds per event | 1/0.95 at most |
//! | `four_times_the_edges` | a deletion among 4 M edges | among 1 M | CPU-seconds per deletion | 2 at most |
//!
//! The two runs of a pair follow each other, and the ratio is taken of these two: what a busy machine does to one it mostly
//! does to the other. The median of the ratios counts.

use std::sync::Arc;

use thalweg::prelude::*;

use crate::asked;
use crate::data::{self, Payment};
use crate::graph::{self, Edge, GraphWorkload};
use crate::jobs;
use crate::measure::Cost;
use crate::workload::Workload;

/// What is run over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// So many payments of so many users, of whom each is a key.
    Payments {
        /// Payments.
        events: usize,
        /// Users.
        users: usize,
    },
    /// So many edges, of which some are deleted in the end.
    Edges(usize),
}

/// One side of a pair.
#[derive(Clone, Copy, Debug)]
pub struct Side {
    /// The name of the workload.
    pub workload: &'static str,
    /// What it runs over.
    pub over: Over,
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
    /// Whether it is of a tenth of the size that is asked for: then it is not judged.
    pub is_look: bool,
    /// Its name in the result.
    pub name: &'static str,
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

/// The pairs, of the sizes that are asked for, or of a tenth for a look.
#[must_use]
pub fn pairs(is_look: bool) -> [Pair; 4] {
    let pairs = parts(if is_look { 10 } else { 1 });
    pairs.map(|pair| Pair { is_look, ..pair })
}

/// The pairs, of a so manieth part of the sizes.
fn parts(part: usize) -> [Pair; 4] {
    let side = |workload, events, users, workers| Side {
        workload,
        over: Over::Payments {
            events: events / part,
            users: users / part,
        },
        workers,
    };
    let (events, users) = (10_000_000, 1_000_000);
    let large = |workload, workers| side(workload, events, users, workers);
    let of_keys = |users| side("rolling_latest", 2 * events, users, 1);
    let of_edges = |edges| Side {
        workload: "components_delete",
        over: Over::Edges(edges / part),
        workers: 1,
    };
    [
        Pair {
            is_look: false,
            name: "two_workers",
            what: "M events per wall second, two workers ÷ one",
            sides: [large("rolling_latest", 2), large("rolling_latest", 1)],
            figure: Figure::WallRate,
            asked: asked::TWO_WORKERS,
        },
        Pair {
            is_look: false,
            name: "ten_times_the_keys",
            what: "M events per CPU-second, ten times the keys ÷ once",
            sides: [of_keys(10 * users), of_keys(users)],
            figure: Figure::CpuRate,
            asked: asked::TEN_TIMES_THE_KEYS,
        },
        Pair {
            is_look: false,
            name: "twice_the_history",
            what: "µs of CPU per event, twice the history ÷ once",
            sides: [
                large("rolling_latest_doubled_history", 1),
                large("rolling_latest", 1),
            ],
            figure: Figure::CpuCost,
            asked: 1.0 / asked::TWICE_THE_HISTORY,
        },
        Pair {
            is_look: false,
            name: "four_times_the_edges",
            what: "µs of CPU per deletion, four times the edges ÷ once",
            sides: [of_edges(4 * graph::EDGES), of_edges(graph::EDGES)],
            figure: Figure::CpuCost,
            asked: asked::FOUR_TIMES_THE_EDGES,
        },
    ]
}

impl Figure {
    /// The figure of a run over so many events: rates in millions a second, costs in µs an event.
    #[must_use]
    pub fn of(self, cost: Cost, events: usize) -> f64 {
        let millions = events as f64 / 1e6;
        match self {
            Self::WallRate => millions / cost.wall_s,
            Self::CpuRate => millions / cost.cpu_s,
            Self::CpuCost => cost.cpu_s / millions,
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

    /// The pair's line in the table.
    #[must_use]
    pub fn line(&self, found: &Found) -> String {
        let sign = match self.figure {
            Figure::WallRate | Figure::CpuRate => '≥',
            Figure::CpuCost => '≤',
        };
        let judged = if self.is_look {
            "a look"
        } else {
            asked::reached(self.is_reached(found.ratio))
        };
        let [first, beside] = found.figures;
        format!(
            "{:<54} {first:>8.2} {beside:>8.2}  {:>6.2}  {sign} {:>6.2}  {judged}",
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
                let (cost, events) = side.run()?;
                round[place] = self.figure.of(cost, events);
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
        "{:<54} {:>8} {:>8}  {:>6}  {:>8}",
        "pair", "first", "beside", "ratio", "asked"
    )
}

/// A side with its rows, and what its output must add up to.
struct Ready {
    input: Input,
    workers: usize,
    expected: f64,
}

enum Input {
    Payments(Workload, Arc<Vec<Payment>>),
    Edges(GraphWorkload, Vec<Edge>),
}

impl Ready {
    fn new(side: Side) -> Result<Self, JobError> {
        let unknown = || JobError::Wrong(format!("there is no workload {:?}", side.workload));
        let (input, expected) = match side.over {
            Over::Payments { events, users } => {
                let named = |workload: &Workload| workload.name == side.workload;
                let workload = jobs::all().into_iter().find(named).ok_or_else(unknown)?;
                let rows = (workload.rows)(&Arc::new(data::payments(events, users)));
                let expected = match (workload.expected, workload.by_hand) {
                    (Some(expected), _) => expected(&rows),
                    (None, Some(by_hand)) => by_hand(&rows).1,
                    (None, None) => f64::NAN,
                };
                (Input::Payments(workload, rows), expected)
            }
            Over::Edges(count) => {
                let named = |workload: &GraphWorkload| workload.name == side.workload;
                let workload = graph::all().into_iter().find(named).ok_or_else(unknown)?;
                let edges = graph::edges(count);
                let expected = workload.loop_by_hand(&edges).digest;
                (Input::Edges(workload, edges), expected)
            }
        };
        Ok(Self {
            input,
            workers: side.workers,
            expected,
        })
    }

    /// What a run costs, and over how many rows or deletions.
    fn run(&self) -> Result<(Cost, usize), JobError> {
        match &self.input {
            Input::Payments(workload, rows) => {
                let ran = workload.run(rows, self.workers)?;
                workload.check(ran.digest, self.expected)?;
                Ok((ran.cost, rows.len()))
            }
            Input::Edges(workload, edges) => {
                let (ran, _) = workload.job(edges, self.workers)?;
                workload.check(ran.digest, self.expected)?;
                Ok((ran.cost, ran.edges))
            }
        }
    }
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A thousandth of the payments, and as many edges as make ten epochs of deletions.
    fn small_pairs() -> [Pair; 4] {
        let [workers, keys, history, _] = parts(1_000);
        let [.., edges] = parts(10);
        [workers, keys, history, edges]
    }

    #[test]
    fn every_pair_runs_and_its_ratio_is_that_of_its_figures() {
        for pair in small_pairs() {
            let found = pair.run(1).unwrap();
            let ratio = found.figures[0] / found.figures[1];
            assert!(ratio.is_finite() && ratio > 0.0, "{}", pair.what);
            assert_eq!(found.ratio, ratio, "{}", pair.what);
        }
    }

    #[test]
    fn pairs_are_of_one_size_but_for_what_they_compare() {
        let [workers, keys, history, edges] = pairs(false);
        let over = |pair: Pair| pair.sides.map(|side| side.over);
        let payments = |events, users| Over::Payments { events, users };
        let (events, users) = (10_000_000, 1_000_000);
        assert_eq!(workers.sides.map(|side| side.workers), [2, 1]);
        assert_eq!(over(workers), [payments(events, users); 2]);
        let of_keys = [10 * users, users].map(|users| payments(2 * events, users));
        assert_eq!(over(keys), of_keys);
        assert_eq!(over(history), [payments(events, users); 2]);
        assert_eq!(over(edges), [4_000_000, 1_000_000].map(Over::Edges));
        for pair in [keys, history, edges] {
            assert_eq!(pair.sides.map(|side| side.workers), [1; 2]);
        }
    }

    #[test]
    fn a_rate_is_asked_at_least_and_a_cost_at_most() {
        let cost = Cost {
            cpu_s: 4.0,
            wall_s: 2.0,
        };
        let [workers, keys, history, _] = pairs(false);
        let found = [workers, keys, history].map(|pair| pair.figure.of(cost, 8_000_000));
        assert_eq!(found, [4.0, 2.0, 0.5]);
        assert!(workers.is_reached(1.8) && !workers.is_reached(1.79));
        assert!(keys.is_reached(0.8) && !keys.is_reached(0.79));
        assert!(history.is_reached(1.05) && !history.is_reached(1.06));
    }

    #[test]
    fn a_line_shows_both_sides_their_ratio_and_what_is_asked() {
        let [workers, ..] = pairs(false);
        let found = Found {
            figures: [5.0, 4.0],
            ratio: 1.25,
        };
        let line = workers.line(&found);
        let words: Vec<&str> = line.split_whitespace().collect();
        let shown = ["5.00", "4.00", "1.25", "≥", "1.80", "not", "reached"];
        assert!(words.ends_with(&shown), "{line}");
    }

    #[test]
    fn a_side_that_adds_up_to_something_else_has_no_figure() {
        for pair in small_pairs() {
            let mut ready = Ready::new(pair.sides[1]).unwrap();
            ready.expected += 1.0;
            let error = ready.run().unwrap_err().to_string();
            assert!(error.contains("was expected"), "{error}");
        }
    }
}
