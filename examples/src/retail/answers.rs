//! What the job writes: a struct per answer, its columns in their order, which mostly is the order of the rows too.

use std::cmp::Ordering;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thalweg::prelude::*;

/// `rt_tumbling_1h`: the shop's hour.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Hourly {
    /// When the hour begins.
    pub w_start: Timestamp,
    /// Lines.
    pub n: i64,
    /// Lines of cancellations.
    pub n_cancel: i64,
    /// Distinct known customers.
    pub customers: i64,
    /// Distinct invoices.
    pub invoices: i64,
    /// Sum of the amounts, £.
    pub net: Option<Real>,
    /// Sum of the quantities.
    pub qty: Option<Real>,
}

/// `rt_roll_30d_customer`: a customer's trailing 30 days, as of each invoice. In the order of time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rolling {
    /// Who bought.
    pub customer: i32,
    /// The invoice.
    pub invoice: Arc<str>,
    /// When; the window is `[event_time − 30 d, event_time]`.
    pub event_time: Timestamp,
    /// The invoice's amount, £.
    pub amount: Real,
    /// Invoices in the window.
    pub n_30d: i64,
    /// Their sum, £.
    pub sum_30d: Option<Real>,
    /// Their mean, £.
    pub avg_purchase_30d: Option<Real>,
    /// The greatest, £.
    pub max_30d: Option<Real>,
}

impl Ord for Rolling {
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |row: &Self| (row.event_time, Arc::clone(&row.invoice), row.customer);
        let values = |row: &Self| {
            (
                row.amount,
                row.n_30d,
                row.sum_30d,
                row.avg_purchase_30d,
                row.max_30d,
            )
        };
        key(self)
            .cmp(&key(other))
            .then_with(|| values(self).cmp(&values(other)))
    }
}

impl PartialOrd for Rolling {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// `rt_latest_customer`: what is known of a customer now.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Customer {
    /// Who.
    pub customer: i32,
    /// The product of the newest line.
    pub last_product: Arc<str>,
    /// When it was bought.
    pub last_time: Timestamp,
    /// The newest line.
    pub last_line: i32,
    /// Lines.
    pub lines: i64,
    /// Sum of their amounts, £.
    pub net: Option<Real>,
}

/// `rt_cross_join`: a customer's last 30 days beside the product that the customer bought last.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Offer {
    /// Who.
    pub customer: i32,
    /// Mean amount of the invoices of the 30 days before the midnight that follows the newest line, £.
    pub avg_purchase_30d: Option<Real>,
    /// How many they are.
    pub n_30d: i64,
    /// The product of the customer's newest line.
    pub stock_code: Arc<str>,
    /// Its description, where it has one.
    pub description: Option<Arc<str>>,
    /// Its mean price over all lines, £.
    pub avg_price: Option<Real>,
    /// Distinct known customers who have bought it.
    pub buyers: i64,
}

/// `rt_net_after_retraction`: what remains of a customer once undone lines are gone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CustomerNet {
    /// Who.
    pub customer: i32,
    /// Lines that remain.
    pub lines: i64,
    /// Sum of their quantities.
    pub qty: Option<Real>,
    /// Sum of their amounts, £.
    pub net: Option<Real>,
    /// Distinct products.
    pub products: i64,
    /// The highest price, £.
    pub max_price: Option<Real>,
}

/// `rt_net_after_retraction_product`: what remains of a product once undone lines are gone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ProductNet {
    /// The product.
    pub stock_code: Arc<str>,
    /// Lines that remain.
    pub lines: i64,
    /// Sum of their quantities.
    pub qty: Option<Real>,
    /// Sum of their amounts, £.
    pub net: Option<Real>,
    /// Distinct known customers.
    pub customers: i64,
    /// The greatest quantity of one line.
    pub max_qty: Option<i32>,
}
