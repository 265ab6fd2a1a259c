//! What a late row does: failed logins of two accounts in the last 30 minutes, in every mode of one window.
//!
//! ```text
//! minute       0    15   20           45        60   65
//! account 1    ●    ◐    ●            ○                      ◐ comes after minute 20: late, but within 10 minutes
//! account 2                                     ●    ●       ○ comes after minute 60: too late
//! watermark  −10         10                     50   55      10 minutes behind the newest login
//! ```
//!
//! Early answers are seen at once and repaired, final ones never change, and what is too late is kept beside them and
//! counted. As the watermark passes, an account's logins leave its newest answer without a login of its own.
//! How far a late row reaches in other windows, and one that is taken back, is in `repaired.rs`.
//!
//! Runs alone and asserts every line that it prints.

mod repaired;

use std::process::ExitCode;
use std::sync::atomic::Ordering::Relaxed;

use examples::shown::{changed, ended};
use thalweg::connectors::memory::{Collect, Log};
use thalweg::prelude::*;

/// The minute of a failed login, and its account.
type Login = (i64, u32);
/// The minute that an answer is as of, its account, and how many logins failed in the 30 minutes up to then.
type Failed = (i64, u32, i64);

/// What is written of account 1 as each login comes, as `±failed@minute`: in mode latest, as corrections, as final rows, and
/// to the late output.
const STORY: [(Login, [&str; 4], &str); 6] = [
    ((0, 1), ["+1@0", "+1@0", "", ""], "seen at once"),
    (
        (20, 1),
        ["−1@0 +2@20", "+2@20", "+1@0", ""],
        "10 is reached: minute 0 is final",
    ),
    (
        (15, 1),
        ["−2@20 +3@20", "−2@20 +2@15 +3@20", "", ""],
        "5 minutes late: repaired",
    ),
    (
        (60, 2),
        ["−3@20 +1@20", "", "+2@15 +3@20", ""],
        "50 is reached: what is before 20 leaves",
    ),
    (
        (45, 1),
        ["", "", "", "+1@45"],
        "15 minutes late: changes nothing",
    ),
    (
        (65, 2),
        ["−1@20", "", "", ""],
        "55 is reached: account 1 has no row",
    ),
];

const MINUTE_US: i64 = 60_000_000;

fn at(login: &Login) -> EventTime {
    login.0 * MINUTE_US
}

fn job(written: [Collect<Failed>; 4]) -> Job {
    Job::new("lateness", move |g| {
        let [latest, corrections, finals, late] = written.clone();
        let logins = Log::rows(STORY.map(|(login, ..)| login).to_vec()).batch_rows(1);
        let logins = g.source("logins", logins.event_time(at).lateness(minutes(10)))?;
        let failed = logins
            .key_by(|login| login.1)
            .event_time(at)
            .rolling([minutes(30)])?
            .aggregate("failed", count());

        let newest = failed.latest();
        let newest = newest.map(|of| (of.at / MINUTE_US, of.key, of.windows[0]));
        newest.sink("latest", latest)?;
        let repaired = failed.corrections();
        let repaired = repaired.map(|((minute, account), of)| (minute, account, of.windows[0]));
        repaired.sink("corrections", corrections)?;
        let settled = failed.finals();
        let settled = settled.map(|((minute, account), of)| (minute, account, of.windows[0]));
        settled.sink("final", finals)?;
        let too_late = logins.late().map(|(minute, account)| (minute, account, 1));
        too_late.sink("late", late)
    })
}

/// What is told of account 1.
fn of_account_1((minute, account, failed): &Failed) -> Option<String> {
    (*account == 1).then(|| format!("{failed}@{minute}"))
}

#[expect(clippy::print_stdout, reason = "an example shows what it does")]
fn run() -> Result<(), JobError> {
    let written: [Collect<Failed>; 4] = Default::default();
    // One login an epoch, as they come over a stream.
    let config = Config::workers(1)?.epoch_rows(1)?;
    let report = job(written.clone()).run(config)?;

    let line = |login: &str, [latest, corrections, finals, late]: [&str; 4], why: &str| {
        println!("{login:<8}{latest:<13}{corrections:<19}{finals:<13}{late:<7}{why}");
    };
    line("login", ["latest", "corrections", "final", "late"], "");
    for (epoch, ((minute, account), expected, why)) in (1..).zip(STORY) {
        let told = written
            .each_ref()
            .map(|written| changed(written, epoch, of_account_1));
        let told = told.each_ref().map(String::as_str);
        line(&format!("{account}@{minute}"), told, why);
        assert_eq!(told, expected, "{account}@{minute}: {why}");
    }

    let [latest, corrections, finals, _] = &written;
    println!("in the end, latest: {:?}", latest.net());
    assert_eq!(latest.net(), [((65, 2, 2), 1)]);
    let settled = [(0, 1, 1), (15, 1, 2), (20, 1, 3), (60, 2, 1), (65, 2, 2)];
    println!("in the end, final and as corrected: {settled:?}");
    assert_eq!(finals.net(), settled.map(|row| (row, 1)));
    assert_eq!(finals.updates().len(), settled.len(), "each written once");
    assert_eq!(corrections.net(), finals.net());

    let account = report.metrics.source("logins");
    let counts = [&account.read, &account.rows, &account.late];
    let [read, within, late] = counts.map(|count| count.load(Relaxed));
    println!("{read} read = {within} in + {late} late");
    assert_eq!([read, within, late], [6, 5, 1]);
    Ok(())
}

fn main() -> ExitCode {
    ended(run().and_then(|()| repaired::run()))
}
