//! A reorder buffer: rows go in by arrival and come out by event time, a second at a time.

use crate::data::{LATENESS_US, Payment, START_US};

/// Seconds that the buffer spans: more than the greatest lateness.
const SECONDS: usize = 8_192;

/// An event in the buffer: ms since the start, user, cents.
pub(crate) type Event = (u32, u32, u32);

/// A calendar of seconds, as a ring: rows in order of arrival are never more than an hour apart.
pub(crate) struct Reorder {
    buckets: Vec<Vec<Event>>,
    next: usize,
    newest: usize,
}

impl Reorder {
    pub(crate) fn new() -> Self {
        Self {
            buckets: vec![Vec::new(); SECONDS],
            next: 0,
            newest: 0,
        }
    }

    #[inline(always)]
    pub(crate) fn push(&mut self, row: &Payment, release: &mut impl FnMut(&mut Vec<Event>)) {
        let ms = ((row.at - START_US) / 1_000) as u32;
        let second = (ms / 1_000) as usize;
        self.newest = self.newest.max(second);
        let limit = self
            .newest
            .saturating_sub((LATENESS_US / 1_000_000) as usize);
        while self.next < limit {
            self.release_next(release);
        }
        self.buckets[second % SECONDS].push((ms, row.user as u32, row.cents as u32));
    }

    pub(crate) fn finish(&mut self, release: &mut impl FnMut(&mut Vec<Event>)) {
        while self.next <= self.newest {
            self.release_next(release);
        }
    }

    fn release_next(&mut self, release: &mut impl FnMut(&mut Vec<Event>)) {
        let bucket = &mut self.buckets[self.next % SECONDS];
        if !bucket.is_empty() {
            bucket.sort_unstable();
            release(bucket);
            bucket.clear();
        }
        self.next += 1;
    }
}
