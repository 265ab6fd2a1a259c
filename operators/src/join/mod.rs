//! Joins: `lookup` (the dimension as of the epoch), and the differential island for the rest.

pub mod differential;
pub mod lookup;
