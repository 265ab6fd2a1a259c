//! `cargo bench -p benches --bench codec [--features abomonation] [-- --records N --reps N --json FILE]`
//!
//! What it costs to write updates to bytes and to read them back: the codec of saved state (postcard), bincode, which
//! timely uses between processes, columns, and, only where its feature is on, abomonation. Each codec must give back the
//! records that it was given before any time is shown.
//!
//! abomonation is unsound on bytes that it did not write itself (RUSTSEC-2021-0120) and aborts in debug builds on slices
//! that are not aligned. It stands here and nowhere else, to be compared, and never reads bytes from outside.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use benches::codec::{self, Codec, Record};
use benches::measure::measured;
use clap::Parser;
use serde::Serialize;

/// Times codecs on the engine's own updates.
#[derive(Parser)]
struct Options {
    /// Records to write and read.
    #[arg(long, default_value_t = 1_000_000)]
    records: usize,
    /// Runs of each; the median counts.
    #[arg(long, default_value_t = 5)]
    reps: usize,
    /// Write each result as a JSON object per line into this file.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Given by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

/// One line of the result.
#[derive(Serialize)]
struct Outcome {
    codec: &'static str,
    records: usize,
    encode_m_per_cpu_s: f64,
    decode_m_per_cpu_s: f64,
    bytes_per_record: f64,
}

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench prints its table"
)]
fn main() -> ExitCode {
    let options = Options::parse();
    let records = codec::records(options.records);
    println!(
        "{:<12} {:>14} {:>14} {:>10}",
        "codec", "encode M/cpu-s", "decode M/cpu-s", "B/record"
    );
    for codec in codec::all() {
        match run(&codec, &records, options.reps.max(1)) {
            Ok(o) => {
                println!(
                    "{:<12} {:>14.2} {:>14.2} {:>10.1}",
                    o.codec, o.encode_m_per_cpu_s, o.decode_m_per_cpu_s, o.bytes_per_record
                );
                if let Err(error) = append(options.json.as_ref(), &o) {
                    eprintln!("could not write the JSON line: {error}");
                    return ExitCode::FAILURE;
                }
            }
            Err(error) => {
                eprintln!("{}: {error}", codec.name);
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

/// Checks a codec, then times it.
fn run(codec: &Codec, records: &Vec<Record>, reps: usize) -> Result<Outcome, String> {
    let mut bytes = (codec.encode)(records)?;
    let size = bytes.len();
    if (codec.decode)(&mut bytes)? != *records {
        return Err("what was read back is not what was written".into());
    }
    let (mut encoding, mut decoding) = (Vec::new(), Vec::new());
    for _ in 0..reps {
        let (written, cost) = measured(|| (codec.encode)(records));
        encoding.push(cost.cpu_s);
        let mut bytes = written?;
        let (read, cost) = measured(|| (codec.decode)(&mut bytes));
        decoding.push(cost.cpu_s);
        std::hint::black_box(read?);
    }
    let rate = |mut costs: Vec<f64>| {
        costs.sort_by(f64::total_cmp);
        records.len() as f64 / costs[costs.len() / 2] / 1e6
    };
    Ok(Outcome {
        codec: codec.name,
        records: records.len(),
        encode_m_per_cpu_s: rate(encoding),
        decode_m_per_cpu_s: rate(decoding),
        bytes_per_record: size as f64 / records.len() as f64,
    })
}

fn append(file: Option<&PathBuf>, outcome: &Outcome) -> std::io::Result<()> {
    let Some(path) = file else { return Ok(()) };
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    writeln!(file, "{}", serde_json::to_string(outcome)?)
}
