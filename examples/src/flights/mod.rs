//! Flights out of two airports: hourly windows, and the trailing week of the busiest aircraft.

mod answers;
mod job;
mod makers;
mod rows;
mod weather;

pub use answers::{Hourly, Rolling, Week};
pub use job::job;
pub use makers::Maker;
pub use weather::Weather;
