//! The page of results: the account, latencies, state, features, busy hours, and where to look further.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;

use thalweg_connectors::online::StoredRow;
use thalweg_operators::drift::{Thresholds, Verdict};

use crate::demo::drift::DriftHour;
use crate::demo::folder::Layout;
use crate::demo::noticed::{minute, named, noticed};
use crate::demo::{Ran, VIEW};
use crate::store::Place;
use crate::text::{self, amount, bytes, count, table};

/// Columns from which on the widest table has room for all that it could show.
const WIDE: u16 = 105;

/// How the page is set.
#[derive(Clone, Debug)]
pub struct Style {
    /// Columns of the terminal.
    pub width: u16,
    /// How this program is called, for the commands that the page names.
    pub program: String,
}

/// The page of a run, a line feed at its end.
pub(super) fn render(ran: &Ran, style: &Style) -> String {
    let parts = [
        head(ran),
        account(ran, style),
        state(ran, style),
        spenders(ran, style),
        hours(ran, style),
        drift(ran, style),
        further(ran, style),
    ];
    parts.join("\n")
}

fn head(ran: &Ran) -> String {
    let (report, rows) = (&ran.report, ran.report.rows_read());
    let ended = if report.stopped { "stopped" } else { "ended" };
    let seconds = report.elapsed.as_secs_f64();
    let (per_s, per_cpu_s) = (rate(rows, seconds), rate(rows, ran.cpu_s));
    let epochs = report.metrics.epochs.load(Relaxed);
    let latency = |share| text::duration(report.metrics.latency(share));
    format!(
        "The demo {ended} after {}: {} rows on {} worker(s)\n\
         Throughput  {per_s} rows/s; {per_cpu_s} rows per CPU-second, their making included\n\
         Latency     p50 {}, p99 {} from an epoch's first row to the last store's answer ({} epochs)\n",
        text::duration(report.elapsed),
        count(rows),
        ran.demo.workers,
        latency(0.5),
        latency(0.99),
        count(epochs),
    )
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate for people"
)]
fn rate(rows: u64, seconds: f64) -> String {
    let rate = rows as f64 / seconds.max(1e-9);
    // Three digits are what such a measurement is good for.
    let unit = 10_f64.powi((rate.max(1.0).log10().floor() as i32 - 2).max(0));
    count(((rate / unit).round() * unit) as u64)
}

fn account(ran: &Ran, style: &Style) -> String {
    let rows = ran
        .report
        .metrics
        .sources()
        .into_iter()
        .map(|(name, source)| {
            let of = |counter: &std::sync::atomic::AtomicU64| count(counter.load(Relaxed));
            vec![
                name,
                of(&source.read),
                of(&source.rows),
                of(&source.late),
                of(&source.dead),
            ]
        });
    let title = "Nothing is lost silently: read = in + late + dead";
    let header = ["source", "read", "in", "late", "dead"];
    titled(title, &table(style.width, &header, rows.collect()))
}

fn state(ran: &Ran, style: &Style) -> String {
    let mut operators: BTreeMap<String, [u64; 5]> = BTreeMap::new();
    for ((name, _), operator) in ran.report.metrics.operators() {
        let sums = operators.entry(name).or_default();
        let counters = [
            &operator.rows_in,
            &operator.rows_out,
            &operator.keys,
            &operator.events,
            &operator.bytes,
        ];
        for (sum, counter) in sums.iter_mut().zip(counters) {
            *sum += counter.load(Relaxed);
        }
    }
    let rows = operators
        .into_iter()
        .map(|(name, [rows_in, rows_out, keys, events, held])| {
            vec![
                name,
                count(rows_in),
                count(rows_out),
                count(keys),
                count(events),
                bytes(held),
            ]
        });
    let header = [
        "operator",
        "updates in",
        "updates out",
        "keys",
        "events held",
        "state",
    ];
    titled(
        "State, all workers together",
        &table(style.width, &header, rows.collect()),
    )
}

fn spenders(ran: &Ran, style: &Style) -> String {
    let narrow = ["sum_24h", "n_7d", "sum_7d", "stddev_7d"];
    let wide = [
        "n_1h",
        "sum_1h",
        "sum_24h",
        "n_7d",
        "sum_7d",
        "mean_7d",
        "stddev_7d",
    ];
    let shown: &[&str] = if style.width < WIDE { &narrow } else { &wide };
    let mut header = vec!["user", "at (UTC)"];
    header.extend(shown);
    let row = |(user, row): &(String, StoredRow)| {
        let mut cells = vec![user.clone(), minute(row.row_time)];
        let field = |name: &&str| row.field(name).map_or_else(String::new, amount);
        cells.extend(shown.iter().map(field));
        cells
    };
    let title = format!(
        "Who spent most in seven days, read back from the online store ({} users, view `{VIEW}`)",
        count(ran.findings.online_rows)
    );
    let rows = ran.findings.top.iter().map(row).collect();
    titled(&title, &table(style.width, &header, rows))
}

