//! An online shop: hours, customers and products, with lines that are taken back.

use std::process::ExitCode;

use clap::Parser;
use examples::options::Options;
use examples::{program, retail};

/// Features of an online shop's invoice lines (UCI Online Retail)
///
/// Reads lines.parquet, cancel_matches.parquet and dim_product.parquet, and writes rt_tumbling_1h,
/// rt_tumbling_1d_country, rt_session_1d_customer, rt_product_features,
/// rt_roll_30d_customer, rt_latest_customer, rt_cross_join, rt_net_after_retraction,
/// rt_net_after_retraction_product, rt_asof_cancel and retail_hourly_numeric as Parquet, and baselines.json. Lines that a cancellation undoes leave every aggregate again.
#[derive(Parser)]
#[command(
    name = "retail",
    after_help = "Example:\n  cargo run --release -p examples --example retail -- --data ../shared/data \\\n      --out /tmp/retail --workers 2\n\nCtrl-C ends the job in order, a second one at once: exit code 130."
)]
struct Retail {
    #[command(flatten)]
    options: Options,
}

fn main() -> ExitCode {
    program::run(&Retail::parse().options, retail::job)
}
