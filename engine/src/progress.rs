//! Progress bars on standard error, fed from the job's counters.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{HumanCount, MultiProgress, ProgressBar, ProgressState, ProgressStyle};

use crate::metrics::Metrics;

/// How often the bars are drawn.
const REDRAW: Duration = Duration::from_millis(100);

/// Bars that are shown until this is dropped.
pub(crate) struct Shown {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Shows a bar per source with a known size, and a spinner per source without. Hidden where there is no terminal.
pub(crate) fn show(metrics: &Arc<Metrics>) -> Shown {
    let stop = Arc::new(AtomicBool::new(false));
    let (metrics, stopped) = (Arc::clone(metrics), Arc::clone(&stop));
    let thread = std::thread::Builder::new()
        .name("progress".into())
        .spawn(move || {
            let bars = MultiProgress::new();
            let mut shown: Vec<(String, ProgressBar)> = Vec::new();
            while !stopped.load(Relaxed) {
                draw(&metrics, &bars, &mut shown);
                std::thread::park_timeout(REDRAW);
            }
            draw(&metrics, &bars, &mut shown);
            shown.iter().for_each(|(_, bar)| bar.abandon());
            if !bars.is_hidden() && !shown.is_empty() {
                // The bars stay, and leave the cursor at the end of the last one.
                let _ = std::io::stderr().write_all(b"\n");
            }
        });
    Shown {
        stop,
        thread: thread.ok(),
    }
}

fn draw(metrics: &Metrics, bars: &MultiProgress, shown: &mut Vec<(String, ProgressBar)>) {
    for (name, source) in metrics.sources() {
        let index = shown
            .iter()
            .position(|(known, _)| *known == name)
            .unwrap_or_else(|| {
                let expected = source.expected.load(Relaxed);
                let bar = bars.add(if expected > 0 {
                    ProgressBar::new(expected)
                } else {
                    ProgressBar::no_length()
                });
                bar.set_style(style(expected > 0));
                bar.set_prefix(name.clone());
                shown.push((name, bar));
                shown.len() - 1
            });
        shown[index].1.set_position(source.read.load(Relaxed));
    }
}

fn style(bounded: bool) -> ProgressStyle {
    let template = if bounded {
        "{prefix:>12} {bar:20} {human_pos}/{human_len} rows, {rate}, {eta} left"
    } else {
        "{prefix:>12} {spinner} {human_pos} rows, {rate}, {elapsed}"
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate for people"
    )]
    let rate = |state: &ProgressState, out: &mut dyn std::fmt::Write| {
        // A bar that cannot be drawn is no reason to stop.
        let _ = write!(out, "{}/s", HumanCount(state.per_sec() as u64));
    };
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("rate", rate)
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}
