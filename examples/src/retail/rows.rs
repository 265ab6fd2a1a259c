//! What the job reads: invoice lines, which of them undo which, and the products.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thalweg::prelude::*;

/// A row of `lines`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Line {
    /// Its number, which breaks ties of time.
    pub(super) line: i32,
    pub(super) event_time: EventTime,
    pub(super) invoice: Arc<str>,
    pub(super) stock_code: Arc<str>,
    /// Below 0 where goods came back, or the stock was corrected.
    pub(super) quantity: i32,
    pub(super) unit_price: Real,
    /// Not always known.
    pub(super) customer: Option<i32>,
    pub(super) country: Arc<str>,
}

impl Line {
    /// What the line adds to the invoice.
    pub(super) fn amount(&self) -> Real {
        Real(f64::from(self.quantity) * self.unit_price.0)
    }

    pub(super) fn is_cancellation(&self) -> bool {
        self.invoice.starts_with('C')
    }
}

/// A row of `cancel_matches`: one line undoes another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Undoing {
    pub(super) cancel_line: i32,
    pub(super) bought_line: i32,
    /// From when on neither counts.
    pub(super) cancel_time: EventTime,
}

/// A row of `dim_product`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Product {
    pub(super) stock_code: Arc<str>,
    pub(super) description: Option<Arc<str>>,
}

/// An invoice of a known customer: its lines added up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Invoice {
    pub(super) customer: i32,
    pub(super) invoice: Arc<str>,
    pub(super) event_time: EventTime,
    pub(super) amount: Real,
}
