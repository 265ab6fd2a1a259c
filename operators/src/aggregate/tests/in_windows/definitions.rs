//! Which rows each window holds, from its definition alone.
//!
//! ```text
//! rows that have come, with their counts ──▶ (label, rows of each of its windows) × how often
//! ```
//!
//! A count may be negative where a retraction came first; it takes nothing away then.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::{Date, date};
use jiff::tz::TimeZoneDatabase;
use thalweg_engine::keyed::EpochTime;
use thalweg_engine::time::{EventTime, WATERMARK_END, WATERMARK_NONE};
use thalweg_engine::update::Diff;

use crate::aggregate::tests::laws::Row;
use crate::window::grouped::Calendar;
use crate::window::rolling::Expiry;

/// What has come so far, of each row.
pub(super) type Come = BTreeMap<Row, Diff>;

/// What an output row is told by, beside what its windows read.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Label {
    pub(super) key: u32,
    pub(super) at: EventTime,
    /// Where labels ask: the first moment of the window that they are told of.
    pub(super) start: EventTime,
    /// Where it has one: the last moment of a session.
    pub(super) last: EventTime,
    /// Where it has one: the row that was rolled up to.
    pub(super) row: Option<Row>,
    /// Which of the copies of that row, where they read differently; it is not written.
    pub(super) copy: usize,
}

/// Output rows that a window must write: of each the rows in its windows, and how often it is there.
pub(super) type Defined = Vec<(Label, Vec<Vec<Row>>, Diff)>;

/// A window's start, and the first moment after it.
pub(super) type Bounds = (EventTime, EventTime);

/// Keys share their rows' ids.
pub(super) fn key(row: &Row) -> u32 {
    row.id % 3
}

/// The rows that are there, copies one by one.
fn there(come: &Come) -> impl Iterator<Item = &Row> {
    let copies = |(row, count): (_, &Diff)| std::iter::repeat_n(row, (*count).max(0) as usize);
    come.iter().flat_map(copies)
}

/// Each key's rows, by time and then by the row.
fn by_key(come: &Come) -> BTreeMap<u32, Vec<Row>> {
    let mut keys = BTreeMap::<u32, Vec<Row>>::new();
    for row in there(come) {
        keys.entry(key(row)).or_default().push(row.clone());
    }
    keys
}

/// Whether a window that ends with a moment, which is not inside, ends in this epoch.
fn ends(end: EventTime, time: &EpochTime) -> bool {
    time.watermark_before < end && end <= time.watermark
}

/// The windows that stand, and their ends.
fn groups(
    come: &Come,
    of: impl Fn(EventTime) -> Vec<Bounds>,
) -> impl Iterator<Item = (Label, EventTime, Vec<Row>)> {
    let mut groups = BTreeMap::<Label, (EventTime, Vec<Row>)>::new();
    for row in there(come) {
        for (start, end) in of(row.at) {
            let label = Label {
                key: key(row),
                at: start,
                ..Label::default()
            };
            groups
                .entry(label)
                .or_insert((end, Vec::new()))
                .1
                .push(row.clone());
        }
    }
    groups
        .into_iter()
        .map(|(label, (end, rows))| (label, end, rows))
}

pub(super) fn grouped_latest(come: &Come, of: impl Fn(EventTime) -> Vec<Bounds>) -> Defined {
    groups(come, of)
        .map(|(label, _, rows)| (label, vec![rows], 1))
        .collect()
}

/// Those that end in this epoch.
pub(super) fn grouped_finals(
    come: &Come,
    time: &EpochTime,
    of: impl Fn(EventTime) -> Vec<Bounds>,
) -> Defined {
    groups(come, of)
        .filter(|(_, end, _)| ends(*end, time))
        .map(|(label, _, rows)| (label, vec![rows], 1))
        .collect()
}

/// Windows at every whole number of steps. Before the first whole step of all time there is one window alone.
pub(super) fn every(width_us: i64, step_us: i64) -> impl Fn(EventTime) -> Vec<Bounds> + Clone {
    let (width, step) = (i128::from(width_us), i128::from(step_us));
    move |at| {
        let at = i128::from(at);
        let newest = (at / step - 1..=at / step)
            .map(|n| n * step)
            .rfind(|start| *start <= at);
        let newest = newest.unwrap();
        if newest < i128::from(EventTime::MIN) {
            return vec![(EventTime::MIN, EventTime::MIN.saturating_add(width_us))];
        }
        let starts = (0..)
            .map(|n| newest - n * step)
            .take_while(|start| at < start + width);
        let starts = starts.filter_map(|start| EventTime::try_from(start).ok());
        starts
            .map(|start| (start, start.saturating_add(width_us)))
            .collect()
    }
}

