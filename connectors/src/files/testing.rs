//! What the tests of files share: a row with every kind of field, and whole reads and writes.

use std::path::Path;

use serde::{Deserialize, Serialize};
use thalweg_engine::sink::{Sink, SinkError, SinkPlace};
use thalweg_engine::source::{Batch, DeadLetter, ReadStatus, Source, SourceError};
use thalweg_engine::time::Timestamp;
use thalweg_engine::update::{Data, Diff};

/// 2024-02-29T12:00:00Z in µs.
pub(crate) const NOON: i64 = 1_709_208_000_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Side {
    Buy,
    Sell,
}

/// A row with every kind of field; no floats, so that it has an order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Trade {
    pub(crate) at: Timestamp,
    pub(crate) venue: i16,
    pub(crate) id: u64,
    pub(crate) open: bool,
    pub(crate) name: String,
    pub(crate) seen: Option<Timestamp>,
    pub(crate) note: Option<String>,
    pub(crate) depth: Option<i32>,
    pub(crate) side: Side,
}

pub(crate) fn trade(id: u64) -> Trade {
    let odd = id % 2 == 1;
    Trade {
        at: Timestamp(NOON + i64::try_from(id).unwrap()),
        venue: i16::MIN,
        id,
        open: odd,
        name: format!("näme, \"{id}\""),
        seen: odd.then_some(Timestamp(-1)),
        note: odd.then(String::new),
        depth: odd.then_some(-7),
        side: if odd { Side::Buy } else { Side::Sell },
    }
}

/// A row with floats.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Reading {
    pub(crate) sensor: i16,
    pub(crate) value: f64,
}

/// All rows and dead letters of all partitions.
pub(crate) fn read_all<S: Source>(
    source: &S,
) -> Result<(Vec<S::Row>, Vec<DeadLetter>), SourceError> {
    let (mut rows, mut dead) = (Vec::new(), Vec::new());
    for partition in 0..source.partitions()?.len() {
        let mut reader = source.open(partition)?;
        loop {
            let mut batch = Batch::default();
            let status = reader.read(&mut batch)?;
            let (more_rows, more_dead) = batch.take();
            rows.extend(more_rows.into_iter().map(|(row, _)| row));
            dead.extend(more_dead);
            if status == ReadStatus::End {
                break;
            }
        }
    }
    Ok((rows, dead))
}

/// Writes one epoch on one worker and finishes.
pub(crate) fn write_all<D>(sink: &impl Sink<D>, rows: Vec<(D, Diff)>) -> Result<(), SinkError> {
    let mut writer = sink.open(SinkPlace::alone())?;
    writer.write(
        1,
        rows.into_iter().map(|(row, diff)| (row, 1, diff)).collect(),
    )?;
    writer.finish()
}

/// Every row once.
pub(crate) fn once<D: Data>(rows: &[D]) -> Vec<(D, Diff)> {
    rows.iter().map(|row| (row.clone(), 1)).collect()
}

/// Every file and folder beneath, sorted, relative.
pub(crate) fn tree(dir: &Path) -> Vec<String> {
    let pattern = format!("{}/**/*", dir.display());
    let paths = glob::glob(&pattern).unwrap().map(|path| path.unwrap());
    let mut names: Vec<_> = paths
        .map(|path| path.strip_prefix(dir).unwrap().display().to_string())
        .collect();
    names.sort();
    names
}
