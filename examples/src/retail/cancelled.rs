//! What was known of a product's price when a line of it was cancelled: the mean of the newest day that was over.
//!
//! ```text
//! lines ─┬─ bought ─ by product, day ─▶ mean price, published at the midnight that ends the day ─┐
//!        └─ cancelled ────────────────────────────────────────────────────── as of the line ─────┴─▶ rt_asof_cancel
//! ```

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thalweg::engine::time::micros_of;
use thalweg::prelude::*;

use super::rows::Line;
use crate::columns::real;
use crate::places::Places;

/// `rt_asof_cancel`: a cancelled line with its product's price as it was published last.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cancelled {
    /// The line.
    pub line: i32,
    /// Its product.
    pub stock_code: Arc<str>,
    /// When it was cancelled.
    pub event_time: Timestamp,
    /// When the price was published; null where none was yet.
    pub feature_ts: Option<Timestamp>,
    /// The mean price of the day before that, £.
    pub avg_price_1d: Option<Real>,
    /// Lines of that day.
    pub n_1d: Option<i64>,
}

/// A product's day.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Price {
    stock_code: Arc<str>,
    published: EventTime,
    mean: Option<Real>,
    lines: i64,
}

/// Writes `rt_asof_cancel`.
pub(super) fn cancelled(lines: &Table<'_, Line>, places: &Places) -> Result<(), JobError> {
    let prices = lines
        .filter(|line| !line.is_cancellation())
        .key_by(|line| line.stock_code.clone())
        .event_time(|line| line.event_time)
        .tumbling(days(1))?
        .finals(
            "price of the day",
            (count(), totals(|line: &Line| line.unit_price)),
        )
        .map(|day| Price {
            stock_code: day.key,
            published: day.start + micros_of(days(1)),
            mean: real(day.value.1.mean()),
            lines: day.value.0,
        });
    let prices = prices
        .key_by(|price| price.stock_code.clone())
        .event_time(|price| price.published);
    lines
        .filter(Line::is_cancellation)
        .key_by(|line| line.stock_code.clone())
        .event_time(|line| line.event_time)
        .asof("price before", &prices)
        .finals()
        .map(|(line, price)| Cancelled {
            line: line.line,
            stock_code: line.stock_code,
            event_time: Timestamp(line.event_time),
            feature_ts: price.as_ref().map(|price| Timestamp(price.published)),
            avg_price_1d: price.as_ref().and_then(|price| price.mean),
            n_1d: price.map(|price| price.lines),
        })
        .sink("rt_asof_cancel", places.answer("rt_asof_cancel"))
}
