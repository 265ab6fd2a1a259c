//! The graph: hours, customers and products from one pass over the lines, with undone lines taken back.
//!
//! ```text
//! lines ─┬─ by hour ─▶ rt_tumbling_1h
//!        ├─ by day and country ─▶ rt_tumbling_1d_country
//!        ├─ by product ─▶ rt_product_features
//!        ├─ known customers ─┬─ by invoice ─┬─ 30 d by customer ─▶ rt_roll_30d_customer
//!        │                   │              ├─ sessions by customer ─▶ rt_session_1d_customer
//!        │                   │              └─┐
//!        │                   └─ by customer ──┼─▶ rt_latest_customer, online store
//!        ├─ offers ◀── dim_product            └─▶ rt_cross_join
//!        ├─ undone ◀── cancel_matches ─▶ rt_net_after_retraction, rt_net_after_retraction_product
//!        ├─ cancelled ◀── price of the day before ─▶ rt_asof_cancel
//!        └─ drift ─▶ retail_hourly_numeric
//! ```

use thalweg::connectors::online::View;
use thalweg::prelude::*;

use super::answers::{Customer, Hourly, Rolling};
use super::offers::{Parts, offers};
use super::rows::{Invoice, Line, Undoing};
use super::{cancelled, countries, drift, products, sessions, undone};
use crate::columns::{real, whole};
use crate::places::Places;

/// A line of a known customer.
type Known = (i32, Line);

/// The job over `retail/`.
#[must_use]
pub fn job(places: Places) -> Job {
    let trained = drift::Trained::default();
    Job::new("retail", move |g| {
        let lines = places.events("retail", "lines.parquet", |line: &Line| line.event_time);
        let lines = g.source("lines", lines)?;
        places.set_aside("lines", &lines)?;
        let undoings = places.events("retail", "cancel_matches.parquet", |u: &Undoing| {
            u.cancel_time
        });
        let undoings = g.source("cancel_matches", undoings)?;
        places.set_aside("cancel_matches", &undoings)?;
        let products = g.source(
            "dim_product",
            places.dimension("retail", "dim_product.parquet"),
        )?;
        places.set_aside_dead("dim_product", &products)?;

        hourly(&lines, &places)?;
        countries::countries(&lines, &places)?;
        products::products(&lines, &places)?;
        drift::hourly(&lines, &places, &trained)?;
        cancelled::cancelled(&lines, &places)?;

        let known = lines.flat_map(|line| Some((line.customer?, line)));
        let invoices = invoices(&known);
        rolling(&invoices, &places)?;
        sessions::sessions(&invoices, &places)?;
        let customers = customers(&known);
        write_customers(&customers, &places)?;

        let parts = Parts {
            lines: lines.clone(),
            invoices,
            customers,
            products: products.clone(),
        };
        offers(&parts, &places)?;

        let remaining = undone::remaining(&lines, &undoings);
        undone::by_customer(&remaining, &places)?;
        undone::by_product(&remaining, &places)
    })
}

/// Each hour of the shop.
fn hourly(lines: &Table<'_, Line>, places: &Places) -> Result<(), JobError> {
    lines
        .key_by(|_| ())
        .event_time(|line| line.event_time)
        .tumbling(hours(1))?
        .finals(
            "hour",
            (
                count(),
                count_where(Line::is_cancellation),
                distinct(|line: &Line| line.customer),
                distinct(|line: &Line| Some(line.invoice.clone())),
                totals(Line::amount),
                totals(|line: &Line| line.quantity),
            ),
        )
        .map(|hour| {
            let (n, n_cancel, customers, invoices, amount, quantity) = hour.value;
            Hourly {
                w_start: Timestamp(hour.start),
                n,
                n_cancel,
                customers: whole(customers),
                invoices: whole(invoices),
                net: real(amount.sum()),
                qty: real(quantity.sum()),
            }
        })
        .sink("rt_tumbling_1h", places.answer("rt_tumbling_1h"))
}

/// The invoices of known customers: lines of one moment, added up.
fn invoices<'s>(known: &Table<'s, Known>) -> Table<'s, Invoice> {
    known
        .key_by(|(customer, line)| (*customer, line.invoice.clone(), line.event_time))
        .lifetime()
        .latest("invoice", totals(|(_, line): &Known| line.amount()))
        .flat_map(|lines| {
            let (customer, invoice, event_time) = lines.key;
            Some(Invoice {
                customer,
                invoice,
                event_time,
                amount: real(lines.value.sum())?,
            })
        })
}

/// The trailing 30 days of each customer, as of each invoice.
fn rolling(invoices: &Table<'_, Invoice>, places: &Places) -> Result<(), JobError> {
    invoices
        .key_by(|invoice| invoice.customer)
        .event_time(|invoice| invoice.event_time)
        .rolling([days(30)])?
        .moments("30 d", |invoice| invoice.amount)
        .finals(|invoice| (invoice.invoice.clone(), invoice.amount))
        .map(|((invoice, amount), rolled)| {
            let window = rolled.window(0);
            Rolling {
                customer: rolled.key,
                invoice,
                event_time: Timestamp(rolled.at),
                amount,
                n_30d: whole(window.events()),
                sum_30d: real(window.sum()),
                avg_purchase_30d: real(window.mean()),
                max_30d: real(window.max()),
            }
        })
        .sink(
            "rt_roll_30d_customer",
            places.answer("rt_roll_30d_customer"),
        )
}

/// What is known of each customer now.
fn customers<'s>(known: &Table<'s, Known>) -> Table<'s, Customer> {
    known
        .key_by(|(customer, _)| *customer)
        .lifetime()
        .latest(
            "customer",
            (
                latest(
                    |(_, line): &Known| (line.event_time, line.line),
                    |(_, line)| (line.event_time, line.line, line.stock_code.clone()),
                ),
                count(),
                totals(|(_, line): &Known| line.amount()),
            ),
        )
        .flat_map(|customer| {
            let (newest, lines, amount) = customer.value;
            let (last_time, last_line, last_product) = newest?;
            Some(Customer {
                customer: customer.key,
                last_product,
                last_time: Timestamp(last_time),
                last_line,
                lines,
                net: real(amount.sum()),
            })
        })
}

/// Into a file, and all along into the online store.
fn write_customers(customers: &Table<'_, Customer>, places: &Places) -> Result<(), JobError> {
    customers.sink("rt_latest_customer", places.answer("rt_latest_customer"))?;
    let Some(online) = &places.online else {
        return Ok(());
    };
    let view = View::new("rt_customer")
        .key(|customer: &Customer| customer.customer.to_string())
        .version(|customer| customer.last_time.0);
    customers.sink("online rt_customer", online.view(&places.out, view))
}
