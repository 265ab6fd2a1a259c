//! An online shop's invoice lines, with cancellations that take earlier lines back.

mod answers;
mod cancelled;
mod countries;
mod drift;
mod job;
mod judged;
mod offers;
mod products;
mod rows;
mod sessions;
mod undone;

pub use answers::{Customer, CustomerNet, Hourly, Offer, ProductNet, Rolling};
pub use cancelled::Cancelled;
pub use countries::Country;
pub use drift::Numeric;
pub use job::job;
pub use products::Product;
pub use sessions::Session;
