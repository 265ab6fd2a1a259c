//! Every window over a handful of rows: payments of two users on the morning when Berlin's clocks go forward.
//!
//! ```text
//! minute    0      20        50      70                 130
//! user 1   10      20        30                          40
//! user 2                              5
//! ```
//!
//! `changes.rs` has sessions and overlapping windows at every change, `month.rs` the month that this morning lies in.
//!
//! Runs alone and asserts every row that it prints. Times are minutes since midnight in Berlin.

mod changes;
mod month;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use examples::shown::{ended, show};
use serde::{Deserialize, Serialize};
use thalweg::connectors::embedded::{Embedded, EmbeddedStore};
use thalweg::connectors::memory::{Collect, Log};
use thalweg::connectors::online::{OnlineError, OnlineSink, OnlineStore, View};
use thalweg::operators::aggregate::laws;
use thalweg::operators::key_by::Timeline;
use thalweg::operators::window::grouped::GroupRow;
use thalweg::prelude::*;

/// A user, a minute and an amount in cents.
type Payment = (u32, i64, i64);
/// A user, from when, and what was spent.
type Spent = (u32, i64, i64);

/// What an online store tells of a user.
#[derive(Clone, Serialize, Deserialize)]
struct Hour {
    user: u32,
    minute: i64,
    cents: Option<f64>,
}

const PAYMENTS: [Payment; 5] = [
    (1, 0, 10),
    (1, 20, 20),
    (1, 50, 30),
    (2, 70, 5),
    (1, 130, 40),
];

const MINUTE_US: i64 = 60_000_000;
/// Midnight in Berlin: 2025-03-29T23:00Z.
const MIDNIGHT_US: i64 = 1_743_289_200_000_000;

fn at(payment: &Payment) -> EventTime {
    MIDNIGHT_US + payment.1 * MINUTE_US
}

fn minute(at: EventTime) -> i64 {
    (at - MIDNIGHT_US) / MINUTE_US
}

/// What a user spends: an aggregate of this job alone.
fn spent() -> impl Aggregate<Payment, State = i64, Output = i64> {
    let add = |cents: &mut i64, payment: &Payment, diff| *cents += payment.2 * diff;
    fold(add, |cents| *cents).additive()
}

/// Tries it on random payments, in any order and taken back, by itself and in windows.
fn spent_keeps_the_laws_of_an_aggregate() {
    laws::of(spent())
        .rows(|draws| (1, draws.within(0..=9), draws.within(-50..=50)))
        .reads(|payments| payments.iter().map(|payment| payment.2).sum())
        .called("spent")
        .hold();
}

fn row(group: GroupRow<u32, i64>) -> Spent {
    (group.key, minute(group.start), group.value)
}

/// What each window writes, added up.
#[derive(Clone, Default)]
struct Answers {
    tumbling: Collect<Spent>,
    hopping: Collect<Spent>,
    daily: Collect<Spent>,
    ever: Collect<(u32, i64)>,
    session: Collect<(u32, i64, i64, i64)>,
    last_two: Collect<(u32, i64)>,
    each_two: Collect<Spent>,
    rolling: Collect<(u32, i64, u64, Option<Real>)>,
    largest: Collect<(u32, i64, Option<Real>)>,
    newest: Collect<(u32, u64, Option<Real>)>,
    amounts_and_minutes: Collect<(u32, Option<Real>, Option<Real>)>,
    compact: Collect<(u32, u64, Option<Real>)>,
    weekly: Collect<Spent>,
    decayed: Collect<(u32, Real)>,
    each_decayed: Collect<(u32, i64, Real)>,
    half_hourly: Collect<(u32, i64, Real)>,
}

/// The view that an online store serves.
fn online(store: &Path) -> OnlineSink<Hour> {
    let view = View::new("hour")
        .key(|hour: &Hour| hour.user.to_string())
        .version(|hour| MIDNIGHT_US + hour.minute * MINUTE_US);
    Embedded::view(store, view)
}

/// What the store tells of a user, as whoever serves it reads it.
fn looked_up(store: &Path, user: u32) -> Result<Option<String>, OnlineError> {
    let row = EmbeddedStore::open_read_only(store)?.get("hour", &user.to_string(), 0)?;
    Ok(row.and_then(|row| row.field("cents").map(str::to_owned)))
}

fn job(answers: Answers, store: PathBuf) -> Job {
    Job::new("windows", move |g| {
        let log = Log::rows(PAYMENTS.to_vec()).event_time(at);
        let payments = g.source("payments", log.lateness(minutes(10)))?;
        let payments = payments.key_by(|payment| payment.0);
        let ever = payments.lifetime().latest("ever", spent());
        let ever = ever.map(|of| (of.key, of.value));
        ever.sink("lifetime", answers.ever.clone())?;
        let payments = payments.event_time(at);
        at_fixed_moments(&payments, &answers)?;
        by_their_rows(&payments, &answers)?;
        rolling(&payments, &answers, &store)?;
        by_number_and_fading(&payments, &answers)
    })
}

