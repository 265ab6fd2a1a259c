//! The examples against the golden answers, and against themselves.
//!
//! ```text
//! order of arrival | shuffled  ×  1, 2, 3, 4 workers  ×  three epoch sizes ─▶ files
//!     the first run's files    = the golden answers, column by column
//!     every other run's files  = the first run's, byte for byte
//! ```
//!
//! By default eight runs per data set meet every pair of order and workers and every pair of order and epoch size;
//! `THALWEG_GOLDENS=all` runs all 24. Data and answers are no part of the repository: they are looked for at
//! `THALWEG_SHARED`, otherwise at `shared` beside the workspace, where `data/golden/README.md` says what each answer is;
//! a data set that is not there is skipped, and said so.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod compare;
mod lost;
mod online;
mod runs;
mod settings;

use std::path::Path;

use compare::{Compare, columns, text, unjudged};
use examples::places::Places;
use examples::{flights, retail, vmnoise};
use runs::Run;
use settings::{note, shared, wanted};
use thalweg::prelude::*;

/// A data set: its job and its answers.
struct Case {
    name: &'static str,
    job: fn(Places) -> Job,
    answers: Vec<Answer>,
}

/// A file that a job writes.
struct Answer {
    file: &'static str,
    /// Where the golden answer lies, below the data.
    folder: &'static str,
    compare: Compare,
    /// Whether it depends on the order of arrival, by its nature.
    by_arrival: bool,
}

/// How the files of rows that no answer counts end.
const ASIDE: &str = ".jsonl";

fn answer(file: &'static str, compare: Compare) -> Answer {
    Answer {
        file,
        folder: "golden/features",
        compare,
        by_arrival: false,
    }
}

#[test]
fn vmnoise_gives_the_golden_answers_in_every_run() {
    check(&Case {
        name: "vmnoise",
        job: vmnoise::job,
        answers: vec![
            answer("vm_tumbling_1d.parquet", columns::<vmnoise::Daily>),
            answer("vm_totals.parquet", columns::<vmnoise::Totals>),
            answer("vm_roll_7d.parquet", columns::<vmnoise::Rolling>),
            answer("vm_latest_final.parquet", columns::<vmnoise::Newest>),
            answer("vm_asof.parquet", columns::<vmnoise::Labelled>),
            answer("vm_cross_join.parquet", columns::<vmnoise::Compared>),
            answer("vm_latest_midway.parquet", columns::<vmnoise::Newest>),
            answer("vm_hop_6h_1h.parquet", columns::<vmnoise::SixHours>),
            answer("vm_session_30m.parquet", columns::<vmnoise::Session>),
            Answer {
                by_arrival: true,
                ..answer(
                    "vm_tumbling_1h_bound60s.parquet",
                    columns::<vmnoise::BoundHour>,
                )
            },
            Answer {
                by_arrival: true,
                ..answer("vm_lateness.csv", text)
            },
        ],
    });
}

#[test]
fn flights_gives_the_golden_answers_in_every_run() {
    check(&Case {
        name: "flights",
        job: flights::job,
        answers: vec![
            answer("fl_tumbling_1h.parquet", columns::<flights::Hourly>),
            answer("fl_roll_7d_tail.parquet", columns::<flights::Rolling>),
            answer("fl_cross_join.parquet", columns::<flights::Maker>),
            answer("fl_asof_weather.parquet", columns::<flights::Weather>),
        ],
    });
}

#[test]
fn retail_gives_the_golden_answers_in_every_run() {
    check(&Case {
        name: "retail",
        job: retail::job,
        answers: vec![
            answer("rt_tumbling_1h.parquet", columns::<retail::Hourly>),
            answer("rt_tumbling_1d_country.parquet", columns::<retail::Country>),
            answer("rt_session_1d_customer.parquet", columns::<retail::Session>),
            answer("rt_product_features.parquet", columns::<retail::Product>),
            answer("rt_roll_30d_customer.parquet", columns::<retail::Rolling>),
            answer("rt_latest_customer.parquet", columns::<retail::Customer>),
            answer(
                "rt_net_after_retraction.parquet",
                columns::<retail::CustomerNet>,
            ),
            answer(
                "rt_net_after_retraction_product.parquet",
                columns::<retail::ProductNet>,
            ),
            answer("rt_cross_join.parquet", columns::<retail::Offer>),
            answer("rt_asof_cancel.parquet", columns::<retail::Cancelled>),
            Answer {
                folder: "golden/drift",
                ..answer("retail_hourly_numeric.parquet", columns::<retail::Numeric>)
            },
            answer("baselines.json", unjudged),
        ],
    });
}

fn check(case: &Case) {
    let data = shared().join("data");
    if !data.join(case.name).is_dir() {
        let absent = data.join(case.name);
        return note(&format!(
            "skipped: {}: there is no {}",
            case.name,
            absent.display()
        ));
    }
    let first = tempfile::tempdir().unwrap();
    for (number, run) in wanted().iter().enumerate() {
        let other = tempfile::tempdir().unwrap();
        let out = if number == 0 {
            first.path()
        } else {
            other.path()
        };
        let report = run.run(case.job, &data, out);
        note(&format!(
            "{}: {run}: {:.1} s",
            case.name,
            report.elapsed.as_secs_f64()
        ));
        if number == 0 {
            compare_with_goldens(case, out, &data);
        } else {
            compare_bytes(case, run, first.path(), out);
        }
    }
}

fn compare_with_goldens(case: &Case, out: &Path, data: &Path) {
    let files: Vec<&str> = case.answers.iter().map(|answer| answer.file).collect();
    let all = runs::files_in(out);
    let (aside, written): (Vec<_>, Vec<_>) = all.iter().partition(|file| file.ends_with(ASIDE));
    assert!(!aside.is_empty(), "{} says nothing of lost rows", case.name);
    for file in aside {
        let lost = std::fs::read_to_string(out.join(file)).unwrap();
        assert_eq!(lost, "", "{file}: the data has no row that is not counted");
    }
    assert_eq!(
        written.len(),
        files.len(),
        "{} writes other files",
        case.name
    );
    for answer in &case.answers {
        let golden = data.join(answer.folder).join(answer.file);
        match (answer.compare)(&out.join(answer.file), &golden) {
            Ok(rows) => note(&format!("{}: {rows} rows match", answer.file)),
            Err(difference) => panic!("{}: {difference}", answer.file),
        }
    }
}

fn compare_bytes(case: &Case, run: &Run, first: &Path, out: &Path) {
    assert_eq!(runs::files_in(first), runs::files_in(out));
    for answer in &case.answers {
        if run.shuffle.is_some() && answer.by_arrival {
            continue;
        }
        let read = |folder: &Path| std::fs::read(folder.join(answer.file)).unwrap();
        let same = read(first) == read(out);
        assert!(
            same,
            "{}: {run} gives other bytes than the first run",
            answer.file
        );
    }
}
