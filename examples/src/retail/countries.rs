//! Each country's day.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thalweg::prelude::*;

use super::rows::Line;
use crate::columns::{real, whole};
use crate::places::Places;

/// `rt_tumbling_1d_country`: a country's day.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Country {
    /// Midnight, UTC, at which the day begins.
    pub w_start: Timestamp,
    /// Where the customer lives.
    pub country: Arc<str>,
    /// Lines.
    pub n: i64,
    /// Sum of the amounts, £.
    pub net: Option<Real>,
    /// Distinct products.
    pub products: i64,
}

/// Writes `rt_tumbling_1d_country`.
pub(super) fn countries(lines: &Table<'_, Line>, places: &Places) -> Result<(), JobError> {
    lines
        .key_by(|line| line.country.clone())
        .event_time(|line| line.event_time)
        .tumbling(days(1))?
        .finals(
            "country's day",
            (
                totals(Line::amount),
                distinct(|line: &Line| Some(line.stock_code.clone())),
            ),
        )
        .map(|day| {
            let (amount, products) = day.value;
            Country {
                w_start: Timestamp(day.start),
                country: day.key,
                n: whole(amount.events()),
                net: real(amount.sum()),
                products: whole(products),
            }
        })
        .sink(
            "rt_tumbling_1d_country",
            places.answer("rt_tumbling_1d_country"),
        )
}
