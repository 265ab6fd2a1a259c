//! One change to a table: `(row, epoch, diff)`, differential's triple.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::time::Epoch;

/// How often a row is added (positive) or taken back (negative).
pub type Diff = i64;

/// One change to a table: `diff` copies of `row` come (or go, where negative) in `epoch`.
pub type Update<D> = (D, Epoch, Diff);

/// What a row must be: owned, cloneable, and able to cross between threads and processes.
pub trait Data: Clone + Send + Serialize + DeserializeOwned + 'static {}

impl<D: Clone + Send + Serialize + DeserializeOwned + 'static> Data for D {}

/// Rows that move between operators in one piece: timely's own 8 KiB containers cost twice as much.
pub const CONTAINER_ROWS: usize = 1_024;
