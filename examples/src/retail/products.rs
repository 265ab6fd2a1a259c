//! What is known of each product.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thalweg::prelude::*;

use super::rows::Line;
use crate::columns::{real, whole};
use crate::places::Places;

/// `rt_product_features`: a product over all its lines.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Product {
    /// The product.
    pub stock_code: Arc<str>,
    /// Mean price, £.
    pub avg_price: Option<Real>,
    /// Lines.
    pub lines: i64,
    /// Distinct known customers.
    pub buyers: i64,
    /// Sum of the quantities; a float, as SQL's sums of whole numbers are.
    pub qty: Real,
}

/// Writes `rt_product_features`.
pub(super) fn products(lines: &Table<'_, Line>, places: &Places) -> Result<(), JobError> {
    lines
        .key_by(|line| line.stock_code.clone())
        .lifetime()
        .finals(
            "product",
            (
                totals(|line: &Line| line.unit_price),
                distinct(|line: &Line| line.customer),
                sum(|line: &Line| line.quantity),
            ),
        )
        .map(|product| {
            let (price, buyers, quantity) = product.value;
            Product {
                stock_code: product.key,
                avg_price: real(price.mean()),
                lines: whole(price.events()),
                buyers: whole(buyers),
                qty: Real(quantity),
            }
        })
        .sink("rt_product_features", places.answer("rt_product_features"))
}
