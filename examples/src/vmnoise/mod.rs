//! Benchmark measurements on cloud machines: 3.6 million rows, two thirds of them out of order by nature.

mod answers;
mod job;
mod lateness;
mod rows;

pub use answers::{Daily, Newest, Rolling, Totals};
pub use job::job;
pub use lateness::Late;
