//! Flights out of Seattle and Portland: hourly windows, and the trailing week of the busiest aircraft.

use std::process::ExitCode;

use clap::Parser;
use examples::options::Options;
use examples::{flights, program};

/// Features of the flights that left Seattle and Portland in 2014 (pnwflights14)
///
/// Reads flights.parquet, weather.parquet and dim_planes.parquet, and writes fl_tumbling_1h, fl_roll_7d_tail,
/// fl_cross_join and fl_asof_weather as Parquet.
#[derive(Parser)]
#[command(
    name = "flights",
    after_help = "Example:\n  cargo run --release -p examples --example flights -- --data ../shared/data \\\n      --out /tmp/flights --workers 2\n\nCtrl-C ends the job in order, a second one at once: exit code 130."
)]
struct Flights {
    #[command(flatten)]
    options: Options,
}

fn main() -> ExitCode {
    program::run(&Flights::parse().options, flights::job)
}
