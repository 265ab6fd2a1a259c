//! The online store: one row per entity and view, the newest under a version, for whoever serves features.
//!
//! ```text
//! (row) @ epoch × diff ─▶ settle ─▶ one OnlineRow per entity ─▶ OnlineStore::write, in batches
//!                         per epoch   version = (event time, epoch)      the older one is refused there
//! ```
//!
//! [`View`] declares what is written, [`OnlineSink`] brings an epoch down to one final state per entity, and
//! an [`OnlineStore`] compares versions and sets the row in one atomic step. An update that arrives as
//! `−old +new` is written as `new`, never as a delete and an insert: a reader never finds a hole.
//!
//! | rows | version | of two rows of an entity stands |
//! |---|---|---|
//! | with an event time: windows, joins | [`View::version`] | the newer event, then the later run, then the later epoch |
//! | without one: graph features, lifetime aggregates, what is fitted | [`View::by_epoch`] | that of the later run, then of the later epoch |
//!
//! ```
//! use thalweg_connectors::online::View;
//! use thalweg_engine::time::{Timestamp, hours};
//!
//! #[derive(serde::Serialize)]
//! struct Spend { user: u64, at: Timestamp, total: f64 }
//!
//! let view = View::new("spend").key(|s: &Spend| s.user.to_string()).version(|s| s.at.0).ttl(hours(24));
//! assert!(view.check().is_ok());
//! ```

mod fields;
#[cfg(test)]
pub(crate) mod laws;
mod settle;
mod sink;
mod store;
pub(crate) mod version;
pub(crate) mod view;

pub use fields::{FieldsError, fields_of};
pub use sink::OnlineSink;
pub use store::{Fields, OnlineError, OnlineRow, OnlineStore, StoredRow, WriteOutcome, names_in};
pub use version::{Replaces, Stored, Version};
pub use view::{View, ViewError};
