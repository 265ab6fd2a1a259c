//! `cargo bench -p benches [-- --only NAME --json FILE --size small|large|huge --workers N --reps N]`, and
//! `cargo bench -p benches -- --scaling [--size small --reps N]`
//!
//! Runs every workload on Thalweg and, where there is one, as a hand-written loop, alternating, and prints medians: million events per
//! CPU-second of the whole process (readers, workers and writers), the loop beside it, the ratio, bytes of state per event and
//! per key held; and in the end which of the figures that are asked of them (`benches/src/asked.rs`) were not reached.
//! With `--scaling` it prints instead what becomes of rolling windows with twice the workers, ten times the keys and twice
//! the history.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use benches::asked::asked;
use benches::data::{self, Payment};
use benches::graph::{self, GraphWorkload};
use benches::jobs;
use benches::measure::{Cost, measured};
use benches::scaling;
use benches::workload::Workload;
use clap::Parser;
use serde::Serialize;
use thalweg::prelude::*;

/// Times every operator, where a speed is asked beside the loop that one would write by hand.
#[derive(Parser)]
struct Options {
    /// Append each result to this file, as a JSON object in a line.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Run only the workload of this name, or all whose names hold it.
    #[arg(long)]
    only: Option<String>,
    /// Run only this size: small (1 M events, 100 k keys), large (10 M events, 1 M keys), or, which is run only when it
    /// is asked for, huge (20 M events, 10 M keys, 10 GiB).
    #[arg(long)]
    size: Option<String>,
    /// Worker threads.
    #[arg(long, default_value_t = 1)]
    workers: usize,
    /// Runs of each; the median counts.
    #[arg(long, default_value_t = 3)]
    reps: usize,
    /// Run pairs of rolling windows instead, in turn, and print the ratio of each with what is asked: two workers beside
    /// one, 10 M keys beside 1 M, 14 d of history beside 7 d. Takes some five minutes and 8 GiB; with --size small, which
    /// is for a look, a tenth of the events and keys.
    #[arg(long, conflicts_with_all = ["json", "only", "workers"])]
    scaling: bool,
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
    /// The loop that one would write by hand; `None` where no speed is asked.
    loop_mev_per_cpu_s: Option<f64>,
    ratio: Option<f64>,
    /// Bytes of state at its peak per event then held; `None` where no state holds events.
    bytes_per_live_event: Option<f64>,
    /// Bytes of state at its peak per key then held.
    bytes_per_key: Option<f64>,
}

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench prints its table"
)]
fn main() -> ExitCode {
    let options = Options::parse();
    if options.scaling {
        return match run_scaling(&options) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        };
    }
    let (json, sizes) = match checked(&options) {
        Ok(checked) => checked,
        Err(wrong) => {
            eprintln!("{wrong}");
            return ExitCode::from(2);
        }
    };
    println!(
        "{:<28} {:>6} {:>2}  {:>9} {:>9} {:>6}  {:>7}  {:>9} {:>7}",
        "workload", "size", "w", "M/cpu-s", "loop", "ratio", "wall s", "B/event", "B/key"
    );
    let mut outcomes = match run_graphs(&options, json.as_ref()) {
        Ok(outcomes) => outcomes,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let mut ended = ExitCode::SUCCESS;
    for (size, events, users) in sizes {
        let mut wanted = jobs::all();
        wanted.retain(|workload| is_wanted(workload.name, options.only.as_deref()));
        if wanted.is_empty() {
            continue;
        }
        let rows = Arc::new(data::payments(events, users));
        for workload in wanted {
            match run(&workload, size, &rows, &options) {
                Ok(outcome) => {
                    print(&outcome);
                    if let Err(error) = append(json.as_ref(), &outcome) {
                        eprintln!("could not write the JSON line: {error}");
                        return ExitCode::FAILURE;
                    }
                    outcomes.push(outcome);
                }
                Err(error) => {
                    eprintln!("{}: {error}", workload.name);
                    ended = ExitCode::FAILURE;
                }
            }
        }
    }
    print_reached(&outcomes);
    ended
}

/// Name, events and users of each size.
const SIZES: [(&str, usize, usize); 3] = [
    ("small", 1_000_000, 100_000),
    ("large", 10_000_000, 1_000_000),
    (HUGE, 20_000_000, 10_000_000),
];

/// The size that does not fit every machine.
const HUGE: &str = "huge";

