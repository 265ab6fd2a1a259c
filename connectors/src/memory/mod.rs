//! Rows from memory and back: `Log` in, `Collect` out.
//!
//! ```text
//! Log { partition → [(row, diff)…] } ──▶ job ──▶ Collect [(row, epoch, diff)…] ──▶ net [(row, diff)…]
//! ```

mod collect;
pub(crate) mod consolidate;
mod log;

pub use collect::Collect;
pub use log::Log;
