//! Keys and event time: `payments.key_by(|p| p.user).event_time(|p| p.at)` reads as what it is.

use std::marker::PhantomData;
use std::rc::Rc;
use std::time::Duration;

use thalweg_engine::column::Column;
use thalweg_engine::error::JobError;
use thalweg_engine::key::Key;
use thalweg_engine::table::Table;
use thalweg_engine::time::{EventTime, micros_of};
use thalweg_engine::update::Data;

use crate::aggregate::Aggregate;
use crate::value::IntoLane;
use crate::window::decayed::Decayed;
use crate::window::grouped::{Calendar, Grouped, Local, Span};
use crate::window::last_rows::LastRows;
use crate::window::rolling::widths::Widths;
use crate::window::rolling::{self, Expiry, Rolling, Wide, WithoutExtremes};
use crate::window::session::SessionWindows;
use crate::window::sliding::Sliding;

/// More windows than this per row are a mistake: a rolling window is what was meant.
const WINDOWS_PER_ROW_MAX: i64 = 10_000;

/// Gives a table a key.
pub trait KeyBy<'s, D: Data> {
    /// The table, keyed by what `key` takes out of each row.
    #[must_use]
    fn key_by<K: Key>(&self, key: impl Fn(&D) -> K + 'static) -> Keyed<'s, D, K>;
}

impl<'s, D: Data> KeyBy<'s, D> for Table<'s, D> {
    fn key_by<K: Key>(&self, key: impl Fn(&D) -> K + 'static) -> Keyed<'s, D, K> {
        let key = Rc::new(key);
        let (of, tag) = (Rc::clone(&key), Rc::clone(&key));
        Keyed {
            table: self.clone(),
            keys: Column::new(move |row| of(row)),
            tags: Column::new(move |row| tag(row).tag()),
            key,
        }
    }
}

/// A table with a key.
#[derive(Clone)]
pub struct Keyed<'s, D: Data, K: Key> {
    pub(crate) table: Table<'s, D>,
    pub(crate) key: Rc<dyn Fn(&D) -> K>,
    pub(crate) keys: Column<D, K>,
    pub(crate) tags: Column<D, u64>,
}

impl<'s, D: Data, K: Key> Keyed<'s, D, K> {
    /// Says where the event time stands: µs since 1970 UTC. Windows in time need it.
    #[must_use]
    pub fn event_time(&self, at: impl Fn(&D) -> EventTime + 'static) -> Timeline<'s, D, K> {
        let at = Rc::new(at);
        let of = Rc::clone(&at);
        Timeline {
            keyed: self.clone(),
            times: Column::new(move |row| of(row)),
            at,
        }
    }

    /// One window per key that never closes.
    #[must_use]
    pub fn lifetime(&self) -> Grouped<'s, D, K> {
        Grouped {
            keyed: self.clone(),
            times: Column::new(|_| 0),
            span: Span::Lifetime,
            kept_us: None,
        }
    }
}

/// A keyed table with an event time.
#[derive(Clone)]
pub struct Timeline<'s, D: Data, K: Key> {
    pub(crate) keyed: Keyed<'s, D, K>,
    pub(crate) at: Rc<dyn Fn(&D) -> EventTime>,
    pub(crate) times: Column<D, EventTime>,
}

impl<'s, D: Data, K: Key> Timeline<'s, D, K> {
    /// Trailing windows of these widths: `[at − width, at]`, closed at both ends.
    ///
    /// # Errors
    /// [`JobError::Wrong`] when there is no width or one is zero.
    pub fn rolling<const W: usize>(
        &self,
        widths: [Duration; W],
    ) -> Result<RollingWindows<'s, D, K, W>, JobError> {
        Ok(RollingWindows {
            timeline: self.clone(),
            widths: rolling::checked(widths)?,
        })
    }

    /// Windows `[start, start + width)`, aligned to 1970-01-01T00:00Z, one after another.
    ///
    /// # Errors
    /// [`JobError::Wrong`] when the width is zero.
    pub fn tumbling(&self, width: Duration) -> Result<Grouped<'s, D, K>, JobError> {
        let width_us = micros("a tumbling window's width", width)?;
        Ok(self.every(width_us, width_us))
    }

    /// Windows `[start, start + width)` that start every `step`, aligned to 1970-01-01T00:00Z: a row is in all that
    /// hold it. With a step beyond the width there are gaps between windows, and rows in a gap are in none.
    ///
    /// # Errors
    /// [`JobError::Wrong`] when the width or the step is zero, or a row would be in more than 10,000 windows.
    pub fn hopping(&self, width: Duration, step: Duration) -> Result<Grouped<'s, D, K>, JobError> {
        let width_us = micros("a hopping window's width", width)?;
        let step_us = micros("the step between hopping windows", step)?;
        // As many as there are steps in a width, one that is cut off included.
        let windows = (width_us - 1) / step_us + 1;
        if windows > WINDOWS_PER_ROW_MAX {
            return Err(JobError::Wrong(format!(
                "at most {WINDOWS_PER_ROW_MAX} hopping windows hold one row: got {windows}, {width:?} wide every {step:?}; \
                 take longer steps, or rolling windows"
            )));
        }
        Ok(self.every(width_us, step_us))
    }

    fn every(&self, width_us: i64, step_us: i64) -> Grouped<'s, D, K> {
        Grouped {
            keyed: self.keyed.clone(),
            times: self.times.clone(),
            span: Span::Every { width_us, step_us },
            kept_us: None,
        }
    }

    /// Days, weeks or months as the clocks of a time zone show them, such as `"Europe/London"`: `[start, end)`. Days have
    /// 23 or 25 hours where the clocks change; weeks begin on Monday.
    ///
    /// # Errors
    /// [`JobError::Wrong`] when the IANA database has no zone of that name.
    pub fn calendar(&self, calendar: Calendar, zone: &str) -> Result<Grouped<'s, D, K>, JobError> {
        Ok(Grouped {
            keyed: self.keyed.clone(),
            times: self.times.clone(),
            span: Span::Calendar(Rc::new(Local::new(calendar, zone)?)),
            kept_us: None,
        })
    }

    /// A window for as long as rows of a key come: `[start, last + gap]`, closed at both ends, so that a row exactly
    /// one gap after the last one still belongs.
    ///
    /// # Errors
    /// [`JobError::Wrong`] when the gap is shorter than 1 µs.
    pub fn session(&self, gap: Duration) -> Result<SessionWindows<'s, D, K>, JobError>
    where
        D: Ord,
    {
        Ok(SessionWindows {
            timeline: self.clone(),
            gap_us: micros("the gap that ends a session", gap)?,
        })
    }

    /// The newest `rows` of each key, by event time, then by the row, however long ago they were.
    ///
    /// # Errors
    /// [`JobError::Wrong`] when `rows` is 0.
    pub fn last_rows(&self, rows: usize) -> Result<LastRows<'s, D, K>, JobError>
    where
        D: Ord,
    {
        if rows == 0 {
            let text = "the last rows of a key are at least 1: got 0";
            return Err(JobError::Wrong(text.to_owned()));
        }
        Ok(LastRows {
            timeline: self.clone(),
            rows,
        })
    }

    /// Sums that fade: what a row adds halves with every `half_life` that has passed since.
    ///
    /// # Errors
    /// [`JobError::Wrong`] when the half-life is shorter than 1 µs.
    pub fn decayed(&self, half_life: Duration) -> Result<Decayed<'s, D, K>, JobError> {
        Ok(Decayed {
            timeline: self.clone(),
            half_life_us: micros("the half-life of decayed sums", half_life)?,
            refresh_us: None,
        })
    }
}

