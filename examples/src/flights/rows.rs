//! What the job reads: flights, with delays in minutes that are null where there was no arrival.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thalweg::prelude::*;

/// A row of `flights`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Flight {
    flight_id: i32,
    /// The scheduled day.
    day: Timestamp,
    /// The actual departure; null for a cancelled flight.
    dep_time: Option<Timestamp>,
    dep_delay: Option<Real>,
    arr_delay: Option<Real>,
    origin: Arc<str>,
    carrier: Arc<str>,
    tailnum: Option<Arc<str>>,
    /// Miles.
    distance: i32,
}

impl Flight {
    /// The departure, or the scheduled day of a flight that was cancelled.
    pub(super) fn event_time(&self) -> EventTime {
        self.dep_time.unwrap_or(self.day).0
    }

    /// The departure of a flight that took place.
    pub(super) fn departed(self) -> Option<Departure> {
        Some(Departure {
            flight_id: self.flight_id,
            at: self.dep_time?.0,
            dep_delay: self.dep_delay,
            arr_delay: self.arr_delay,
            origin: self.origin,
            carrier: self.carrier,
            tailnum: self.tailnum,
            distance: self.distance,
        })
    }
}

/// A flight that took place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Departure {
    pub(super) flight_id: i32,
    pub(super) at: EventTime,
    pub(super) dep_delay: Option<Real>,
    pub(super) arr_delay: Option<Real>,
    pub(super) origin: Arc<str>,
    pub(super) carrier: Arc<str>,
    pub(super) tailnum: Option<Arc<str>>,
    pub(super) distance: i32,
}

/// A row of `weather`: what was observed at an airport.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Observation {
    pub(super) origin: Arc<str>,
    pub(super) obs_time: Timestamp,
    /// °F.
    pub(super) temp: Option<Real>,
    /// Miles per hour.
    pub(super) wind_speed: Option<Real>,
    /// Miles.
    pub(super) visib: Option<Real>,
}

/// A row of `dim_planes`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Plane {
    pub(super) tailnum: Arc<str>,
    pub(super) manufacturer: Arc<str>,
    pub(super) seats: i32,
}
