//! How a job ended: its account, line by line, for people.
//!
//! ```text
//! job 'payments' ended after 1.20 s, 84167 rows/s
//!   source payments: 101000 read = 100232 in + 767 late + 1 dead-lettered (first: part.csv, record 17: no amount)
//!   sink spend: 40211 updates written
//!   watermark: 2024-01-14 23:13:07 (UTC), 2700 s behind the newest event time
//!   state of spend latest: 20000 keys, 81377 events, 45.5 MiB
//!   35 epochs, source to sink p50 12.00ms, p99 31.00ms
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use crate::metrics::Metrics;
use crate::time::{EventTime, WATERMARK_END, WATERMARK_NONE};

/// How a job ended: its account, to be printed.
#[derive(Clone, Debug)]
pub struct Report {
    /// The job's name.
    pub job: String,
    /// Whether it was stopped before its sources ended.
    pub stopped: bool,
    /// Wall time from the first to the last moment.
    pub elapsed: Duration,
    /// All counters.
    pub metrics: Arc<Metrics>,
}

impl Report {
    /// Records read from all sources.
    #[must_use]
    pub fn rows_read(&self) -> u64 {
        self.metrics
            .sources()
            .iter()
            .map(|(_, source)| source.read.load(Relaxed))
            .sum()
    }

    fn write_sources(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, source) in self.metrics.sources() {
            let (read, rows) = (source.read.load(Relaxed), source.rows.load(Relaxed));
            let (late, dead) = (source.late.load(Relaxed), source.dead.load(Relaxed));
            let first = source.first_dead();
            let first = first.map_or_else(String::new, |first| format!(" (first: {first})"));
            writeln!(
                f,
                "  source {name}: {read} read = {rows} in + {late} late + {dead} dead-lettered{first}"
            )?;
        }
        Ok(())
    }

    fn write_sinks(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sinks: BTreeMap<String, (u64, bool)> = BTreeMap::new();
        for ((name, _), sink) in self.metrics.sinks() {
            let (rows, held_back) = sinks.entry(name).or_default();
            *rows += sink.rows.load(Relaxed);
            *held_back |= sink.held_back.load(Relaxed);
        }
        for (name, (rows, held_back)) in sinks {
            if held_back {
                writeln!(
                    f,
                    "  sink {name}: nothing written, the sources were stopped before their end; what stood there stays"
                )?;
            } else {
                writeln!(f, "  sink {name}: {rows} updates written")?;
            }
        }
        Ok(())
    }

    fn write_watermark(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let newest = self.metrics.newest.load(Relaxed);
        match (self.metrics.watermark.load(Relaxed), newest) {
            (WATERMARK_NONE, WATERMARK_NONE) => {
                writeln!(f, "  watermark: none, no row bore an event time")
            }
            (WATERMARK_NONE, newest) => writeln!(
                f,
                "  watermark: none, the newest event time is {}",
                moment(newest)
            ),
            (WATERMARK_END, WATERMARK_NONE) => {
                writeln!(f, "  watermark: at the end, all sources have ended")
            }
            (WATERMARK_END, newest) => writeln!(
                f,
                "  watermark: at the end, all sources have ended; the newest event time is {}",
                moment(newest)
            ),
            (watermark, _) => writeln!(
                f,
                "  watermark: {}, {} s behind the newest event time",
                moment(watermark),
                self.metrics.lag_us() / 1_000_000
            ),
        }
    }

    /// The state of each operator, its workers together.
    fn write_state(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut operators: BTreeMap<String, [u64; 4]> = BTreeMap::new();
        for ((name, _), operator) in self.metrics.operators() {
            let (keys, events) = (&operator.keys, &operator.events);
            let counters = [keys, events, &operator.bytes, &operator.forgotten];
            let sums = operators.entry(name).or_default();
            for (sum, counter) in sums.iter_mut().zip(counters) {
                *sum += counter.load(Relaxed);
            }
        }
        for (name, [keys, events, bytes, forgotten]) in operators {
            let size = size(bytes);
            write!(f, "  state of {name}: {keys} keys, {events} events, {size}")?;
            if forgotten > 0 {
                let of = "updates came for what had been written for good";
                write!(f, "; {forgotten} {of}, and changed nothing")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ended = if self.stopped { "stopped" } else { "ended" };
        let seconds = self.elapsed.as_secs_f64().max(1e-9);
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = self.rows_read() as f64 / seconds;
        writeln!(
            f,
            "job '{}' {ended} after {seconds:.2} s, {rate:.0} rows/s",
            self.job
        )?;
        self.write_sources(f)?;
        self.write_sinks(f)?;
        self.write_watermark(f)?;
        self.write_state(f)?;
        let (p50, p99) = (self.metrics.latency(0.5), self.metrics.latency(0.99));
        let epochs = self.metrics.epochs.load(Relaxed);
        write!(
            f,
            "  {epochs} epochs, source to sink p50 {p50:.2?}, p99 {p99:.2?}"
        )
    }
}

/// `2024-01-14 23:13:07 (UTC)`, to the second before `at`.
fn moment(at: EventTime) -> String {
    let seconds = at.div_euclid(1_000_000);
    let (year, month, day) = date_of(seconds.div_euclid(86_400));
    let of_day = seconds.rem_euclid(86_400);
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} (UTC)")
}