/// Windows that begin at fixed moments, whatever rows there are.
fn at_fixed_moments(
    payments: &Timeline<'_, Payment, u32>,
    answers: &Answers,
) -> Result<(), JobError> {
    let hourly = payments.tumbling(hours(1))?.finals("hourly", spent());
    let hourly = hourly.map(row);
    hourly.sink("tumbling", answers.tumbling.clone())?;
    let hopping = payments.hopping(hours(2), hours(1))?;
    let hopping = hopping.finals("two hours", spent());
    let hopping = hopping.map(row);
    hopping.sink("hopping", answers.hopping.clone())?;
    let daily = payments.calendar(Calendar::Day, "Europe/Berlin")?;
    let daily = daily.finals("daily", spent()).map(row);
    daily.sink("daily", answers.daily.clone())?;
    // At every change, and nothing is kept of a week that is two days over: its rows stand.
    let weekly = payments.calendar(Calendar::Week, "Europe/Berlin")?;
    let weekly = weekly.kept_for(days(2)).latest("weekly", spent());
    weekly.map(row).sink("weekly", answers.weekly.clone())
}

/// Windows that begin or end with rows.
fn by_their_rows(payments: &Timeline<'_, Payment, u32>, answers: &Answers) -> Result<(), JobError> {
    let sessions = payments.session(minutes(30))?.finals("sessions", spent());
    let sessions = sessions.map(|session| {
        let (start, last) = (minute(session.start), minute(session.last));
        (session.key, start, last, session.value)
    });
    sessions.sink("session", answers.session.clone())
}

/// Windows that end with a payment, or with the newest moment of their user.
fn rolling(
    payments: &Timeline<'_, Payment, u32>,
    answers: &Answers,
    store: &Path,
) -> Result<(), JobError> {
    let amounts = payments.rolling([hours(1)])?;
    // Nobody asks for the least or the greatest: totals are enough, and cost less.
    let amounts = amounts.totals("amount", |payment| payment.2);
    let rolling = amounts.finals(|payment| payment.1);
    let rolling = rolling.map(|(minute, of)| {
        let hour = of.window(0);
        (of.key, minute, hour.count(), hour.mean().map(Real))
    });
    rolling.sink("rolling", answers.rolling.clone())?;
    let largest = payments.rolling([hours(1)])?;
    let largest = largest.aggregate("largest", max(|payment: &Payment| payment.2));
    let largest = largest
        .finals()
        .map(|(payment, of)| (of.key, payment.1, of.windows[0].map(Real)));
    largest.sink("largest", answers.largest.clone())?;
    let newest = amounts
        .latest()
        .map(|of| (of.key, of.window(0).count(), of.window(0).mean().map(Real)));
    newest.sink("newest", answers.newest.clone())?;
    // The same for a store that keeps a row of each user and replaces it: without the old ones, for less.
    let for_store = amounts.upserts().map(|of| Hour {
        user: of.key,
        minute: minute(of.at),
        cents: of.window(0).sum(),
    });
    for_store.sink("store", online(store))?;
    // Two numbers of a payment in one pass.
    let both = payments.rolling([hours(1)])?;
    let both = both.totals_of("amounts and minutes", |payment| [payment.2, payment.1]);
    let both = both.latest().map(|of| {
        let [amount, minute] = &of.windows[0].0;
        (of.key, amount.mean().map(Real), minute.mean().map(Real))
    });
    both.sink("amounts and minutes", answers.amounts_and_minutes.clone())?;
    // Half the memory where times are whole milliseconds and numbers fit 32 bits; rows wait for the user's next payment,
    // and do not fall as time passes.
    let compact = payments.rolling([hours(1)])?;
    let compact = compact.moments("compact", |payment| payment.2).compact();
    let compact = compact.expiry(Expiry::AtNextEvent).latest();
    let compact = compact.map(|of| (of.key, of.window(0).count(), of.window(0).max().map(Real)));
    compact.sink("compact rows", answers.compact.clone())
}

/// The last rows, and all of them fading: per user, and per payment as of it.
fn by_number_and_fading(
    payments: &Timeline<'_, Payment, u32>,
    answers: &Answers,
) -> Result<(), JobError> {
    let two = payments.last_rows(2)?;
    let last_two = two.latest("last two", spent());
    let last_two = last_two.map(|last| (last.key, last.value));
    last_two.sink("last two", answers.last_two.clone())?;
    let each_two = two.finals("each two", spent());
    let each_two = each_two.map(|(payment, last)| (last.key, payment.1, last.value));
    each_two.sink("each two", answers.each_two.clone())?;

    let fading = payments.decayed(minutes(10))?;
    let decayed = fading.latest("fading", |payment| payment.2);
    let decayed = decayed.map(|fading| (fading.key, Real(fading.sum)));
    decayed.sink("decayed", answers.decayed.clone())?;
    let each_decayed = fading.finals("each fading", |payment| payment.2);
    let each_decayed =
        each_decayed.map(|(payment, fading)| (fading.key, payment.1, Real(fading.sum)));
    each_decayed.sink("each decayed", answers.each_decayed.clone())?;

    // Sinks with no payment too, seen every half hour.
    let half_hourly = fading.refreshed(minutes(30))?;
    let half_hourly = half_hourly.latest("half-hourly", |payment| payment.2);
    let half_hourly = half_hourly.map(|fading| (fading.key, minute(fading.at), Real(fading.sum)));
    half_hourly.sink("half-hourly", answers.half_hourly.clone())
}

