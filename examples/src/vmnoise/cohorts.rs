//! Features across two entities: a machine's last day beside the last week of all machines of its kind and region.
//!
//! ```text
//! measurements ─┬─ of long-lived machines ─ by machine ─ day before each midnight ───┐
//!               ├─ by kind and region ─ week before each midnight ─────── same midnight ─┴─▶ vm_cross_join
//!               └─ newest ─▶ the last midnight that has come ─────────────────────── lookup ─▲
//! ```

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thalweg::engine::time::micros_of;
use thalweg::prelude::*;

use super::job::{Placed, ROLLED_METRICS};
use crate::columns::{real, whole};
use crate::places::Places;

/// `vm_cross_join`: a machine's day against its cohort's week, at a midnight.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Compared {
    /// The midnight.
    pub as_of: Timestamp,
    /// The machine.
    pub vm: i32,
    /// What was measured.
    pub metric: i16,
    /// The machine's mean over `[as_of − 1 d, as_of)`.
    pub vm_mean_1d: Option<Real>,
    /// How many measurements that is.
    pub vm_n: i64,
    /// The cohort's mean over `[as_of − 7 d, as_of)`, machines of any lifespan.
    pub cohort_mean_7d: Option<Real>,
    /// How many measurements that is.
    pub cohort_n: i64,
    /// The machine's mean over the cohort's.
    pub ratio: Option<Real>,
}

/// Metric, kind, region.
type Cohort = (i16, Arc<str>, Arc<str>);

/// A mean as of a midnight, of a machine or of a whole cohort.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Mean {
    as_of: EventTime,
    cohort: Cohort,
    vm: i32,
    mean: Option<Real>,
    n: i64,
}

/// Writes `vm_cross_join`.
pub(super) fn compared(placed: &Table<'_, Placed>, places: &Places) -> Result<(), JobError> {
    let cohort = |m: &Placed| (m.of.metric, m.sku.clone(), m.region.clone());
    let followed = placed.filter(|m| ROLLED_METRICS.contains(&m.of.metric));
    let machines = followed
        .filter(|m| m.long_lived)
        .key_by(move |m| (cohort(m), m.of.vm))
        .event_time(|m| m.of.event_time)
        .tumbling(days(1))?
        .finals("machine's day", totals(|m: &Placed| m.of.value))
        .map(|day| Mean {
            as_of: day.start + micros_of(days(1)),
            cohort: day.key.0,
            vm: day.key.1,
            mean: real(day.value.mean()),
            n: whole(day.value.count()),
        });
    let cohorts = followed
        .key_by(cohort)
        .event_time(|m| m.of.event_time)
        .hopping(days(7), days(1))?
        .finals("cohort's week", totals(|m: &Placed| m.of.value))
        .map(|week| Mean {
            as_of: week.start + micros_of(days(7)),
            cohort: week.key,
            vm: 0,
            mean: real(week.value.mean()),
            n: whole(week.value.count()),
        });
    let newest = placed
        .map(|m| m.of.event_time)
        .key_by(|_| ())
        .lifetime()
        .latest("newest", latest(|at: &EventTime| *at, |at| *at))
        .flat_map(|newest| newest.value);
    let cohorts = cohorts.key_by(|cohort| cohort.cohort.clone());
    machines
        .key_by(|machine| machine.cohort.clone())
        .event_time(|machine| machine.as_of)
        .interval_join(
            "same midnight",
            &cohorts.event_time(|cohort| cohort.as_of),
            0..=0,
        )?
        .finals()
        .key_by(|_| ())
        .lookup("last midnight", &newest.key_by(|_| ()))
        .filter(|((machine, _), newest)| *newest >= Some(machine.as_of))
        .map(|((machine, cohort), _)| compare(&machine, &cohort))
        .sink("vm_cross_join", places.answer("vm_cross_join"))
}

fn compare(machine: &Mean, cohort: &Mean) -> Compared {
    let ratio = machine.mean.zip(cohort.mean);
    Compared {
        as_of: Timestamp(machine.as_of),
        vm: machine.vm,
        metric: machine.cohort.0,
        vm_mean_1d: machine.mean,
        vm_n: machine.n,
        cohort_mean_7d: cohort.mean,
        cohort_n: cohort.n,
        ratio: ratio.map(|(machine, cohort)| Real(machine.0 / cohort.0)),
    }
}
