//! The graph: hourly windows by airport and carrier, departures with their aircraft and their weather, and the trailing
//! week of the busiest aircraft.
//!
//! ```text
//! flights ─ departed ─┬─ by hour, origin, carrier ─▶ fl_tumbling_1h
//!                     ├─ lookup dim_planes ─ by carrier, manufacturer ─▶ fl_cross_join
//!                     ├─ as of ◀── weather ─▶ fl_asof_weather
//!                     ├─ by tail: how many ─▶ the 100 busiest ─┐
//!                     └─ by tail: 7 d ─┬─ as of each flight ───┴─ semijoin ─▶ fl_roll_7d_tail
//!                                      └─ as it stands ─▶ online store
//! ```

use std::cmp::Reverse;
use std::sync::Arc;

use thalweg::connectors::online::View;
use thalweg::operators::join::differential::Island;
use thalweg::prelude::*;

use super::answers::{Hourly, Rolling, Week};
use super::makers::makers;
use super::rows::{Departure, Flight, Observation};
use super::weather::weather;
use crate::columns::{real, whole};
use crate::places::Places;

/// How many aircraft are followed.
const BUSIEST: usize = 100;

/// The job over `flights/`.
#[must_use]
pub fn job(places: Places) -> Job {
    Job::new("flights", move |g| {
        let flights = places.events("flights", "flights.parquet", Flight::event_time);
        let flights = g.source("flights", flights)?;
        places.set_aside("flights", &flights)?;
        let departures = flights.flat_map(Flight::departed);
        let observed = places.events("flights", "weather.parquet", |o: &Observation| o.obs_time.0);
        let observations = g.source("weather", observed)?;
        places.set_aside("weather", &observations)?;
        let planes = g.source(
            "dim_planes",
            places.dimension("flights", "dim_planes.parquet"),
        )?;
        places.set_aside_dead("dim_planes", &planes)?;
        hourly(&departures, &places)?;
        makers(&departures, &planes, &places)?;
        weather(&departures, &observations, &places)?;
        weekly(&departures, &places)
    })
}

/// Each hour of each carrier at each airport.
fn hourly(departures: &Table<'_, Departure>, places: &Places) -> Result<(), JobError> {
    departures
        .key_by(|d| (d.origin.clone(), d.carrier.clone()))
        .event_time(|d| d.at)
        .tumbling(hours(1))?
        .finals(
            "hour",
            (
                count(),
                moments(|d: &Departure| d.dep_delay),
                totals(|d: &Departure| d.arr_delay),
            ),
        )
        .map(|hour| {
            let (n, dep_delay, arr_delay) = hour.value;
            Hourly {
                w_start: Timestamp(hour.start),
                origin: hour.key.0,
                carrier: hour.key.1,
                n,
                n_arr: whole(arr_delay.count()),
                dep_delay: real(dep_delay.mean()),
                arr_delay: real(arr_delay.mean()),
                mx: real(dep_delay.max()),
            }
        })
        .sink("fl_tumbling_1h", places.answer("fl_tumbling_1h"))
}

/// The trailing week of each aircraft: of the busiest as of each departure into a file, of all as it stands into the
/// online store.
fn weekly(departures: &Table<'_, Departure>, places: &Places) -> Result<(), JobError> {
    let with_tail = departures.flat_map(|d| Some((d.tailnum.clone()?, d)));
    let by_tail = with_tail.key_by(|(tail, _)| tail.clone());
    let busiest = by_tail
        .lifetime()
        .latest("flights", count())
        .map(|flown| (flown.key, flown.value))
        .differential(busiest);
    let week = by_tail
        .event_time(|(_, d)| d.at)
        .rolling([days(7)])?
        .moments_of("week", |(_, d)| {
            [d.arr_delay, Some(Real(f64::from(d.distance)))]
        });

    week.finals(|(_, d)| d.flight_id)
        .map(|(flight_id, week)| (week.key.clone(), Rolling::new(flight_id, &week)))
        .differential(|weeks| weeks.semijoin(busiest.collection()))
        .map(|(_, week)| week)
        .sink("fl_roll_7d_tail", places.answer("fl_roll_7d_tail"))?;

    let Some(online) = &places.online else {
        return Ok(());
    };
    let view = View::new("fl_week_tail")
        .key(|week: &Week| week.tailnum.to_string())
        .version(|week| week.dep_time.0);
    week.latest()
        .map(|week| Week::new(&week))
        .sink("online fl_week_tail", online.view(&places.out, view))
}

/// The tails of the greatest counts; of equal counts the tails that come first in the alphabet.
fn busiest<'s>(flown: Island<'s, (Arc<str>, i64)>) -> Island<'s, Arc<str>> {
    flown
        .map(|(tail, flights)| ((), (Reverse(flights), tail)))
        .reduce(|(), ranked, out| {
            let first = ranked.iter().take(BUSIEST);
            out.extend(first.map(|((_, tail), _)| (tail.clone(), 1)));
        })
        .map(|((), tail)| tail)
}