pub(super) fn lifetime(_: EventTime) -> Vec<Bounds> {
    vec![(0, WATERMARK_END)]
}

/// 7,000 years, beyond which all is one window.
const FAR_US: EventTime = 7_000 * 31_556_952_000_000;

const MINUTE_US: i64 = 60_000_000;

/// The moments at which the clocks of a zone first show a new day, week or month, looked at minute by minute.
pub(super) fn beginnings(
    calendar: Calendar,
    zone: &str,
    span: std::ops::Range<EventTime>,
) -> Vec<EventTime> {
    let zone = TimeZoneDatabase::bundled().get(zone).unwrap();
    let shown = |at| {
        zone.to_datetime(Timestamp::from_microsecond(at).unwrap())
            .date()
    };
    // A Monday.
    let monday = date(2024, 1, 1);
    let of = |date: Date| match calendar {
        Calendar::Day => date.duration_since(monday).as_hours() / 24,
        Calendar::Week => date.duration_since(monday).as_hours().div_euclid(24 * 7),
        Calendar::Month => i64::from(date.year()) * 12 + i64::from(date.month()),
    };
    let mut newest = of(shown(span.start));
    let mut beginnings = Vec::new();
    for at in span.step_by(MINUTE_US as usize) {
        // What has begun is not left again where the clocks go back.
        if of(shown(at)) > newest {
            newest = of(shown(at));
            beginnings.push(at);
        }
    }
    beginnings
}

/// Windows of a calendar, of which these are the beginnings within some time.
pub(super) fn calendar(
    calendar: Calendar,
    zone: &str,
    beginnings: Vec<EventTime>,
) -> impl Fn(EventTime) -> Vec<Bounds> + Clone + use<> {
    let before_far = FAR_US - 50 * 24 * 60 * MINUTE_US..FAR_US + 1;
    let far = *self::beginnings(calendar, zone, before_far).last().unwrap();
    move |at| {
        if at > far {
            return vec![(far, WATERMARK_END)];
        }
        if at < -FAR_US {
            // No watermark of these logs lies near its end.
            return vec![(EventTime::MIN, -FAR_US)];
        }
        let next = beginnings.partition_point(|start| *start <= at);
        vec![(beginnings[next - 1], beginnings[next])]
    }
}

/// Each key's rows by time, cut where more than the gap lies between two.
fn sessions(come: &Come, gap_us: i64) -> Defined {
    let mut defined = Defined::new();
    for (key, rows) in by_key(come) {
        let joins = |a: &Row, b: &Row| i128::from(b.at) - i128::from(a.at) <= i128::from(gap_us);
        for session in rows.chunk_by(joins) {
            let label = Label {
                key,
                at: session[0].at,
                last: session[session.len() - 1].at,
                ..Label::default()
            };
            defined.push((label, vec![session.to_vec()], 1));
        }
    }
    defined
}

pub(super) fn session_latest(come: &Come, gap_us: i64) -> Defined {
    sessions(come, gap_us)
}

/// Those that no row can join any more, since this epoch.
pub(super) fn session_finals(come: &Come, time: &EpochTime, gap_us: i64) -> Defined {
    let mut defined = sessions(come, gap_us);
    defined.retain(|(label, ..)| ends(label.last.saturating_add(gap_us).saturating_add(1), time));
    defined
}

/// Each key's newest rows.
pub(super) fn last_rows(come: &Come, rows_max: usize) -> Defined {
    let last = |(key, rows): (u32, Vec<Row>)| {
        let label = Label {
            key,
            at: rows[rows.len() - 1].at,
            ..Label::default()
        };
        let first = rows.len().saturating_sub(rows_max);
        (label, vec![rows[first..].to_vec()], 1)
    };
    by_key(come).into_iter().map(last).collect()
}

