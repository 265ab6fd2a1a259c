//! How jobs that write files end, and what then lies on disk: stopped early, stopped in a stream, failed.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering::Relaxed;

use thalweg_engine::config::Config;
use thalweg_engine::env::{Env, StopHandle};
use thalweg_engine::error::JobError;
use thalweg_engine::job::{Job, Report};
use thalweg_engine::sink::{Sink, SinkError, SinkPlace, Writer};
use thalweg_engine::source::{
    Batch, Partition, ReadStatus, Reader, Source, SourceError, SourceExt,
};
use thalweg_engine::table::Table;
use thalweg_engine::time::Epoch;
use thalweg_engine::update::Updates;

use crate::files::testing::{Trade, once, read_all, trade};
use crate::files::{CsvFile, Files, JsonLines, ParquetDir, ParquetFile};
use crate::memory::Log;

/// Reads after which the source asks for a stop.
const READS: u64 = 20;

/// Yields trades without end, and asks for a stop after some.
#[derive(Clone)]
struct Stopping {
    stop: StopHandle,
    bounded: bool,
}

struct StoppingReader {
    stop: StopHandle,
    reads: u64,
}

impl Source for Stopping {
    type Row = Trade;

    fn partitions(&self) -> Result<Vec<Partition>, SourceError> {
        let partition = |name: &str| Partition {
            name: name.to_owned(),
            rows: None,
        };
        Ok(vec![partition("a"), partition("b")])
    }

    fn open(&self, _: usize) -> Result<Box<dyn Reader<Trade>>, SourceError> {
        Ok(Box::new(StoppingReader {
            stop: self.stop.clone(),
            reads: 0,
        }))
    }

    fn bounded(&self) -> bool {
        self.bounded
    }
}

impl Reader<Trade> for StoppingReader {
    fn read(&mut self, batch: &mut Batch<Trade>) -> Result<ReadStatus, SourceError> {
        (0..10).for_each(|n| batch.push(trade(10 * self.reads + n)));
        self.reads += 1;
        if self.reads == READS {
            self.stop.stop();
        }
        Ok(ReadStatus::More)
    }
}

/// The files that every job here writes.
struct Written(PathBuf);

impl Written {
    const WHOLE: [&str; 2] = ["whole.parquet", "whole.csv"];

    /// Puts older answers in the place of those that are to be written.
    fn over_older(dir: &Path) -> Self {
        for name in Self::WHOLE {
            fs::write(dir.join(name), "older").unwrap();
        }
        Self(dir.to_owned())
    }

    fn attach(&self, trades: &Table<'_, Trade>) -> Result<(), JobError> {
        let [parquet, csv] = Self::WHOLE.map(|name| self.0.join(name));
        trades.sink("whole parquet", ParquetFile::create(parquet))?;
        trades.sink("whole csv", CsvFile::create(csv))?;
        trades.sink("lines", JsonLines::create(self.0.join("lines.jsonl")))?;
        trades.sink("parts", ParquetDir::create(self.0.join("parts")))
    }

    fn are_older(&self) -> bool {
        let older = |name| fs::read_to_string(self.0.join(name)).ok().as_deref() == Some("older");
        Self::WHOLE.into_iter().all(older)
    }

    fn lines(&self) -> u64 {
        let text = fs::read_to_string(self.0.join("lines.jsonl")).unwrap();
        text.lines().count() as u64
    }
}

fn ran(source: Stopping, workers: usize, dir: &Path) -> (Report, Written) {
    let (written, env) = (Written::over_older(dir), Env::default());
    let source = Stopping {
        stop: env.stop.clone(),
        ..source
    };
    let to = Written(dir.to_owned());
    let job = Job::new("stops", move |g| {
        let trades = g.source("trades", source.clone().event_time(|t| t.at.0))?;
        to.attach(&trades)
    });
    let config = Config::workers(workers).unwrap().epoch_rows(10).unwrap();
    (job.run(config.env(env)).unwrap(), written)
}

/// Every file and folder beneath, hidden ones included, sorted, relative.
fn everything(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            found.push(path.strip_prefix(dir).unwrap().display().to_string());
            if path.is_dir() {
                folders.push(path);
            }
        }
    }
    found.sort();
    found
}

fn stopping(bounded: bool) -> Stopping {
    Stopping {
        stop: StopHandle::default(),
        bounded,
    }
}

