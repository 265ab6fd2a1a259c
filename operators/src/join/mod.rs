//! Joins: `lookup` (the dimension as of the epoch), `asof` and `lookup_asof` (as of the row's own time), pairs near in
//! time, pairs without bounds in time, and the differential island for the rest.

pub mod asof;
pub mod differential;
pub mod interval;
pub mod lookup;
mod timed;
pub mod unbounded;
