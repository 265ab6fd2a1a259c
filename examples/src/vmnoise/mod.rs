//! Benchmark measurements on cloud machines: 3.6 million rows, two thirds of them out of order by nature.

mod answers;
mod hours;
mod job;
mod lateness;
mod rows;
mod sessions;

pub use answers::{Daily, Newest, Rolling, Totals};
pub use hours::{BoundHour, SixHours};
pub use job::job;
pub use lateness::Late;
pub use sessions::Session;
