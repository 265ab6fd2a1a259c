//! A quote that comes late, and one that is taken back: what the as-of join makes of them at once, and what is final.
//!
//! ```text
//! second     10    11    12          17    18               30
//! quotes    100   101                102                          101 comes after the trade, and is taken back
//! trades                  ●                 ●                ●    102 comes after the trade
//! watermark   5           7                13               25    5 s behind the newest row
//! ```

use examples::shown::{changed, signed};
use thalweg::connectors::memory::{Collect, Log};
use thalweg::engine::update::Diff;
use thalweg::prelude::*;

use crate::SECOND_US;

/// A second, and a quote's price; a trade has none.
type Tick = (i64, Option<i64>);
/// A trade with the newest quote up to it.
type Priced = (Tick, Option<Tick>);

/// What comes or is taken back, and what is written then, as `±price@second of the trade`: at once, and as final rows.
const STORY: [(Diff, Tick, [&str; 2], &str); 7] = [
    (1, (10, Some(100)), ["", ""], "a quote"),
    (1, (12, None), ["+100@12", ""], "a trade: answered at once"),
    (
        1,
        (11, Some(101)),
        ["−100@12 +101@12", ""],
        "a late quote: repaired",
    ),
    (
        -1,
        (11, Some(101)),
        ["−101@12 +100@12", ""],
        "taken back: as it was",
    ),
    (
        1,
        (18, None),
        ["+100@18", "+100@12"],
        "13 is reached: the trade of 12 is final",
    ),
    (
        1,
        (17, Some(102)),
        ["−100@18 +102@18", ""],
        "late, and in time for the trade of 18",
    ),
    (
        1,
        (30, None),
        ["+102@30", "+102@18"],
        "25 is reached: so is the trade of 18",
    ),
];

fn job([repaired, settled]: [Collect<Priced>; 2]) -> Job {
    Job::new("late quotes", move |g| {
        let at = |tick: &Tick| tick.0 * SECOND_US;
        let log = STORY.map(|(diff, tick, ..)| (tick, diff));
        let log = Log::signed(log.to_vec()).batch_rows(1).event_time(at);
        let ticks = g.source("ticks", log.lateness(seconds(5)))?;
        let trades = ticks.filter(|tick| tick.1.is_none());
        let trades = trades.key_by(|_| 0_u32).event_time(at);
        let quotes = ticks.filter(|tick| tick.1.is_some());
        let quotes = quotes.key_by(|_| 0_u32).event_time(at);
        let priced = trades.asof("quote", &quotes);
        priced.latest().sink("repaired", repaired.clone())?;
        priced.finals().sink("settled", settled.clone())
    })
}

/// Prints and asserts what each row changes.
#[expect(clippy::print_stdout, reason = "an example shows what it does")]
pub(crate) fn run() -> Result<(), JobError> {
    let answers = [Collect::default(), Collect::default()];
    // One row an epoch, as they come over a stream.
    job(answers.clone()).run(Config::workers(1)?.epoch_rows(1)?)?;

    println!("asof, as rows come late: at once, and final");
    let text = |((second, _), quote): &Priced| {
        let price = quote.and_then(|quote| quote.1);
        Some(format!("{}@{second}", price.unwrap_or_default()))
    };
    for (epoch, (diff, (second, price), expected, why)) in (1..).zip(STORY) {
        let price = price.map_or("trade".to_owned(), |price| price.to_string());
        let tick = signed(diff, &format!("{price}@{second}"));
        let told = answers
            .each_ref()
            .map(|written| changed(written, epoch, text));
        let told = told.each_ref().map(String::as_str);
        println!("  {tick:<10}{:<18}{:<10}{why}", told[0], told[1]);
        assert_eq!(told, expected, "{tick}: {why}");
    }
    let stands = [(12, (10, 100)), (18, (17, 102)), (30, (17, 102))];
    let stands =
        stands.map(|(trade, (second, price))| (((trade, None), Some((second, Some(price)))), 1));
    for (answer, written) in answers.iter().zip([9, 3]) {
        assert_eq!(answer.net(), stands, "the same in the end");
        assert_eq!(answer.updates().len(), written, "final rows come once");
    }
    Ok(())
}
