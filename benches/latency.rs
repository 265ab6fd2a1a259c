//! `cargo bench -p benches --bench latency [-- --rate 100000 --seconds 20 --workers 1 --epoch-ms 10 --plot latency.svg]`
//!
//! How long after it was due a row's answer is written, at a steady rate: percentiles of an HDR histogram, and a plot.
//!
//! Twice: with epochs that close as the engine decides, after 1 ms where no other is on its way and after 10 ms at most;
//! and with epochs that are all open for so long, where a row waits for the end of its epoch before anything can be
//! written of it. Of those the time from the epoch's last row on is shown beside: what follows the wait. In the end stands
//! which of these meet the latency that is asked.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use benches::latency::{self, Latencies, Load, milliseconds};
use benches::outcome::{CURVES, LatencyOutcome};
use clap::Parser;
use hdrhistogram::Histogram;
use plotters::prelude::*;

/// Measures latency from source to sink, through rolling windows of 1 h, 24 h and 7 d.
#[derive(Parser)]
struct Options {
    /// Rows a second.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    rate: u64,
    /// How long each of the two runs takes; the first second is not counted.
    #[arg(long, default_value_t = 20.0)]
    seconds: f64,
    /// Worker threads.
    #[arg(long, default_value_t = 1)]
    workers: usize,
    /// How long every epoch of the second run is open.
    #[arg(long, default_value_t = 10)]
    epoch_ms: u64,
    /// Write the plot into this SVG file.
    #[arg(long)]
    plot: Option<PathBuf>,
    /// Given by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

/// Latencies of one kind of one run.
struct Curve {
    name: &'static str,
    latencies: Histogram<u64>,
    colour: RGBColor,
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
    let load = Load {
        rate: options.rate,
        time: Duration::from_secs_f64(options.seconds.max(2.0)),
        workers: options.workers,
        epoch: None,
    };
    let epoch = Duration::from_millis(options.epoch_ms);
    let runs = match latency::both(load, epoch) {
        Ok(runs) => runs,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let curves = curves(&runs);
    curves.iter().for_each(|curve| println!("{}", table(curve)));
    println!("{}", LatencyOutcome::heading());
    for outcome in LatencyOutcome::of(&load, epoch, &runs) {
        println!("{}", outcome.line());
    }
    if let Some(file) = &options.plot {
        if let Err(error) = plot(&curves, &options, file) {
            eprintln!("could not draw {}: {error}", file.display());
            return ExitCode::FAILURE;
        }
        println!("plot: {}", file.display());
    }
    ExitCode::SUCCESS
}

fn curves([as_decided, held]: &[Latencies; 2]) -> [Curve; 3] {
    let of = |place: usize, latencies: &Histogram<u64>, colour| Curve {
        name: CURVES[place],
        latencies: latencies.clone(),
        colour,
    };
    [
        of(0, &as_decided.from_due, RGBColor(0, 90, 160)),
        of(1, &held.from_due, RGBColor(190, 80, 0)),
        of(2, &held.from_last_row, RGBColor(90, 140, 60)),
    ]
}

/// A line per share of the answers.
fn table(curve: &Curve) -> String {
    let latencies = &curve.latencies;
    let mut text = format!("{}: {} answers\n", curve.name, latencies.len());
    let _ = writeln!(text, "{:>9}  {:>9}", "share", "ms");
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

/// Nines of a share: 0 for none, 1 for 90 %, 2 for 99 %.
fn nines(share: f64) -> f64 {
    -(1.0 - share).max(1e-9).log10()
}

/// The points of a curve: nines of the share, and milliseconds.
fn points(latencies: &Histogram<u64>, most: f64) -> Vec<(f64, f64)> {
    let points = (0..=400).map(|n| {
        let nines = most * f64::from(n) / 400.0;
        (nines, milliseconds(latencies, 1.0 - 10_f64.powf(-nines)))
    });
    points.collect()
}

/// Latency over the share of rows that stay below it, each nine as wide as the one before.
fn plot(
    curves: &[Curve],
    options: &Options,
    file: &Path,
) -> Result<(), Box<dyn std::error::Error>> {
    let rows = curves.iter().map(|curve| curve.latencies.len()).min();
    let most = (rows.unwrap_or(0).max(10) as f64).log10();
    let highest = curves
        .iter()
        .map(|curve| milliseconds(&curve.latencies, 1.0));
    let top = highest.fold(10.0, f64::max) * 1.1;
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
    for curve in curves {
        let colour = curve.colour;
        let p99 = milliseconds(&curve.latencies, 0.99);
        let line = LineSeries::new(points(&curve.latencies, most), colour.stroke_width(2));
        chart
            .draw_series(line)?
            .label(format!("{} (99%: {p99:.2} ms)", curve.name))
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
        let at = nines(0.99);
        if at <= most {
            chart.draw_series([Circle::new((at, p99), 4, colour.filled())])?;
        }
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE)
        .label_font(("sans-serif", 14))
        .draw()?;
    area.present()?;
    Ok(())
}
