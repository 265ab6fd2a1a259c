//! Every join over a handful of rows: trades and quotes of two symbols, with what each join makes of them.
//!
//! ```text
//! quotes  A    10 ─── 100    20 ─── 101             C    15 ─── 7        symbol, second ─── price
//! trades  A  5      12            20     B 14                            symbol, second
//! names   A  alpha                                                       symbol ─── name
//! limits  A  [10, 20) 50                                                 symbol [from, to) limit
//! ```
//!
//! What the as-of join makes of rows that come late is in `late.rs`. Runs alone and asserts every row that it prints.

mod late;

use std::process::ExitCode;

use examples::shown::{ended, show};
use thalweg::connectors::memory::{Collect, Log};
use thalweg::operators::key_by::{Keyed, Timeline};
use thalweg::prelude::*;

/// A symbol and a second.
type Trade = (char, i64);
/// A symbol, a second and a price.
type Quote = (char, i64, i64);
/// A symbol, from when and until before when, and what holds in between.
type Limit = (char, i64, i64, i64);

const TRADES: [Trade; 4] = [('A', 5), ('A', 12), ('B', 14), ('A', 20)];
const QUOTES: [Quote; 3] = [('A', 10, 100), ('C', 15, 7), ('A', 20, 101)];
const NAMES: [(char, &str); 1] = [('A', "alpha")];
const LIMITS: [Limit; 1] = [('A', 10, 20, 50)];

const SECOND_US: i64 = 1_000_000;

/// What each join writes, added up.
#[derive(Clone, Default)]
struct Answers {
    asof: Collect<(Trade, Option<Quote>)>,
    next: Collect<(Trade, Option<Quote>)>,
    nearest: Collect<(Trade, Option<Quote>)>,
    named: Collect<(Trade, Option<(char, String)>)>,
    limited: Collect<(Trade, Option<Limit>)>,
    near: Collect<(Trade, Quote)>,
    together: Collect<(Trade, Option<Quote>)>,
    pairs: Collect<(Trade, Quote)>,
    left: Collect<(Trade, Option<Quote>)>,
    full: Collect<(Option<Trade>, Option<Quote>)>,
    semi: Collect<Trade>,
    anti: Collect<Trade>,
}

fn job(answers: Answers) -> Job {
    Job::new("joins", move |g| {
        let log = Log::rows(TRADES.to_vec());
        let trades = g.source("trades", log.event_time(|trade| trade.1 * SECOND_US))?;
        let log = Log::rows(QUOTES.to_vec());
        let quotes = g.source("quotes", log.event_time(|quote| quote.1 * SECOND_US))?;
        let names = NAMES.map(|(symbol, name)| (symbol, name.to_owned()));
        let names = g.source("names", Log::rows(names.to_vec()).untimed())?;
        let limits = g.source("limits", Log::rows(LIMITS.to_vec()).untimed())?;

        let trades = trades.key_by(|trade| u32::from(trade.0));
        let quotes = quotes.key_by(|quote| u32::from(quote.0));
        in_time(
            &trades.event_time(|trade| trade.1 * SECOND_US),
            &quotes.event_time(|quote| quote.1 * SECOND_US),
            &answers,
        )?;

        // Dimensions: as of now, and as of the trade.
        let names = names.key_by(|name| u32::from(name.0));
        let named = trades.lookup("name", &names);
        named.sink("named", answers.named.clone())?;
        let limits = limits.key_by(|limit| u32::from(limit.0));
        let limited = trades
            .event_time(|trade| trade.1 * SECOND_US)
            .lookup_asof("limit", &limits, |limit| {
                limit.1 * SECOND_US..limit.2 * SECOND_US
            })
            .finals();
        limited.sink("limited", answers.limited.clone())?;
        by_key(&trades, &quotes, &answers)
    })
}

