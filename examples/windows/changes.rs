//! Sessions and overlapping windows at every change: a payment that comes late between two others, and is taken back.
//!
//! ```text
//! minute      30          60          90          120
//! cents                   10           5          20          5 come last, then they are taken back
//!
//! session                 10                      20          with a gap of 30 minutes: two of them
//!                         [──────────35───────────]           with the 5 in between: one
//! hopping     [──────────10───────────)                       1 h every 30 min: each payment is in two of them
//!                         [──────────15───────────)
//!                                     [──────────25──────…
//! ```
//!
//! Of these windows `latest` is what others call `corrections`: a row for each, replaced as its rows come and go.

use examples::shown::{changed, show, signed};
use thalweg::connectors::memory::{Collect, Log};
use thalweg::engine::update::Diff;
use thalweg::prelude::*;

use crate::{Payment, Spent, at, minute, row, spent};

/// A user, the first and the last minute of a session, and what was spent.
type Session = (u32, i64, i64, i64);

/// What comes or is taken back, and what is written then: of sessions as `±cents@first..last`, of hopping windows as
/// `±cents@start`.
const STORY: [(Diff, Payment, [&str; 2], &str); 4] = [
    (
        1,
        (1, 60, 10),
        ["+10@60..60", "+10@30 +10@60"],
        "one session, two windows",
    ),
    (
        1,
        (1, 120, 20),
        ["+20@120..120", "+20@90 +20@120"],
        "more than the gap later",
    ),
    (
        1,
        (1, 90, 5),
        [
            "−10@60..60 −20@120..120 +35@60..120",
            "−10@60 −20@90 +15@60 +25@90",
        ],
        "joins what is one gap away on either side",
    ),
    (
        -1,
        (1, 90, 5),
        [
            "−35@60..120 +10@60..60 +20@120..120",
            "−15@60 −25@90 +10@60 +20@90",
        ],
        "taken back: all is as it was",
    ),
];

fn job(sessions: Collect<Session>, hopping: Collect<Spent>) -> Job {
    Job::new("changes", move |g| {
        let log = STORY.map(|(diff, payment, ..)| (payment, diff));
        let log = Log::signed(log.to_vec()).batch_rows(1).event_time(at);
        let payments = g.source("payments", log.lateness(hours(1)))?;
        let payments = payments.key_by(|payment| payment.0).event_time(at);

        let newest = payments.session(minutes(30))?.latest("visits", spent());
        let newest = newest.map(|session| {
            let (first, last) = (minute(session.start), minute(session.last));
            (session.key, first, last, session.value)
        });
        newest.sink("sessions", sessions.clone())?;
        let newest = payments.hopping(hours(1), minutes(30))?;
        let newest = newest.latest("hours", spent()).map(row);
        newest.sink("hopping", hopping.clone())
    })
}

/// Prints and asserts what each payment changes.
#[expect(clippy::print_stdout, reason = "an example shows what it does")]
pub(crate) fn run() -> Result<(), JobError> {
    let (sessions, hopping) = (Collect::new(), Collect::new());
    // One payment an epoch, as they come over a stream.
    let config = Config::workers(1)?.epoch_rows(1)?;
    job(sessions.clone(), hopping.clone()).run(config)?;

    let line = |payment: &str, [sessions, hopping]: [&str; 2], why: &str| {
        println!("{payment:<9}{sessions:<37}{hopping:<29}{why}");
    };
    line("payment", ["sessions", "hopping 1 h every 30 min"], "");
    let of_session = |(_, first, last, cents): &Session| Some(format!("{cents}@{first}..{last}"));
    let of_window = |(_, start, cents): &Spent| Some(format!("{cents}@{start}"));
    for (epoch, (diff, (_, minute, cents), expected, why)) in (1..).zip(STORY) {
        let payment = signed(diff, &format!("{cents}@{minute}"));
        let told = [
            changed(&sessions, epoch, of_session),
            changed(&hopping, epoch, of_window),
        ];
        let told = told.each_ref().map(String::as_str);
        line(&payment, told, why);
        assert_eq!(told, expected, "{payment}: {why}");
    }

    show(
        "in the end, sessions: two again",
        &sessions,
        &[(1, 60, 60, 10), (1, 120, 120, 20)],
    );
    show(
        "in the end, hopping 1 h every 30 min: each payment is in two of them",
        &hopping,
        &[(1, 30, 10), (1, 60, 10), (1, 90, 20), (1, 120, 20)],
    );
    Ok(())
}
