//! The simulated front end: all workers of a job stepped in one thread, in an order drawn from a seed.
//!
//! ```text
//! seed ─▶ dice ─┬─ which worker turns next        ─┐
//!               ├─ which links deliver now          ├─▶ trace: same seed, same hash
//!               └─ which readers and writers answer ─┘
//! ```
//!
//! The laws are tested here, over thousands of seeds, each twice with equal traces.

mod dice;
mod net;
mod run;

pub(crate) use dice::{Dice, Trace};
pub use run::{Sim, SimReport};