/// Joins that look at times: their state is what may still meet.
fn in_time(
    trades: &Timeline<'_, Trade, u32>,
    quotes: &Timeline<'_, Quote, u32>,
    answers: &Answers,
) -> Result<(), JobError> {
    let asof = trades.asof("quote", quotes);
    asof.latest().sink("asof", answers.asof.clone())?;
    let next = asof.clone().forward().tolerance(seconds(6));
    next.finals().sink("next", answers.next.clone())?;
    let nearest = asof.nearest().latest();
    nearest.sink("nearest", answers.nearest.clone())?;
    let near = trades.interval_join("near", quotes, -2 * SECOND_US..=5 * SECOND_US)?;
    near.finals().sink("near", answers.near.clone())?;
    let together = trades.windowed_join("together", quotes, seconds(10))?;
    let together = together.left().latest();
    together.sink("together", answers.together.clone())
}

/// Joins on the key alone: both sides stay, and both repair the past.
fn by_key(
    trades: &Keyed<'_, Trade, u32>,
    quotes: &Keyed<'_, Quote, u32>,
    answers: &Answers,
) -> Result<(), JobError> {
    let pairs = trades.join("pairs", quotes);
    pairs.sink("pairs", answers.pairs.clone())?;
    let left = trades.left_join("left", quotes);
    left.sink("left", answers.left.clone())?;
    let full = trades.full_join("full", quotes);
    full.sink("full", answers.full.clone())?;
    let semi = trades.semi_join("semi", quotes);
    semi.sink("semi", answers.semi.clone())?;
    let anti = trades.anti_join("anti", quotes);
    anti.sink("anti", answers.anti.clone())
}

fn run() -> Result<(), JobError> {
    let answers = Answers::default();
    job(answers.clone()).run(Config::workers(2)?)?;

    let [first, second, fourth, third] = TRADES;
    let [older, _, newer] = QUOTES;
    let asof = [
        (first, None),
        (second, Some(older)),
        (third, Some(newer)),
        (fourth, None),
    ];
    show(
        "asof: the newest quote at or before the trade",
        &answers.asof,
        &asof,
    );
    let next = [
        (first, Some(older)),
        (second, None),
        (third, Some(newer)),
        (fourth, None),
    ];
    show(
        "asof, forward: the next one, at most 6 s ahead",
        &answers.next,
        &next,
    );
    let nearest = [
        (first, Some(older)),
        (second, Some(older)),
        (third, Some(newer)),
        (fourth, None),
    ];
    show(
        "asof, nearest: whichever is closer",
        &answers.nearest,
        &nearest,
    );
    let alpha = || Some(('A', "alpha".to_owned()));
    let named = [
        (first, alpha()),
        (second, alpha()),
        (third, alpha()),
        (fourth, None),
    ];
    show("lookup: the name as of now", &answers.named, &named);
    let limited = [
        (first, None),
        (second, Some(LIMITS[0])),
        (third, None),
        (fourth, None),
    ];
    show(
        "lookup_asof: the limit that held then",
        &answers.limited,
        &limited,
    );
    let near = [(first, older), (second, older), (third, newer)];
    show(
        "interval_join: quotes from 2 s before to 5 s after",
        &answers.near,
        &near,
    );
    let together = [
        (first, None),
        (second, Some(older)),
        (third, Some(newer)),
        (fourth, None),
    ];
    show(
        "windowed_join, left: in the same 10 s",
        &answers.together,
        &together,
    );
    show_by_key(&answers);
    late::run()
}

/// The answers of the joins on the key alone.
fn show_by_key(answers: &Answers) {
    let [first, second, fourth, third] = TRADES;
    let [older, other, newer] = QUOTES;
    let met = [first, second, third];
    let pairs = met.map(|trade| [(trade, older), (trade, newer)]).concat();
    show("join: all pairs of a symbol", &answers.pairs, &pairs);
    let mut left: Vec<_> = pairs
        .iter()
        .map(|(trade, quote)| (*trade, Some(*quote)))
        .collect();
    left.push((fourth, None));
    show("left_join: and trades without any", &answers.left, &left);
    let mut full: Vec<_> = left
        .iter()
        .map(|(trade, quote)| (Some(*trade), *quote))
        .collect();
    full.insert(0, (None, Some(other)));
    show("full_join: and quotes without any", &answers.full, &full);
    show("semi_join: trades of a quoted symbol", &answers.semi, &met);
    show("anti_join: trades of any other", &answers.anti, &[fourth]);
}

fn main() -> ExitCode {
    ended(run())
}
