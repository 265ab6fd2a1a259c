//! Made-up rows: payments with late records, cancellations and a drift, and the merchants they go to.
//!
//! ```text
//! Payments   payment n of the stream = f(seed, n)    (payment, +1) … (the same payment, −1)    timed
//! Merchants  merchant n              = f(seed, n)    (merchant, +1)                             a dimension
//! ```
//!
//! Every row is a pure function of the seed and its number, computed with integers and with `+ − × ÷` on floats
//! alone: the same rows on every platform, in any number of partitions, whoever reads them. No crate's
//! generator stands behind it, so that no crate's new version changes the rows.
//!
//! ```
//! use thalweg_connectors::generator::Payments;
//! use thalweg_engine::source::{Batch, Source};
//!
//! let source = Payments::new(7).events(1_000);
//! let mut batch = Batch::default();
//! source.open(0)?.read(&mut batch)?;
//! let (rows, _) = batch.take();
//! let (first, diff) = rows.first().ok_or("no rows")?;
//! assert_eq!((first.id, *diff), (0, 1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod draw;
mod merchants;
mod payment;
mod payments;
mod reader;

pub use merchants::{Merchant, Merchants};
pub use payment::{DRIFT, Payment};
pub use payments::Payments;
