//! What remains once the lines that were undone are taken back, with the lines that undid them.
//!
//! ```text
//! cancel_matches ─ both line numbers ─ distinct ─┐
//! lines ─┬───────────────────────────── semijoin ┴─ negate ─┐
//!        └──────────────────────────────────────────────────┴─ union ─▶ lines that count
//! ```
//!
//! A line counts from its arrival until its undoing arrives, and then leaves every aggregate again: sums shrink, and
//! so do maxima and distinct counts. Whether line or undoing comes first makes no difference in the end.

use thalweg::prelude::*;

use super::answers::{CustomerNet, ProductNet};
use super::rows::{Line, Undoing};
use crate::columns::{real, whole};
use crate::places::Places;

/// The lines that count.
pub(super) fn remaining<'s>(
    lines: &Table<'s, Line>,
    undoings: &Table<'s, Undoing>,
) -> Table<'s, Line> {
    let undone = undoings
        .flat_map(|undoing| [undoing.cancel_line, undoing.bought_line])
        .differential(|lines| lines.distinct_core());
    let taken_back = lines
        .map(|line| (line.line, line))
        .differential(|lines| lines.semijoin(undone.collection()))
        .map(|(_, line)| line);
    lines.union(&taken_back.negate())
}

/// What remains of each known customer.
pub(super) fn by_customer(remaining: &Table<'_, Line>, places: &Places) -> Result<(), JobError> {
    let known = remaining.flat_map(|line| Some((line.customer?, line)));
    known
        .key_by(|(customer, _)| *customer)
        .lifetime()
        .latest(
            "net of customer",
            (
                count(),
                totals(|(_, line): &(i32, Line)| line.quantity),
                totals(|(_, line): &(i32, Line)| line.amount()),
                distinct(|(_, line): &(i32, Line)| Some(line.stock_code.clone())),
                moments(|(_, line): &(i32, Line)| line.unit_price),
            ),
        )
        .map(|customer| {
            let (lines, quantity, amount, products, price) = customer.value;
            CustomerNet {
                customer: customer.key,
                lines,
                qty: real(quantity.sum()),
                net: real(amount.sum()),
                products: whole(products),
                max_price: real(price.max()),
            }
        })
        .sink(
            "rt_net_after_retraction",
            places.answer("rt_net_after_retraction"),
        )
}

/// What remains of each product.
pub(super) fn by_product(remaining: &Table<'_, Line>, places: &Places) -> Result<(), JobError> {
    remaining
        .key_by(|line| line.stock_code.clone())
        .lifetime()
        .latest(
            "net of product",
            (
                count(),
                totals(|line: &Line| line.quantity),
                totals(Line::amount),
                distinct(|line: &Line| line.customer),
                // The line of the greatest quantity: its quantity is the maximum, as the integer that it is.
                latest(|line: &Line| line.quantity, |line| line.quantity),
            ),
        )
        .map(|product| {
            let (lines, quantity, amount, customers, max_qty) = product.value;
            ProductNet {
                stock_code: product.key,
                lines,
                qty: real(quantity.sum()),
                net: real(amount.sum()),
                customers: whole(customers),
                max_qty,
            }
        })
        .sink(
            "rt_net_after_retraction_product",
            places.answer("rt_net_after_retraction_product"),
        )
}
