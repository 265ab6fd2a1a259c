//! When machines were at work: runs of measurements without a break of more than half an hour.

use serde::{Deserialize, Serialize};
use thalweg::prelude::*;

use super::rows::Measurement;
use crate::places::Places;

/// `vm_session_30m`: one run of a machine's measurements.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Session {
    /// The machine.
    pub vm: i32,
    /// Which of its sessions, from 1; a float, as SQL's sums of whole numbers are.
    pub sid: Real,
    /// Its first measurement's time.
    pub s_start: Timestamp,
    /// Its last measurement's time.
    pub s_last: Timestamp,
    /// Measurements.
    pub n: i64,
    /// Their sum, whatever was measured.
    pub s: Real,
}

/// Writes `vm_session_30m`. Sessions are numbered once all are known.
pub(super) fn sessions(
    long_lived: &Table<'_, Measurement>,
    places: &Places,
) -> Result<(), JobError> {
    long_lived
        .key_by(|m| m.vm)
        .event_time(|m| m.event_time)
        .session(minutes(30))?
        .finals("session", (count(), sum(|m: &Measurement| m.value)))
        .map(|session| Session {
            vm: session.key,
            sid: Real::default(),
            s_start: Timestamp(session.start),
            s_last: Timestamp(session.last),
            n: session.value.0,
            s: Real(session.value.1),
        })
        .key_by(|session| session.vm)
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
        .sink("vm_session_30m", places.answer("vm_session_30m"))
}
