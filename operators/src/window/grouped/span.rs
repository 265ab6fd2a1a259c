//! Which windows a moment belongs to.
//!
//! ```text
//! tumbling  [0    )[1    )[2    )        one window
//! hopping   [0        )                  width ÷ step windows, the newest first
//!              [1        )
//!                 [2        )
//! calendar  [0   )[1  )[2   )            one window, of a length of its own
//! lifetime  (─────────────────────)      the one window, which ends with its sources
//! ```
//!
//! Windows are `[start, start + width)`, aligned to 1970-01-01T00:00Z; those of a calendar to its dates.

use std::rc::Rc;

use thalweg_engine::time::{EventTime, WATERMARK_END, window_start};

use crate::window::grouped::calendar::Local;

/// Which windows a moment belongs to.
#[derive(Clone, Debug)]
pub(crate) enum Span {
    /// One window per key, for ever.
    Lifetime,
    /// A window of `width_us` every `step_us`; tumbling where both are the same.
    Every { width_us: i64, step_us: i64 },
    /// A window per day, week or month of a time zone.
    Calendar(Rc<Local>),
}

impl Span {
    /// The newest window that has begun at `at`: its start, and the first moment that a newer one has begun.
    #[inline]
    pub(super) fn newest(&self, at: EventTime) -> (EventTime, EventTime) {
        match self {
            Self::Lifetime => (0, EventTime::MAX),
            Self::Every { step_us, .. } => {
                // Not a step after the start: at the beginning of time the first window is less than a step.
                let next = at.saturating_add(step_us - at.rem_euclid(*step_us));
                (window_start(at, *step_us), next)
            }
            Self::Calendar(local) => local.window(at),
        }
    }

    /// The start of the next older window, where windows overlap.
    #[inline]
    pub(super) fn older(&self, start: EventTime) -> Option<EventTime> {
        match self {
            Self::Lifetime | Self::Calendar(_) => None,
            Self::Every { step_us, .. } => start.checked_sub(*step_us),
        }
    }

    /// How far before a moment the windows that hold it may begin, in µs, but for the first and the last of a calendar,
    /// which are thousands of years long; `None` for ever.
    pub(super) fn longest(&self) -> Option<i64> {
        match self {
            Self::Lifetime => None,
            Self::Every { width_us, .. } => Some(*width_us),
            Self::Calendar(local) => Some(local.longest_us()),
        }
    }

    /// The first moment after the window that begins at `start`.
    #[inline]
    pub(super) fn end(&self, start: EventTime) -> EventTime {
        match self {
            Self::Lifetime => WATERMARK_END,
            Self::Every { width_us, .. } => start.saturating_add(*width_us),
            Self::Calendar(local) => local.window(start).1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first window of all was taken for a whole step wide, so that a row that came after one of its own was counted
    /// in it, and in the next one where it came alone.
    #[test]
    fn the_first_window_of_all_time_ends_where_the_next_one_begins() {
        let span = Span::Every {
            width_us: 2_500,
            step_us: 2_500,
        };
        let (first, next) = span.newest(EventTime::MIN + 1);
        assert_eq!((first, next), (EventTime::MIN, EventTime::MIN + 808));
        assert_eq!(span.newest(next), (next, next + 2_500));
        assert_eq!(span.newest(EventTime::MAX - 1).1, EventTime::MAX);
    }
}
