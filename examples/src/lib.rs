//! Jobs over real data, as one would write them: what they share, and their graphs.
//!
//! ```text
//! examples/vmnoise/main.rs    the program: options in, report out
//! examples/src/vmnoise/       its rows and its graph, called by the program and by the golden tests
//! ```
//!
//! The data is public: the Azure VM Noise Dataset 2024, pnwflights14, and UCI Online Retail, as Parquet files with the
//! columns that each job's `rows.rs` names. What each answer is, its struct in `answers.rs` says.

mod columns;
pub mod flights;
pub mod online;
pub mod options;
pub mod places;
pub mod program;
mod read;
pub mod retail;
pub mod shown;
pub mod steps;
pub mod vmnoise;
