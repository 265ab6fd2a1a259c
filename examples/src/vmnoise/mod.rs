//! Benchmark measurements on cloud machines: 3.6 million rows, two thirds of them out of order by nature.

mod answers;
mod cohorts;
mod hours;
mod job;
mod lateness;
mod midway;
mod point_in_time;
mod rows;
mod sessions;

pub use answers::{Daily, Newest, Rolling, Totals};
pub use cohorts::Compared;
pub use hours::{BoundHour, SixHours};
pub use job::job;
pub use lateness::Late;
pub use point_in_time::Labelled;
pub use sessions::Session;
