//! The jobs that the laws run: one operator each, its rows read out into plain numbers.

use std::time::Duration;

use thalweg::connectors::memory::Collect;
use thalweg::operators::value::Lane;
use thalweg::operators::window::rolling::{Rolled, Rolling, Wide, WithoutExtremes};
use thalweg::prelude::*;

use tests::case::Case;
use tests::epochs::Witness;
use tests::event::Event;
use tests::lap::Lap;
use tests::oracle::{self, GroupFacts, RolledRow};
use tests::summary::Summary;

use crate::upserts::Told;

/// A row as plain numbers.
pub(crate) fn read<L: Lane, const N: usize, const W: usize>(
    row: Rolled<i64, L, N, W>,
) -> RolledRow {
    let windows = row.windows.iter();
    RolledRow {
        key: row.key,
        at: row.at,
        windows: windows
            .map(|lanes| lanes.iter().map(Summary::read).collect())
            .collect(),
    }
}

/// Runs a mode of rolling windows, in every other lap over the compact form: rows are the same.
macro_rules! in_some_form {
    ($lap:expr, $rolling:expr, $mode:ident($($of:expr)?)) => {{
        let rolling = $rolling;
        if $lap.seed.is_multiple_of(2) {
            rolling.compact().$mode($($of)?)
        } else {
            rolling.$mode($($of)?)
        }
    }};
}

pub(crate) type Whole<'s> = Rolling<'s, Event, i64, thalweg::operators::value::Fixed<0>, 2, 3>;

/// Rolling windows of two lanes of whole numbers.
pub(crate) fn whole<'s>(events: &Table<'s, Event>, case: &Case) -> Result<Whole<'s>, JobError> {
    let keyed = events
        .key_by(|event| event.key)
        .event_time(|event| event.at);
    let windows = keyed.rolling(case.widths())?;
    Ok(windows.moments_of("whole", |event| [event.value, event.other]))
}

/// Rolling windows of two lanes of whole numbers, a row per key.
pub(crate) fn rolling_latest(
    case: &Case,
    lap: &Lap,
    expiry: Expiry,
    witness: &Witness,
    out: Collect<RolledRow>,
) -> Job {
    let (case, lap, witness) = (case.clone(), *lap, witness.clone());
    Job::new("rolling latest", move |g| {
        let events = g.source("events", case.source(&lap))?;
        witness.watch(&events);
        let rolling = whole(&events, &case)?.expiry(expiry);
        let rows = in_some_form!(lap, rolling, latest());
        rows.map(read).sink("out", out.clone())
    })
}

/// Rolling windows of two lanes of whole numbers, a row per event.
pub(crate) fn rolling_final(
    case: &Case,
    lap: &Lap,
    witness: &Witness,
    out: Collect<(u32, RolledRow)>,
) -> Job {
    let (case, lap, witness) = (case.clone(), *lap, witness.clone());
    Job::new("rolling final", move |g| {
        let events = g.source("events", case.source(&lap))?;
        witness.watch(&events);
        let rolling = whole(&events, &case)?;
        let finals = in_some_form!(lap, rolling, finals(|event| event.id));
        finals
            .map(|(id, row)| (id, read(row)))
            .sink("out", out.clone())
    })
}

/// Rolling windows of two lanes of whole numbers, a row per event at once.
pub(crate) fn rolling_corrections(
    case: &Case,
    lap: &Lap,
    witness: &Witness,
    out: Collect<(u32, RolledRow)>,
) -> Job {
    let (case, lap, witness) = (case.clone(), *lap, witness.clone());
    Job::new("rolling corrections", move |g| {
        let events = g.source("events", case.source(&lap))?;
        witness.watch(&events);
        let rolling = whole(&events, &case)?;
        let rows = in_some_form!(lap, rolling, corrections(|event| event.id));
        rows.map(|(id, row)| (id, read(row)))
            .sink("out", out.clone())
    })
}

type Totals<'s> =
    Rolling<'s, Event, i64, thalweg::operators::value::Fixed<0>, 2, 3, WithoutExtremes<Wide>>;

