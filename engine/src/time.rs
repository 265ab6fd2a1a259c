//! The two times of Thalweg: the epoch, which orders the work, and event time, which lives in records.
//!
//! ```text
//! epoch       u64   generation << 32 | n    a micro-batch number, never used twice; totally ordered
//! event time  i64   µs since 1970 UTC       stays in the record; watermarks are event times
//! ```

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A micro-batch number, `generation << 32 | n`: the only timestamp that the dataflow knows.
pub type Epoch = u64;

/// A moment in the data, in µs since 1970-01-01T00:00Z.
pub type EventTime = i64;

/// An [`EventTime`] as a column: µs since 1970 UTC, a timestamp in Parquet and RFC 3339 text in JSON and tables.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Timestamp(pub EventTime);

impl From<EventTime> for Timestamp {
    fn from(at: EventTime) -> Self {
        Self(at)
    }
}

/// The watermark before anything is known; no event time: a row that bears it is a dead letter.
pub const WATERMARK_NONE: EventTime = EventTime::MIN;

/// The watermark of a source that has ended: nothing can come any more. No event time either.
pub const WATERMARK_END: EventTime = EventTime::MAX;

/// `n` milliseconds.
#[must_use]
pub const fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// `n` seconds.
#[must_use]
pub const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// `n` minutes of 60 seconds.
#[must_use]
pub const fn minutes(n: u64) -> Duration {
    Duration::from_secs(n * 60)
}

/// `n` hours of 3,600 seconds.
#[must_use]
pub const fn hours(n: u64) -> Duration {
    Duration::from_secs(n * 3_600)
}

/// `n` days of 24 hours: calendar days of a time zone are another thing.
#[must_use]
pub const fn days(n: u64) -> Duration {
    Duration::from_secs(n * 86_400)
}

/// A length of time in whole µs; lengths beyond 292,000 years are cut to that.
#[must_use]
pub fn micros_of(length: Duration) -> i64 {
    i64::try_from(length.as_micros()).unwrap_or(i64::MAX)
}

/// The start of the window of `width_us` that holds `at`, windows being aligned to 1970-01-01T00:00Z.
///
/// Windows are `[start, start + width)`; moments before 1970 belong to the window that begins before them.
#[must_use]
#[inline]
pub fn window_start(at: EventTime, width_us: i64) -> EventTime {
    at.saturating_sub(at.rem_euclid(width_us))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_holds_its_start_and_not_its_end() {
        let hour = micros_of(hours(1));
        assert_eq!(window_start(0, hour), 0);
        assert_eq!(window_start(hour - 1, hour), 0);
        assert_eq!(window_start(hour, hour), hour);
        assert_eq!(window_start(-1, hour), -hour);
    }
}
