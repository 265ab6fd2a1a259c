//! The account of a source: read = rows + late + dead, and the late and dead-letter tables hold exactly those rows.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tests::case::{Case, Retractions};
use tests::dice::Dice;
use tests::event::{Event, Signed};
use tests::lap::Lap;
use tests::oracle::{admitted, assert_same, net};
use thalweg::connectors::memory::{Collect, Log};
use thalweg::engine::source::{
    Batch, DeadLetter, Partition, ReadStatus, Reader, Source, SourceError,
};
use thalweg::prelude::*;

use crate::for_seeds;

/// A log in which every so many records are broken.
#[derive(Clone)]
struct Spoilt {
    partitions: Arc<Vec<Signed<Event>>>,
    every: usize,
    batch_rows: usize,
}

impl Source for Spoilt {
    type Row = Event;

    fn partitions(&self) -> Result<Vec<Partition>, SourceError> {
        let names = 0..self.partitions.len();
        Ok(names
            .map(|n| Partition {
                name: n.to_string(),
                rows: None,
            })
            .collect())
    }

    fn open(&self, partition: usize) -> Result<Box<dyn Reader<Event>>, SourceError> {
        Ok(Box::new(SpoiltReader {
            source: self.clone(),
            partition,
            next: 0,
        }))
    }

    fn bounded(&self) -> bool {
        true
    }
}

struct SpoiltReader {
    source: Spoilt,
    partition: usize,
    next: usize,
}

fn letter(partition: usize, position: usize) -> DeadLetter {
    DeadLetter {
        source: "events".into(),
        partition: partition.to_string(),
        position: position as u64,
        reason: "spoilt".into(),
        record: String::new(),
    }
}

impl Reader<Event> for SpoiltReader {
    fn read(&mut self, batch: &mut Batch<Event>) -> Result<ReadStatus, SourceError> {
        let rows = &self.source.partitions[self.partition];
        let end = rows.len().min(self.next + self.source.batch_rows);
        for (index, (event, diff)) in rows.iter().enumerate().take(end).skip(self.next) {
            if index % self.source.every == 0 {
                let mut letter = letter(self.partition, index);
                letter.source.clear();
                batch.reject(letter);
            }
            batch.push_signed(*event, *diff);
        }
        self.next = end;
        Ok(if end == rows.len() {
            ReadStatus::End
        } else {
            ReadStatus::More
        })
    }
}

/// Where a record went.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
enum Went {
    In(Event),
    Late(Event),
    Dead(DeadLetter),
}

fn job(source: &Spoilt, lateness_us: i64, asked: bool, out: Collect<Went>) -> Job {
    let source = source.clone();
    Job::new("account", move |g| {
        let lateness = Duration::from_micros(lateness_us.unsigned_abs());
        let spec = source
            .clone()
            .event_time(|event| event.at)
            .lateness(lateness)
            .max_future(hours(1));
        let events = g.source("events", spec)?;
        let mut all = events.map(Went::In);
        if asked {
            let late = events.late().map(Went::Late);
            all = all
                .union(&late)
                .union(&events.dead_letters().map(Went::Dead));
        }
        all.sink("out", out.clone())
    })
}

#[test]
fn every_record_is_read_once_and_goes_to_one_place() {
    for_seeds(0..120, |seed| {
        let mut dice = Dice::new(seed);
        let case = Case::draw(&mut dice, 200, Retractions::Anywhere);
        let (lap, asked) = (Lap::draw(&mut dice), dice.chance(80));
        let source = Spoilt {
            partitions: Arc::new(case.partitions.clone()),
            every: 1 + dice.below(9),
            batch_rows: lap.batch_rows,
        };
        let lateness = case.lateness_us.unwrap();
        let (written, metrics) = lap.simulate(|out| job(&source, lateness, asked, out));
        let expected = admitted(&case);
        let dead: Vec<_> = case
            .partitions
            .iter()
            .enumerate()
            .flat_map(|(n, rows)| {
                (0..rows.len())
                    .step_by(source.every)
                    .map(move |at| letter(n, at))
            })
            .collect();
        let account = metrics.source("events");
        let counts = [&account.rows, &account.late, &account.dead].map(|count| count.load(Relaxed));
        let sizes = [expected.rows.len(), expected.late.len(), dead.len()].map(|n| n as u64);
        assert_eq!(counts, sizes, "seed {seed}, {lap:?}, {case:?}");
        assert_eq!(account.read.load(Relaxed), counts.iter().sum::<u64>());
        let rows = expected
            .rows
            .into_iter()
            .map(|(event, n)| (Went::In(event), n));
        let late = expected
            .late
            .into_iter()
            .map(|(event, n)| (Went::Late(event), n));
        let dead = dead.into_iter().map(|letter| (Went::Dead(letter), 1));
        let side = late.chain(dead).filter(|_| asked);
        let found = net(written.into_iter().map(|(row, _, diff)| (row, diff)));
        assert_same(&found, &net(rows.chain(side)), &(seed, &lap, &case));
    });
}

