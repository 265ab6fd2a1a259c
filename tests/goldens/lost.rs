//! Rows that no answer counts lie beside the answers of an example, each with why.

use std::path::Path;

use examples::places::Places;
use examples::vmnoise;
use serde::{Deserialize, Serialize};
use thalweg::connectors::files::ParquetFile;
use thalweg::engine::sink::{Sink, SinkPlace};
use thalweg::engine::update::Data;
use thalweg::prelude::*;

/// A measurement as a file may bear it: its value may be missing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Measured {
    seq: i32,
    event_time: Timestamp,
    arrival_time: Timestamp,
    vm: i32,
    metric: i16,
    value: Option<Real>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Machine {
    vm: i32,
    lifespan: String,
    region: String,
    sku: String,
}

fn write<T: Data + Ord>(path: &Path, rows: Vec<T>) {
    let mut writer = Sink::<T>::open(&ParquetFile::create(path), SinkPlace::alone()).unwrap();
    let rows = rows.into_iter().map(|row| (row, 1, 1)).collect();
    writer.write(1, rows).unwrap();
    writer.finish().unwrap();
}

#[test]
fn a_row_without_its_value_and_one_of_an_unknown_machine_are_kept_with_why() {
    let dir = tempfile::tempdir().unwrap();
    let measured = |seq: i32, vm, value| Measured {
        seq,
        event_time: Timestamp(i64::from(seq) * 1_000_000),
        arrival_time: Timestamp(i64::from(seq) * 1_000_000),
        vm,
        metric: 56,
        value,
    };
    let events = vec![
        measured(1, 7, Some(Real(1.5))),
        measured(2, 7, None),
        measured(3, 8, Some(Real(2.5))),
    ];
    let machine = Machine {
        vm: 7,
        lifespan: "long".into(),
        region: "westeurope".into(),
        sku: "D2".into(),
    };
    write(&dir.path().join("events.parquet"), events);
    write(&dir.path().join("dim_vm.parquet"), vec![machine]);
    let out = dir.path().join("out");
    let places = Places {
        data: dir.path().to_owned(),
        out: out.clone(),
        shuffle: None,
        online: None,
    };
    let report = vmnoise::job(places)
        .run(Config::workers(2).unwrap())
        .unwrap();

    let read = |file: &str| std::fs::read_to_string(out.join(file)).unwrap();
    let dead = read("dead_events.jsonl");
    assert_eq!(dead.lines().count(), 1, "{dead}");
    for part in ["events.parquet", "\"position\":2", "value"] {
        assert!(dead.contains(part), "{part} is missing in {dead}");
    }
    let unmatched = read("unmatched_events.jsonl");
    assert!(
        unmatched.contains("\"vm\":8") && unmatched.ends_with("\"diff\":1}\n"),
        "{unmatched}"
    );
    assert_eq!(unmatched.lines().count(), 1, "{unmatched}");
    let text = report.to_string();
    assert!(
        text.contains("1 dead-lettered (first: ") && text.contains("record 2: "),
        "{text}"
    );
    assert_eq!(read("late_events.jsonl"), "");
    assert_eq!(read("dead_dim_vm.jsonl"), "");
}
