//! Measurements on cloud machines: daily windows, totals, a rolling week, the newest values, and how late it all was.

use std::process::ExitCode;

use clap::Parser;
use examples::options::Options;
use examples::{program, vmnoise};

/// Features of benchmark measurements on cloud machines (Azure VM Noise Dataset 2024)
///
/// Reads events.parquet and dim_vm.parquet, and writes vm_tumbling_1d, vm_totals, vm_roll_7d, vm_latest_final,
/// vm_latest_midway, vm_hop_6h_1h, vm_session_30m, vm_tumbling_1h_bound60s, vm_asof and vm_cross_join as Parquet and
/// vm_lateness as CSV. Two thirds of the records are older than one that came before them.
#[derive(Parser)]
#[command(
    name = "vmnoise",
    after_help = "Example:\n  cargo run --release -p examples --example vmnoise -- --data ../shared/data \\\n      --out /tmp/vmnoise --workers 2\n\nCtrl-C ends the job in order, a second one at once: exit code 130."
)]
struct VmNoise {
    #[command(flatten)]
    options: Options,
}

fn main() -> ExitCode {
    program::run(&VmNoise::parse().options, vmnoise::job)
}
