//! Progress bars on standard error, fed from the job's counters.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

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
        "{prefix:>16} {bar:30} {human_pos}/{human_len} rows, {per_sec}, {eta} left"
    } else {
        "{prefix:>16} {spinner} {human_pos} rows, {per_sec}, {elapsed}"
    };
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
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
