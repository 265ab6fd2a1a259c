//! The demo as a whole, small: its page, its stores, and the same results from any number of workers.

use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;

use thalweg_engine::env::Env;
use thalweg_engine::time::{EventTime, hours, micros_of};

use super::folder::Layout;
use super::look::read_parquet;
use super::rows::{Hourly, SpendAt};
use super::{Demo, DemoError, PlanError, Ran, Style, VIEW, run};
use crate::store::Place;

const EVENTS: u64 = 20_000;

fn demo(dir: &Path, workers: usize) -> Demo {
    Demo {
        events: Some(EVENTS),
        rate: None,
        seconds: None,
        workers,
        dir: dir.join("demo"),
        online: Place::Embedded,
    }
}

fn ran(dir: &Path, workers: usize) -> Ran {
    run(demo(dir, workers), &Env::default(), false).unwrap()
}

fn page(ran: &Ran, width: u16) -> String {
    let program = "thalweg".to_owned();
    ran.page(&Style { width, program })
}

#[test]
fn the_page_tells_what_the_stores_hold() {
    let dir = tempfile::tempdir().unwrap();
    let ran = ran(dir.path(), 2);
    let text = page(&ran, 110);
    for part in [
        "read = in + late + dead",
        "payments    20,200",
        "spend latest",
        "stddev_7d",
        "The busiest hours",
        "max KS",
        "No hour could be judged",
        "thalweg get spend 1 --dir",
        "duckdb -c",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    for (name, source) in ran.report.metrics.sources() {
        let sum = source.rows.load(Relaxed) + source.late.load(Relaxed) + source.dead.load(Relaxed);
        assert_eq!(source.read.load(Relaxed), sum, "{name}");
    }
    let files = Layout::of(&ran.demo.dir);
    let late = std::fs::read_to_string(files.late()).unwrap();
    assert!(!late.is_empty() && late.lines().all(|line| line.contains("\"diff\":")));
    assert_eq!(std::fs::read_to_string(files.dead()).unwrap(), "");

    let drift = std::fs::read_to_string(files.drift()).unwrap();
    let figures = [
        "n",
        "n_ok",
        "null_rate",
        "mean",
        "psi",
        "ks",
        "ks_error",
        "ks_p",
        "ks_p_kolmogorov",
        "mean_shift_z",
    ];
    for figure in figures {
        assert!(
            drift
                .lines()
                .all(|line| line.contains(&format!("\"{figure}\":"))),
            "{figure}"
        );
    }

    let (user, row) = ran.findings.top.first().unwrap();
    let mut store = ran.demo.online.open(&ran.demo.dir).unwrap();
    let read = store.get(VIEW, user, EventTime::MIN).unwrap();
    assert_eq!(read.as_ref(), Some(row));
}

#[test]
fn the_page_keeps_to_the_width_of_the_terminal() {
    let dir = tempfile::tempdir().unwrap();
    let text = page(&ran(dir.path(), 1), 80);
    assert!(
        text.contains("stddev_7d"),
        "no column may be broken\n{text}"
    );
    let tables = text.lines().skip_while(|line| !line.starts_with(" source"));
    let tables = tables.take_while(|line| !line.starts_with("Where it lies"));
    for line in tables.filter(|line| line.starts_with([' ', '─'])) {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

/// Sorted rows as text: floats have no order of their own.
fn sorted<T: std::fmt::Debug>(rows: &[T]) -> Vec<String> {
    let mut rows: Vec<String> = rows.iter().map(|row| format!("{row:?}")).collect();
    rows.sort();
    rows
}

#[test]
fn any_number_of_workers_writes_the_same() {
    let dirs = [1, 3].map(|workers| (tempfile::tempdir().unwrap(), workers));
    let [one, three] = dirs.map(|(dir, workers)| {
        let ran = ran(dir.path(), workers);
        let files = Layout::of(&ran.demo.dir);
        let spend: Vec<SpendAt> = read_parquet(&files.spend()).unwrap();
        let hourly: Vec<Hourly> = read_parquet(&files.hourly()).unwrap();
        let top: Vec<_> = ran
            .findings
            .top
            .iter()
            .map(|(user, row)| (user, &row.fields))
            .collect();
        (
            sorted(&spend),
            sorted(&hourly),
            format!("{top:?}"),
            ran.findings.online_rows,
        )
    });
    assert!(one.0.len() > 19_000 && one.1.len() > 1_000);
    assert!(one == three);
}

#[test]
fn an_hour_online_is_the_hour_of_the_last_row_offline() {
    let dir = tempfile::tempdir().unwrap();
    let ran = ran(dir.path(), 2);
    let rows: Vec<SpendAt> = read_parquet(&Layout::of(&ran.demo.dir).spend()).unwrap();
    let newest = rows.iter().map(|row| row.event_time.0).max().unwrap();
    let mut store = ran.demo.online.open(&ran.demo.dir).unwrap();
    let recent = rows
        .iter()
        .filter(|row| row.event_time.0 > newest - micros_of(hours(1)));
    let mut compared = 0;
    for row in recent {
        let served = store
            .get(VIEW, &row.user.to_string(), EventTime::MIN)
            .unwrap()
            .unwrap();
        if served.row_time == row.event_time.0 {
            assert_eq!(
                served.field("n_1h"),
                Some(row.n_1h.to_string().as_str()),
                "{row:?}"
            );
            assert_eq!(
                served.field("sum_7d"),
                row.sum_7d.map(|sum| format!("{sum:?}")).as_deref()
            );
            compared += 1;
        }
    }
    assert!(compared > 10, "{compared}");
}

#[test]
fn a_second_demo_replaces_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let first = ran(dir.path(), 1);
    let small = Demo {
        events: Some(500),
        ..demo(dir.path(), 1)
    };
    let second = run(small, &Env::default(), false).unwrap();
    assert!(second.findings.online_rows < first.findings.online_rows);
    let rows: Vec<SpendAt> = read_parquet(&Layout::of(&second.demo.dir).spend()).unwrap();
    assert!(rows.len() <= 500);
}

#[test]
fn a_stop_ends_a_stream_and_still_publishes() {
    let dir = tempfile::tempdir().unwrap();
    let env = Env::default();
    env.stop.stop();
    let paced = Demo {
        rate: Some(10.0),
        ..demo(dir.path(), 2)
    };
    let ran = run(paced, &env, false).unwrap();
    assert!(ran.report.stopped && page(&ran, 80).starts_with("The demo stopped after"));
    assert!(Layout::of(&ran.demo.dir).late().is_file());
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_touched() {
    let dir = tempfile::tempdir().unwrap();
    let good = demo(dir.path(), 1);
    for (wrong, said) in [
        (
            Demo {
                workers: 0,
                ..good.clone()
            },
            "--workers is 0",
        ),
        (
            Demo {
                workers: 129,
                ..good.clone()
            },
            "--workers is 129",
        ),
        (
            Demo {
                events: Some(0),
                ..good.clone()
            },
            "--events is 0; a demo takes 1 to 1,000,000,000,000 payments",
        ),
        (
            Demo {
                events: Some(1_000_000_000_001),
                ..good.clone()
            },
            "--events is 1,000,000,000,001",
        ),
        (
            Demo {
                seconds: Some(0),
                ..good.clone()
            },
            "--seconds is 0",
        ),
        (
            Demo {
                rate: Some(f64::NAN),
                ..good.clone()
            },
            "--rate is NaN",
        ),
    ] {
        let Err(DemoError::Plan(error)) = run(wrong, &Env::default(), false) else {
            panic!("{said}");
        };
        assert!(error.to_string().contains(said), "{error}");
    }
    assert!(!good.dir.exists());
    assert_eq!(
        Demo {
            events: Some(0),
            ..good
        }
        .plan()
        .err(),
        Some(PlanError::Events { events: 0 })
    );
}
