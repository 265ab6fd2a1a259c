//! How customers shop: runs of invoices of which none keeps the next one waiting for more than a day.

use serde::{Deserialize, Serialize};
use thalweg::prelude::*;

use super::rows::Invoice;
use crate::places::Places;

/// `rt_session_1d_customer`: one run of a customer's invoices.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Session {
    /// Who bought.
    pub customer: i32,
    /// Which of the customer's sessions, from 1; a float, as SQL's sums of whole numbers are.
    pub sid: Real,
    /// Its first invoice's time.
    pub s_start: Timestamp,
    /// Its last invoice's time.
    pub s_last: Timestamp,
    /// Invoices.
    pub invoices: i64,
    /// Sum of their amounts, £.
    pub net: Real,
}

/// Writes `rt_session_1d_customer`. Sessions are numbered once all are known.
pub(super) fn sessions(invoices: &Table<'_, Invoice>, places: &Places) -> Result<(), JobError> {
    invoices
        .key_by(|invoice| invoice.customer)
        .event_time(|invoice| invoice.event_time)
        .session(days(1))?
        .finals(
            "session",
            (count(), sum(|invoice: &Invoice| invoice.amount)),
        )
        .map(|session| Session {
            customer: session.key,
            sid: Real::default(),
            s_start: Timestamp(session.start),
            s_last: Timestamp(session.last),
            invoices: session.value.0,
            net: Real(session.value.1),
        })
        .key_by(|session| session.customer)
        .lifetime()
        .finals(
            "sessions in order",
            first_k(usize::MAX, |s: &Session| s.s_start, Session::clone),
        )
        .flat_map(|sessions| {
            let numbers = (1..).map(f64::from).map(Real);
            numbers
                .zip(sessions.value)
                .map(|(sid, session)| Session { sid, ..session })
        })
        .sink(
            "rt_session_1d_customer",
            places.answer("rt_session_1d_customer"),
        )
}
