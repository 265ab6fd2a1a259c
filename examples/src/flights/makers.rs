//! Features across two entities: each carrier's flights by who made the aircraft.
//!
//! ```text
//! dim_planes ────────────┐
//! departures ─ lookup by tail ─ by carrier and manufacturer ─▶ fl_cross_join
//! ```

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thalweg::prelude::*;

use super::rows::{Departure, Plane};
use crate::columns::real;
use crate::places::Places;

/// `fl_cross_join`: a carrier's flights on one manufacturer's aircraft; aircraft that nobody knows are left out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Maker {
    /// The carrier.
    pub carrier: Arc<str>,
    /// Who made the aircraft.
    pub manufacturer: Arc<str>,
    /// Flights.
    pub n: i64,
    /// Mean delay on arrival, minutes.
    pub arr_delay: Option<Real>,
    /// Mean seats.
    pub seats: Option<Real>,
}

/// Writes `fl_cross_join`.
pub(super) fn makers(
    departures: &Table<'_, Departure>,
    planes: &Table<'_, Plane>,
    places: &Places,
) -> Result<(), JobError> {
    departures
        .flat_map(|d| Some((d.tailnum.clone()?, d)))
        .key_by(|(tail, _)| tail.clone())
        .lookup("plane", &planes.key_by(|plane| plane.tailnum.clone()))
        .flat_map(|((_, departure), plane)| plane.map(|plane| (departure, plane)))
        .key_by(|(d, plane)| (d.carrier.clone(), plane.manufacturer.clone()))
        .lifetime()
        .finals(
            "maker",
            (
                count(),
                totals(|(d, _): &(Departure, Plane)| d.arr_delay),
                totals(|(_, plane): &(Departure, Plane)| plane.seats),
            ),
        )
        .map(|maker| {
            let (n, arr_delay, seats) = maker.value;
            Maker {
                carrier: maker.key.0,
                manufacturer: maker.key.1,
                n,
                arr_delay: real(arr_delay.mean()),
                seats: real(seats.mean()),
            }
        })
        .sink("fl_cross_join", places.answer("fl_cross_join"))
}
