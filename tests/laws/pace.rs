//! A slow sink slows the sources: at most two epochs are in flight. A sink that keeps up is not kept waiting. Workers keep
//! step with each other.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::time::Duration;

use tests::dice::Dice;
use tests::lap::{Lap, still_env};
use thalweg::connectors::memory::{Collect, Log};
use thalweg::engine::env::{Clock, Env};
use thalweg::engine::metrics::Metrics;
use thalweg::engine::sim::Sim;
use thalweg::engine::sink::{Sink, SinkError, SinkPlace, Writer};
use thalweg::engine::source::{Batch, Partition, ReadStatus, Reader, Source, SourceError};
use thalweg::engine::time::EventTime;
use thalweg::engine::update::Updates;
use thalweg::prelude::*;

use crate::endings::within_a_minute;
use crate::for_seeds;

/// Epochs that may be in flight, as the design has it.
const EPOCHS_MAX: u64 = 2;

/// A sink that notes, at each write, how many rows had entered and how many had been written.
#[derive(Clone, Default)]
struct Gauge {
    metrics: Arc<OnceLock<Arc<Metrics>>>,
    written: Arc<Mutex<u64>>,
    ahead: Arc<Mutex<Vec<u64>>>,
    wait: Arc<Mutex<Option<mpsc::Receiver<()>>>>,
}

impl Sink<i64> for Gauge {
    fn open(&self, _: SinkPlace) -> Result<Box<dyn Writer<i64>>, SinkError> {
        Ok(Box::new(self.clone()))
    }

    fn single(&self) -> bool {
        true
    }
}

impl Writer<i64> for Gauge {
    fn write(&mut self, _: u64, rows: Updates<i64>) -> Result<(), SinkError> {
        if let Some(wait) = self.wait.lock().unwrap().take() {
            wait.recv().unwrap();
        }
        let entered = self
            .metrics
            .get()
            .unwrap()
            .source("numbers")
            .rows
            .load(Relaxed);
        let mut written = self.written.lock().unwrap();
        self.ahead.lock().unwrap().push(entered - *written);
        *written += rows.len() as u64;
        Ok(())
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}

fn gauged(source: impl Source<Row = i64> + Clone, gauge: &Gauge) -> Job {
    let gauge = gauge.clone();
    Job::new("paced", move |g| {
        gauge.metrics.get_or_init(|| Arc::clone(g.metrics()));
        let numbers = g.source("numbers", source.clone().event_time(|n| *n))?;
        numbers.sink("out", gauge.clone())
    })
}

#[test]
fn simulated_sources_are_never_more_than_two_epochs_ahead_of_their_sink() {
    for_seeds(0..100, |seed| {
        let mut dice = Dice::new(seed);
        let lap = Lap {
            workers: 1,
            epoch_rows: 10,
            ..Lap::draw(&mut dice)
        };
        let gauge = Gauge::default();
        let job = gauged(Log::rows((0..300).collect()), &gauge);
        Sim::new(seed, lap.config().unwrap()).run(&job).unwrap();
        let most = gauge.ahead.lock().unwrap().iter().copied().max().unwrap();
        // A read that is larger than what is left of an epoch goes in whole.
        assert!(
            most <= EPOCHS_MAX * 10 + 10,
            "seed {seed}, {lap:?}: {most} rows"
        );
    });
}

/// A source that says when it is asked for its n-th batch of ten rows.
#[derive(Clone)]
struct Asked {
    nth: usize,
    tell: Arc<Mutex<mpsc::Sender<()>>>,
}

struct AskedReader {
    source: Asked,
    reads: usize,
}

impl Source for Asked {
    type Row = i64;

    fn partitions(&self) -> Result<Vec<Partition>, SourceError> {
        Ok(vec![Partition {
            name: "only".into(),
            rows: None,
        }])
    }

    fn open(&self, _: usize) -> Result<Box<dyn Reader<i64>>, SourceError> {
        Ok(Box::new(AskedReader {
            source: self.clone(),
            reads: 0,
        }))
    }

