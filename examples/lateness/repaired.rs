//! How far a payment reaches that comes late, and one that is taken back: three windows in mode corrections.
//!
//! ```text
//! minute                          0     10    20          40
//! cents                          40      8    20          16      8 come after minute 40; then 20 are taken back
//!
//! the 8 change  rolling 20 min                 ●                  rows up to 20 minutes later
//!               last 2 rows                    ●                  the next row, however far it is
//!               fading                         ●           ●      all later rows
//! ```
//!
//! What stands in the end is what final rows are.

use examples::shown::{changed, signed};
use thalweg::connectors::memory::{Collect, Log};
use thalweg::engine::update::Diff;
use thalweg::operators::value::Fixed;
use thalweg::operators::window::decayed::DecayedRow;
use thalweg::operators::window::last_rows::LastRow;
use thalweg::operators::window::rolling::Rolled;
use thalweg::prelude::*;

use crate::MINUTE_US;

/// A user, a minute and an amount in cents.
type Payment = (u32, i64, i64);
/// The minute of a payment, and the cents of its window.
type Cents = (i64, Real);
/// What each of the windows writes, added up.
type Answers = [Collect<Cents>; 3];

/// What comes or is taken back, and what is written then, as `±cents@minute`: of 20 minutes, of two rows, and of all with
/// a half-life of 10 minutes.
const STORY: [(Diff, Payment, [&str; 3], &str); 5] = [
    (1, (1, 0, 40), ["+40@0", "+40@0", "+40@0"], "seen at once"),
    (
        1,
        (1, 20, 20),
        ["+60@20", "+60@20", "+30@20"],
        "20 + 40, and 20 + 40 ÷ 4",
    ),
    (
        1,
        (1, 40, 16),
        ["+36@40", "+36@40", "+23.5@40"],
        "16 + 20, and 16 + 20 ÷ 4 + 40 ÷ 16",
    ),
    (
        1,
        (1, 10, 8),
        [
            "−60@20 +48@10 +68@20",
            "−60@20 +48@10 +28@20",
            "−30@20 −23.5@40 +28@10 +34@20 +24.5@40",
        ],
        "30 minutes late: repaired",
    ),
    (
        -1,
        (1, 20, 20),
        [
            "−68@20 −36@40 +16@40",
            "−28@20 −36@40 +24@40",
            "−34@20 −24.5@40 +19.5@40",
        ],
        "taken back: its own row goes",
    ),
];

/// What stands in the end.
const STANDS: [[(i64, f64); 3]; 3] = [
    [(0, 40.0), (10, 48.0), (40, 16.0)],
    [(0, 40.0), (10, 48.0), (40, 24.0)],
    [(0, 40.0), (10, 28.0), (40, 19.5)],
];

fn at(payment: &Payment) -> EventTime {
    payment.1 * MINUTE_US
}

fn of_minutes((minute, of): (i64, Rolled<u32, Fixed<0>, 1, 1>)) -> Cents {
    (minute, Real(of.window(0).sum().unwrap_or_default()))
}

fn of_two_rows(((_, minute, _), of): (Payment, LastRow<u32, f64>)) -> Cents {
    (minute, Real(of.value))
}

fn of_all(((_, minute, _), of): (Payment, DecayedRow<u32>)) -> Cents {
    (minute, Real(of.sum))
}

fn job(repaired: Answers, settled: Answers) -> Job {
    Job::new("repaired", move |g| {
        let log = STORY.map(|(diff, payment, ..)| (payment, diff));
        let log = Log::signed(log.to_vec()).batch_rows(1).event_time(at);
        let payments = g.source("payments", log.lateness(minutes(30)))?;
        let payments = payments.key_by(|payment| payment.0).event_time(at);

        let [in_minutes, in_two_rows, in_all] = repaired.clone();
        let [final_minutes, final_two_rows, final_all] = settled.clone();
        let rolling = payments.rolling([minutes(20)])?;
        let rolling = rolling.moments("20 minutes", |payment| payment.2);
        // A row is told by what it carries along of its payment: here the minute.
        let rows = rolling.corrections(|payment| payment.1);
        rows.map(of_minutes).sink("in 20 minutes", in_minutes)?;
        let rows = rolling.finals(|payment| payment.1);
        rows.map(of_minutes)
            .sink("settled in 20 minutes", final_minutes)?;

        let cents = sum(|payment: &Payment| payment.2);
        let two = payments.last_rows(2)?;
        let rows = two.corrections("two rows", cents.clone());
        rows.map(of_two_rows).sink("in two rows", in_two_rows)?;
        let rows = two.finals("two rows", cents);
        rows.map(of_two_rows)
            .sink("settled in two rows", final_two_rows)?;

        let fading = payments.decayed(minutes(10))?;
        let rows = fading.corrections("fading", |payment| payment.2);
        rows.map(of_all).sink("in all", in_all)?;
        let rows = fading.finals("fading", |payment| payment.2);
        rows.map(of_all).sink("settled in all", final_all)
    })
}

/// Prints and asserts what each payment changes.
#[expect(clippy::print_stdout, reason = "an example shows what it does")]
pub(crate) fn run() -> Result<(), JobError> {
    let (repaired, settled) = (Answers::default(), Answers::default());
    // One payment an epoch, as they come over a stream.
    let config = Config::workers(1)?.epoch_rows(1)?;
    job(repaired.clone(), settled.clone()).run(config)?;

    let line = |payment: &str, [rolling, two, fading]: [&str; 3], why: &str| {
        println!("{payment:<9}{rolling:<22}{two:<22}{fading:<40}{why}");
    };
    line("payment", ["20 minutes", "last two", "fading"], "");
    let text = |(minute, cents): &Cents| Some(format!("{cents}@{minute}"));
    for (epoch, (diff, (_, minute, cents), expected, why)) in (1..).zip(STORY) {
        let payment = signed(diff, &format!("{cents}@{minute}"));
        let told = repaired
            .each_ref()
            .map(|written| changed(written, epoch, text));
        let told = told.each_ref().map(String::as_str);
        line(&payment, told, why);
        assert_eq!(told, expected, "{payment}: {why}");
    }

    for (place, rows) in STANDS.into_iter().enumerate() {
        println!("in the end, as corrected and final: {rows:?}");
        let rows = rows.map(|(minute, cents)| ((minute, Real(cents)), 1));
        assert_eq!(repaired[place].net(), rows, "as corrected");
        assert_eq!(settled[place].net(), rows, "final");
        assert_eq!(settled[place].updates().len(), rows.len(), "written once");
    }
    Ok(())
}
