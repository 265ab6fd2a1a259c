//! How jobs end: with their rows, with the error of what failed, or drained after a stop; never in silence, never not.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc;
use std::time::Duration;

use tests::lap::still_env;
use thalweg::connectors::memory::{Collect, Log};
use thalweg::engine::sink::{Sink, SinkError, SinkPlace, Writer};
use thalweg::engine::source::{Batch, Partition, ReadStatus, Reader, Source, SourceError};
use thalweg::engine::update::Updates;
use thalweg::prelude::*;

/// Runs something on a thread of its own and gives up on it after a minute: what hangs is a failure, not a hang.
pub(crate) fn within_a_minute<T: Send + 'static>(what: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, wait) = mpsc::channel();
    std::thread::spawn(move || done.send(what()));
    wait.recv_timeout(Duration::from_secs(60))
        .expect("the job hangs, or its caller panicked")
}

fn ended(workers: usize, job: Job) -> Result<Report, JobError> {
    let config = Config::workers(workers).unwrap().epoch_rows(10).unwrap();
    within_a_minute(move || job.run(config.env(still_env())))
}

/// A thousand rows in three partitions.
fn rows() -> Log<i64> {
    let part = |from: i64| (0..334).map(|n| (from + 3 * n, 1)).collect();
    Log::partitions(vec![part(0), part(1), part(2)]).batch_rows(7)
}

#[test]
fn no_workers_no_rows_and_too_many_workers_are_wrong_use() {
    assert!(matches!(Config::workers(0), Err(JobError::Wrong(_))));
    assert!(matches!(Config::workers(129), Err(JobError::Wrong(_))));
    let config = Config::workers(128).unwrap();
    assert!(matches!(config.epoch_rows(0), Err(JobError::Wrong(_))));
}

#[test]
fn a_panic_in_a_closure_ends_the_job_with_what_it_said() {
    for workers in 1..=3 {
        for fatal in [0, 500, 999] {
            let out = Collect::new();
            let job = Job::new("panics", move |g| {
                let numbers = g.source("numbers", rows().event_time(|n| *n))?;
                let mapped = numbers.map(move |n| {
                    assert!(n != fatal, "{n} is fatal");
                    (n % 5, n)
                });
                let sums = mapped.key_by(|row| row.0).lifetime();
                let sums = sums.latest("sums", count());
                sums.map(|row| (row.key, row.value))
                    .sink("out", out.clone())
            });
            match ended(workers, job) {
                Err(JobError::Panicked { message, .. }) => {
                    assert!(message.contains(&format!("{fatal} is fatal")), "{message}");
                }
                other => panic!("{workers} workers: {other:?}"),
            }
        }
    }
}

/// The closure runs behind the reader, on the reader's thread: its panic was taken for the end of the partition, and
/// the job ended well, with the rows up to there.
#[test]
fn a_panic_on_a_readers_thread_is_not_the_end_of_its_partition() {
    for workers in 1..=3 {
        let out = Collect::new();
        let job = Job::new("panics", move |g| {
            let spec = rows().event_time(|n| {
                assert!(*n != 500, "{n} is fatal");
                *n
            });
            g.source("numbers", spec)?.sink("out", out.clone())
        });
        let failed = ended(workers, job).unwrap_err().to_string();
        assert!(failed.contains("panicked"), "{failed}");
    }
}

/// A source of which one thing fails.
#[derive(Clone, Copy)]
enum Broken {
    Partitions,
    Open,
    Read,
}

struct Failing;

impl Source for Broken {
    type Row = i64;

    fn partitions(&self) -> Result<Vec<Partition>, SourceError> {
        if matches!(self, Self::Partitions) {
            return Err(SourceError::Failed("no partitions today".into()));
        }
        let named = ["a", "b", "c"].map(|name| Partition {
            name: name.into(),
            rows: None,
        });
        Ok(named.to_vec())
    }

    fn open(&self, partition: usize) -> Result<Box<dyn Reader<i64>>, SourceError> {
        match (self, partition) {
            (Self::Open, 1) => Err(SourceError::Failed("cannot open today".into())),
            (_, 1) => Ok(Box::new(Failing)),
            _ => rows().open(partition),
        }
    }

    fn bounded(&self) -> bool {
        true
    }
}

