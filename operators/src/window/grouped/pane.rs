//! The moments around the last row that lie in the same windows: the next row is mostly one of them.
//!
//! ```text
//! hopping   [0             )
//!                [1             )
//!                     [2             )
//! panes     ├────┼────┼────┼────┼────┤      between a start or an end and the next one
//! ```

use thalweg_engine::key::Key;
use thalweg_engine::time::EventTime;

use crate::window::grouped::Span;
use crate::window::grouped::windows::{Place, Windows};

/// The windows of the last row, and the moments that lie in just these.
#[derive(Default)]
pub(super) struct Pane {
    from: EventTime,
    /// The first moment that no longer does; at the beginning there is none.
    until: EventTime,
    windows: Vec<Place>,
}

impl Pane {
    /// Whether a moment lies in the same windows.
    #[inline(always)]
    pub(super) fn holds(&self, at: EventTime) -> bool {
        self.from <= at && at < self.until
    }

    /// The windows, the newest first.
    #[inline(always)]
    pub(super) fn windows(&self) -> &[Place] {
        &self.windows
    }

    /// Finds the windows of another moment, and opens those that are not.
    #[inline(never)]
    pub(super) fn move_to<K: Key, S: Default>(
        &mut self,
        at: EventTime,
        span: &Span,
        windows: &mut Windows<K, S>,
    ) {
        self.windows.clear();
        (self.from, self.until) = span.newest(at);
        let mut next = Some(self.from);
        while let Some(start) = next {
            let end = span.end(start);
            if at >= end {
                self.from = self.from.max(end);
                break;
            }
            self.until = self.until.min(end);
            self.windows.push(windows.at(start));
            next = span.older(start);
        }
    }
}
