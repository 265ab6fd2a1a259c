//! What is found of a workload, of a pair and of latency: its line in the table, its line of JSON, and which of the figures
//! that are asked it reaches.

use std::io::{self, Write};
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;
use thalweg::prelude::Report;

use crate::asked::{LATENCY_P99_MS, asked, reached};
use crate::latency::{self, EPOCH_ASKED, Latencies, Load};
use crate::scaling::{Found, Pair};

/// A workload at a size.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// Its name.
    pub workload: &'static str,
    /// `small`, `large` or `huge`.
    pub size: &'static str,
    /// Worker threads.
    pub workers: usize,
    /// Rows that went in.
    pub events: usize,
    /// How often it was run; what follows are medians.
    pub runs: usize,
    /// CPU-seconds of the whole process.
    pub cpu_s: f64,
    /// Seconds of the wall.
    pub wall_s: f64,
    /// Million events per CPU-second of the whole process.
    pub mev_per_cpu_s: f64,
    /// The loop that one would write by hand; `None` where no speed is asked.
    pub loop_mev_per_cpu_s: Option<f64>,
    /// The one divided by the other.
    pub ratio: Option<f64>,
    /// Bytes of state at its peak per event then held; `None` where no state holds events.
    pub bytes_per_live_event: Option<f64>,
    /// Bytes of state at its peak per key then held.
    pub bytes_per_key: Option<f64>,
}

impl Outcome {
    /// The table's first line.
    #[must_use]
    pub fn heading() -> String {
        format!(
            "{:<30} {:>6} {:>2}  {:>9} {:>9} {:>6}  {:>7}  {:>9} {:>7}",
            "workload", "size", "w", "M/cpu-s", "loop", "ratio", "wall s", "B/event", "B/key"
        )
    }

    /// The workload's line.
    #[must_use]
    pub fn line(&self) -> String {
        let shown = |number: Option<f64>, digits| {
            number.map_or_else(|| "–".to_owned(), |number| format!("{number:.digits$}"))
        };
        format!(
            "{:<30} {:>6} {:>2}  {:>9.2} {:>9} {:>6}  {:>7.2}  {:>9} {:>7}",
            self.workload,
            self.size,
            self.workers,
            self.mev_per_cpu_s,
            shown(self.loop_mev_per_cpu_s, 2),
            shown(self.ratio, 2),
            self.wall_s,
            shown(self.bytes_per_live_event, 1),
            shown(self.bytes_per_key, 1)
        )
    }
}

/// State bytes per event and per key held, when there were most.
#[must_use]
pub fn state_bytes(report: &Report) -> [Option<f64>; 2] {
    use std::sync::atomic::Ordering::Relaxed;
    let operators = report.metrics.operators();
    let sum = |of: fn(&thalweg::engine::metrics::OperatorMetrics) -> u64| {
        operators
            .iter()
            .map(|(_, operator)| of(operator))
            .sum::<u64>() as f64
    };
    let bytes = sum(|operator| operator.bytes_peak.load(Relaxed));
    let events = sum(|operator| operator.events_at_peak.load(Relaxed));
    let keys = sum(|operator| operator.keys_at_peak.load(Relaxed));
    [events, keys].map(|held| (held > 0.0).then(|| bytes / held))
}

/// Two runs beside each other.
#[derive(Clone, Debug, Serialize)]
pub struct PairOutcome {
    workload: &'static str,
    what: &'static str,
    is_look: bool,
    first: f64,
    beside: f64,
    ratio: f64,
    asked: f64,
    reached: bool,
}

impl PairOutcome {
    /// What a pair has come to.
    #[must_use]
    pub fn new(pair: &Pair, found: &Found) -> Self {
        Self {
            workload: pair.name,
            what: pair.what,
            is_look: pair.is_look,
            first: found.figures[0],
            beside: found.figures[1],
            ratio: found.ratio,
            asked: pair.asked,
            reached: pair.is_reached(found.ratio),
        }
    }
}

/// How late answers come.
#[derive(Clone, Debug, Serialize)]
pub struct LatencyOutcome {
    workload: &'static str,
    what: &'static str,
    rate: u64,
    workers: usize,
    answers: u64,
    p50_ms: f64,
    p99_ms: f64,
    asked_p99_ms: Option<f64>,
}