    fn bounded(&self) -> bool {
        true
    }
}

impl Reader<i64> for AskedReader {
    fn read(&mut self, batch: &mut Batch<i64>) -> Result<ReadStatus, SourceError> {
        self.reads += 1;
        if self.reads == self.source.nth {
            self.source.tell.lock().unwrap().send(()).unwrap();
        }
        (0..10).for_each(|n| batch.push(n));
        Ok(if self.reads == 200 {
            ReadStatus::End
        } else {
            ReadStatus::More
        })
    }
}

#[test]
fn a_sink_that_does_not_answer_pauses_a_source_on_its_thread() {
    let (tell, told) = mpsc::channel();
    let (go, wait) = mpsc::channel();
    let gauge = Gauge::default();
    *gauge.wait.lock().unwrap() = Some(wait);
    // Two epochs of one batch, 64 batches in the channel, and one that waits to be sent: then the reader stands.
    let source = Asked {
        nth: 2 + 64 + 1,
        tell: Arc::new(Mutex::new(tell)),
    };
    let job = gauged(source, &gauge);
    let config = Config::workers(1).unwrap().epoch_rows(10).unwrap();
    let (before, gauge) = within_a_minute(move || {
        let running = std::thread::spawn(move || job.run(config.env(still_env())));
        told.recv().unwrap();
        let metrics = Arc::clone(gauge.metrics.get().unwrap());
        let before = metrics.source("numbers").rows.load(Relaxed);
        go.send(()).unwrap();
        running.join().unwrap().unwrap();
        (before, gauge)
    });
    assert!(
        before <= EPOCHS_MAX * 10,
        "{before} rows went in before the sink answered"
    );
    let ahead = gauge.ahead.lock().unwrap();
    assert!(
        ahead.iter().all(|rows| *rows <= EPOCHS_MAX * 10 + 10),
        "{ahead:?}"
    );
    assert_eq!(*gauge.written.lock().unwrap(), 2_000);
}

/// Each worker went on to the newest epoch as soon as another had begun it: one that was behind read less in each, and its
/// partition fell ever further behind the others in time.
#[test]
fn workers_take_equally_many_rows_of_a_backfill_in_each_epoch() {
    for round in 0..20 {
        let seen = Collect::new();
        let out = seen.clone();
        let partition = |first: i64| (0..1_000).map(|n| (first + n, 1)).collect();
        let source = Log::partitions(vec![partition(0), partition(1_000)]).batch_rows(10);
        let job = Job::new("even", move |g| {
            g.source("numbers", source.clone().event_time(|n| *n % 1_000))?
                .sink("out", out.clone())
        });
        let config = Config::workers(2).unwrap().epoch_rows(10).unwrap();
        within_a_minute(move || job.run(config.env(still_env())).unwrap());
        let mut epochs = BTreeMap::<u64, [usize; 2]>::new();
        for (number, epoch, _) in seen.updates() {
            epochs.entry(epoch).or_default()[usize::from(number >= 1_000)] += 1;
        }
        assert_eq!(epochs.len(), 100, "round {round}");
        for (epoch, rows) in epochs {
            assert_eq!(rows, [10, 10], "round {round}, epoch {epoch}");
        }
    }
}

/// A clock on which 0.2 ms pass from one look to the next.
#[derive(Default)]
struct Ticking(AtomicU64);

impl Clock for Ticking {
    fn wall(&self) -> EventTime {
        0
    }

    fn elapsed(&self) -> Duration {
        Duration::from_micros(200 * self.0.fetch_add(1, Relaxed))
    }
}

/// A stream without event time, of which a row comes now and then: no watermark closes its epochs.
#[derive(Clone)]
struct Trickle;

struct TrickleReader {
    reads: i64,
}

impl Source for Trickle {
    type Row = i64;

    fn partitions(&self) -> Result<Vec<Partition>, SourceError> {
        let name = "only".into();
        Ok(vec![Partition { name, rows: None }])
    }

    fn open(&self, _: usize) -> Result<Box<dyn Reader<i64>>, SourceError> {
        Ok(Box::new(TrickleReader { reads: 0 }))
    }

    fn bounded(&self) -> bool {
        false
    }
}

impl Reader<i64> for TrickleReader {
    fn read(&mut self, batch: &mut Batch<i64>) -> Result<ReadStatus, SourceError> {
        self.reads += 1;
        if self.reads % 20 != 0 {
            return Ok(ReadStatus::Pending);
        }
        batch.push(self.reads / 20);
        Ok(if self.reads == 1_000 {
            ReadStatus::End
        } else {
            ReadStatus::More
        })
    }
}

/// An epoch stayed open for its 10 ms even where nothing else was on its way: rows waited for no one.
#[test]
fn a_row_that_is_alone_does_not_wait_for_others() {
    for_seeds(0..20, |seed| {
        let seen = Collect::new();
        let out = seen.clone();
        let job = Job::new("trickle", move |g| {
            g.source("numbers", Trickle.untimed())?
                .sink("out", out.clone())
        });
        let env = Env {
            clock: Arc::new(Ticking::default()),
            ..still_env()
        };
        let config = Config::workers(1).unwrap().env(env);
        Sim::new(seed, config).run(&job).unwrap();
        let mut epochs: Vec<_> = seen.updates().iter().map(|update| update.1).collect();
        let rows = epochs.len();
        epochs.dedup();
        assert_eq!((rows, epochs.len()), (50, 50), "seed {seed}");
    });
}

/// A row comes with every twentieth read, at which the clock is looked at a few times: 40 ms, which are 200 looks, hold
/// several rows.
#[test]
fn an_epoch_whose_length_is_given_waits_for_others_even_where_a_watermark_moves() {
    for_seeds(0..20, |seed| {
        let seen = Collect::new();
        let out = seen.clone();
        let job = Job::new("trickle", move |g| {
            g.source("numbers", Trickle.event_time(|n| *n))?
                .sink("out", out.clone())
        });
        let env = Env {
            clock: Arc::new(Ticking::default()),
            ..still_env()
        };
        let config = Config::workers(1).unwrap().env(env);
        let config = config.epoch_interval(millis(40));
        Sim::new(seed, config).run(&job).unwrap();
        let mut epochs = BTreeMap::<u64, usize>::new();
        for (_, epoch, _) in seen.updates() {
            *epochs.entry(epoch).or_default() += 1;
        }
        let rows: Vec<usize> = epochs.into_values().collect();
        assert_eq!(rows.iter().sum::<usize>(), 50, "seed {seed}");
        let whole = &rows[..rows.len() - 1];
        assert!(whole.iter().all(|rows| *rows > 1), "seed {seed}: {rows:?}");
    });
}
