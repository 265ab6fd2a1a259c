//! `cargo bench -p benches [-- --only NAME --json FILE --size small|large|huge --workers N --reps N | --scaling]`
//!
//! How late answers come; then every workload on Thalweg and, where there is one, as a hand-written loop, alternating, by
//! their medians: million events per CPU-second of the whole process (readers, workers and writers), the loop beside it, the
//! ratio, bytes of state per event and per key held; then what becomes of jobs with twice the workers, ten times the keys,
//! twice the history and four times the edges; and in the end which of the figures that are asked (`benches/src/asked.rs`)
//! were not reached.

use std::fs::{File, OpenOptions};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use benches::data::{self, Payment};
use benches::graph::{self, GraphWorkload};
use benches::latency::{self, EPOCH_ASKED, Load};
use benches::measure::{Cost, Turns, measured};
use benches::outcome::{LatencyOutcome, Outcome, PairOutcome, Verdict, append, state_bytes};
use benches::plan::{Asked, LATENCY, Plan};
use benches::scaling;
use benches::workload::Workload;
use clap::Parser;
use serde::Serialize;
use thalweg::prelude::*;

/// Times every operator, where a speed is asked beside the loop that one would write by hand; how late answers come; and
/// what becomes of jobs with more of everything. Without options all of it, which takes 8 GiB and, on a quiet machine,
/// half an hour.
#[derive(Parser)]
struct Options {
    /// Append each result to this file, as a JSON object in a line.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Run only the workload or pair of this name, or all whose names hold it; "latency" is how late answers come.
    #[arg(long)]
    only: Option<String>,
    /// Run only the workloads of this size: small (1 M events, 100 k keys), large (10 M events, 1 M keys), or, which is
    /// run only when it is asked for, huge (20 M events, 10 M keys, 10 GiB).
    #[arg(long)]
    size: Option<String>,
    /// Worker threads of the workloads.
    #[arg(long, default_value_t = 1, value_parser = workers)]
    workers: usize,
    /// Runs of each; the median counts. What is over in milliseconds and has a speed to reach is run up to five times as
    /// often, what has none and takes more than 20 s less often.
    #[arg(long, default_value_t = 3)]
    reps: usize,
    /// Run the pairs alone, which takes some six minutes; with --size small, which is for a look, a tenth of the events,
    /// keys and edges.
    #[arg(long, conflicts_with_all = ["only", "workers"])]
    scaling: bool,
    /// Given by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

fn workers(text: &str) -> Result<usize, String> {
    let workers: usize = text.parse().map_err(|error| format!("{error}"))?;
    match Config::workers(workers) {
        Ok(_) => Ok(workers),
        Err(error) => Err(error.to_string()),
    }
}

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench prints its tables"
)]
fn main() -> ExitCode {
    let options = Options::parse();
    let plan = Plan::checked(Asked {
        only: options.only.as_deref(),
        size: options.size.as_deref(),
        workers: options.workers,
        scaling: options.scaling,
    });
    let plan = match plan {
        Ok(plan) => plan,
        Err(wrong) => {
            eprintln!("{wrong}");
            return ExitCode::from(2);
        }
    };
    let ran = opened(options.json.as_ref()).and_then(|json| run_all(plan, &options, json));
    match ran {
        Ok(verdict) => {
            println!("{}", verdict.lines().join("\n"));
            ExitCode::from(u8::from(!verdict.all_ran()))
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn opened(path: Option<&PathBuf>) -> Result<Option<File>, JobError> {
    let open = |path: &PathBuf| {
        let file = OpenOptions::new().create(true).append(true).open(path);
        file.map_err(|error| JobError::System(format!("cannot write {}: {error}", path.display())))
    };
    path.map(open).transpose()
}

/// Where outcomes go: printed, judged, and into a file.
struct Results {
    json: Option<File>,
    verdict: Verdict,
}

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench prints its tables"
)]
impl Results {
    fn tell(&mut self, line: &str, outcome: &impl Serialize) -> Result<(), JobError> {
        println!("{line}");
        append(self.json.as_ref(), outcome)
            .map_err(|error| JobError::System(format!("could not write the JSON line: {error}")))
    }

    /// What fails is said, and the others are run.
    fn of<T>(&mut self, what: &str, ran: Result<T, JobError>) -> Option<T> {
        if let Err(error) = &ran {
            eprintln!("{what}: {error}");
            self.verdict.failed();
        }
        ran.ok()
    }
}

/// Latency comes first, in a process that has not held anything yet.
#[expect(clippy::print_stdout, reason = "a bench prints its tables")]
fn run_all(plan: Plan, options: &Options, json: Option<File>) -> Result<Verdict, JobError> {
    let verdict = Verdict::default();
    let mut results = Results { json, verdict };
    if plan.latency {
        run_latency(options, &mut results)?;
    }
    if !plan.graphs.is_empty() || !plan.workloads.is_empty() {
        println!("{}", Outcome::heading());
        run_workloads(&plan, options, &mut results)?;
        println!();
    }
    if !plan.pairs.is_empty() {
        println!("{}", scaling::heading());
        for pair in plan.pairs {
            if let Some(found) = results.of(pair.name, pair.run(options.reps)) {
                let outcome = PairOutcome::new(&pair, &found);
                results.tell(&pair.line(&found), &outcome)?;
                results.verdict.of_pair(&outcome);
            }
        }
        println!();
    }
    Ok(results.verdict)
}

#[expect(clippy::print_stdout, reason = "a bench prints its tables")]
fn run_latency(options: &Options, results: &mut Results) -> Result<(), JobError> {
    let load = Load {
        workers: options.workers,
        ..Load::ASKED
    };
    let Some(runs) = results.of(LATENCY, latency::both(load, EPOCH_ASKED)) else {
        return Ok(());
    };
    println!("{}", LatencyOutcome::heading());
    for outcome in LatencyOutcome::of(&load, EPOCH_ASKED, &runs) {
        results.tell(&outcome.line(), &outcome)?;
        results.verdict.of_latency(&outcome);
    }
    println!();
    Ok(())
}

fn run_workloads(plan: &Plan, options: &Options, results: &mut Results) -> Result<(), JobError> {
    let mut outcomes = Vec::new();
    for workload in &plan.graphs {
        let ran = run_graph(*workload, options);
        if let Some(outcome) = results.of(workload.name, ran) {
            results.tell(&outcome.line(), &outcome)?;
            outcomes.push(outcome);
        }
    }
    for (size, events, users) in &plan.sizes {
        if plan.workloads.is_empty() {
            break;
        }
        let rows = Arc::new(data::payments(*events, *users));
        for workload in &plan.workloads {
            let ran = run(workload, size, &rows, options);
            if let Some(outcome) = results.of(workload.name, ran) {
                results.tell(&outcome.line(), &outcome)?;
                outcomes.push(outcome);
            }
        }
    }
    results.verdict.of_workloads(&outcomes);
    Ok(())
}

/// Runs a workload and its loop in turn, and takes the medians.
fn run(
    workload: &Workload,
    size: &'static str,
    rows: &Arc<Vec<Payment>>,
    options: &Options,
) -> Result<Outcome, JobError> {
    let rows = &(workload.rows)(rows);
    let (mut ours, mut theirs, mut bytes) = (Vec::new(), Vec::new(), [None; 2]);
    let expected = workload.expected.map(|expected| expected(rows));
    let turns = match workload.by_hand {
        Some(_) => Turns::asked(options.reps),
        None => Turns::beside(options.reps),
    };
    while turns.go_on(ours.len()) {
        let ran = workload.run(rows, options.workers)?;
        bytes = state_bytes(&ran.report);
        ours.push(ran.cost);
        let mut expected = expected;
        if let Some(by_hand) = workload.by_hand {
            let ((_, by_hand), cost) = measured(|| std::hint::black_box(by_hand(rows)));
            theirs.push(cost);
            expected.get_or_insert(by_hand);
        }
        workload.check(ran.digest, expected.unwrap_or(f64::NAN))?;
    }
    let (runs, ours) = (ours.len(), median(ours));
    let observations = rows.len() * workload.observations_per_row;
    let rate = observations as f64 / ours.cpu_s / 1e6;
    let by_hand = (!theirs.is_empty()).then(|| median(theirs));
    let loop_rate = by_hand.map(|cost| observations as f64 / cost.cpu_s / 1e6);
    Ok(Outcome {
        workload: workload.name,
        size,
        workers: options.workers,
        events: rows.len(),
        runs,
        cpu_s: ours.cpu_s,
        wall_s: ours.wall_s,
        mev_per_cpu_s: rate,
        loop_mev_per_cpu_s: loop_rate,
        ratio: loop_rate.map(|loop_rate| rate / loop_rate),
        bytes_per_live_event: bytes[0],
        bytes_per_key: bytes[1],
    })
}

/// Runs a workload over a graph and its loop in turn, and takes the medians.
fn run_graph(workload: GraphWorkload, options: &Options) -> Result<Outcome, JobError> {
    let edges = graph::edges(workload.edges);
    let (mut ours, mut theirs, mut bytes, mut counts) =
        (Vec::new(), Vec::new(), [None; 2], [0.0; 2]);
    let turns = Turns::asked(options.reps);
    while turns.go_on(ours.len()) {
        let (job, report) = workload.job(&edges, options.workers)?;
        let by_hand = workload.loop_by_hand(&edges);
        workload.check(job.digest, by_hand.digest)?;
        bytes = state_bytes(&report);
        counts = [job.edges as f64, by_hand.edges as f64];
        ours.push(job.cost);
        theirs.push(by_hand.cost);
    }
    let (runs, ours, theirs) = (ours.len(), median(ours), median(theirs));
    let [rate, loop_rate] = [counts[0] / ours.cpu_s / 1e6, counts[1] / theirs.cpu_s / 1e6];
    Ok(Outcome {
        workload: workload.name,
        size: "small",
        workers: options.workers,
        events: counts[0] as usize,
        runs,
        cpu_s: ours.cpu_s,
        wall_s: ours.wall_s,
        mev_per_cpu_s: rate,
        loop_mev_per_cpu_s: Some(loop_rate),
        ratio: Some(rate / loop_rate),
        bytes_per_live_event: bytes[0],
        bytes_per_key: bytes[1],
    })
}

fn median(mut costs: Vec<Cost>) -> Cost {
    costs.sort_by(|a, b| a.cpu_s.total_cmp(&b.cpu_s));
    costs[costs.len() / 2]
}
