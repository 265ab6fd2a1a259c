//! The account of a source: read = rows + late + dead, and the late and dead-letter tables hold exactly those rows.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use tests::case::{Case, Retractions};
use tests::dice::Dice;
use tests::event::{Event, Signed};
use tests::lap::Lap;
use tests::oracle::{admitted, assert_same, net};
use thalweg::connectors::memory::Collect;
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
        let lateness = std::time::Duration::from_micros(lateness_us.unsigned_abs());
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
