//! Which write wins: the rule that every online store applies, written once as a pure function.
//!
//! ```text
//! stored (T, E, row time)      a write (t, e, replaces)
//!   nothing stored                                            wins
//!   (t, e) ≥ (T, E)                                           wins
//!   e ≥ E and it replaces exactly the row that is stored      wins    a correction
//!   e ≥ E and it replaces all that its run has stored         wins    rows told without those that they replace
//!   otherwise                                                 refused
//! after a win: T := max(T, t), E := e, so that T never goes back
//! ```
//!
//! # Why the third line
//! A version orders by event time, then by epoch, so that a replay after a crash and a second writer (a
//! backfill) never take a reader back in event time. But the truth about a key *can* move back: its newest
//! event is cancelled, and what remains is older. The engine says so itself, as `−old +new` in one epoch.
//! Two things follow. The write carries the later of both event times, so that it passes what it corrects.
//! And it names the row that it replaces, because the *next* change of that key carries only its own, older
//! times: without the name it would be refused by the height that the correction left behind, and the store
//! would keep a stale row for ever.
//!
//! An insertion after a deletion has no row to name. It passes a tombstone of its own generation, in which
//! epochs alone order the writes of a key; a tombstone of an earlier generation stops it until the key's event
//! time has passed the tombstone's, because a replay cannot be told from news there.
//!
//! A writer that is told new rows alone has no row to name either. What its own generation has written, whether a row
//! or a tombstone, it passes in the order of epochs; what an earlier one has, by event time, or where that is the row's own
//! and no correction's: a replay comes to the same row again.

use thalweg_engine::time::{Epoch, EventTime};

/// Bits of an epoch below its generation.
const GENERATION_SHIFT: u32 = 32;

/// What orders the writes of one entity: by event time, then by epoch (whose upper half is the generation).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The greatest event time that this entity's state has seen, in µs since 1970 UTC.
    pub event_time: EventTime,
    /// The epoch that wrote it.
    pub epoch: Epoch,
}

/// What a writer knows about the row that stood before its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Replaces {
    /// Nothing is known: the versions alone decide.
    #[default]
    Unknown,
    /// The writer's table held no row for the entity.
    Nothing,
    /// The writer's table held a row with this event time.
    Row(EventTime),
    /// The writer is not told which row its table held, if any: whatever its generation has written is out of date, and
    /// so is what an earlier one has of the same event time.
    Generation,
}

/// What a store holds for an entity, as far as the rule looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The version of the last write that won.
    pub version: Version,
    /// The row's own event time; `None` for a tombstone.
    pub row_time: Option<EventTime>,
}

impl Version {
    /// The version to store if a write under `self` wins against `stored`; `None` if it is refused.
    ///
    /// ```
    /// use thalweg_connectors::online::{Replaces, Stored, Version};
    ///
    /// let stored = Stored { version: Version { event_time: 10, epoch: 4 }, row_time: Some(10) };
    /// let write = Version { event_time: 9, epoch: 5 };
    /// assert_eq!(write.against(Replaces::Unknown, Some(stored)), None);
    /// // The row of time 10 was cancelled: the value goes back, the version does not.
    /// let kept = Version { event_time: 10, epoch: 5 };
    /// assert_eq!(write.against(Replaces::Row(10), Some(stored)), Some(kept));
    /// ```
    #[must_use]
    pub fn against(self, replaces: Replaces, stored: Option<Stored>) -> Option<Self> {
        let Some(stored) = stored else {
            return Some(self);
        };
        let is_of_generation = stored.version.epoch >= generation_start(self.epoch);
        let follows = self.epoch >= stored.version.epoch
            && match (replaces, stored.row_time) {
                (Replaces::Row(old), Some(row_time)) => old == row_time,
                (Replaces::Nothing, None) => is_of_generation,
                (Replaces::Generation, stored) => {
                    is_of_generation || stored == Some(self.event_time)
                }
                _ => false,
            };
        let wins = self >= stored.version || follows;
        wins.then(|| Self {
            event_time: self.event_time.max(stored.version.event_time),
            epoch: self.epoch,
        })
    }
}