/// Rolling totals of two lanes of whole numbers.
fn bare<'s>(events: &Table<'s, Event>, case: &Case) -> Result<Totals<'s>, JobError> {
    let keyed = events
        .key_by(|event| event.key)
        .event_time(|event| event.at);
    let windows = keyed.rolling(case.widths())?;
    Ok(windows.totals_of("totals", |event| [event.value, event.other]))
}

type Floats<'s> = Rolling<'s, Event, i64, thalweg::operators::value::Float, 2, 3>;

/// Rolling windows of two lanes of floats.
pub(crate) fn floats<'s>(events: &Table<'s, Event>, case: &Case) -> Result<Floats<'s>, JobError> {
    let keyed = events
        .key_by(|event| event.key)
        .event_time(|event| event.at);
    let windows = keyed.rolling(case.widths())?;
    Ok(windows.moments_of("real", |event| event.floats().map(|float| float.map(Real))))
}

type FloatTotals<'s> =
    Rolling<'s, Event, i64, thalweg::operators::value::Float, 2, 3, WithoutExtremes<Wide>>;

/// Rolling totals of two lanes of floats.
fn bare_floats<'s>(events: &Table<'s, Event>, case: &Case) -> Result<FloatTotals<'s>, JobError> {
    let keyed = events
        .key_by(|event| event.key)
        .event_time(|event| event.at);
    let windows = keyed.rolling(case.widths())?;
    Ok(windows.totals_of("real totals", |event| {
        event.floats().map(|float| float.map(Real))
    }))
}

/// What a rolling window stores of an event.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lanes {
    /// Two whole numbers, with extremes.
    Whole,
    /// The same without.
    Totals,
    /// Two floats, with extremes.
    Real,
    /// The same without.
    RealTotals,
}

impl Lanes {
    /// The same for brute force.
    pub(crate) const fn oracle(self) -> oracle::Lanes {
        match self {
            Self::Whole => oracle::WHOLE,
            Self::Totals => oracle::TOTALS,
            Self::Real => oracle::REAL,
            Self::RealTotals => oracle::REAL_TOTALS,
        }
    }
}

/// A mode of rolling windows.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mode {
    Latest,
    Finals,
    Corrections,
}

/// The rows of a mode, read into plain numbers: a row per key, or per event, which comes with its id.
macro_rules! rows_of {
    ($lap:expr, $rolling:expr, $mode:expr) => {{
        let rolling = $rolling;
        let with_id = |(id, row)| (Some(id), read(row));
        match $mode {
            Mode::Latest => in_some_form!($lap, rolling, latest()).map(|row| (None, read(row))),
            Mode::Finals => {
                in_some_form!($lap, rolling, finals(|event: &Event| event.id)).map(with_id)
            }
            Mode::Corrections => {
                in_some_form!($lap, rolling, corrections(|event: &Event| event.id)).map(with_id)
            }
        }
    }};
}

/// Rolling windows of any lanes in any mode.
pub(crate) fn rolling(
    case: &Case,
    lap: &Lap,
    (lanes, mode): (Lanes, Mode),
    witness: &Witness,
    out: Collect<(Option<u32>, RolledRow)>,
) -> Job {
    let (case, lap, witness) = (case.clone(), *lap, witness.clone());
    Job::new("rolling", move |g| {
        let events = g.source("events", case.source(&lap))?;
        witness.watch(&events);
        let rows = match lanes {
            Lanes::Whole => rows_of!(lap, whole(&events, &case)?, mode),
            Lanes::Totals => rows_of!(lap, bare(&events, &case)?, mode),
            Lanes::Real => rows_of!(lap, floats(&events, &case)?, mode),
            Lanes::RealTotals => rows_of!(lap, bare_floats(&events, &case)?, mode),
        };
        rows.sink("out", out.clone())
    })
}

/// Rolling windows of two lanes of floats, a row per key.
pub(crate) fn rolling_real_latest(
    case: &Case,
    lap: &Lap,
    witness: &Witness,
    out: Collect<RolledRow>,
) -> Job {
    let (case, lap, witness) = (case.clone(), *lap, witness.clone());
    Job::new("rolling real latest", move |g| {
        let events = g.source("events", case.source(&lap))?;
        witness.watch(&events);
        let rolling = floats(&events, &case)?;
        let latest = in_some_form!(lap, rolling, latest());
        latest.map(read).sink("out", out.clone())
    })
}