fn hours(ran: &Ran, style: &Style) -> String {
    let rows = ran.findings.busiest.iter().map(|hour| {
        let sum = hour.amount.map(|sum| amount(&format!("{sum:.2}")));
        vec![
            minute(hour.hour.0),
            hour.country.clone(),
            count(hour.payments.unsigned_abs()),
            sum.unwrap_or_default(),
        ]
    });
    let title = format!(
        "The busiest hours, read back from the offline store (of {} hours and countries)",
        count(ran.findings.hourly_rows as u64)
    );
    let header = ["hour (UTC)", "country", "payments", "amount"];
    titled(&title, &table(style.width, &header, rows.collect()))
}

fn drift(ran: &Ran, style: &Style) -> String {
    let mut verdicts: BTreeMap<Verdict, Vec<&DriftHour>> = BTreeMap::new();
    for hour in &ran.findings.drift {
        verdicts.entry(hour.verdict).or_default().push(hour);
    }
    let wide = style.width >= WIDE;
    let rows = verdicts.into_iter().map(|(verdict, hours)| {
        let moment =
            |hour: Option<&&DriftHour>| hour.map_or_else(String::new, |hour| minute(hour.hour.0));
        // Statistics of a handful of rows say nothing, and are not shown as if they did.
        let judged = verdict != Verdict::TooFew;
        let of = |statistic: fn(&DriftHour) -> Option<f64>| -> Vec<f64> {
            let judged = hours.iter().filter(|_| judged);
            judged.filter_map(|hour| statistic(hour)).collect()
        };
        let shown = |number: Option<f64>| number.map_or_else(String::new, |x| format!("{x:.3}"));
        let greatest = |numbers: Vec<f64>| numbers.into_iter().reduce(f64::max);
        let mut cells = vec![
            named(verdict).to_owned(),
            count(hours.len() as u64),
            moment(hours.first()),
        ];
        cells.extend(wide.then(|| moment(hours.last())));
        cells.extend([
            shown(mean(&of(|hour| hour.psi))),
            shown(greatest(of(|hour| hour.ks))),
            shown(greatest(of(|hour| hour.mean_shift_z.map(f64::abs)))),
        ]);
        cells
    });
    let title = "How far each hour's amounts have moved from what a model was trained on";
    let mut header = vec!["verdict", "hours", "first (UTC)"];
    header.extend(wide.then_some("last (UTC)"));
    header.extend(["mean PSI", "max KS", "max shift"]);
    let table = titled(title, &table(style.width, &header, rows.collect()));
    table + &noticed(&ran.findings.drift, &Thresholds::default())
}

#[expect(clippy::cast_precision_loss, reason = "some hundreds")]
fn mean(numbers: &[f64]) -> Option<f64> {
    (!numbers.is_empty()).then(|| numbers.iter().sum::<f64>() / numbers.len() as f64)
}

fn further(ran: &Ran, style: &Style) -> String {
    let (dir, program, spend) = (
        ran.demo.dir.display(),
        &style.program,
        Layout::of(&ran.demo.dir).spend(),
    );
    let place = match &ran.demo.online {
        Place::Embedded => format!("--dir {dir}"),
        Place::Redis(_) => format!("--store {}", ran.demo.online),
    };
    let top = ran.findings.top.first();
    let user = top.map_or("1", |(user, _)| user.as_str());
    let mut text = String::from("Where it lies\n");
    let lies = lies(ran);
    let longest = lies.iter().map(|(path, _)| path.chars().count()).max();
    for (path, what) in &lies {
        text += &format!(
            "  {path:longest$}  {what}\n",
            longest = longest.unwrap_or(0)
        );
    }
    text + &format!(
        "\nLook further\n  {program} get {VIEW} {user} {place}\n  duckdb -c \"SELECT date, count(*) AS payments, \
         avg(amount), avg(sum_24h) FROM '{}/*/*.parquet' GROUP BY date ORDER BY date\"\n",
        spend.display(),
    )
}

/// What the demo wrote: where, and what it is.
fn lies(ran: &Ran) -> [(String, String); 6] {
    let (files, findings) = (Layout::of(&ran.demo.dir), &ran.findings);
    let written = |sink: &str| {
        let sinks = ran.report.metrics.sinks();
        let ours = sinks.iter().filter(|((name, _), _)| name == sink);
        count(ours.map(|(_, sink)| sink.rows.load(Relaxed)).sum())
    };
    let shown = |path: &std::path::Path| path.display().to_string();
    let online = match findings.online_bytes {
        Some(held) => (
            shown(&files.online()),
            format!("online store, view `{VIEW}`, {}", bytes(held)),
        ),
        None => (
            ran.demo.online.to_string(),
            format!("view `{VIEW}`, for an hour"),
        ),
    };
    let spend = format!(
        "{} payments with their features, {} days, {}",
        written("offline"),
        findings.days,
        bytes(findings.offline_bytes)
    );
    [
        online,
        (shown(&files.spend()), spend),
        (
            shown(&files.hourly()),
            format!("{} hours and countries", written("hours")),
        ),
        (
            shown(&files.drift()),
            format!("{} hours, judged", written("drift hours")),
        ),
        (
            shown(&files.late()),
            format!("{} rows that came too late", written("late")),
        ),
        (
            shown(&files.dead()),
            format!(
                "{} records that could not be decoded",
                written("dead letters")
            ),
        ),
    ]
}

fn titled(title: &str, table: &str) -> String {
    format!("{title}\n{table}\n")
}
