//! `cargo bench -p benches [-- --only NAME --json FILE --size small|large --workers N --reps N]`
//!
//! Runs every workload on Thalweg and as a hand-written loop, alternating, and prints medians: million events per
//! CPU-second of the whole process (readers, workers and writers), the loop beside it, the ratio, bytes per event held.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use benches::data::{self, Payment};
use benches::graph::{self, GraphWorkload};
use benches::measure::{Cost, measured};
use benches::workload::{self, Digest, Workload};
use clap::Parser;
use serde::Serialize;
use thalweg::prelude::*;

/// Times every operator beside the loop that one would write by hand.
#[derive(Parser)]
struct Options {
    /// Write each result as a JSON object per line into this file.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Run only the workload of this name, or all whose names hold it.
    #[arg(long)]
    only: Option<String>,
    /// Run only this size: small (1 M events, 100 k keys) or large (10 M events, 1 M keys).
    #[arg(long)]
    size: Option<String>,
    /// Worker threads.
    #[arg(long, default_value_t = 1)]
    workers: usize,
    /// Runs of each; the median counts.
    #[arg(long, default_value_t = 3)]
    reps: usize,
    /// Given by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

/// One line of the result.
#[derive(Serialize)]
struct Outcome {
    workload: &'static str,
    size: &'static str,
    workers: usize,
    events: usize,
    cpu_s: f64,
    wall_s: f64,
    mev_per_cpu_s: f64,
    loop_mev_per_cpu_s: f64,
    ratio: f64,
    bytes_per_live_event: f64,
}

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench prints its table"
)]
fn main() -> ExitCode {
    let options = Options::parse();
    println!(
        "{:<28} {:>6} {:>2}  {:>9} {:>9} {:>6}  {:>7}  {:>9}",
        "workload", "size", "w", "M/cpu-s", "loop", "ratio", "wall s", "B/event"
    );
    if let Err(error) = run_graphs(&options) {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    for (size, events, users) in [
        ("small", 1_000_000, 100_000),
        ("large", 10_000_000, 1_000_000),
    ] {
        if options.size.as_deref().is_some_and(|wanted| wanted != size) {
            continue;
        }
        let mut wanted = workload::all();
        wanted.retain(|workload| is_wanted(workload.name, options.only.as_deref()));
        if wanted.is_empty() {
            continue;
        }
        let rows = Arc::new(data::payments(events, users));
        for workload in wanted {
            match run(&workload, size, &rows, &options) {
                Ok(outcome) => {
                    print(&outcome);
                    if let Err(error) = append(options.json.as_ref(), &outcome) {
                        eprintln!("could not write the JSON line: {error}");
                        return ExitCode::FAILURE;
                    }
                }
                Err(error) => {
                    eprintln!("{}: {error}", workload.name);
                    return ExitCode::FAILURE;
                }
            }
        }
    }
    ExitCode::SUCCESS
}

/// Whether a workload was asked for: a whole name means that one alone.
fn is_wanted(name: &str, only: Option<&str>) -> bool {
    let Some(only) = only else { return true };
    let graphs = graph::all().map(|workload| workload.name);
    let is_whole =
        graphs.contains(&only) || workload::all().iter().any(|workload| workload.name == only);
    if is_whole {
        name == only
    } else {
        name.contains(only)
    }
}

/// Runs a workload and its loop in turn, and takes the medians.
fn run(
    workload: &Workload,
    size: &'static str,
    rows: &Arc<Vec<Payment>>,
    options: &Options,
) -> Result<Outcome, JobError> {
    let (mut ours, mut theirs, mut bytes) = (Vec::new(), Vec::new(), 0.0);
    for _ in 0..options.reps.max(1) {
        let job = (workload.job)(Arc::clone(rows), options.workers, Digest::default());
        let config = Config::workers(options.workers)?.epoch_rows(8_192)?;
        let (report, cost) = measured(|| job.run(config));
        bytes = bytes_per_event(&report?);
        ours.push(cost);
        let (_, cost) = measured(|| std::hint::black_box((workload.by_hand)(rows)));
        theirs.push(cost);
    }
    let (ours, theirs) = (median(ours), median(theirs));
    let observations = rows.len() * workload.observations_per_row;
    let rate = observations as f64 / ours.cpu_s / 1e6;
    let loop_rate = observations as f64 / theirs.cpu_s / 1e6;
    Ok(Outcome {
        workload: workload.name,
        size,
        workers: options.workers,
        events: rows.len(),
        cpu_s: ours.cpu_s,
        wall_s: ours.wall_s,
        mev_per_cpu_s: rate,
        loop_mev_per_cpu_s: loop_rate,
        ratio: rate / loop_rate,
        bytes_per_live_event: bytes,
    })
}

/// Runs the workloads over a graph, which has one size: a million edges.
fn run_graphs(options: &Options) -> Result<(), JobError> {
    let is_small = options.size.as_deref().is_none_or(|size| size == "small");
    for workload in graph::all() {
        if is_small && is_wanted(workload.name, options.only.as_deref()) {
            let outcome = run_graph(workload, options)?;
            print(&outcome);
            append(options.json.as_ref(), &outcome).map_err(|error| {
                JobError::System(format!("could not write the JSON line: {error}"))
            })?;
        }
    }
    Ok(())
}

/// Runs a workload over a graph and its loop in turn, and takes the medians.
fn run_graph(workload: GraphWorkload, options: &Options) -> Result<Outcome, JobError> {
    let edges = graph::edges(graph::EDGES);
    let (mut ours, mut theirs, mut bytes, mut counts) = (Vec::new(), Vec::new(), 0.0, [0.0; 2]);
    for _ in 0..options.reps.max(1) {
        let (job, report) = workload.job(&edges, options.workers)?;
        let by_hand = workload.loop_by_hand(&edges);
        if job.digest != by_hand.digest {
            let (job, by_hand) = (job.digest, by_hand.digest);
            return Err(JobError::Wrong(format!(
                "{}: labels add up to {job}, by hand to {by_hand}",
                workload.name
            )));
        }
        bytes = bytes_per_event(&report);
        counts = [job.edges as f64, by_hand.edges as f64];
        ours.push(job.cost);
        theirs.push(by_hand.cost);
    }
    let (ours, theirs) = (median(ours), median(theirs));
    let [rate, loop_rate] = [counts[0] / ours.cpu_s / 1e6, counts[1] / theirs.cpu_s / 1e6];
    Ok(Outcome {
        workload: workload.name,
        size: "small",
        workers: options.workers,
        events: counts[0] as usize,
        cpu_s: ours.cpu_s,
        wall_s: ours.wall_s,
        mev_per_cpu_s: rate,
        loop_mev_per_cpu_s: loop_rate,
        ratio: rate / loop_rate,
        bytes_per_live_event: bytes,
    })
}

/// State bytes per event held when the sources ended.
fn bytes_per_event(report: &Report) -> f64 {
    use std::sync::atomic::Ordering::Relaxed;
    let operators = report.metrics.operators();
    let sum = |of: fn(&thalweg::engine::metrics::OperatorMetrics) -> u64| {
        operators
            .iter()
            .map(|(_, operator)| of(operator))
            .sum::<u64>() as f64
    };
    let events = sum(|operator| operator.events.load(Relaxed));
    if events > 0.0 {
        sum(|operator| operator.bytes.load(Relaxed)) / events
    } else {
        0.0
    }
}

fn median(mut costs: Vec<Cost>) -> Cost {
    costs.sort_by(|a, b| a.cpu_s.total_cmp(&b.cpu_s));
    costs[costs.len() / 2]
}

#[expect(clippy::print_stdout, reason = "a bench prints its table")]
fn print(o: &Outcome) {
    println!(
        "{:<28} {:>6} {:>2}  {:>9.2} {:>9.2} {:>6.2}  {:>7.2}  {:>9.1}",
        o.workload,
        o.size,
        o.workers,
        o.mev_per_cpu_s,
        o.loop_mev_per_cpu_s,
        o.ratio,
        o.wall_s,
        o.bytes_per_live_event
    );
}

fn append(file: Option<&PathBuf>, outcome: &Outcome) -> std::io::Result<()> {
    let Some(path) = file else { return Ok(()) };
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    writeln!(file, "{}", serde_json::to_string(outcome)?)
}
