//! Each departure with the weather as it was observed last at its airport.
//!
//! ```text
//! weather ─ by airport, observed at ─┐
//! departures ─ by airport ── as of ──┴─▶ fl_asof_weather
//! ```

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thalweg::prelude::*;

use super::rows::{Departure, Observation};
use crate::places::Places;

/// `fl_asof_weather`: a departure and the newest observation at or before it; nulls where there is none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Weather {
    /// The flight.
    pub flight_id: i32,
    /// The airport.
    pub origin: Arc<str>,
    /// Its departure.
    pub dep_time: Timestamp,
    /// When the weather was observed.
    pub obs_time: Option<Timestamp>,
    /// °F.
    pub temp: Option<Real>,
    /// Miles per hour.
    pub wind_speed: Option<Real>,
    /// Miles.
    pub visib: Option<Real>,
}

/// Writes `fl_asof_weather`.
pub(super) fn weather(
    departures: &Table<'_, Departure>,
    observations: &Table<'_, Observation>,
    places: &Places,
) -> Result<(), JobError> {
    let observations = observations.key_by(|o| o.origin.clone());
    departures
        .key_by(|d| d.origin.clone())
        .event_time(|d| d.at)
        .asof("weather", &observations.event_time(|o| o.obs_time.0))
        .finals()
        .map(|(d, o)| Weather {
            flight_id: d.flight_id,
            origin: d.origin,
            dep_time: Timestamp(d.at),
            obs_time: o.as_ref().map(|o| o.obs_time),
            temp: o.as_ref().and_then(|o| o.temp),
            wind_speed: o.as_ref().and_then(|o| o.wind_speed),
            visib: o.as_ref().and_then(|o| o.visib),
        })
        .sink("fl_asof_weather", places.answer("fl_asof_weather"))
}
