//! Features across two entities: a customer's last 30 days beside the product that the customer bought last.
//!
//! ```text
//! lines ─ newest ─▶ the 30 days up to its own ─┐
//! invoices ─ by day ─────────────── semijoin ──┴─ by customer ─▶ mean, count ─┐
//! customers ─ last product ──────────────────────────── join on the customer ─┤
//! lines ─ by product ─▶ mean price, buyers ────────────── join on the product ┴─ lookup dim_product ─▶ rt_cross_join
//! ```
//!
//! The windows end at the midnight that follows the newest line. That midnight is itself a value of the graph: when a
//! newer day begins, one day enters the set of days, one leaves it, and only their invoices move.

use std::sync::Arc;

use thalweg::engine::time::{micros_of, window_start};
use thalweg::prelude::*;

use super::answers::{Customer, Offer};
use super::rows::{Invoice, Line, Product};
use crate::columns::{real, whole};
use crate::places::Places;

/// How many days a customer's window holds, the newest line's own day included.
const WINDOW_DAYS: i64 = 30;

/// What the offers are made of.
pub(super) struct Parts<'s> {
    pub(super) lines: Table<'s, Line>,
    pub(super) invoices: Table<'s, Invoice>,
    pub(super) customers: Table<'s, Customer>,
    pub(super) products: Table<'s, Product>,
}

/// Writes `rt_cross_join`.
pub(super) fn offers(parts: &Parts<'_>, places: &Places) -> Result<(), JobError> {
    let spending = spending(parts);
    let prices = prices(parts);
    let last_product = parts
        .customers
        .map(|customer| (customer.customer, customer.last_product));
    spending
        .differential(|spending| {
            spending
                .join_map(last_product.collection(), |customer, spent, product| {
                    (product.clone(), (*customer, *spent))
                })
                .join(prices.collection())
        })
        .key_by(|(product, _)| product.clone())
        .lookup(
            "description",
            &parts.products.key_by(|product| product.stock_code.clone()),
        )
        .map(|((stock_code, (spent, price)), product)| {
            let (customer, (avg_purchase_30d, n_30d)) = spent;
            let (avg_price, buyers) = price;
            Offer {
                customer,
                avg_purchase_30d,
                n_30d,
                stock_code,
                description: product.and_then(|product| product.description),
                avg_price,
                buyers,
            }
        })
        .sink("rt_cross_join", places.answer("rt_cross_join"))
}

/// `(customer, (mean amount, invoices))` over the last 30 days.
fn spending<'s>(parts: &Parts<'s>) -> Table<'s, (i32, (Option<Real>, i64))> {
    let last_days = parts
        .lines
        .key_by(|_| ())
        .lifetime()
        .latest(
            "newest line",
            latest(|line: &Line| line.event_time, |line| line.event_time),
        )
        .flat_map(|newest| newest.value)
        .flat_map(days_up_to);
    parts
        .invoices
        .map(|invoice| (day_of(invoice.event_time), invoice))
        .differential(|invoices| invoices.semijoin(last_days.collection()))
        .key_by(|(_, invoice)| invoice.customer)
        .lifetime()
        .latest(
            "spending",
            totals(|(_, invoice): &(EventTime, Invoice)| invoice.amount),
        )
        .map(|spent| {
            (
                spent.key,
                (real(spent.value.mean()), whole(spent.value.events())),
            )
        })
}

/// `(product, (mean price, buyers))` over all lines.
fn prices<'s>(parts: &Parts<'s>) -> Table<'s, (Arc<str>, (Option<Real>, i64))> {
    parts
        .lines
        .key_by(|line| line.stock_code.clone())
        .lifetime()
        .latest(
            "prices",
            (
                totals(|line: &Line| line.unit_price),
                distinct(|line: &Line| line.customer),
            ),
        )
        .map(|product| {
            let (price, buyers) = product.value;
            (product.key, (real(price.mean()), whole(buyers)))
        })
}

/// The midnight at which the day of `at` begins.
fn day_of(at: EventTime) -> EventTime {
    window_start(at, micros_of(days(1)))
}

/// The midnights at which the window's days begin, the last being the day of `newest`.
fn days_up_to(newest: EventTime) -> impl Iterator<Item = EventTime> {
    let (last, day_us) = (day_of(newest), micros_of(days(1)));
    (0..WINDOW_DAYS).map(move |n| last.saturating_sub(n * day_us))
}
