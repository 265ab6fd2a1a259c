//! Months as the clocks of Berlin show them: March begins by winter time and ends by summer time, an hour shorter.
//!
//! ```text
//! Berlin     28 Feb 23:59 │ 1 Mar 00:00      …      31 Mar 23:59 │ 1 Apr 00:00
//! UTC        28 Feb 22:59 │ 28 Feb 23:00     …      31 Mar 21:59 │ 31 Mar 22:00
//! cents                 1 │ 10                                20 │ 40
//!            ─────────────)[─────────── March, 743 hours ────────)[─────────────
//! ```

use examples::shown::show;
use thalweg::connectors::memory::{Collect, Log};
use thalweg::prelude::*;

use crate::{Payment, Spent, at, row, spent};

/// 24 hours, in minutes.
const DAY: i64 = 24 * 60;

/// Where the months begin, in minutes since midnight on 30 March: on that day the clocks go forward.
const FEBRUARY: i64 = MARCH - 28 * DAY;
const MARCH: i64 = -29 * DAY;
const APRIL: i64 = MARCH + 31 * DAY - 60;

const PAYMENTS: [Payment; 4] = [
    (1, MARCH - 1, 1),
    (1, MARCH, 10),
    (1, APRIL - 1, 20),
    (1, APRIL, 40),
];

fn job(months: Collect<Spent>) -> Job {
    Job::new("month", move |g| {
        let log = Log::rows(PAYMENTS.to_vec()).event_time(at);
        let payments = g.source("payments", log)?;
        let payments = payments.key_by(|payment| payment.0).event_time(at);
        let monthly = payments.calendar(Calendar::Month, "Europe/Berlin")?;
        let monthly = monthly.finals("monthly", spent()).map(row);
        monthly.sink("months", months.clone())
    })
}

/// Prints and asserts what was spent in each month.
pub(crate) fn run() -> Result<(), JobError> {
    let months = Collect::new();
    job(months.clone()).run(Config::workers(2)?)?;
    show(
        "calendar month in Berlin: March ends an hour sooner than 31 days of 24 hours",
        &months,
        &[(1, FEBRUARY, 1), (1, MARCH, 30), (1, APRIL, 40)],
    );
    Ok(())
}
