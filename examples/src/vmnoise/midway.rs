//! The moment half-way between the first and the last arrival, to the second below: read from the data before the job.

use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};
use thalweg::engine::source::SourceError;
use thalweg::engine::time::window_start;
use thalweg::prelude::*;

use crate::places::Places;
use crate::read::read_all;

/// When a measurement became known; no other column is read.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Arrival {
    arrival_time: EventTime,
}

/// The moment of a job: found by the first worker that needs it.
pub(super) type Midway = Arc<OnceLock<Result<EventTime, String>>>;

/// The moment, µs since 1970 UTC.
///
/// # Errors
/// [`JobError::Wrong`] when the measurements cannot be read, or there are none.
pub(super) fn midway(known: &Midway, places: &Places) -> Result<EventTime, JobError> {
    let found = known.get_or_init(|| find(places));
    found.clone().map_err(JobError::Wrong)
}

fn find(places: &Places) -> Result<EventTime, String> {
    let arrivals: Vec<Arrival> = read_all(&places.parquet("vmnoise", "events.parquet"))
        .map_err(|error: SourceError| format!("could not read the arrivals: {error}"))?;
    let times = || arrivals.iter().map(|arrival| arrival.arrival_time);
    let (Some(first), Some(last)) = (times().min(), times().max()) else {
        return Err("there are no measurements: is this the right folder?".into());
    };
    Ok(window_start(first.midpoint(last), 1_000_000))
}