/// Rolling windows for a store that replaces.
pub(crate) fn rolling_upserts(
    case: &Case,
    lap: &Lap,
    (lanes, expiry): (Lanes, Expiry),
    witness: &Witness,
    out: &Told,
) -> Job {
    let (case, lap, witness, out) = (case.clone(), *lap, witness.clone(), out.clone());
    Job::new("upserts", move |g| {
        let events = g.source("events", case.source(&lap))?;
        witness.watch(&events);
        let rows = match lanes {
            Lanes::Whole => {
                let rolling = whole(&events, &case)?.expiry(expiry);
                in_some_form!(lap, rolling, upserts()).map(read)
            }
            Lanes::Totals => {
                let rolling = bare(&events, &case)?.expiry(expiry);
                in_some_form!(lap, rolling, upserts()).map(read)
            }
            Lanes::Real => {
                let rolling = floats(&events, &case)?.expiry(expiry);
                in_some_form!(lap, rolling, upserts()).map(read)
            }
            Lanes::RealTotals => {
                let rolling = bare_floats(&events, &case)?.expiry(expiry);
                in_some_form!(lap, rolling, upserts()).map(read)
            }
        };
        rows.sink("store", out.clone())
    })
}

/// An event's id, and the float that its row carries along.
pub(crate) type Carried = (u32, Option<Real>);

/// Rolling windows of two lanes of floats, a row per event that carries its float along.
pub(crate) fn rolling_real_final(
    case: &Case,
    lap: &Lap,
    witness: &Witness,
    out: Collect<(Carried, RolledRow)>,
) -> Job {
    let (case, lap, witness) = (case.clone(), *lap, witness.clone());
    Job::new("rolling real final", move |g| {
        let events = g.source("events", case.source(&lap))?;
        witness.watch(&events);
        let rolling = floats(&events, &case)?;
        let carried = |event: &Event| (event.id, event.float().map(Real));
        let finals = in_some_form!(lap, rolling, finals(carried));
        finals
            .map(|(carried, row)| (carried, read(row)))
            .sink("out", out.clone())
    })
}

/// Which groups, in which mode.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grouping {
    /// Tumbling windows of the case's first width, or one for ever.
    pub(crate) tumbling: bool,
    /// A row once the window has ended, or at every change.
    pub(crate) finals: bool,
    /// Windows are let go of as they end: only where no row comes behind the watermark.
    pub(crate) let_go: bool,
}

/// Groups with counts, sums and moments in whole numbers and floats, distinct and last values.
pub(crate) fn grouped(
    case: &Case,
    lap: &Lap,
    grouping: Grouping,
    witness: &Witness,
    out: Collect<GroupFacts>,
) -> Job {
    let (case, lap, witness) = (case.clone(), *lap, witness.clone());
    Job::new("grouped", move |g| {
        let events = g.source("events", case.source(&lap))?;
        witness.watch(&events);
        let keyed = events.key_by(|event| event.key);
        let groups = if grouping.tumbling {
            let timed = keyed.event_time(|event| event.at);
            timed.tumbling(case.widths()[0])?
        } else {
            keyed.lifetime()
        };
        let aggregates = (
            count(),
            count_where(|event: &Event| event.other > Some(0)),
            moments(|event: &Event| event.value),
            totals(|event: &Event| event.value),
            moments(Event::float),
            distinct(|event: &Event| event.other),
            latest(
                |event: &Event| (event.at, event.id),
                |event| (event.at, event.id),
            ),
        );
        let groups = if grouping.let_go {
            groups.kept_for(Duration::ZERO)
        } else {
            groups
        };
        let rows = if grouping.finals {
            groups.finals("groups", aggregates)
        } else {
            groups.latest("groups", aggregates)
        };
        let facts = rows.map(|row| {
            let (count, positive, whole, totals, real, distinct, newest) = row.value;
            GroupFacts {
                key: row.key,
                start: row.start,
                count,
                positive,
                whole: Summary::read(&whole),
                totals: Summary::read(&totals),
                real: Summary::read(&real),
                distinct,
                newest,
            }
        });
        facts.sink("out", out.clone())
    })
}
