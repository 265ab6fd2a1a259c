//! An online shop's invoice lines, with cancellations that take earlier lines back.

mod answers;
mod drift;
mod job;
mod judged;
mod offers;
mod rows;
mod undone;

pub use answers::{Customer, CustomerNet, Hourly, Offer, ProductNet, Rolling};
pub use drift::Numeric;
pub use job::job;
