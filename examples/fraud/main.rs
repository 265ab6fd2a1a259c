//! Fraud rings: users, devices and cards as one graph, and who hangs together with an account known to be bad.
//!
//! ```text
//! Ann ── phone ── Bob ── card ── Cid (flagged)        Dee ── tablet ── Eve (flagged)
//!
//! the card is unlinked from Bob:  Ann ── phone ── Bob       card ── Cid      connected_flagged_accounts of Ann: 1 → 0
//! Eve's chargeback is reversed:   her flag goes                              connected_flagged_accounts of Dee: 1 → 0
//! ```
//!
//! Runs alone and asserts every number that it prints.

use std::process::ExitCode;

use examples::shown::ended;
use serde::{Deserialize, Serialize};
use thalweg::connectors::memory::{Collect, Log};
use thalweg::prelude::*;

/// What a number in the graph stands for: the kind in the top byte, so that user 7 is not card 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Thing {
    User(u32),
    Device(u32),
    Card(u32),
}

impl Thing {
    fn node(self) -> u64 {
        let (kind, id) = match self {
            Thing::User(id) => (1, id),
            Thing::Device(id) => (2, id),
            Thing::Card(id) => (3, id),
        };
        kind << 56 | u64::from(id)
    }

    fn user(node: u64) -> Option<u32> {
        (node >> 56 == 1).then(|| u32::try_from(node & 0xFFFF_FFFF).unwrap_or(u32::MAX))
    }
}

/// A user uses a thing, or no longer does, as the row's sign has it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Use {
    at: EventTime,
    user: u32,
    of: Thing,
}

/// An account has a chargeback, until it is reversed.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Chargeback {
    at: EventTime,
    user: u32,
}

/// The features of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Risk {
    user: u32,
    connected_flagged_accounts: u64,
}

const ANN: u32 = 1;
const BOB: u32 = 2;
const CID: u32 = 3;
const DEE: u32 = 4;
const EVE: u32 = 5;
const NAMES: [&str; 6] = ["", "Ann", "Bob", "Cid", "Dee", "Eve"];

/// One use of a thing, linked (+1) or unlinked (−1).
fn uses(user: u32, of: Thing, sign: i64) -> (Use, i64) {
    (Use { at: 0, user, of }, sign)
}

fn links() -> Vec<(Use, i64)> {
    vec![
        uses(ANN, Thing::Device(1), 1),
        uses(BOB, Thing::Device(1), 1),
        uses(BOB, Thing::Card(1), 1),
        uses(CID, Thing::Card(1), 1),
        uses(DEE, Thing::Device(2), 1),
        uses(EVE, Thing::Device(2), 1),
        // Seen twice: the link stays until both are taken back.
        uses(EVE, Thing::Device(2), 1),
        uses(EVE, Thing::Device(2), -1),
    ]
}

fn chargebacks() -> Vec<(Chargeback, i64)> {
    [CID, EVE]
        .map(|user| (Chargeback { at: 0, user }, 1))
        .to_vec()
}

fn job(
    links: Vec<(Use, i64)>,
    chargebacks: Vec<(Chargeback, i64)>,
    connected: Collect<Risk>,
    near: Collect<Risk>,
) -> Job {
    Job::new("fraud", move |g| {
        let links = g.source(
            "links",
            Log::signed(links.clone()).event_time(|link| link.at),
        )?;
        let chargebacks = Log::signed(chargebacks.clone()).event_time(|chargeback| chargeback.at);
        let flagged = g
            .source("chargebacks", chargebacks)?
            .map(|row| Thing::User(row.user).node());

        let graph = links
            .map(|link| (Thing::User(link.user).node(), link.of.node()))
            .undirected("uses");

        let of_users = |row: thalweg::operators::graph::Flagged| {
            Thing::user(row.node).map(|user| Risk {
                user,
                connected_flagged_accounts: row.flagged,
            })
        };
        graph
            .flagged_connected(&flagged)
            .flat_map(of_users)
            .sink("connected", connected.clone())?;
        // Two hops: whoever shares a device or a card.
        graph
            .flagged_within(&flagged, 2)
            .flat_map(of_users)
            .sink("near", near.clone())
    })
}

/// Each user's numbers: flagged accounts connected, and flagged accounts with a thing in common.
fn numbers(
    links: Vec<(Use, i64)>,
    chargebacks: Vec<(Chargeback, i64)>,
) -> Result<[[u64; 2]; 6], JobError> {
    let (connected, near) = (Collect::new(), Collect::new());
    job(links, chargebacks, connected.clone(), near.clone()).run(Config::workers(2)?)?;
    let mut numbers = [[0; 2]; 6];
    for (feature, rows) in [connected.net(), near.net()].into_iter().enumerate() {
        for (risk, _) in rows {
            numbers[risk.user as usize][feature] = risk.connected_flagged_accounts;
        }
    }
    Ok(numbers)
}

#[expect(clippy::print_stdout, reason = "an example shows what it does")]
fn show(title: &str, numbers: &[[u64; 2]; 6]) {
    println!("{title}\n  user  connected_flagged_accounts  of these with a thing in common");
    for (name, [connected, near]) in NAMES.iter().zip(numbers).skip(1) {
        println!("  {name:<4}  {connected:>26}  {near:>31}");
    }
}

fn run() -> Result<(), JobError> {
    let before = numbers(links(), chargebacks())?;
    show("At first", &before);
    assert_eq!(before[1..], [[1, 0], [1, 1], [0, 0], [1, 1], [0, 0]]);

    let mut unlinked = links();
    unlinked.push(uses(BOB, Thing::Card(1), -1));
    let after = numbers(unlinked.clone(), chargebacks())?;
    show("The card is unlinked from Bob", &after);
    assert_eq!(after[1..], [[0, 0], [0, 0], [0, 0], [1, 1], [0, 0]]);

    let mut reversed = chargebacks();
    reversed.push((Chargeback { at: 0, user: EVE }, -1));
    let after = numbers(unlinked, reversed)?;
    show("Eve's chargeback is reversed", &after);
    assert_eq!(after[1..], [[0, 0]; 5]);
    Ok(())
}

fn main() -> ExitCode {
    ended(run())
}