#[test]
fn rows_beyond_the_clock_are_quarantined_and_never_move_the_watermark() {
    let hour = 3_600_000_000_i64;
    let now = 2_000_000_000_000_000_i64;
    let at = |at: i64| {
        (
            Event {
                at,
                ..Event::default()
            },
            1,
        )
    };
    // One µs too far ahead; then the farthest that is allowed; then what is late by one µs, and what is just in time.
    let rows = vec![
        at(now + hour + 1),
        at(now),
        at(now + hour),
        at(now - 1),
        at(now),
    ];
    let source = Spoilt {
        partitions: Arc::new(vec![rows]),
        every: 100,
        batch_rows: 2,
    };
    let lap = Lap {
        seed: 1,
        workers: 2,
        epoch_rows: 1,
        batch_rows: 2,
    };
    let (written, _) = lap.simulate(|out| job(&source, hour, true, out));
    let found = net(written.into_iter().map(|(row, _, diff)| (row, diff)));
    let (ahead, just) = (at(now + hour + 1).0, at(now).0);
    assert_eq!(found.get(&Went::Late(ahead)), Some(&1));
    assert_eq!(found.get(&Went::Late(at(now - 1).0)), Some(&1));
    assert_eq!(found.get(&Went::In(just)), Some(&2));
    assert_eq!(found.get(&Went::In(at(now + hour).0)), Some(&1));
}

/// A row at the last 64-bit number, where nothing may be late, had the watermark of a source that has ended: all that
/// came after it was late, and windows ended before their rows were there.
#[test]
fn rows_at_the_ends_of_time_are_dead_letters_and_end_nothing() {
    let (first, last) = (EventTime::MIN, EventTime::MAX);
    let times = [last, 3, first, 5, last - 1, 4, first + 1, last];
    let signed = times.map(|at| {
        (
            Event {
                at,
                ..Event::default()
            },
            1,
        )
    });
    for seed in 0..20 {
        let lap = Lap::draw(&mut Dice::new(seed));
        let source = Log::partitions(vec![signed.to_vec(), signed[..2].to_vec()]);
        let source = source.batch_rows(lap.batch_rows);
        let (written, metrics) = lap.simulate(|out| timeless(&source, out));
        let mut found = Vec::new();
        for (row, _, diff) in written {
            found.push(match row {
                Went::In(event) => ("in", event.at, diff),
                Went::Late(event) => ("late", event.at, diff),
                Went::Dead(letter) => {
                    assert!(letter.reason.contains("no moment"), "{letter:?}");
                    ("dead", letter.position as i64, diff)
                }
            });
        }
        found.sort_unstable();
        let expected = [
            ("dead", 1, 1),
            ("dead", 1, 1),
            ("dead", 3, 1),
            ("dead", 8, 1),
            ("in", 3, 1),
            ("in", 3, 1),
            ("in", 5, 1),
            ("in", last - 1, 1),
            ("late", first + 1, 1),
            ("late", 4, 1),
        ];
        assert_eq!(found, expected, "seed {seed}, {lap:?}");
        let account = metrics.source("events");
        let counts = [&account.read, &account.rows, &account.late, &account.dead];
        assert_eq!(counts.map(|count| count.load(Relaxed)), [10, 4, 2, 4]);
    }
}

/// Nothing may be late and nothing is too new; what goes in comes out by windows of 1 µs, once they have ended.
fn timeless(source: &Log<Event>, out: Collect<Went>) -> Job {
    let source = source.clone();
    Job::new("timeless", move |g| {
        let spec = source.clone().event_time(|event| event.at);
        let spec = spec.lateness(Duration::ZERO).max_future(Duration::MAX);
        let events = g.source("events", spec)?;
        let timeline = events.key_by(|event| event.at).event_time(|event| event.at);
        let windows = timeline.tumbling(Duration::from_micros(1))?;
        let ended = windows.finals("ended", count()).flat_map(|row| {
            let at = row.key;
            let event = Event {
                at,
                ..Event::default()
            };
            (0..row.value).map(move |_| Went::In(event))
        });
        let late = events.late().map(Went::Late);
        let dead = events.dead_letters().map(Went::Dead);
        ended.union(&late).union(&dead).sink("out", out.clone())
    })
}
