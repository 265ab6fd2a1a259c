//! Flights out of two airports: hourly windows, and the trailing week of the busiest aircraft.

mod answers;
mod job;
mod rows;

pub use answers::{Hourly, Rolling, Week};
pub use job::job;
