//! The workloads of `benches/compare` on Thalweg: `compare FOLDER WORKLOAD WORKERS`
//!
//! ```text
//! Parquet files ─ job ─▶ answer ─ added up ─▶ {"seconds": …, "cpu_s": …, "peak_mib": …, "digest": {…}, "version": …}
//! ```
//!
//! The same line that the programs of the others print (`rivals/timed.py`). The clock runs from before the files are
//! opened until the last row of the answer is added up.

mod digest;
mod graphs;
mod joins;
mod rows;
mod windows;

use std::io::{Error, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use benches::measure::{Cost, measured};
use clap::{Parser, ValueEnum};
use serde_json::{Value, json};
use thalweg::prelude::*;

use crate::digest::Digest;

/// Runs one workload over the files of one size.
#[derive(Parser)]
struct Options {
    /// The folder that `payments.py` has filled.
    folder: PathBuf,
    /// What to compute.
    workload: Workload,
    /// Worker threads.
    workers: usize,
}

/// What all engines compute.
#[derive(Clone, Copy, ValueEnum)]
enum Workload {
    Rolling,
    Corrections,
    Upsert,
    Tumbling,
    Hopping,
    Session,
    Asof,
    Drift,
    Dimension,
    #[value(name = "point_in_time")]
    PointInTime,
    Lookup,
    Components,
}

/// Rows of an epoch where rows are told at once: as many as Bytewax is handed at a time.
const EPOCH_ROWS: usize = 4_096;

fn main() -> ExitCode {
    let ran = run(&Options::parse());
    let said = ran
        .map_err(Error::other)
        .and_then(|(cost, digest)| line(cost, &digest))
        .and_then(|line| writeln!(std::io::stdout(), "{line}"));
    match said {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where nobody reads errors either there is nothing to be done.
            let _ = writeln!(std::io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(Cost, Digest), JobError> {
    let (folder, digest) = (&options.folder, Digest::default());
    let job = match options.workload {
        Workload::Rolling => windows::rolling(folder, &digest),
        Workload::Corrections => windows::corrections(folder, &digest),
        Workload::Upsert => windows::upsert(folder, &digest),
        Workload::Tumbling => windows::tumbling(folder, &digest),
        Workload::Hopping => windows::hopping(folder, &digest),
        Workload::Session => windows::session(folder, &digest),
        Workload::Drift => windows::drift(folder, &digest)?,
        Workload::Asof => joins::asof(folder, &digest),
        Workload::Dimension => joins::dimension(folder, &digest),
        Workload::PointInTime => joins::point_in_time(folder, &digest),
        Workload::Lookup => joins::lookup(folder, &digest),
        Workload::Components => graphs::components(folder, &digest),
    };
    let config = Config::workers(options.workers)?;
    // What is told at once shall be: a file's own epochs would leave little to be repaired or replaced.
    let config = match options.workload {
        Workload::Corrections | Workload::Upsert => config.epoch_rows(EPOCH_ROWS)?,
        _ => config,
    };
    let (report, cost) = measured(|| job.run(config));
    report.map(|_| (cost, digest))
}

fn line(cost: Cost, digest: &Digest) -> Result<Value, Error> {
    Ok(json!({
        "seconds": cost.wall_s,
        "cpu_s": cost.cpu_s,
        "peak_mib": peak_mib()?,
        "digest": digest.read(),
        "version": env!("CARGO_PKG_VERSION"),
    }))
}

/// The most memory that this process has had, as Linux counts it.
fn peak_mib() -> Result<f64, Error> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| {
        let kib = line.strip_prefix("VmHWM:")?.strip_suffix("kB")?;
        kib.trim().parse::<f64>().ok()
    });
    peak.map(|kib| kib / 1024.0)
        .ok_or_else(|| Error::other("/proc/self/status does not say VmHWM"))
}
