//! Time, tables, keyed state and jobs: the engine of Thalweg.

pub mod sink;
pub mod source;
pub mod time;
pub mod update;