impl Reader<i64> for Failing {
    fn read(&mut self, batch: &mut Batch<i64>) -> Result<ReadStatus, SourceError> {
        batch.push(-1);
        Err(SourceError::Failed("cannot read today".into()))
    }
}

#[test]
fn a_failing_source_ends_the_job_with_its_error() {
    let cases = [
        (Broken::Partitions, "no partitions today"),
        (Broken::Open, "cannot open today"),
        (Broken::Read, "cannot read today"),
    ];
    for (broken, text) in cases {
        for workers in 1..=3 {
            let job = Job::new("fails", move |g| {
                let numbers = g.source("numbers", broken.event_time(|n| *n))?;
                numbers.sink("out", Collect::new())
            });
            match ended(workers, job) {
                Err(JobError::Source { source_name, error }) => {
                    assert_eq!(
                        (source_name.as_str(), error.to_string().as_str()),
                        ("numbers", text)
                    );
                }
                other => panic!("{workers} workers, {text}: {other:?}"),
            }
        }
    }
}

/// A sink of which one thing fails, on the last worker.
#[derive(Clone, Copy, PartialEq)]
enum Leaking {
    Open,
    Write,
    Panic,
    Finish,
}

struct LeakingWriter(Option<Leaking>);

impl Sink<i64> for Leaking {
    fn open(&self, place: SinkPlace) -> Result<Box<dyn Writer<i64>>, SinkError> {
        let here = place.worker + 1 == place.workers;
        if here && *self == Self::Open {
            return Err(SinkError::Wrong("leaking: Open".into()));
        }
        Ok(Box::new(LeakingWriter(here.then_some(*self))))
    }
}

impl Writer<i64> for LeakingWriter {
    fn write(&mut self, _: u64, _: Updates<i64>) -> Result<(), SinkError> {
        match self.0 {
            Some(Leaking::Write) => Err(SinkError::Failed("leaking: Write".into())),
            Some(Leaking::Panic) => panic!("leaking: Panic"),
            _ => Ok(()),
        }
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        match self.0 {
            Some(Leaking::Finish) => Err(SinkError::Unknown("leaking: Finish".into())),
            _ => Ok(()),
        }
    }
}

#[test]
fn a_failing_sink_ends_the_job_with_its_error() {
    let cases = [
        (Leaking::Open, "leaking: Open"),
        (Leaking::Write, "leaking: Write"),
        (Leaking::Panic, "panicked"),
        (Leaking::Finish, "leaking: Finish"),
    ];
    for (leaking, text) in cases {
        for workers in 1..=3 {
            let job = Job::new("fails", move |g| {
                let numbers = g.source("numbers", rows().untimed())?;
                numbers.sink("leak", leaking)
            });
            match ended(workers, job) {
                Err(JobError::Sink { sink_name, error }) => {
                    assert_eq!(sink_name, "leak");
                    assert!(error.to_string().contains(text), "{error}");
                }
                other => panic!("{workers} workers, {text}: {other:?}"),
            }
        }
    }
}

/// Counts up for ever, and says so when it has come to a thousand.
#[derive(Clone)]
struct Endless(mpsc::Sender<()>);

struct Counting {
    next: i64,
    far: Option<mpsc::Sender<()>>,
}

impl Source for Endless {
    type Row = i64;

    fn partitions(&self) -> Result<Vec<Partition>, SourceError> {
        let named = ["a", "b"].map(|name| Partition {
            name: name.into(),
            rows: None,
        });
        Ok(named.to_vec())
    }

    fn open(&self, _: usize) -> Result<Box<dyn Reader<i64>>, SourceError> {
        let far = Some(self.0.clone());
        Ok(Box::new(Counting { next: 0, far }))
    }

    fn bounded(&self) -> bool {
        false
    }
}

impl Reader<i64> for Counting {
    fn read(&mut self, batch: &mut Batch<i64>) -> Result<ReadStatus, SourceError> {
        (0..10).for_each(|n| batch.push(self.next + n));
        self.next += 10;
        if self.next > 1_000 {
            self.far
                .take()
                .into_iter()
                .for_each(|far| far.send(()).unwrap());
        }
        Ok(ReadStatus::More)
    }
}

