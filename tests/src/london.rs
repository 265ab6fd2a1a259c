//! London's calendar from September 2024 to February 2025, from the almanac: the clocks go back on 27 October at 02:00.

use thalweg::prelude::Calendar;

const HOUR_US: i64 = 3_600_000_000;
const DAY_US: i64 = 24 * HOUR_US;

/// 2024-10-27T01:00Z: from here on the clocks show UTC, before it an hour more.
const CLOCKS_GO_BACK_US: i64 = 1_729_990_800_000_000;

/// The last evening before the clocks go back: 2024-10-26T20:00Z.
pub const EVENING_US: i64 = CLOCKS_GO_BACK_US - 5 * HOUR_US;

/// The first days of months, in days from 1970: September 2024 to March 2025.
const MONTHS: [i64; 7] = [19_967, 19_997, 20_028, 20_058, 20_089, 20_120, 20_148];

/// The window `[start, end)` of a moment.
///
/// # Panics
/// Outside of those months.
#[must_use]
pub fn window(calendar: Calendar, at: i64) -> (i64, i64) {
    let ahead = if at < CLOCKS_GO_BACK_US { HOUR_US } else { 0 };
    let day = (at + ahead).div_euclid(DAY_US);
    let (first, next) = match calendar {
        Calendar::Day => (day, day + 1),
        // The first day of 1970 was a Thursday, the fourth from Monday on.
        Calendar::Week => {
            let monday = day - (day + 3).rem_euclid(7);
            (monday, monday + 7)
        }
        Calendar::Month => {
            let later = MONTHS.iter().position(|first| *first > day).unwrap();
            (MONTHS[later - 1], MONTHS[later])
        }
    };
    (midnight(first), midnight(next))
}

/// The moment at which a day begins.
fn midnight(day: i64) -> i64 {
    let in_summer = day * DAY_US - HOUR_US;
    if in_summer < CLOCKS_GO_BACK_US {
        in_summer
    } else {
        day * DAY_US
    }
}