/// The epoch of a run as a version holds it: under the run's generation.
pub(crate) fn epoch_of(generation: u64, epoch: Epoch) -> Epoch {
    generation << GENERATION_SHIFT | (epoch & ((1 << GENERATION_SHIFT) - 1))
}

/// The first epoch of the generation that `epoch` belongs to.
#[must_use]
pub(crate) fn generation_start(epoch: Epoch) -> Epoch {
    epoch >> GENERATION_SHIFT << GENERATION_SHIFT
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(event_time: EventTime, epoch: Epoch) -> Version {
        Version { event_time, epoch }
    }

    fn row(event_time: EventTime, epoch: Epoch, row_time: EventTime) -> Option<Stored> {
        Some(Stored {
            version: at(event_time, epoch),
            row_time: Some(row_time),
        })
    }

    fn tombstone(event_time: EventTime, epoch: Epoch) -> Option<Stored> {
        Some(Stored {
            version: at(event_time, epoch),
            row_time: None,
        })
    }

    #[test]
    fn event_time_decides_before_the_epoch() {
        assert_eq!(at(10, 1).against(Replaces::Unknown, None), Some(at(10, 1)));
        assert_eq!(at(9, 7).against(Replaces::Unknown, row(10, 1, 10)), None);
        assert_eq!(at(10, 0).against(Replaces::Unknown, row(10, 1, 10)), None);
        assert_eq!(
            at(10, 1).against(Replaces::Unknown, row(10, 1, 10)),
            Some(at(10, 1))
        );
        assert_eq!(
            at(11, 0).against(Replaces::Unknown, row(10, 1, 10)),
            Some(at(11, 0))
        );
    }

    /// A key whose newest event was cancelled used to freeze: the correction left its event time at 10, and
    /// the following row of time 6 was refused although the table held nothing else.
    #[test]
    fn what_follows_a_correction_is_not_refused_by_its_height() {
        let corrected = at(10, 2).against(Replaces::Row(10), row(10, 1, 10));
        assert_eq!(corrected, Some(at(10, 2)));
        assert_eq!(
            at(6, 3).against(Replaces::Row(5), row(10, 2, 5)),
            Some(at(10, 3))
        );
        assert_eq!(
            at(6, 1).against(Replaces::Row(5), row(10, 2, 5)),
            None,
            "an older epoch"
        );
        assert_eq!(
            at(6, 3).against(Replaces::Row(4), row(10, 2, 5)),
            None,
            "another row"
        );
    }

    /// A store that was told new rows alone kept the row of a cancelled event for ever.
    #[test]
    fn a_row_told_alone_passes_whatever_its_generation_has_stored() {
        let second = 2 << 32;
        let told = |event_time, epoch, stored| {
            at(event_time, second + epoch).against(Replaces::Generation, stored)
        };
        let kept = |epoch| Some(at(10, second + epoch));
        assert_eq!(told(5, 2, row(10, second + 1, 10)), kept(2));
        assert_eq!(told(6, 3, row(10, second + 2, 5)), kept(3));
        assert_eq!(told(3, 4, tombstone(10, second + 3)), kept(4));
        assert_eq!(told(6, 1, row(10, second + 2, 5)), None, "an older epoch");
        assert_eq!(told(5, 1, row(10, second - 1, 5)), kept(1), "replayed");
        let earlier = [row(10, second - 1, 10), tombstone(10, second - 1)];
        assert_eq!(earlier.map(|stored| told(9, 1, stored)), [None; 2]);
        assert_eq!(earlier.map(|stored| told(10, 1, stored)), [kept(1); 2]);
    }

    #[test]
    fn an_insertion_passes_a_tombstone_of_its_own_generation_only() {
        let second = 2 << 32;
        assert_eq!(
            at(8, second + 9).against(Replaces::Nothing, tombstone(10, second + 4)),
            Some(at(10, second + 9))
        );
        assert_eq!(
            at(8, second + 3).against(Replaces::Nothing, tombstone(10, second + 4)),
            None
        );
        assert_eq!(
            at(8, second).against(Replaces::Nothing, tombstone(10, second - 1)),
            None
        );
        assert_eq!(
            at(8, second + 9).against(Replaces::Unknown, tombstone(10, second + 4)),
            None
        );
    }
}
