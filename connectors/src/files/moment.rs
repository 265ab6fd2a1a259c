//! Moments as text and back: µs since 1970 UTC ⇄ `2024-02-29T12:00:00.5Z`.

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use thalweg_engine::time::EventTime;

/// Reads RFC 3339, `YYYY-MM-DD HH:MM:SS[.f]` (or with `T`), `YYYY-MM-DD`, or whole µs since 1970.
/// Text without an offset is UTC; digits beyond the µs are cut off.
pub(crate) fn parse(text: &str) -> Option<EventTime> {
    let text = text.trim();
    if let Ok(at) = text.parse::<i64>() {
        return Some(at);
    }
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(at.timestamp_micros());
    }
    for pattern in ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"] {
        if let Ok(at) = NaiveDateTime::parse_from_str(text, pattern) {
            return Some(at.and_utc().timestamp_micros());
        }
    }
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(day.and_hms_opt(0, 0, 0)?.and_utc().timestamp_micros())
}

/// `2024-02-29T12:00:00.5Z`, with as many digits as it needs; nothing beyond the years that have a calendar.
#[must_use]
pub fn rfc3339(at: EventTime) -> Option<String> {
    let (seconds, fraction) = parts(at)?;
    Some(format!("{}T{}{fraction}Z", seconds.date(), seconds.time()))
}

/// `2024-02-29 12:00:00` (UTC), with a fraction where there is one; `None` beyond the years that have a calendar.
#[must_use]
pub fn plain(at: EventTime) -> Option<String> {
    let (seconds, fraction) = parts(at)?;
    Some(format!("{} {}{fraction}", seconds.date(), seconds.time()))
}

/// The calendar day in UTC, `2024-02-29`.
pub(crate) fn date(at: EventTime) -> Option<String> {
    Some(
        DateTime::from_timestamp_micros(at)?
            .date_naive()
            .to_string(),
    )
}

/// The whole second, and the rest as `.5` or nothing.
fn parts(at: EventTime) -> Option<(NaiveDateTime, String)> {
    let seconds = DateTime::from_timestamp(at.div_euclid(1_000_000), 0)?.naive_utc();
    let micros = at.rem_euclid(1_000_000);
    if micros == 0 {
        return Some((seconds, String::new()));
    }
    Some((
        seconds,
        format!(".{micros:06}").trim_end_matches('0').to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_709_208_000_000_000;

    #[test]
    fn every_accepted_spelling_is_the_same_moment() {
        for text in [
            "2024-02-29T12:00:00Z",
            "2024-02-29T13:00:00+01:00",
            "2024-02-29 12:00:00",
            "2024-02-29 12:00:00.000",
            "2024-02-29T12:00:00",
            "2024-02-29 12:00:00+00:00",
            " 2024-02-29T12:00:00.0000001Z ",
            "1709208000000000",
        ] {
            assert_eq!(parse(text), Some(NOON), "{text}");
        }
        assert_eq!(parse("2024-02-29"), Some(NOON - 43_200_000_000));
        assert_eq!(parse("2024-02-29 12:00:00.25"), Some(NOON + 250_000));
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in [
            "",
            "soon",
            "2023-02-29",
            "2024-02-29 25:00:00",
            "12:00",
            "1.5",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn text_and_moment_are_inverse_to_each_other() {
        for at in [
            0,
            -1,
            NOON,
            NOON + 1,
            NOON + 500_000,
            -62_135_596_800_000_000,
        ] {
            assert_eq!(parse(&rfc3339(at).unwrap()), Some(at));
            assert_eq!(parse(&plain(at).unwrap()), Some(at));
        }
        assert_eq!(rfc3339(-1).unwrap(), "1969-12-31T23:59:59.999999Z");
        assert_eq!(plain(NOON).unwrap(), "2024-02-29 12:00:00");
        assert_eq!(date(-1).unwrap(), "1969-12-31");
        assert_eq!(rfc3339(i64::MAX), None);
    }
}
