//! Fraud rings: users, devices and cards as one graph, and who hangs together with an account known to be bad, in an
//! online store that is read while the job runs.
//!
//! ```text
//! Ann ── phone ── Bob ── card ── Cid (flagged)        Dee ── tablet ── Eve (flagged)
//!
//! the card is unlinked from Bob:  Ann ── phone ── Bob       card ── Cid      connected_flagged_accounts of Ann: 1 → 0
//! Eve's chargeback is reversed:   her flag goes                              connected_flagged_accounts of Dee: 1 → 0
//!
//! links, chargebacks ─▶ job ─▶ online store ─▶ looked at ─┐
//!     └◀─────────── read on once it shows them ───────────┘
//! ```
//!
//! Runs alone, in one run, and fails where the store does not come to show every number that it prints.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use examples::shown::ended;
use examples::steps::Steps;
use serde::{Deserialize, Serialize};
use thalweg::connectors::embedded::{Embedded, EmbeddedStore};
use thalweg::connectors::online::{OnlineSink, OnlineStore, View};
use thalweg::operators::graph::Flagged;
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
const NAMES: [&str; 5] = ["Ann", "Bob", "Cid", "Dee", "Eve"];

/// Flagged accounts connected with each user, and those of them that have a thing in common with the user.
type Numbers = [[u64; 2]; 5];

const AT_FIRST: Numbers = [[1, 0], [1, 1], [0, 0], [1, 1], [0, 0]];
const UNLINKED: Numbers = [[0, 0], [0, 0], [0, 0], [1, 1], [0, 0]];
const REVERSED: Numbers = [[0, 0]; 5];

/// One use of a thing, linked (+1) or unlinked (−1).
fn uses(user: u32, of: Thing, sign: i64) -> (Use, i64) {
    (Use { at: 0, user, of }, sign)
}

/// The card is unlinked from Bob once the store shows that he and Ann hang together with Cid.
fn links(store: &Path) -> Steps<Use> {
    let first = vec![
        uses(ANN, Thing::Device(1), 1),
        uses(BOB, Thing::Device(1), 1),
        uses(BOB, Thing::Card(1), 1),
        uses(CID, Thing::Card(1), 1),
        uses(DEE, Thing::Device(2), 1),
        uses(EVE, Thing::Device(2), 1),
        // Seen twice: the link stays until both are taken back.
        uses(EVE, Thing::Device(2), 1),
        uses(EVE, Thing::Device(2), -1),
    ];
    let unlinked = vec![uses(BOB, Thing::Card(1), -1)];
    Steps::first(first).then(shows(store, "At first", AT_FIRST), unlinked)
}

/// Eve's chargeback is reversed once the store shows that the card has been unlinked.
fn chargebacks(store: &Path) -> Steps<Chargeback> {
    let of = |user, sign| (Chargeback { at: 0, user }, sign);
    Steps::first(vec![of(CID, 1), of(EVE, 1)])
        .then(
            shows(store, "The card is unlinked from Bob", UNLINKED),
            vec![of(EVE, -1)],
        )
        .then(
            shows(store, "Eve's chargeback is reversed", REVERSED),
            Vec::new(),
        )
}

/// Whether the store shows these numbers; prints them when it does.
fn shows(store: &Path, title: &'static str, numbers: Numbers) -> impl Fn() -> bool + use<> {
    let store = store.to_owned();
    move || {
        let found = looked_up(&store);
        if found == Some(numbers) {
            show(title, &numbers);
        }
        found == Some(numbers)
    }
}

/// Each user's numbers, as whoever serves them would look them up; `None` before the store has them all.
fn looked_up(store: &Path) -> Option<Numbers> {
    let mut store = EmbeddedStore::open_read_only(store).ok()?;
    let mut numbers = Numbers::default();
    for (feature, view) in ["connected", "near"].into_iter().enumerate() {
        for (user, numbers) in (1_u32..).zip(&mut numbers) {
            let row = store.get(view, &user.to_string(), 0).ok()??;
            numbers[feature] = row.field("connected_flagged_accounts")?.parse().ok()?;
        }
    }
    Some(numbers)
}

/// A view of graph features: they are as of an epoch, not of any event's time.
fn online(store: &Path, name: &str) -> OnlineSink<Risk> {
    let view = View::new(name)
        .key(|row: &Risk| row.user.to_string())
        .by_epoch();
    Embedded::view(store, view)
}

fn job(store: PathBuf) -> Job {
    let (links, chargebacks) = (links(&store), chargebacks(&store));
    let (connected, near) = (online(&store, "connected"), online(&store, "near"));
    Job::new("fraud", move |g| {
        let links = g.source("links", links.clone().event_time(|link| link.at))?;
        let chargebacks = chargebacks.clone().event_time(|chargeback| chargeback.at);
        let flagged = g
            .source("chargebacks", chargebacks)?
            .map(|row| Thing::User(row.user).node());

        let graph = links
            .map(|link| (Thing::User(link.user).node(), link.of.node()))
            .undirected("uses");

        let of_users = |row: Flagged| {
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

#[expect(clippy::print_stdout, reason = "an example shows what it does")]
fn show(title: &str, numbers: &Numbers) {
    println!("{title}\n  user  connected_flagged_accounts  of these with a thing in common");
    for (name, [connected, near]) in NAMES.iter().zip(numbers) {
        println!("  {name:<4}  {connected:>26}  {near:>31}");
    }
}

fn run(dir: &Path) -> Result<(), JobError> {
    let store = dir.join("online.redb");
    job(store.clone()).run(Config::workers(2)?)?;
    assert_eq!(looked_up(&store), Some(REVERSED));
    Ok(())
}

fn main() -> ExitCode {
    let dir = std::env::temp_dir().join(format!("thalweg-fraud-{}", std::process::id()));
    let ran = run(&dir);
    let _ = std::fs::remove_dir_all(&dir);
    ended(ran)
}
