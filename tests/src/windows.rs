//! Sessions, hopping and calendar windows, last rows, by brute force: what is there of a key, cut up by definition.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thalweg::engine::time::WATERMARK_END;
use thalweg::prelude::Calendar;

use crate::event::Event;
use crate::london;
use crate::oracle::Net;

/// A row of a window.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WindowRow {
    /// The key.
    pub key: i64,
    /// The window's start; 0 for last rows.
    pub start: i64,
    /// The last row's event time, where the operator says it, otherwise 0.
    pub last: i64,
    /// Rows.
    pub count: i64,
    /// `other`, added up.
    pub sum: i64,
    /// The greatest `(at, id)`.
    pub newest: Option<(i64, u32)>,
}

/// Which windows.
#[derive(Clone, Copy, Debug)]
pub enum Cut {
    /// By gap.
    Session(i64),
    /// By width and step; with a step beyond the width there are gaps.
    Hopping(i64, i64),
    /// Days, weeks or months of London, from the last summer time of 2024 into the winter.
    London(Calendar),
    /// The newest so many.
    Last(usize),
}

/// Rows with how often each is there.
pub type Rows<'a> = Vec<(&'a Event, i64)>;

/// What a window holds.
#[derive(Clone, Debug)]
pub struct Held<'a> {
    /// The key.
    pub key: i64,
    /// The window's start; 0 for last rows.
    pub start: i64,
    /// The last row's event time, where the operator says it, otherwise 0.
    pub last: i64,
    /// The rows.
    pub rows: Rows<'a>,
}

fn row(key: i64, start: i64, last: i64, rows: &Rows<'_>) -> WindowRow {
    WindowRow {
        key,
        start,
        last,
        count: rows.iter().map(|(_, n)| n).sum(),
        sum: rows
            .iter()
            .map(|(event, n)| event.other.unwrap_or(0) * n)
            .sum(),
        newest: rows.iter().map(|(event, _)| (event.at, event.id)).max(),
    }
}

/// The rows that are there of each key, in order: a retraction whose row has not come takes nothing away.
#[must_use]
pub fn by_key(input: &Net<Event>) -> BTreeMap<i64, Rows<'_>> {
    let mut keys: BTreeMap<i64, Rows<'_>> = BTreeMap::new();
    for (event, copies) in input.iter().filter(|(_, copies)| **copies > 0) {
        keys.entry(event.key).or_default().push((event, *copies));
    }
    keys.values_mut()
        .for_each(|rows| rows.sort_by_key(|(event, _)| (event.at, *event)));
    keys
}

/// A row per event that `watermark` has passed, with the event: its key's last `number` rows up to it, copies one by one.
#[must_use]
pub fn last_rows_final(
    input: &Net<Event>,
    number: usize,
    watermark: i64,
) -> Net<(Event, WindowRow)> {
    let mut windows = Net::new();
    for (key, rows) in by_key(input) {
        let copies: Rows<'_> = rows
            .iter()
            .flat_map(|(event, n)| std::iter::repeat_n((*event, 1), n.unsigned_abs() as usize))
            .collect();
        for (i, (event, _)) in copies.iter().enumerate() {
            if event.at < watermark {
                let last = copies[(i + 1).saturating_sub(number)..=i].to_vec();
                let window = row(key, 0, event.at, &last);
                *windows.entry((**event, window)).or_insert(0) += 1;
            }
        }
    }
    windows
}

impl Cut {
    /// The windows of the rows that are there: a retraction whose row has not come takes nothing away.
    #[must_use]
    pub fn windows(self, input: &Net<Event>) -> Net<WindowRow> {
        let windows = self.held(input).into_iter();
        windows
            .map(|held| (row(held.key, held.start, held.last, &held.rows), 1))
            .collect()
    }

    /// The same windows with the rows that they hold.
    #[must_use]
    pub fn held(self, input: &Net<Event>) -> Vec<Held<'_>> {
        let keys = by_key(input).into_iter();
        keys.flat_map(|(key, rows)| self.cut(key, &rows)).collect()
    }

    /// The windows of one key, whose rows are in order.
    fn cut<'a>(self, key: i64, rows: &Rows<'a>) -> Vec<Held<'a>> {
        let held = |start, last, rows| Held {
            key,
            start,
            last,
            rows,
        };
        match self {
            Self::Session(gap) => rows
                .chunk_by(|a, b| b.0.at - a.0.at <= gap)
                .map(|session| {
                    let (first, last) = (session[0].0.at, session[session.len() - 1].0.at);
                    held(first, last, session.to_vec())
                })
                .collect(),
            Self::Hopping(..) | Self::London(_) => {
                let mut windows: BTreeMap<i64, Rows<'_>> = BTreeMap::new();
                for (event, copies) in rows {
                    for start in self.starts(event.at) {
                        windows.entry(start).or_default().push((event, *copies));
                    }
                }
                let windows = windows.into_iter();
                windows.map(|(start, rows)| held(start, 0, rows)).collect()
            }
            Self::Last(number) => {
                let copies = rows.iter().rev().flat_map(|(event, n)| {
                    std::iter::repeat_n((*event, 1), usize::try_from(*n).unwrap_or(0))
                });
                let last: Rows<'_> = copies.take(number).collect();
                let newest = last.first().map_or(0, |(event, _)| event.at);
                vec![held(0, newest, last)]
            }
        }
    }

    /// The windows of a key that hold a moment, the newest first, of its rows up to it.
    #[must_use]
    pub fn open_at<'a>(self, key: i64, rows: &Rows<'a>, at: i64) -> Vec<Held<'a>> {
        let until: Rows<'a> = rows.iter().filter(|row| row.0.at <= at).copied().collect();
        match self {
            Self::Hopping(..) | Self::London(_) => {
                let since = |start| Held {
                    key,
                    start,
                    last: 0,
                    rows: until
                        .iter()
                        .filter(|row| row.0.at >= start)
                        .copied()
                        .collect(),
                };
                self.starts(at).into_iter().map(since).collect()
            }
            Self::Session(gap) => {
                let newest = self.cut(key, &until).pop();
                let open = newest.filter(|session| at - session.last <= gap);
                open.into_iter().collect()
            }
            Self::Last(_) => self.cut(key, &until),
        }
    }

    fn starts(self, at: i64) -> Vec<i64> {
        match self {
            Self::Hopping(width, step) => {
                let newest = at.div_euclid(step) * step;
                let starts = (0..=width / step).map(|n| newest - n * step);
                starts.filter(|start| at < start + width).collect()
            }
            Self::London(calendar) => vec![london::window(calendar, at).0],
            Self::Session(_) | Self::Last(_) => Vec::new(),
        }
    }

    /// Whether a window that begins at `start`, and whose last row is of `last`, is final.
    #[must_use]
    pub fn has_ended(self, start: i64, last: i64, watermark: i64) -> bool {
        watermark == WATERMARK_END
            || match self {
                Self::Session(gap) => last + gap < watermark,
                Self::Hopping(width, _) => start + width <= watermark,
                Self::London(calendar) => london::window(calendar, start).1 <= watermark,
                Self::Last(_) => false,
            }
    }
}
