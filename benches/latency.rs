//! `cargo bench -p benches --bench latency [-- --rate 100000 --seconds 20 --workers 1 --plot latency.svg]`
//!
//! How long after it was due a row's answer is written, at a steady rate: percentiles of an HDR histogram, and a plot.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use benches::latency;
use clap::Parser;
use hdrhistogram::Histogram;
use plotters::prelude::*;

/// Measures latency from source to sink, through rolling windows of 1 h, 24 h and 7 d.
#[derive(Parser)]
struct Options {
    /// Rows a second.
    #[arg(long, default_value_t = 100_000)]
    rate: u64,
    /// How long; the first second is not counted.
    #[arg(long, default_value_t = 20.0)]
    seconds: f64,
    /// Worker threads.
    #[arg(long, default_value_t = 1)]
    workers: usize,
    /// Write the plot into this SVG file.
    #[arg(long)]
    plot: Option<PathBuf>,
    /// Given by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

/// The shares that are shown, as far as there are rows for them.
const SHARES: [f64; 8] = [0.0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999, 1.0];

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench prints its table"
)]
fn main() -> ExitCode {
    let options = Options::parse();
    let time = Duration::from_secs_f64(options.seconds.max(2.0));
    let latencies = match latency::run(options.rate.max(1), time, options.workers) {
        Ok(latencies) => latencies,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    println!("{}", table(&latencies));
    if let Some(file) = &options.plot {
        if let Err(error) = plot(&latencies, &options, file) {
            eprintln!("could not draw {}: {error}", file.display());
            return ExitCode::FAILURE;
        }
        println!("plot: {}", file.display());
    }
    ExitCode::SUCCESS
}

/// A line per share of the rows.
fn table(latencies: &Histogram<u64>) -> String {
    let mut text = format!("{} answers\n{:>9}  {:>9}\n", latencies.len(), "share", "ms");
    for share in SHARES {
        let _ = writeln!(
            text,
            "{:>8}%  {:>9.3}",
            percent(share),
            milliseconds(latencies, share)
        );
    }
    text
}

/// A share in percent, without zeros behind.
fn percent(share: f64) -> String {
    let text = format!("{:.3}", share * 100.0);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn milliseconds(latencies: &Histogram<u64>, share: f64) -> f64 {
    latencies.value_at_quantile(share) as f64 / 1_000.0
}

/// Nines of a share: 0 for none, 1 for 90 %, 2 for 99 %.
fn nines(share: f64) -> f64 {
    -(1.0 - share).max(1e-9).log10()
}

/// Latency over the share of rows that stay below it, each nine as wide as the one before.
fn plot(
    latencies: &Histogram<u64>,
    options: &Options,
    file: &Path,
) -> Result<(), Box<dyn std::error::Error>> {
    let rows = latencies.len().max(10) as f64;
    let most = rows.log10();
    let points = (0..=400).map(|n| {
        let nines = most * f64::from(n) / 400.0;
        (nines, milliseconds(latencies, 1.0 - 10_f64.powf(-nines)))
    });
    let points: Vec<(f64, f64)> = points.collect();
    let top = points.iter().map(|point| point.1).fold(10.0, f64::max) * 1.1;
    let area = SVGBackend::new(file, (900, 480)).into_drawing_area();
    area.fill(&WHITE)?;
    let caption = format!(
        "Source to sink at {} rows/s, {} worker{}",
        options.rate,
        options.workers,
        if options.workers == 1 { "" } else { "s" }
    );
    let mut chart = ChartBuilder::on(&area)
        .caption(caption, ("sans-serif", 20))
        .margin(16)
        .x_label_area_size(44)
        .y_label_area_size(60)
        .build_cartesian_2d(0.0..most, 0.0..top)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .x_labels(most as usize + 1)
        .x_label_formatter(&|nines| format!("{}%", percent(1.0 - 10_f64.powf(-nines))))
        .x_desc("share of answers")
        .y_desc("milliseconds, at most")
        .axis_desc_style(("sans-serif", 15))
        .label_style(("sans-serif", 13))
        .draw()?;
    chart.draw_series(LineSeries::new(
        points,
        RGBColor(0, 90, 160).stroke_width(2),
    ))?;
    let at = nines(0.99);
    if at <= most {
        let p99 = milliseconds(latencies, 0.99);
        chart.draw_series([Circle::new((at, p99), 4, RGBColor(0, 90, 160).filled())])?;
        // Above the curve and before the point, where nothing else is drawn.
        let place = (at - most * 0.16, p99 + top * 0.08);
        let label = Text::new(format!("99%: {p99:.2} ms"), place, ("sans-serif", 15));
        chart.draw_series([label])?;
    }
    area.present()?;
    Ok(())
}
