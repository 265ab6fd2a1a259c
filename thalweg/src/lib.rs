//! Thalweg: batch and stream as one incremental dataflow graph.
//!
//! `use thalweg::prelude::*` brings what a job needs; the modules below have the rest.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let dir = folder.path();
//! use serde::{Deserialize, Serialize};
//! use thalweg::connectors::{embedded::Embedded, files::ParquetDir, generator::Payments, online::View};
//! use thalweg::operators::{value::Float, window::rolling::Rolled};
//! use thalweg::prelude::*;
//!
//! let view = View::new("spend").key(|s: &Spend| s.user.to_string()).version(|s| s.event_time.0);
//! let online = Embedded::view(dir.join("online"), view);
//! let offline = ParquetDir::create(dir.join("offline")).by_date(|s: &Spend| s.event_time.0);
//!
//! let job = Job::new("payments", move |g| {
//!     let payments = Payments::new(7).events(10_000).event_time(|p| p.at.0).lateness(hours(1));
//!
//!     let spend = g
//!         .source("payments", payments)?
//!         .key_by(|p| p.user)
//!         .event_time(|p| p.at.0)
//!         .rolling([hours(1), hours(24), days(7)])?
//!         .moments("amount", |p| p.amount);
//!
//!     spend.latest().map(Spend::from).sink("online", online.clone())?;
//!     spend.finals(|p| p.id).map(|(_, row)| Spend::from(row)).sink("offline", offline.clone())
//! });
//!
//! let report = job.run(Config::workers(2)?)?;
//! println!("{report}");
//!
//! #[derive(Clone, Serialize, Deserialize)]
//! struct Spend {
//!     user: u64,
//!     event_time: Timestamp,
//!     n_1h: u64,
//!     sum_24h: Option<f64>,
//!     mean_7d: Option<f64>,
//! }
//!
//! impl From<Rolled<u64, Float, 1, 3>> for Spend {
//!     fn from(row: Rolled<u64, Float, 1, 3>) -> Self {
//!         let [hour, day, week] = [0, 1, 2].map(|window| row.window(window));
//!         let (n_1h, sum_24h, mean_7d) = (hour.count(), day.sum(), week.mean());
//!         Self { user: row.key, event_time: row.at.into(), n_1h, sum_24h, mean_7d }
//!     }
//! }
//! # assert_eq!(report.rows_read(), 10_100);
//! # use thalweg::connectors::{embedded::EmbeddedStore, online::OnlineStore};
//! # let row = EmbeddedStore::open_read_only(dir.join("online"))?.get("spend", "1", 0)?;
//! # assert!(row.is_some_and(|row| row.field("sum_24h").is_some()));
//! # Ok(())
//! # }
//! ```
//!
//! | module | what it holds |
//! |---|---|
//! | [`prelude`] | jobs, tables, windows, aggregates: what a job is written with |
//! | [`engine`] | time, tables, keyed state, running a job |
//! | [`operators`] | windows, aggregates, joins, drift |
//! | [`connectors`] | files, online stores, generated rows |
//! | [`get`] | looking entities up (feature `cli`) |
//! | [`store`] | where an online store is, and how it is opened to be read |
//! | [`demo`] | a whole job on embedded defaults (feature `cli`) |

pub use thalweg_connectors as connectors;
pub use thalweg_engine as engine;
pub use thalweg_operators as operators;

#[cfg(feature = "cli")]
pub mod demo;
#[cfg(feature = "cli")]
pub mod get;
pub mod prelude;
pub mod store;
#[cfg(feature = "cli")]
mod text;