fn run(store: &Path) -> Result<(), Box<dyn Error>> {
    spent_keeps_the_laws_of_an_aggregate();
    let answers = Answers::default();
    job(answers.clone(), store.to_owned()).run(Config::workers(2)?)?;
    show(
        "tumbling 1 h: [start, start + 1 h)",
        &answers.tumbling,
        &[(1, 0, 60), (1, 120, 40), (2, 60, 5)],
    );
    show(
        "hopping 2 h every 1 h: a payment is in two of them",
        &answers.hopping,
        &[
            (1, -60, 60),
            (1, 0, 60),
            (1, 60, 40),
            (1, 120, 40),
            (2, 0, 5),
            (2, 60, 5),
        ],
    );
    show(
        "calendar day in Berlin: this one has 23 hours",
        &answers.daily,
        &[(1, 0, 100), (2, 0, 5)],
    );
    // Monday was the 24th: six days before.
    show(
        "calendar week in Berlin, at every change: from Monday on",
        &answers.weekly,
        &[(1, -6 * 1_440, 100), (2, -6 * 1_440, 5)],
    );
    show(
        "lifetime: what a user has ever spent",
        &answers.ever,
        &[(1, 100), (2, 5)],
    );
    show(
        "session with a gap of 30 min: one that is exactly as long still belongs",
        &answers.session,
        &[(1, 0, 50, 60), (1, 130, 130, 40), (2, 70, 70, 5)],
    );
    let real = |cents| Some(Real(cents));
    show(
        "rolling 1 h, final: a row per payment, closed at both ends",
        &answers.rolling,
        &[
            (1, 0, 1, real(10.0)),
            (1, 20, 2, real(15.0)),
            (1, 50, 3, real(20.0)),
            (1, 130, 1, real(40.0)),
            (2, 70, 1, real(5.0)),
        ],
    );
    show(
        "rolling 1 h of any aggregate, final: here the largest",
        &answers.largest,
        &[
            (1, 0, real(10.0)),
            (1, 20, real(20.0)),
            (1, 50, real(30.0)),
            (1, 130, real(40.0)),
            (2, 70, real(5.0)),
        ],
    );
    show(
        "rolling 1 h, latest: a row per user, as of the newest moment",
        &answers.newest,
        &[(1, 1, real(40.0)), (2, 1, real(5.0))],
    );
    show(
        "the same from the compact state, with the largest",
        &answers.compact,
        &[(1, 1, real(40.0)), (2, 1, real(5.0))],
    );
    show(
        "two numbers of a payment in one pass: amounts and minutes",
        &answers.amounts_and_minutes,
        &[(1, real(40.0), real(130.0)), (2, real(5.0), real(70.0))],
    );
    for (user, cents) in [(1, "40.0"), (2, "5.0")] {
        assert_eq!(
            looked_up(store, user)?.as_deref(),
            Some(cents),
            "what the store tells of user {user}"
        );
    }
    show_by_number_and_fading(&answers);
    changes::run()?;
    month::run()?;
    Ok(())
}

fn show_by_number_and_fading(answers: &Answers) {
    show("the last two rows", &answers.last_two, &[(1, 70), (2, 5)]);
    show(
        "the last two rows, final: up to each payment",
        &answers.each_two,
        &[
            (1, 0, 10),
            (1, 20, 30),
            (1, 50, 50),
            (1, 130, 70),
            (2, 70, 5),
        ],
    );
    // 40, and 30, 20 and 10 cents halved 8, 11 and 13 times.
    let fading = 40.0 + 30.0 / 256.0 + 20.0 / 2_048.0 + 10.0 / 8_192.0;
    show(
        "decayed, half-life 10 min: as of a user's newest payment",
        &answers.decayed,
        &[(1, Real(fading)), (2, Real(5.0))],
    );
    show(
        "decayed, half-life 10 min, final: as of each payment",
        &answers.each_decayed,
        &[
            (1, 0, Real(10.0)),
            (1, 20, Real(22.5)),
            (1, 50, Real(32.8125)),
            (1, 130, Real(fading)),
            (2, 70, Real(5.0)),
        ],
    );
    // Five halved five times, fifty minutes on.
    show(
        "decayed, half-life 10 min, as of the last half hour that has passed, or of a later payment",
        &answers.half_hourly,
        &[(1, 130, Real(fading)), (2, 120, Real(5.0 / 32.0))],
    );
}

fn main() -> ExitCode {
    let dir = std::env::temp_dir().join(format!("thalweg-windows-{}", std::process::id()));
    let ran = run(&dir.join("online.redb"));
    let _ = std::fs::remove_dir_all(&dir);
    ended(ran)
}