impl LatencyOutcome {
    /// Of a run whose epochs close as the engine decides, and of one whose epochs are all held open for so long, where a row
    /// waits for its epoch's end whatever follows. Nothing is asked under another load.
    #[must_use]
    pub fn of(load: &Load, epoch: Duration, [as_decided, held]: &[Latencies; 2]) -> [Self; 3] {
        let of = |workload, what, latencies: &Histogram<u64>, asked| Self {
            workload,
            what,
            rate: load.rate,
            workers: load.workers,
            answers: latencies.len(),
            p50_ms: latency::milliseconds(latencies, 0.5),
            p99_ms: latency::milliseconds(latencies, 0.99),
            asked_p99_ms: asked,
        };
        let asked = load.is_asked().then_some(LATENCY_P99_MS);
        let of_held = asked.filter(|_| epoch == EPOCH_ASKED);
        let from_last = &held.from_last_row;
        [
            of("latency", CURVES[0], &as_decided.from_due, asked),
            of("latency_held", CURVES[1], &held.from_due, of_held),
            of("latency_held_from_last", CURVES[2], from_last, of_held),
        ]
    }

    /// The table's first line.
    #[must_use]
    pub fn heading() -> String {
        format!(
            "{:<54} {:>8} {:>8}  {:>8}",
            "latency", "p50 ms", "p99 ms", "asked"
        )
    }

    /// Its line.
    #[must_use]
    pub fn line(&self) -> String {
        let asked = match self.asked_p99_ms {
            Some(asked) => format!("< {asked:>6.2}  {}", reached(self.p99_ms < asked)),
            None => format!("{:>8}", "–"),
        };
        format!(
            "{:<54} {:>8.2} {:>8.2}  {asked}",
            self.what, self.p50_ms, self.p99_ms
        )
    }
}

/// Which latencies there are.
pub const CURVES: [&str; 3] = [
    "epochs as they come, from the row",
    "epochs held open, from the row",
    "epochs held open, from their last row",
];

/// Which figures were asked so far, which of them are short, and what has not come to any.
#[derive(Debug, Default)]
pub struct Verdict {
    figures: usize,
    short: Vec<String>,
    failed: usize,
}

impl Verdict {
    fn judge(&mut self, is_reached: bool, short: impl FnOnce() -> String) {
        self.figures += 1;
        if !is_reached {
            self.short.push(short());
        }
    }

    /// Judges workloads, some of them beside others. What is asked is of one worker.
    pub fn of_workloads(&mut self, outcomes: &[Outcome]) {
        for outcome in outcomes.iter().filter(|outcome| outcome.workers == 1) {
            let asked = asked(outcome.workload, outcome.size);
            let of_other = asked.of.and_then(|(other, share)| {
                let same_size = |o: &&Outcome| o.workload == other && o.size == outcome.size;
                let other = outcomes.iter().find(same_size)?;
                Some(share * other.mev_per_cpu_s)
            });
            let rate = Some(outcome.mev_per_cpu_s);
            let (per_event, per_key) = (outcome.bytes_per_live_event, outcome.bytes_per_key);
            for (what, found, asked, at_least) in [
                ("M per CPU-second", rate, asked.mev_per_cpu_s, true),
                ("M per CPU-second", rate, of_other, true),
                ("of the loop", outcome.ratio, asked.ratio, true),
                ("B/event", per_event, asked.bytes_per_event, false),
                ("B/key", per_key, asked.bytes_per_key, false),
            ] {
                let (Some(found), Some(asked)) = (found, asked) else {
                    continue;
                };
                let is_reached = (at_least && found >= asked) || (!at_least && found <= asked);
                self.judge(is_reached, || {
                    let Outcome { workload, size, .. } = outcome;
                    format!("  {workload} {size}: {found:.2} {what}, asked {asked:.2}")
                });
            }
        }
    }

    /// Counts what did not run, or computed another thing.
    pub fn failed(&mut self) {
        self.failed += 1;
    }

    /// Whether all that was run has come to its figures, whether they are short or not.
    #[must_use]
    pub fn all_ran(&self) -> bool {
        self.failed == 0
    }

    /// Judges a pair; one that is for a look alone is not.
    pub fn of_pair(&mut self, pair: &PairOutcome) {
        if pair.is_look {
            return;
        }
        self.judge(pair.reached, || {
            let PairOutcome {
                what, ratio, asked, ..
            } = pair;
            format!("  {what}: {ratio:.2}, asked {asked:.2}")
        });
    }

    /// Judges a latency.
    pub fn of_latency(&mut self, latency: &LatencyOutcome) {
        if let Some(asked) = latency.asked_p99_ms {
            self.judge(latency.p99_ms < asked, || {
                let LatencyOutcome { what, p99_ms, .. } = latency;
                format!("  latency, {what}: p99 {p99_ms:.2} ms, asked {asked:.2}")
            });
        }
    }

