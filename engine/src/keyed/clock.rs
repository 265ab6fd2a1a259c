//! The times that a stateful operator lives by: the global watermark as it rises from epoch to epoch.

use crate::keyed::EpochTime;
use crate::time::{Epoch, EventTime, WATERMARK_END, WATERMARK_NONE};
use crate::watermark::Risen;

/// Where the watermark stands for one operator.
pub(super) struct EpochClock {
    watermark: EventTime,
    as_of: EventTime,
}

impl EpochClock {
    pub(super) fn new() -> Self {
        Self {
            watermark: WATERMARK_NONE,
            as_of: WATERMARK_NONE,
        }
    }

    /// The times of the next epoch, in which the watermark rose to `risen`, step by step, if at all.
    pub(super) fn advance(&mut self, epoch: Epoch, risen: &[Risen]) -> EpochTime {
        let watermark_before = self.watermark;
        for (_, watermark) in risen.iter().copied() {
            self.watermark = self.watermark.max(watermark);
            if watermark != WATERMARK_END {
                self.as_of = self.as_of.max(watermark);
            }
        }
        EpochTime {
            epoch,
            watermark_before,
            watermark: self.watermark,
            as_of: self.as_of,
        }
    }
}
