//! The graph: eleven answers from one pass over the measurements.
//!
//! ```text
//! dim_vm ─────────┐
//! events ─┬─ lookup by vm ─┬─ no such vm ─▶ unmatched_events.jsonl
//!         │                ├─ by day, sku, region, metric ─▶ vm_tumbling_1d
//!         │                ├─ labels ─ as of their time ─▶ vm_asof
//!         │                ├─ a machine's day beside its cohort's week ─▶ vm_cross_join
//!         │                ├─ one metric ─▶ vm_hop_6h_1h, vm_tumbling_1h_bound60s
//!         │                └─ long-lived ─┬─ 7 d, by vm and metric ─▶ vm_roll_7d
//!         │                               ├─ sessions by vm ─▶ vm_session_30m
//!         │                               └─ newest, by vm, metric ─▶ vm_latest_final, vm_latest_midway, online store
//!         ├─ by metric ─▶ vm_totals
//!         └─ lateness ─▶ vm_lateness
//! ```

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thalweg::connectors::online::View;
use thalweg::prelude::*;

use super::answers::{Daily, Newest, Rolling, Totals};
use super::lateness::{Lateness, by_bound};
use super::midway::{Midway, midway};
use super::rows::{Machine, Measurement};
use super::{cohorts, hours, point_in_time, sessions};
use crate::columns::{real, whole};
use crate::places::Places;

/// The metrics whose trailing week is followed: two of OSBench, one of Redis, one of Sysbench.
pub(super) const ROLLED_METRICS: [i16; 4] = [56, 59, 93, 102];

/// A measurement with what is known of its machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Placed {
    pub(super) of: Measurement,
    pub(super) sku: Arc<str>,
    pub(super) region: Arc<str>,
    pub(super) long_lived: bool,
}

/// The job over `vmnoise/`.
#[must_use]
pub fn job(places: Places) -> Job {
    let half = Midway::default();
    Job::new("vmnoise", move |g| {
        let events = places
            .events("vmnoise", "events.parquet", |m: &Measurement| m.event_time)
            .stamp(|m, newest| m.newest_before = newest.unwrap_or(m.newest_before));
        let events = g.source("events", events)?;
        places.set_aside("events", &events)?;
        let machines = g.source("dim_vm", places.dimension("vmnoise", "dim_vm.parquet"))?;
        places.set_aside_dead("dim_vm", &machines)?;

        let looked_up = events
            .key_by(|m| m.vm)
            .lookup("machine", &machines.key_by(|machine: &Machine| machine.vm));
        looked_up
            .flat_map(|(of, machine)| machine.is_none().then_some(of))
            .sink("unmatched_events", places.aside("unmatched_events"))?;
        let placed = looked_up.flat_map(|(of, machine)| machine.map(|machine| place(of, machine)));
        daily(&placed, &places)?;
        point_in_time::labelled(&placed, &places)?;
        cohorts::compared(&placed, &places)?;
        hours::six_hours(&placed, &places)?;
        hours::bound_hours(&placed, &places)?;

        let long_lived = placed.filter(|m| m.long_lived).map(|m| m.of);
        rolling(&long_lived, &places)?;
        newest(&long_lived, &places, midway(&half, &places)?)?;
        sessions::sessions(&long_lived, &places)?;

        totals(&events, &places)?;
        lateness(&events, &places)
    })
}

fn place(of: Measurement, machine: Machine) -> Placed {
    let long_lived = machine.is_long_lived();
    let Machine { sku, region, .. } = machine;
    Placed {
        of,
        sku,
        region,
        long_lived,
    }
}

/// Each day of each metric on each kind of machine.
fn daily(placed: &Table<'_, Placed>, places: &Places) -> Result<(), JobError> {
    placed
        .key_by(|m| (m.sku.clone(), m.region.clone(), m.of.metric))
        .event_time(|m| m.of.event_time)
        .tumbling(days(1))?
        .finals("day", (count(), moments(|m: &Placed| m.of.value)))
        .map(|day| {
            let (sku, region, metric) = day.key;
            let (n, values) = day.value;
            Daily {
                w_start: Timestamp(day.start),
                sku,
                region,
                metric,
                n,
                s: real(values.sum()),
                mn: real(values.min()),
                mx: real(values.max()),
                sd: real(values.stddev_sample()),
            }
        })
        .sink("vm_tumbling_1d", places.answer("vm_tumbling_1d"))
}

