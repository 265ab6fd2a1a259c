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
    /// The start of the newest window that holds `at`.
    #[inline]
    pub(super) fn newest_start(&self, at: EventTime) -> EventTime {
        match self {
            Self::Lifetime => 0,
            Self::Every { step_us, .. } => window_start(at, *step_us),
            Self::Calendar(local) => local.window(at).0,
        }
    }

    /// The start of the next older window that holds `at`, if there is one.
    #[inline]
    pub(super) fn older_start(&self, start: EventTime, at: EventTime) -> Option<EventTime> {
        match self {
            Self::Lifetime | Self::Calendar(_) => None,
            Self::Every { width_us, step_us } => {
                let older = start.checked_sub(*step_us)?;
                (at < older.saturating_add(*width_us)).then_some(older)
            }
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