/// A length of time in whole µs, of which there must be one.
pub(crate) fn micros(what: &str, length: Duration) -> Result<i64, JobError> {
    match micros_of(length) {
        0 => Err(JobError::Wrong(format!(
            "{what} is at least 1 µs: got {length:?}"
        ))),
        length_us => Ok(length_us),
    }
}

/// Rolling windows that wait to be told what to compute.
#[derive(Clone)]
pub struct RollingWindows<'s, D: Data, K: Key, const W: usize> {
    timeline: Timeline<'s, D, K>,
    widths: Widths<W>,
}

impl<'s, D: Data, K: Key, const W: usize> RollingWindows<'s, D, K, W> {
    /// Count, sum, mean, min, max, variance and stddev of one number per row. The name shows in the metrics.
    #[must_use]
    pub fn moments<V: IntoLane>(
        &self,
        name: &str,
        value: impl Fn(&D) -> V + 'static,
    ) -> Rolling<'s, D, K, V::Lane, 1, W> {
        self.lanes(name, move |row| [value(row).into_lane()])
    }

    /// The same of `N` numbers per row, in one pass.
    #[must_use]
    pub fn moments_of<V: IntoLane, const N: usize>(
        &self,
        name: &str,
        values: impl Fn(&D) -> [V; N] + 'static,
    ) -> Rolling<'s, D, K, V::Lane, N, W> {
        self.lanes(name, move |row| values(row).map(V::into_lane))
    }

    /// Count, sum, mean, variance and stddev of one number per row, without its least and greatest: a key of many events
    /// holds nothing for its extremes, and is read and changed without them.
    #[must_use]
    pub fn totals<V: IntoLane>(
        &self,
        name: &str,
        value: impl Fn(&D) -> V + 'static,
    ) -> Rolling<'s, D, K, V::Lane, 1, W, WithoutExtremes<Wide>> {
        self.moments(name, value).of_form()
    }

    /// The same of `N` numbers per row, in one pass.
    #[must_use]
    pub fn totals_of<V: IntoLane, const N: usize>(
        &self,
        name: &str,
        values: impl Fn(&D) -> [V; N] + 'static,
    ) -> Rolling<'s, D, K, V::Lane, N, W, WithoutExtremes<Wide>> {
        self.moments_of(name, values).of_form()
    }

    /// Any aggregates, such as `(count(), distinct(|p| Some(p.merchant)))`: what moments cannot say, more slowly.
    #[must_use]
    pub fn aggregate<A: Aggregate<D>>(&self, name: &str, aggregate: A) -> Sliding<'s, D, K, A, W>
    where
        D: Ord,
    {
        Sliding {
            timeline: self.timeline.clone(),
            widths: self.widths,
            aggregate,
            name: name.to_owned(),
            expiry: Expiry::default(),
        }
    }

    fn lanes<L: crate::value::Lane, const N: usize>(
        &self,
        name: &str,
        lanes: impl Fn(&D) -> [i64; N] + 'static,
    ) -> Rolling<'s, D, K, L, N, W> {
        Rolling {
            table: self.timeline.keyed.table.clone(),
            key: Rc::clone(&self.timeline.keyed.key),
            at: Rc::clone(&self.timeline.at),
            lanes: Rc::new(lanes),
            widths: self.widths,
            name: name.to_owned(),
            expiry: Expiry::default(),
            lane: PhantomData,
        }
    }
}
