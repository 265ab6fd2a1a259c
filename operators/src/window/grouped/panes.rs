//! The moments around the last rows that lie in the same windows: the next row is mostly one of them.
//!
//! ```text
//! hopping   [0             )
//!                [1             )
//!                     [2             )
//! panes     ├────┼────┼────┼────┼────┤      between a start or an end and the next one
//! ```

use std::ops::Range;

use thalweg_engine::key::Key;
use thalweg_engine::time::EventTime;

use crate::window::grouped::Span;
use crate::window::grouped::windows::{Place, Windows};

/// The windows of some moments, and the moments that lie in just these.
#[derive(Default)]
struct Pane {
    from: EventTime,
    /// The first moment that no longer does; at the beginning there is none.
    until: EventTime,
    windows: Vec<Place>,
    /// Whether some of their windows take no rows any more: these are left out.
    any_over: bool,
}

impl Pane {
    #[inline(always)]
    fn holds(&self, at: EventTime) -> bool {
        self.from <= at && at < self.until
    }

    #[inline(never)]
    fn find<K: Key, S: Default>(
        &mut self,
        at: EventTime,
        over: EventTime,
        span: &Span,
        windows: &mut Windows<K, S>,
    ) {
        self.windows.clear();
        self.any_over = false;
        let newest;
        (newest, self.until) = span.newest(at);
        self.from = newest.min(at);
        let mut next = Some(newest);
        while let Some(start) = next {
            let end = span.end(start);
            if at >= end {
                self.from = self.from.max(end);
                break;
            }
            self.until = self.until.min(end);
            if end > over {
                self.windows.push(windows.at(start));
            } else {
                self.any_over = true;
            }
            next = span.older(start);
        }
    }
}

/// The pane of the last row, and the one before: rows go back and forth between two.
#[derive(Default)]
pub(super) struct Panes {
    two: [Pane; 2],
    last: usize,
}

impl Panes {
    #[inline(always)]
    fn last(&self) -> &Pane {
        &self.two[self.last]
    }

    /// The moments that lie in the windows of the last row.
    #[inline(always)]
    pub(super) fn moments(&self) -> Range<EventTime> {
        self.last().from..self.last().until
    }

    /// The windows of the last row, the newest first.
    #[inline(always)]
    pub(super) fn windows(&self) -> &[Place] {
        &self.last().windows
    }

    /// Whether all windows of the last row are over.
    #[inline(always)]
    pub(super) fn all_over(&self) -> bool {
        self.last().any_over && self.last().windows.is_empty()
    }

    /// Finds the windows of a moment that end after `over`, which stays as it is, and opens those that are not.
    #[inline(always)]
    pub(super) fn move_to<K: Key, S: Default>(
        &mut self,
        at: EventTime,
        over: EventTime,
        span: &Span,
        windows: &mut Windows<K, S>,
    ) {
        if self.last().holds(at) {
            return;
        }
        self.last = 1 - self.last;
        if !self.last().holds(at) {
            self.two[self.last].find(at, over, span, windows);
        }
    }
}