#[test]
fn stopped_before_its_end_a_job_keeps_older_answers_and_publishes_what_epochs_complete() {
    for workers in 1..=3 {
        let dir = tempfile::tempdir().unwrap();
        let (report, written) = ran(stopping(true), workers, dir.path());
        assert!(report.stopped && written.are_older());
        let rows = report.metrics.source("trades").rows.load(Relaxed);
        assert_eq!(written.lines(), rows);
        let parts = Files::glob(format!("{}/parts/*.parquet", dir.path().display()));
        let (read, _) = read_all(&parts.parquet::<Trade>()).unwrap_or_default();
        assert_eq!(read.len() as u64, rows);
        let left = everything(dir.path());
        assert!(
            left.iter().all(|name| !name.contains("staging")),
            "{left:?}"
        );
        let said = report.to_string();
        assert_eq!(said.matches("nothing written").count(), 2, "{said}");
    }
}

#[test]
fn the_stop_of_a_stream_is_its_end_and_its_tables_are_whole() {
    for workers in 1..=3 {
        let dir = tempfile::tempdir().unwrap();
        let (report, written) = ran(stopping(false), workers, dir.path());
        assert!(report.stopped && !written.are_older());
        let rows = report.metrics.source("trades").rows.load(Relaxed);
        let path = dir.path().join("whole.parquet");
        let (read, _) = read_all(&Files::path(path).parquet::<Trade>()).unwrap();
        assert_eq!(read.len() as u64, rows);
        assert!(!report.to_string().contains("nothing written"));
    }
}

/// A sink that fails, or asks for a stop.
#[derive(Clone)]
enum Odd {
    Fails,
    Panics,
    StopsAtTheEnd(StopHandle),
}

impl Sink<Trade> for Odd {
    fn open(&self, _: SinkPlace) -> Result<Box<dyn Writer<Trade>>, SinkError> {
        Ok(Box::new(self.clone()))
    }

    fn single(&self) -> bool {
        true
    }
}

impl Writer<Trade> for Odd {
    fn write(&mut self, _: Epoch, _: Updates<Trade>) -> Result<(), SinkError> {
        match self {
            Self::Fails => Err(SinkError::Failed("the disk is full".into())),
            Self::Panics => panic!("a bug"),
            Self::StopsAtTheEnd(_) => Ok(()),
        }
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        if let Self::StopsAtTheEnd(stop) = self {
            stop.stop();
        }
        Ok(())
    }
}

fn with(odd: Odd, env: Env, workers: usize, dir: &Path) -> Result<Report, JobError> {
    let to = Written::over_older(dir);
    let rows: Vec<Trade> = (0..1_000).map(trade).collect();
    let log = Log::partitions(vec![once(&rows), once(&rows)]);
    let job = Job::new("odd", move |g| {
        let trades = g.source("trades", log.clone().event_time(|t| t.at.0))?;
        to.attach(&trades)?;
        trades.sink("odd", odd.clone())
    });
    let config = Config::workers(workers).unwrap().epoch_rows(10).unwrap();
    job.run(config.env(env))
}

#[test]
fn when_one_sink_fails_nothing_stays_of_what_the_others_had_begun() {
    for odd in [Odd::Fails, Odd::Panics] {
        for workers in 1..=3 {
            let dir = tempfile::tempdir().unwrap();
            let failed = with(odd.clone(), Env::default(), workers, dir.path());
            assert!(matches!(failed, Err(JobError::Sink { .. })), "{failed:?}");
            assert_eq!(
                everything(dir.path()),
                ["parts", "whole.csv", "whole.parquet"]
            );
            assert!(Written(dir.path().to_owned()).are_older());
        }
    }
}

#[test]
fn a_stop_that_comes_after_the_last_row_changes_nothing() {
    for workers in 1..=3 {
        let (dir, env) = (tempfile::tempdir().unwrap(), Env::default());
        let odd = Odd::StopsAtTheEnd(env.stop.clone());
        let report = with(odd, env, workers, dir.path()).unwrap();
        assert!(!report.stopped);
        let path = dir.path().join("whole.parquet");
        let (read, _) = read_all(&Files::path(path).parquet::<Trade>()).unwrap();
        assert_eq!(read.len(), 2_000);
    }
}
