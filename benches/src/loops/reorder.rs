//! A reorder buffer: rows go in by arrival and come out by event time, a second at a time.

use crate::data::{LATENESS_US, Payment, START_US};

/// Seconds that the buffer spans: more than the greatest lateness.
const SECONDS: usize = 8_192;

/// An event in the buffer, of the loops that work on milliseconds: ms since the start, user, cents.
pub(crate) type Event = (u32, u32, u32);

/// A calendar of seconds, as a ring: rows in order of arrival are never more than an hour apart.
pub(crate) struct Reorder<E> {
    buckets: Vec<Vec<E>>,
    next: usize,
    newest: usize,
}

impl Reorder<Event> {
    #[inline(always)]
    pub(crate) fn push(&mut self, row: &Payment, release: &mut impl FnMut(&mut Vec<Event>)) {
        let ms = ((row.at - START_US) / 1_000) as u32;
        self.put(
            (ms / 1_000) as usize,
            (ms, row.user as u32, row.cents as u32),
            release,
        );
    }
}

impl<E: Ord> Reorder<E> {
    pub(crate) fn new() -> Self {
        Self {
            buckets: (0..SECONDS).map(|_| Vec::new()).collect(),
            next: 0,
            newest: 0,
        }
    }

    #[inline(always)]
    pub(crate) fn put(&mut self, second: usize, event: E, release: &mut impl FnMut(&mut Vec<E>)) {
        self.newest = self.newest.max(second);
        let limit = self
            .newest
            .saturating_sub((LATENESS_US / 1_000_000) as usize);
        while self.next < limit {
            self.release_next(release);
        }
        self.buckets[second % SECONDS].push(event);
    }

    pub(crate) fn finish(&mut self, release: &mut impl FnMut(&mut Vec<E>)) {
        while self.next <= self.newest {
            self.release_next(release);
        }
    }

    fn release_next(&mut self, release: &mut impl FnMut(&mut Vec<E>)) {
        let bucket = &mut self.buckets[self.next % SECONDS];
        if !bucket.is_empty() {
            bucket.sort_unstable();
            release(bucket);
            bucket.clear();
        }
        self.next += 1;
    }
}
