//! Days, weeks and months as the clocks of a time zone show them.
//!
//! ```text
//! Europe/London   ──[ Sat 24 h )[ Sun 23 h )[ Mon 24 h )──▶ event time      spring: the clocks go forward
//!                 ──[ Sat 24 h )[ Sun 25 h )[ Mon 24 h )──▶                 autumn: they go back
//!                   start       end of one = start of the next
//! ```
//!
//! A day is `[start, end)`: it begins with the first moment at which the clocks show its date, which need not be
//! midnight, and ends where the next one begins. Weeks begin on Monday, as in ISO 8601, months on their first day.
//! The rules are those of the time-zone database that is compiled in: the same on every machine, whatever it has
//! installed.

use std::cell::Cell;

use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, ToSpan};
use thalweg_engine::error::JobError;
use thalweg_engine::time::{EventTime, WATERMARK_END};

/// Which windows of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calendar {
    /// From one date to the next: 23 or 25 hours where the clocks change.
    Day,
    /// Seven days from Monday on.
    Week,
    /// From the first of a month to the first of the next.
    Month,
}

/// Beyond 7,000 years from 1970 there is one window at either end: dates themselves end with the year 9,999.
const LAST_US: EventTime = 7_000 * 31_556_952_000_000;

/// The windows of a calendar in a zone.
#[derive(Clone, Debug)]
pub(crate) struct Local {
    calendar: Calendar,
    zone: TimeZone,
    /// The end of the first window of all, and the start of the last.
    ends: (EventTime, EventTime),
    /// The window that was asked for last, mostly the next one as well: dates are worked out once per window.
    recent: Cell<(EventTime, EventTime)>,
}

impl Local {
    /// The windows of `calendar` in the zone of this name in the IANA database.
    pub(crate) fn new(calendar: Calendar, zone_name: &str) -> Result<Self, JobError> {
        let zone = TimeZoneDatabase::bundled().get(zone_name).map_err(|_| {
            JobError::Wrong(format!(
                "calendar windows want a time zone of the IANA database, such as 'Europe/London': got '{zone_name}'"
            ))
        })?;
        let mut local = Self {
            calendar,
            zone,
            ends: (EventTime::MIN, WATERMARK_END),
            recent: Cell::new((0, 0)),
        };
        let whole = local.dated(-LAST_US).zip(local.dated(LAST_US));
        let (first, last) = whole.ok_or_else(|| {
            JobError::Wrong(format!(
                "the time zone '{zone_name}' has no dates in some years"
            ))
        })?;
        local.ends = (first.0, last.0);
        Ok(local)
    }

    /// No window is longer, in µs: two days more than its dates, for clocks that are put back by as much as a day.
    pub(super) fn longest_us(&self) -> i64 {
        const DAY_US: i64 = 86_400_000_000;
        let days = match self.calendar {
            Calendar::Day => 1,
            Calendar::Week => 7,
            Calendar::Month => 31,
        };
        (days + 2) * DAY_US
    }

    /// The window that holds a moment: `[start, end)`.
    #[inline]
    pub(super) fn window(&self, at: EventTime) -> (EventTime, EventTime) {
        let (start, end) = self.recent.get();
        if at < start || at >= end {
            self.recent.set(self.find(at));
        }
        self.recent.get()
    }

    fn find(&self, at: EventTime) -> (EventTime, EventTime) {
        let (first_end, last_start) = self.ends;
        if at < first_end {
            return (EventTime::MIN, first_end);
        }
        let dated = (at < last_start).then(|| self.dated(at)).flatten();
        dated.unwrap_or((last_start, WATERMARK_END))
    }

    /// The same by the calendar. Where the clocks go back over midnight, a date that has begun is not left again.
    fn dated(&self, at: EventTime) -> Option<(EventTime, EventTime)> {
        let moment = Timestamp::from_microsecond(at).ok()?;
        let mut date = self.first_date(self.zone.to_datetime(moment).date())?;
        let (mut start, mut end) = (self.start_of(date)?, self.start_of(self.next(date)?)?);
        while at >= end {
            date = self.next(date)?;
            (start, end) = (end, self.start_of(self.next(date)?)?);
        }
        Some((start, end))
    }

    /// The first date of the window that holds a date.
    fn first_date(&self, date: Date) -> Option<Date> {
        match self.calendar {
            Calendar::Day => Some(date),
            Calendar::Week => {
                let days = i64::from(date.weekday().to_monday_zero_offset());
                date.checked_sub(days.days()).ok()
            }
            Calendar::Month => Some(date.first_of_month()),
        }
    }

    /// The first date of the next window.
    fn next(&self, first: Date) -> Option<Date> {
        let length = match self.calendar {
            Calendar::Day => 1.day(),
            Calendar::Week => 1.week(),
            Calendar::Month => 1.month(),
        };
        first.checked_add(length).ok()
    }