/// Year, month and day of a number of days since 1970-01-01, by the Gregorian calendar (Hinnant 2013,
/// `civil_from_days`): years begin in March, so that the leap day is their last.
fn date_of(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// `1536` as `1.5 KiB`.
#[expect(clippy::cast_precision_loss, reason = "a size for people")]
fn size(bytes: u64) -> String {
    match bytes {
        0..1_024 => format!("{bytes} B"),
        1_024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1_024.0),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyed::StateSize;
    use crate::source::DeadLetter;

    fn report(metrics: Metrics) -> String {
        let report = Report {
            job: "payments".into(),
            stopped: false,
            elapsed: Duration::from_secs(2),
            metrics: Arc::new(metrics),
        };
        report.to_string()
    }

    #[test]
    fn the_account_names_the_first_dead_letter_the_watermark_with_its_lag_and_the_state_of_each_operator()
     {
        let metrics = Metrics::default();
        let source = metrics.source("payments");
        for position in [17, 18] {
            source.note_dead(&DeadLetter {
                source: "payments".into(),
                partition: "part.csv".into(),
                position,
                reason: "no amount".into(),
                record: String::new(),
            });
        }
        metrics.newest.store(1_705_276_700_500_000, Relaxed);
        metrics.watermark.store(1_705_273_987_900_000, Relaxed);
        for worker in 0..2 {
            let size = StateSize {
                keys: 3,
                events: 5,
                bytes: 1_536,
            };
            metrics.operator("spend", worker).gave(1, size);
        }
        let text = report(metrics);
        for part in [
            "dead-lettered (first: part.csv, record 17: no amount)\n",
            "  watermark: 2024-01-14 23:13:07 (UTC), 2712 s behind the newest event time\n",
            "  state of spend: 6 keys, 10 events, 3.0 KiB\n",
        ] {
            assert!(text.contains(part), "{part} is missing in\n{text}");
        }
    }

    #[test]
    fn the_ends_of_time_are_words_and_no_moments() {
        assert!(report(Metrics::default()).contains("watermark: none, no row bore an event time"));
        let metrics = Metrics::default();
        metrics.watermark.store(WATERMARK_END, Relaxed);
        assert!(report(metrics).contains("watermark: at the end, all sources have ended\n"));
        let metrics = Metrics::default();
        metrics.watermark.store(WATERMARK_END, Relaxed);
        metrics.newest.store(-1, Relaxed);
        assert!(report(metrics).contains("time is 1969-12-31 23:59:59 (UTC)\n"));
    }

    #[test]
    fn moments_follow_the_calendar_through_leap_days_and_centuries() {
        for (seconds, text) in [
            (0, "1970-01-01 00:00:00 (UTC)"),
            (951_782_400, "2000-02-29 00:00:00 (UTC)"),
            (1_709_251_199, "2024-02-29 23:59:59 (UTC)"),
            (4_107_542_400, "2100-03-01 00:00:00 (UTC)"),
            (-62_135_596_800, "0001-01-01 00:00:00 (UTC)"),
        ] {
            assert_eq!(moment(seconds * 1_000_000), text);
        }
        assert!(moment(WATERMARK_END - 1).ends_with("(UTC)"));
        assert!(moment(WATERMARK_NONE + 1).ends_with("(UTC)"));
    }
}
