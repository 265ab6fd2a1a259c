//! Time, tables, keyed state and jobs: the engine of Thalweg. It knows no operator and no outside system.
//!
//! | module | what it holds |
//! |---|---|
//! | [`time`], [`update`] | epochs and event time; a change `(row, epoch, ±n)` |
//! | [`source`], [`sink`] | the ports that connectors implement |
//! | [`graph`], [`table`] | what a job is built from |
//! | [`column`](mod@column) | what a closure takes out of each row, for many rows at a call |
//! | [`combine`] | adding up before the exchange |
//! | [`keyed`], [`key`], [`state`] | the one stateful operator, its keys and its containers |
//! | [`job`], [`config`], [`env`](mod@env) | running it: on threads, or in a simulation ([`sim`]) |
//! | [`metrics`], [`error`] | what it tells |

pub mod column;
pub mod combine;
pub mod config;
pub mod env;
pub mod error;
pub mod graph;
pub mod job;
pub mod key;
pub mod keyed;
pub mod metrics;
pub mod sim;
pub mod sink;
pub mod source;
pub mod state;
pub mod table;
pub mod time;
pub mod update;

mod allocate;
mod deal;
mod driver;
mod front;
mod progress;
mod report;
mod shared;
mod threads;
mod watermark;