/// The file to write into, and the sizes to run; what is wrong with the options, before anything runs.
fn checked(options: &Options) -> Result<(Option<File>, Vec<(&'static str, usize, usize)>), String> {
    let over_rows = jobs::all();
    let over_rows = over_rows.iter().map(|workload| workload.name);
    let over_graphs = graph::all().map(|workload| workload.name);
    let names: Vec<_> = over_rows.chain(over_graphs).collect();
    let only = options.only.as_deref();
    if !names.iter().any(|name| is_wanted(name, only)) {
        let only = only.unwrap_or_default();
        return Err(format!(
            "no workload has {only:?} in its name; there are {}",
            names.join(", ")
        ));
    }
    let asked = options.size.as_deref();
    let is_asked = |size: &str| asked.map_or(size != HUGE, |asked| asked == size);
    let sizes: Vec<_> = SIZES.into_iter().filter(|size| is_asked(size.0)).collect();
    if sizes.is_empty() {
        return Err("there are three sizes: small, large and huge".into());
    }
    let open = |path: &PathBuf| {
        let file = OpenOptions::new().create(true).append(true).open(path);
        file.map_err(|error| format!("cannot write {}: {error}", path.display()))
    };
    Ok((options.json.as_ref().map(open).transpose()?, sizes))
}

/// Whether a workload was asked for: a whole name means that one alone.
fn is_wanted(name: &str, only: Option<&str>) -> bool {
    let Some(only) = only else { return true };
    let graphs = graph::all().map(|workload| workload.name);
    let is_whole =
        graphs.contains(&only) || jobs::all().iter().any(|workload| workload.name == only);
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
    let rows = &(workload.rows)(rows);
    let (mut ours, mut theirs, mut bytes) = (Vec::new(), Vec::new(), [None; 2]);
    let expected = workload.expected.map(|expected| expected(rows));
    for _ in 0..options.reps.max(1) {
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
    let ours = median(ours);
    let observations = rows.len() * workload.observations_per_row;
    let rate = observations as f64 / ours.cpu_s / 1e6;
    let by_hand = (!theirs.is_empty()).then(|| median(theirs));
    let loop_rate = by_hand.map(|cost| observations as f64 / cost.cpu_s / 1e6);
    Ok(Outcome {
        workload: workload.name,
        size,
        workers: options.workers,
        events: rows.len(),
        cpu_s: ours.cpu_s,
        wall_s: ours.wall_s,
        mev_per_cpu_s: rate,
        loop_mev_per_cpu_s: loop_rate,
        ratio: loop_rate.map(|loop_rate| rate / loop_rate),
        bytes_per_live_event: bytes[0],
        bytes_per_key: bytes[1],
    })
}

/// Runs the workloads over graphs, each of a size of its own.
fn run_graphs(options: &Options, json: Option<&File>) -> Result<Vec<Outcome>, JobError> {
    let mut outcomes = Vec::new();
    let is_small = options.size.as_deref().is_none_or(|size| size == "small");
    for workload in graph::all() {
        if is_small && is_wanted(workload.name, options.only.as_deref()) {
            let outcome = run_graph(workload, options)?;
            print(&outcome);
            append(json, &outcome).map_err(|error| {
                JobError::System(format!("could not write the JSON line: {error}"))
            })?;
            outcomes.push(outcome);
        }
    }
    Ok(outcomes)
}

/// Runs a workload over a graph and its loop in turn, and takes the medians.
fn run_graph(workload: GraphWorkload, options: &Options) -> Result<Outcome, JobError> {
    let edges = graph::edges(workload.edges);
    let (mut ours, mut theirs, mut bytes, mut counts) =
        (Vec::new(), Vec::new(), [None; 2], [0.0; 2]);
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
        bytes = state_bytes(&report);
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
        loop_mev_per_cpu_s: Some(loop_rate),
        ratio: Some(rate / loop_rate),
        bytes_per_live_event: bytes[0],
        bytes_per_key: bytes[1],
    })
}

/// State bytes per event and per key held, when there were most.
fn state_bytes(report: &Report) -> [Option<f64>; 2] {
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

fn median(mut costs: Vec<Cost>) -> Cost {
    costs.sort_by(|a, b| a.cpu_s.total_cmp(&b.cpu_s));
    costs[costs.len() / 2]
}

#[expect(clippy::print_stdout, reason = "a bench prints its table")]
fn print(o: &Outcome) {
    let shown = |number: Option<f64>, digits| {
        number.map_or_else(|| "–".to_owned(), |number| format!("{number:.digits$}"))
    };
    println!(
        "{:<28} {:>6} {:>2}  {:>9.2} {:>9} {:>6}  {:>7.2}  {:>9} {:>7}",
        o.workload,
        o.size,
        o.workers,
        o.mev_per_cpu_s,
        shown(o.loop_mev_per_cpu_s, 2),
        shown(o.ratio, 2),
        o.wall_s,
        shown(o.bytes_per_live_event, 1),
        shown(o.bytes_per_key, 1)
    );
}

/// How many of the figures that are asked were reached, and which were not. They are those of one worker.
#[expect(clippy::print_stdout, reason = "a bench prints its table")]
fn print_reached(outcomes: &[Outcome]) {
    let (mut figures, mut short) = (0, Vec::new());
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
            figures += 1;
            let is_reached = if at_least {
                found >= asked
            } else {
                found <= asked
            };
            if !is_reached {
                let Outcome { workload, size, .. } = outcome;
                short.push(format!(
                    "  {workload} {size}: {found:.2} {what}, asked {asked:.2}"
                ));
            }
        }
    }
    if figures > 0 {
        println!(
            "\n{} of {figures} figures asked are reached",
            figures - short.len()
        );
        short.iter().for_each(|line| println!("{line}"));
    }
}

fn append(file: Option<&File>, outcome: &Outcome) -> std::io::Result<()> {
    let Some(mut file) = file else { return Ok(()) };
    writeln!(file, "{}", serde_json::to_string(outcome)?)
}

/// Runs the pairs of scaling and prints their ratios.
#[expect(clippy::print_stdout, reason = "a bench prints its table")]
fn run_scaling(options: &Options) -> Result<(), JobError> {
    let part = match options.size.as_deref() {
        None | Some("large") => 1,
        Some("small") => 10,
        Some(other) => {
            let wrong = format!("scaling is of size large, or small for a look: got {other:?}");
            return Err(JobError::Wrong(wrong));
        }
    };
    println!("{}", scaling::heading());
    for pair in scaling::pairs(part) {
        let found = pair.run(options.reps)?;
        println!("{}", pair.line(&found));
    }
    Ok(())
}
