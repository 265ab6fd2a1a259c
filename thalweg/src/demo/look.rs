//! What the demo wrote, read back the way anyone would read it: through the online store's read trait, and as files.

use std::path::Path;

use thalweg_connectors::files::{FileSource, Files};
use thalweg_connectors::online::{OnlineStore, StoredRow};
use thalweg_engine::source::{Batch, ReadStatus, Source, SourceError};
use thalweg_engine::time::EventTime;
use thalweg_engine::update::Data;

use crate::demo::drift::DriftHour;
use crate::demo::folder::{Layout, bytes_under};
use crate::demo::plan::Plan;
use crate::demo::rows::Hourly;
use crate::demo::{DemoError, VIEW};
use crate::store::{Place, StoreError};

/// Entities that are asked for in one round trip.
const BATCH: u64 = 1_000;

/// Rows of a table on the page.
const TOP: usize = 5;

/// What the stores hold after a run.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// Users with a row in the online store.
    pub online_rows: u64,
    /// The users who spent most in seven days, with their rows.
    pub top: Vec<(String, StoredRow)>,
    pub(super) hourly_rows: usize,
    pub(super) busiest: Vec<Hourly>,
    pub(super) drift: Vec<DriftHour>,
    pub(super) days: usize,
    pub(super) online_bytes: Option<u64>,
    pub(super) offline_bytes: u64,
}

/// Refuses a Redis that holds the view already: its rows would keep the demo's out, or be lost to them.
pub(super) fn nothing_yet(plan: &Plan) -> Result<(), StoreError> {
    if plan.demo.online == Place::Embedded {
        return Ok(());
    }
    let mut store = plan.demo.online.open(&plan.demo.dir)?;
    let found = rows(&mut *store, 1, BATCH)?;
    if found.is_empty() {
        return Ok(());
    }
    Err(StoreError::Taken {
        address: plan.demo.online.to_string(),
        view: VIEW.to_owned(),
    })
}

/// Reads back what a run wrote.
pub(super) fn back(plan: &Plan) -> Result<Findings, DemoError> {
    let files = Layout::of(&plan.demo.dir);
    let mut findings = Findings {
        online_bytes: files.online().metadata().ok().map(|file| file.len()),
        offline_bytes: bytes_under(&files.spend()),
        days: std::fs::read_dir(files.spend()).map_or(0, |days| {
            let days = days.filter_map(Result::ok);
            days.filter(|day| day.file_name().to_string_lossy().starts_with("date="))
                .count()
        }),
        ..Findings::default()
    };
    top_spenders(plan, &mut findings)?;
    let mut hours: Vec<Hourly> = read_parquet(&files.hourly()).map_err(DemoError::ReadBack)?;
    findings.hourly_rows = hours.len();
    hours.sort_by(|a, b| (b.payments, a.hour, &a.country).cmp(&(a.payments, b.hour, &b.country)));
    hours.truncate(TOP);
    findings.busiest = hours;
    let drift = Files::path(files.drift()).json_lines::<DriftHour>();
    findings.drift = read_all(&drift).map_err(DemoError::ReadBack)?;
    findings.drift.sort_by_key(|hour| hour.hour);
    Ok(findings)
}

/// Asks the online store for every user there may be, and keeps those who spent most in seven days.
fn top_spenders(plan: &Plan, findings: &mut Findings) -> Result<(), StoreError> {
    let mut store = plan.demo.online.open(&plan.demo.dir)?;
    let spent = |row: &StoredRow| -> f64 {
        let sum = row.field("sum_7d").and_then(|sum| sum.parse().ok());
        sum.unwrap_or(0.0)
    };
    let mut first = 1;
    while first <= plan.users {
        let found = rows(&mut *store, first, plan.users.min(first + BATCH - 1))?;
        findings.online_rows += found.len() as u64;
        findings.top.extend(found);
        findings
            .top
            .sort_by(|a, b| spent(&b.1).total_cmp(&spent(&a.1)));
        findings.top.truncate(TOP);
        first += BATCH;
    }
    Ok(())
}

/// The rows of the users from `first` to `last` that have one.
fn rows(
    store: &mut dyn OnlineStore,
    first: u64,
    last: u64,
) -> Result<Vec<(String, StoredRow)>, StoreError> {
    let users: Vec<String> = (first..=last).map(|user| user.to_string()).collect();
    let asked: Vec<&str> = users.iter().map(String::as_str).collect();
    let found = store.get_many(VIEW, &asked, EventTime::MIN)?;
    let found = users.into_iter().zip(found);
    Ok(found.filter_map(|(user, row)| Some((user, row?))).collect())
}

/// All rows of the Parquet files in a folder; none where there is no file, as after an early stop.
pub(super) fn read_parquet<T: Data>(dir: &Path) -> Result<Vec<T>, String> {
    read_all(&Files::glob(format!("{}/**/*.parquet", dir.display())).parquet::<T>())
}

fn read_all<T: Data>(source: &FileSource<T>) -> Result<Vec<T>, String> {
    let mut rows = Vec::new();
    let partitions = match source.partitions() {
        Ok(partitions) => partitions,
        Err(SourceError::Wrong(_)) => return Ok(rows),
        Err(error) => return Err(error.to_string()),
    };
    for (number, partition) in partitions.iter().enumerate() {
        let failed = |error: SourceError| format!("{}: {error}", partition.name);
        let mut reader = source.open(number).map_err(failed)?;
        let mut batch = Batch::default();
        while reader.read(&mut batch).map_err(failed)? != ReadStatus::End {}
        let (read, dead) = batch.take();
        if let Some(letter) = dead.first() {
            return Err(format!("{}: {}", partition.name, letter.reason));
        }
        rows.extend(read.into_iter().map(|(row, _)| row));
    }
    Ok(rows)
}