/// The last rows of each row, up to it.
pub(super) fn last_rows_corrections(come: &Come, rows_max: usize) -> Defined {
    let mut defined = Defined::new();
    for (key, rows) in by_key(come) {
        for (place, row) in rows.iter().enumerate() {
            let label = Label {
                key,
                at: row.at,
                row: Some(row.clone()),
                copy: rows[..place].iter().filter(|other| *other == row).count(),
                ..Label::default()
            };
            let first = (place + 1).saturating_sub(rows_max);
            defined.push((label, vec![rows[first..=place].to_vec()], 1));
        }
    }
    defined
}

/// Those of rows that the watermark has passed in this epoch.
pub(super) fn last_rows_finals(come: &Come, time: &EpochTime, rows_max: usize) -> Defined {
    let mut defined = last_rows_corrections(come, rows_max);
    defined.retain(|(label, ..)| ends(label.at.saturating_add(1), time));
    defined
}

/// The rows of a key up to a moment, in the windows that begin with these.
pub(super) fn up_to(
    come: &Come,
    of: u32,
    moment: EventTime,
    starts: impl Iterator<Item = EventTime>,
) -> Vec<Vec<Row>> {
    let since = |start| {
        let inside = |row: &&Row| key(row) == of && (start..=moment).contains(&row.at);
        there(come).filter(inside).cloned().collect()
    };
    starts.map(since).collect()
}

/// The rows of a key's session that is open at a moment, up to it.
pub(super) fn open_session(come: &Come, of: u32, moment: EventTime, gap_us: i64) -> Vec<Row> {
    let mut rows = by_key(come).remove(&of).unwrap_or_default();
    rows.retain(|row| row.at <= moment);
    let mut later = moment;
    let first = rows.iter().rposition(|row| {
        let is_apart = i128::from(later) - i128::from(row.at) > i128::from(gap_us);
        later = row.at;
        is_apart
    });
    rows.split_off(first.map_or(0, |apart| apart + 1))
}

/// The rows of a key in `[end − width, end]`.
pub(super) fn trailing(come: &Come, of: u32, end: EventTime, widths_us: &[i64]) -> Vec<Vec<Row>> {
    let within = |width_us: &i64| {
        let start = i128::from(end) - i128::from(*width_us);
        let inside = |row: &&Row| key(row) == of && row.at <= end && i128::from(row.at) >= start;
        there(come).filter(inside).cloned().collect()
    };
    widths_us.iter().map(within).collect()
}

/// The newest rows of a key up to a moment.
pub(super) fn newest(come: &Come, of: u32, until: EventTime, rows_max: usize) -> Vec<Vec<Row>> {
    let mut rows = by_key(come).remove(&of).unwrap_or_default();
    rows.retain(|row| row.at <= until);
    let first = rows.len().saturating_sub(rows_max);
    vec![rows[first..].to_vec()]
}

/// Each key's windows up to now, as long as its newest row is in one.
pub(super) fn sliding_latest(
    come: &Come,
    time: &EpochTime,
    expiry: Expiry,
    widths_us: &[i64],
) -> Defined {
    let mut defined = Defined::new();
    for of in 0..3 {
        let newest = there(come)
            .filter(|row| key(row) == of)
            .map(|row| row.at)
            .max();
        let Some(newest) = newest else { continue };
        let now = match expiry {
            Expiry::AtWatermark => time.as_of,
            Expiry::AtNextEvent => WATERMARK_NONE,
        };
        let windows = trailing(come, of, newest.max(now), widths_us);
        if windows.iter().any(|rows| !rows.is_empty()) {
            let label = Label {
                key: of,
                at: newest,
                ..Label::default()
            };
            defined.push((label, windows, 1));
        }
    }
    defined
}

/// The windows of each row, up to it.
pub(super) fn sliding_corrections(come: &Come, widths_us: &[i64]) -> Defined {
    let present = come.iter().filter(|(_, count)| **count > 0);
    let rolled = |(row, count): (&Row, &Diff)| {
        let label = Label {
            key: key(row),
            at: row.at,
            row: Some(row.clone()),
            ..Label::default()
        };
        (label, trailing(come, key(row), row.at, widths_us), *count)
    };
    present.map(rolled).collect()
}

/// Those of rows that the watermark has passed in this epoch.
pub(super) fn sliding_finals(come: &Come, time: &EpochTime, widths_us: &[i64]) -> Defined {
    let mut defined = sliding_corrections(come, widths_us);
    defined.retain(|(label, ..)| ends(label.at.saturating_add(1), time));
    defined
}
