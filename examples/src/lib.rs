//! Jobs over real data, as one would write them: what they share, and their graphs.
//!
//! ```text
//! examples/vmnoise/main.rs    the program: options in, report out
//! examples/src/vmnoise/       its rows and its graph, called by the program and by the golden tests
//! ```
//!
//! The data is described in `shared/data/README.md`; the answers that the jobs must give, in `shared/data/golden`.

mod columns;
pub mod flights;
pub mod online;
pub mod options;
pub mod places;
pub mod program;
mod read;
pub mod retail;
pub mod vmnoise;