    /// The first moment of a date; asked of its noon, which the clocks hardly ever skip.
    fn start_of(&self, date: Date) -> Option<EventTime> {
        let noon = date.at(12, 0, 0, 0).to_zoned(self.zone.clone()).ok()?;
        Some(noon.start_of_day().ok()?.timestamp().as_microsecond())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::Draws;

    fn local(calendar: Calendar, zone: &str) -> Local {
        Local::new(calendar, zone).unwrap()
    }

    fn at(text: &str) -> EventTime {
        text.parse::<Timestamp>().unwrap().as_microsecond()
    }

    fn window(calendar: Calendar, zone: &str, moment: &str) -> (String, String) {
        let (start, end) = local(calendar, zone).window(at(moment));
        let text = |at| Timestamp::from_microsecond(at).unwrap().to_string();
        (text(start), text(end))
    }

    fn is(found: (String, String), start: &str, end: &str) {
        assert_eq!((found.0.as_str(), found.1.as_str()), (start, end));
    }

    #[test]
    fn the_day_on_which_the_clocks_go_forward_has_23_hours_and_the_other_25() {
        let day = |moment| window(Calendar::Day, "Europe/London", moment);
        is(
            day("2024-03-30T23:59:59Z"),
            "2024-03-30T00:00:00Z",
            "2024-03-31T00:00:00Z",
        );
        is(
            day("2024-03-31T00:00:00Z"),
            "2024-03-31T00:00:00Z",
            "2024-03-31T23:00:00Z",
        );
        is(
            day("2024-03-31T23:00:00Z"),
            "2024-03-31T23:00:00Z",
            "2024-04-01T23:00:00Z",
        );
        is(
            day("2024-10-27T23:30:00Z"),
            "2024-10-26T23:00:00Z",
            "2024-10-28T00:00:00Z",
        );
        is(
            day("2024-10-28T00:00:00Z"),
            "2024-10-28T00:00:00Z",
            "2024-10-29T00:00:00Z",
        );
    }

    #[test]
    fn weeks_begin_on_monday_and_months_on_their_first_day_by_the_local_clock() {
        let london = |calendar, moment| window(calendar, "Europe/London", moment);
        is(
            london(Calendar::Week, "2024-03-31T22:59:59Z"),
            "2024-03-25T00:00:00Z",
            "2024-03-31T23:00:00Z",
        );
        is(
            london(Calendar::Month, "2024-03-01T00:00:00Z"),
            "2024-03-01T00:00:00Z",
            "2024-03-31T23:00:00Z",
        );
        is(
            window(Calendar::Month, "America/New_York", "2024-03-01T04:59:59Z"),
            "2024-02-01T05:00:00Z",
            "2024-03-01T05:00:00Z",
        );
    }

    #[test]
    fn a_day_begins_with_its_first_moment_where_midnight_is_skipped() {
        is(
            window(Calendar::Day, "America/Sao_Paulo", "2018-11-04T12:00:00Z"),
            "2018-11-04T03:00:00Z",
            "2018-11-05T02:00:00Z",
        );
    }

    #[test]
    fn a_date_that_was_skipped_has_no_window() {
        let day = |moment| window(Calendar::Day, "Pacific/Apia", moment);
        is(
            day("2011-12-30T09:59:59Z"),
            "2011-12-29T10:00:00Z",
            "2011-12-30T10:00:00Z",
        );
        is(
            day("2011-12-30T10:00:00Z"),
            "2011-12-30T10:00:00Z",
            "2011-12-31T10:00:00Z",
        );
    }

    #[test]
    fn windows_lie_without_gap_or_overlap_over_all_time_in_every_zone_tried() {
        let zones = [
            "UTC",
            "Europe/London",
            "America/New_York",
            "America/Sao_Paulo",
            "Asia/Kathmandu",
            "Pacific/Apia",
            "Australia/Lord_Howe",
            "America/Toronto",
            "Africa/Casablanca",
            "Antarctica/Troll",
            "America/Goose_Bay",
            "America/Havana",
        ];
        let mut draws = Draws::seeded(1);
        for zone in zones {
            for calendar in [Calendar::Day, Calendar::Week, Calendar::Month] {
                let local = local(calendar, zone);
                let mut spots = vec![EventTime::MIN, -1, 0, EventTime::MAX - 1, LAST_US, -LAST_US];
                for _ in 0..300 {
                    let above = draws.within(0..=3_999_999_999_999_999);
                    spots.push(above - 2_000_000_000_000_000);
                }
                for spot in spots {
                    let (start, end) = local.window(spot);
                    assert!(
                        start <= spot && spot < end,
                        "{zone}: {spot} in {start}..{end}"
                    );
                    assert_eq!(local.window(start), (start, end), "{zone}: {spot}");
                    assert_eq!(local.window(end - 1), (start, end), "{zone}: {spot}");
                    if end != WATERMARK_END {
                        assert_eq!(local.window(end).0, end, "{zone}: {spot}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_zone_that_does_not_exist_is_named() {
        let error = Local::new(Calendar::Day, "Europe/Lodnon").unwrap_err();
        assert!(error.to_string().contains("'Europe/Lodnon'"), "{error}");
    }
}