    /// How many were reached, and a line for each that was not; nothing where none was asked.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.figures > 0 {
            let reached = self.figures - self.short.len();
            lines.push(format!(
                "{reached} of {} figures asked are reached",
                self.figures
            ));
            lines.extend(self.short.iter().cloned());
        }
        if self.failed > 0 {
            let failed = self.failed;
            lines.push(format!(
                "{failed} did not run, or computed another thing: see above"
            ));
        }
        lines
    }
}

/// Appends a line of JSON, where there is a place for it.
///
/// # Errors
/// When it cannot be written.
pub fn append(into: Option<impl Write>, outcome: &impl Serialize) -> io::Result<()> {
    let Some(mut into) = into else { return Ok(()) };
    writeln!(into, "{}", serde_json::to_string(outcome)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(workload: &'static str, rate: f64, ratio: Option<f64>) -> Outcome {
        Outcome {
            workload,
            size: "small",
            workers: 1,
            events: 1,
            runs: 1,
            cpu_s: 1.0,
            wall_s: 1.0,
            mev_per_cpu_s: rate,
            loop_mev_per_cpu_s: None,
            ratio,
            bytes_per_live_event: Some(50.0),
            bytes_per_key: None,
        }
    }

    fn latency(p99_ms: f64, asked_p99_ms: Option<f64>) -> LatencyOutcome {
        LatencyOutcome {
            workload: "latency",
            what: "from here to there",
            rate: 1,
            workers: 1,
            answers: 1,
            p50_ms: 1.0,
            p99_ms,
            asked_p99_ms,
        }
    }

    fn pair(ratio: f64, is_look: bool) -> PairOutcome {
        let [workers, ..] = crate::scaling::pairs(is_look);
        let figures = [ratio, 1.0];
        PairOutcome::new(&workers, &Found { figures, ratio })
    }

    #[test]
    fn what_is_short_is_said_with_what_is_asked() {
        let mut verdict = Verdict::default();
        assert!(verdict.lines().is_empty());
        let large = Outcome {
            size: "large",
            ..outcome("rolling_latest", 2.9, Some(0.9))
        };
        let of_two = Outcome {
            workers: 2,
            ..outcome("tumbling", 1.0, Some(0.1))
        };
        verdict.of_workloads(&[
            outcome("rolling_latest", 3.8, Some(0.8)),
            outcome("rolling_zipf", 1.0, None),
            outcome("pass", 1.0, None),
            large,
            of_two,
        ]);
        verdict.of_latency(&latency(10.5, Some(10.0)));
        verdict.of_latency(&latency(9.5, Some(10.0)));
        verdict.of_latency(&latency(99.0, None));
        verdict.of_pair(&pair(2.0, false));
        verdict.of_pair(&pair(1.5, false));
        verdict.of_pair(&pair(1.0, true));
        let lines = [
            "5 of 11 figures asked are reached",
            "  rolling_latest small: 0.80 of the loop, asked 0.90",
            "  rolling_latest small: 50.00 B/event, asked 48.00",
            "  rolling_zipf small: 1.00 M per CPU-second, asked 1.90",
            "  rolling_latest large: 50.00 B/event, asked 48.00",
            "  latency, from here to there: p99 10.50 ms, asked 10.00",
            "  M events per wall second, two workers ÷ one: 1.50, asked 1.80",
        ];
        assert_eq!(verdict.lines(), lines);
        assert!(verdict.all_ran());
        verdict.failed();
        assert!(!verdict.all_ran());
        assert!(verdict.lines()[7].starts_with("1 did not run"));
    }

    #[test]
    fn every_outcome_is_a_line_of_json_with_its_name() {
        let mut text = Vec::new();
        append(Some(&mut text), &outcome("lookup", 1.0, Some(0.5))).unwrap();
        append(Some(&mut text), &pair(1.5, false)).unwrap();
        append(Some(&mut text), &latency(9.5, Some(10.0))).unwrap();
        append(None::<Vec<u8>>, &outcome("pass", 1.0, None)).unwrap();
        let text = String::from_utf8(text).unwrap();
        let lines: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let names: Vec<_> = lines.iter().map(|line| &line["workload"]).collect();
        assert_eq!(names, ["lookup", "two_workers", "latency"]);
        assert_eq!(
            (&lines[0]["ratio"], &lines[1]["ratio"]),
            (&0.5.into(), &1.5.into())
        );
        assert_eq!(lines[1]["reached"], false);
        assert_eq!(lines[2]["asked_p99_ms"], 10.0);
    }
}
