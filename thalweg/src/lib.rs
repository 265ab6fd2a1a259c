//! Thalweg: batch and stream as one incremental dataflow graph.
//!
//! `use thalweg::prelude::*` brings what a job needs; the modules below have the rest.
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