#[test]
fn a_stop_in_the_middle_of_an_endless_source_drains_and_reports() {
    for workers in 1..=3 {
        let (far, reached) = mpsc::channel();
        let (source, out) = (std::sync::Mutex::new(Endless(far)), Collect::new());
        let seen = out.clone();
        let job = Job::new("endless", move |g| {
            let endless = source.lock().unwrap().clone();
            let spec = endless.event_time(|n| *n).lateness(millis(0));
            g.source("numbers", spec)?.sink("out", out.clone())
        });
        let env = still_env();
        let stop = env.stop.clone();
        let config = Config::workers(workers).unwrap().epoch_rows(50).unwrap();
        let report = within_a_minute(move || {
            let running = std::thread::spawn(move || job.run(config.env(env)));
            (0..2).for_each(|_| reached.recv().unwrap());
            stop.stop();
            running.join().unwrap()
        });
        let report = report.unwrap();
        assert!(report.stopped);
        let rows = report.metrics.source("numbers").rows.load(Relaxed);
        let written: i64 = seen.net().iter().map(|(_, diff)| diff).sum();
        assert_eq!(
            written.unsigned_abs(),
            rows,
            "what has entered must come out"
        );
        // Each partition without a gap: n copies of the numbers that both have reached.
        let net = seen.net();
        assert!(
            net.iter().zip(0..).all(|((number, _), n)| *number == n),
            "{net:?}"
        );
    }
}

/// Rows that wait nowhere: the writer of each worker is told to publish exactly once, after its last row.
#[test]
fn every_writer_is_finished_once_after_its_last_row() {
    #[derive(Clone, Default)]
    struct Finishing(Arc<AtomicU64>);
    struct FinishingWriter(Finishing, bool);
    impl Sink<i64> for Finishing {
        fn open(&self, _: SinkPlace) -> Result<Box<dyn Writer<i64>>, SinkError> {
            Ok(Box::new(FinishingWriter(self.clone(), false)))
        }
    }
    impl Writer<i64> for FinishingWriter {
        fn write(&mut self, _: u64, _: Updates<i64>) -> Result<(), SinkError> {
            assert!(!self.1, "a row after the end");
            Ok(())
        }
        fn finish(&mut self) -> Result<(), SinkError> {
            assert!(!std::mem::replace(&mut self.1, true), "finished twice");
            self.0.0.fetch_add(1, Relaxed);
            Ok(())
        }
    }
    for workers in 1..=4 {
        let sink = Finishing::default();
        let given = sink.clone();
        let job = Job::new("finishes", move |g| {
            let numbers = g.source("numbers", rows().untimed())?;
            numbers.sink("out", given.clone())
        });
        ended(workers, job).unwrap();
        assert_eq!(sink.0.load(Relaxed), workers as u64);
    }
}

/// Windows return tables, not errors: what is wrong with their aggregates is told to the graph.
#[test]
fn a_wrong_argument_of_an_aggregate_ends_the_job_before_anything_runs() {
    for workers in 1..=3 {
        for window in ["lifetime", "tumbling", "session", "last rows", "rolling"] {
            let out = Collect::new();
            let rows_out = out.clone();
            let job = Job::new("wrong", move |g| {
                let numbers = g.source("numbers", rows().event_time(|n| *n))?;
                let keyed = numbers.key_by(|n| n % 5);
                let timed = keyed.event_time(|n| *n);
                let p95 = (count(), quantile(95.0, |n: &i64| *n));
                let keys = match window {
                    "lifetime" => keyed.lifetime().latest("p95", p95).map(|row| row.key),
                    "tumbling" => timed
                        .tumbling(millis(1))?
                        .finals("p95", p95)
                        .map(|row| row.key),
                    "session" => timed
                        .session(millis(1))?
                        .finals("p95", p95)
                        .map(|row| row.key),
                    "last rows" => timed.last_rows(3)?.latest("p95", p95).map(|row| row.key),
                    _ => {
                        let rolling = timed.rolling([millis(1)])?;
                        rolling.aggregate("p95", p95).latest().map(|row| row.key)
                    }
                };
                keys.sink("out", rows_out.clone())
            });
            let error = ended(workers, job).unwrap_err();
            assert!(matches!(error, JobError::Wrong(_)), "{window}: {error:?}");
            let text = error.to_string();
            let said = ["window 'p95", "from 0 to 1", "got 95"];
            assert!(said.iter().all(|part| text.contains(part)), "{text}");
            assert_eq!(out.updates().len(), 0, "{window}");
        }
    }
}