/// Each metric over all time.
fn totals(events: &Table<'_, Measurement>, places: &Places) -> Result<(), JobError> {
    events
        .key_by(|m| m.metric)
        .lifetime()
        .finals(
            "metric",
            (
                count(),
                moments(|m: &Measurement| m.value),
                distinct(|m: &Measurement| Some(m.vm)),
            ),
        )
        .map(|metric| {
            let (n, values, vms) = metric.value;
            Totals {
                metric: metric.key,
                n,
                s: real(values.sum()),
                mn: real(values.min()),
                mx: real(values.max()),
                vms: whole(vms),
            }
        })
        .sink("vm_totals", places.answer("vm_totals"))
}

/// The trailing week as of each measurement of a few metrics.
fn rolling(long_lived: &Table<'_, Measurement>, places: &Places) -> Result<(), JobError> {
    long_lived
        .filter(|m| ROLLED_METRICS.contains(&m.metric))
        .key_by(|m| (m.vm, m.metric))
        .event_time(|m| m.event_time)
        .rolling([days(7)])?
        .moments("week", |m| m.value)
        .finals(|m| m.seq)
        .map(|(seq, week)| {
            let values = week.window(0);
            Rolling {
                seq,
                vm: week.key.0,
                metric: week.key.1,
                event_time: Timestamp(week.at),
                n: whole(values.events()),
                mean: real(values.mean()),
                mn: real(values.min()),
                mx: real(values.max()),
                sd: real(values.stddev_sample()),
            }
        })
        .sink("vm_roll_7d", places.answer("vm_roll_7d"))
}

/// The newest measurement of each machine's metric: at the end into a file, all along into the online store; and what
/// that store holds half-way.
fn newest(
    long_lived: &Table<'_, Measurement>,
    places: &Places,
    midway: EventTime,
) -> Result<(), JobError> {
    let by_metric = long_lived.key_by(|m| (m.vm, m.metric)).lifetime();
    let aggregates = || {
        (
            latest(
                |m: &Measurement| (m.event_time, m.seq),
                |m| (m.event_time, m.seq, m.value),
            ),
            count(),
        )
    };
    let row = |((vm, metric), newest, versions)| {
        let (event_time, seq, value): (EventTime, i32, Real) = newest?;
        Some(Newest {
            vm,
            metric,
            seq,
            event_time: Timestamp(event_time),
            value,
            versions,
        })
    };
    by_metric
        .finals("newest", aggregates())
        .flat_map(move |group| row((group.key, group.value.0, group.value.1)))
        .sink("vm_latest_final", places.answer("vm_latest_final"))?;
    long_lived
        .filter(move |m| m.arrival_time <= midway)
        .key_by(|m| (m.vm, m.metric))
        .lifetime()
        .finals("newest midway", aggregates())
        .flat_map(move |group| row((group.key, group.value.0, group.value.1)))
        .sink("vm_latest_midway", places.answer("vm_latest_midway"))?;
    let Some(online) = &places.online else {
        return Ok(());
    };
    let view = View::new("vm_latest")
        .key(|newest: &Newest| format!("{}:{}", newest.vm, newest.metric))
        .version(|newest| newest.event_time.0);
    by_metric
        .latest("newest", aggregates())
        .flat_map(move |group| row((group.key, group.value.0, group.value.1)))
        .sink("online vm_latest", online.view(&places.out, view))
}

/// What a bound on lateness would cost.
fn lateness(events: &Table<'_, Measurement>, places: &Places) -> Result<(), JobError> {
    events
        .key_by(|_| ())
        .lifetime()
        .finals("lateness", Lateness)
        .flat_map(|all| by_bound(&all.value))
        .sink("vm_lateness", places.answer_csv("vm_lateness"))
}
