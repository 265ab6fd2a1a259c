//! What the workloads read: of the Parquet files' columns those that each of them needs, as the other engines do. Where
//! a table is looked up, ours need the time too: it is read whole before the first timed row, which makes it whole.

use std::path::Path;

use serde::{Deserialize, Serialize};
use thalweg::connectors::files::{FileSource, Files};
use thalweg::engine::update::Data;
use thalweg::operators::value::Real;
use thalweg::prelude::*;

/// A payment as its user's windows see it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct OfUser {
    pub(crate) id: i64,
    pub(crate) at_ms: i64,
    pub(crate) user: u64,
    pub(crate) amount: Real,
}

/// A payment as windows of its user add it up.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Spent {
    pub(crate) at_ms: i64,
    pub(crate) user: u64,
    pub(crate) amount: f64,
}

/// A payment as sessions and labels of its user see it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Paid {
    pub(crate) at_ms: i64,
    pub(crate) user: u64,
    pub(crate) amount: Real,
}

/// A payment as the drift of its country sees it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct OfCountry {
    pub(crate) at_ms: i64,
    pub(crate) country: u32,
    pub(crate) amount: f64,
}

/// A payment as its merchant's windows see it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct OfMerchant {
    pub(crate) id: i64,
    pub(crate) at_ms: i64,
    pub(crate) merchant: u32,
    pub(crate) amount: Real,
}

/// A moment at which something is to be known of a user.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Label {
    pub(crate) id: i64,
    pub(crate) at_ms: i64,
    pub(crate) user: u64,
}

/// How risky a merchant is in `[from_ms, to_ms)`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Merchant {
    pub(crate) merchant: u32,
    pub(crate) from_ms: i64,
    pub(crate) to_ms: i64,
    pub(crate) risk: Real,
}

/// What is known of a user.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) user: u64,
    pub(crate) bound: i64,
    pub(crate) risk: Real,
}

/// A payment whose user is looked up.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct LookedUp {
    pub(crate) id: i64,
    pub(crate) at_ms: i64,
    pub(crate) user: u64,
}

/// Two nodes that begin to hang together (`1`) or cease to (`-1`).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Link {
    pub(crate) a: u64,
    pub(crate) b: u64,
    pub(crate) change: i64,
}

/// The one file of a kind.
pub(crate) fn file<T: Data>(folder: &Path, name: &str) -> FileSource<T> {
    Files::path(folder.join(name).join(format!("{name}.parquet"))).parquet()
}

/// The payments, in order of arrival: none comes a whole hour late.
pub(crate) fn payments<T: Data>(folder: &Path, at_ms: fn(&T) -> i64) -> SourceSpec<T> {
    file(folder, "payments")
        .event_time(move |row| micros(at_ms(row)))
        .lateness(hours(1))
}

/// Event time as the engine has it.
pub(crate) fn micros(at_ms: i64) -> EventTime {
    at_ms * 1_000
}
