//! Thalweg: batch and stream as one incremental dataflow graph.
//!
//! `use thalweg::prelude::*` brings what a job needs; the modules below have the rest.

pub use thalweg_connectors as connectors;
pub use thalweg_engine as engine;
pub use thalweg_operators as operators;

pub mod prelude;
