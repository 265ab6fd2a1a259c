//! What the job writes: a struct per answer, its columns in their order, which is also the order of the rows.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thalweg::operators::value::Float;
use thalweg::operators::window::rolling::Rolled;
use thalweg::prelude::*;

use crate::columns::{real, whole};

/// `fl_tumbling_1h`: a carrier's departures from an airport in an hour.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Hourly {
    /// When the hour begins.
    pub w_start: Timestamp,
    /// The airport.
    pub origin: Arc<str>,
    /// The carrier.
    pub carrier: Arc<str>,
    /// Departures.
    pub n: i64,
    /// Those whose delay on arrival is known.
    pub n_arr: i64,
    /// Mean delay on departure, minutes.
    pub dep_delay: Option<Real>,
    /// Mean delay on arrival, minutes.
    pub arr_delay: Option<Real>,
    /// The greatest delay on departure, minutes.
    pub mx: Option<Real>,
}

/// `fl_roll_7d_tail`: the trailing week of a busy aircraft, as of each of its departures.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rolling {
    /// The flight.
    pub flight_id: i32,
    /// The aircraft.
    pub tailnum: Arc<str>,
    /// Its departure; the week is `[dep_time − 7 d, dep_time]`.
    pub dep_time: Timestamp,
    /// Departures of the week.
    pub n: i64,
    /// Those whose delay on arrival is known.
    pub n_arr: i64,
    /// Their mean delay on arrival, minutes.
    pub arr_delay_7d: Option<Real>,
    /// Miles flown in the week.
    pub dist_7d: Option<Real>,
}

/// An aircraft's trailing week: delay on arrival, and miles.
pub(super) type WeekOf = Rolled<Arc<str>, Float, 2, 1>;

impl Rolling {
    pub(super) fn new(flight_id: i32, week: &WeekOf) -> Self {
        let [arr_delay, distance] = &*week.windows[0];
        Self {
            flight_id,
            tailnum: Arc::clone(&week.key),
            dep_time: Timestamp(week.at),
            n: whole(distance.events()),
            n_arr: whole(arr_delay.count()),
            arr_delay_7d: real(arr_delay.mean()),
            dist_7d: real(distance.sum()),
        }
    }
}

/// What the online store holds of an aircraft: its trailing week as of its newest departure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Week {
    /// The aircraft.
    pub tailnum: Arc<str>,
    /// Its newest departure.
    pub dep_time: Timestamp,
    /// Departures of the week.
    pub n: i64,
    /// Mean delay on arrival, minutes.
    pub arr_delay_7d: Option<Real>,
    /// Miles flown in the week.
    pub dist_7d: Option<Real>,
}

impl Week {
    pub(super) fn new(week: &WeekOf) -> Self {
        let [arr_delay, distance] = &*week.windows[0];
        Self {
            tailnum: Arc::clone(&week.key),
            dep_time: Timestamp(week.at),
            n: whole(distance.events()),
            arr_delay_7d: real(arr_delay.mean()),
            dist_7d: real(distance.sum()),
        }
    }
}
