//! Functions from tables to tables. No I/O, no clock.
//!
//! | operator | state | cost per row | modes |
//! |---|---|---|---|
//! | [`table_ops`]: map, filter, flat_map, union, inspect, negate | none | O(1) | |
//! | [`window::rolling`] | the events of the widest window | O(1), late rows O(log n) | latest, final, corrections |
//! | [`window::rolling`] at labels | the same, and labels that wait or may change | O(1), further back O(n) | final, corrections, as known |
//! | [`window::sliding`]: the same of any aggregate | the events of the widest window | O(log n) and the aggregate's | latest, final, corrections |
//! | [`window::grouped`]: tumbling, lifetime | one aggregate state per group | O(1) and the aggregate's | latest, final |
//! | [`join::lookup`] | the dimension | O(1) | |
//! | [`join::differential`] | differential's arrangements | O(log n) and up | |
//! | [`drift`] | histograms by window and segment | O(1) | |
//! | [`aggregate`] | see there | | |
//!
//! [`key_by`] gives a table its key and its event time, [`value`] holds the exact numbers, [`array`](mod@array) arrays of
//! any length that serde takes.

pub mod aggregate;
pub mod array;
pub mod drift;
pub mod join;
pub mod key_by;
pub mod table_ops;
pub mod value;
pub mod window;

mod codec;
#[cfg(test)]
mod laws;
