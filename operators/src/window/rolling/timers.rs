//! When a key's row changes with no new event: one timer per key, for the first event that leaves a window.

use std::collections::BTreeMap;

use thalweg_engine::time::EventTime;

/// Timers are kept in buckets of this many µs (about a second) and looked at when the watermark reaches theirs.
const BUCKET_SHIFT: u32 = 20;

/// The bucket of a moment.
pub(super) fn bucket(moment: EventTime) -> i64 {
    moment >> BUCKET_SHIFT
}

/// Handles by the bucket of the moment after which they are due.
#[derive(Default)]
pub(super) struct Timers {
    buckets: BTreeMap<i64, Vec<u32>>,
}

impl Timers {
    /// Sets a timer: `handle` is due once the watermark has passed `after`.
    #[inline]
    pub(super) fn set(&mut self, handle: u32, after: EventTime) {
        self.buckets.entry(bucket(after)).or_default().push(handle);
    }

    /// Takes out every handle that may be due at `watermark`; those that are not yet must be set again. A handle may
    /// have other timers, set before an earlier one was needed.
    pub(super) fn take_due(&mut self, watermark: EventTime, due: &mut Vec<u32>) {
        while let Some(first) = self.buckets.first_entry() {
            if *first.key() > bucket(watermark) {
                break;
            }
            due.append(&mut first.remove());
        }
    }
}
