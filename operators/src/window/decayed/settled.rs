//! One key's sums over what the watermark has passed.

use serde::{Deserialize, Serialize};
use thalweg_engine::keyed::Emitter;
use thalweg_engine::time::EventTime;
use thalweg_engine::update::{Data, Diff};

use crate::value::{Lane, NULL};
use crate::window::decayed::DecayedRow;
use crate::window::decayed::fading::{HalfLives, Running};

/// A row with its number's lane, [`NULL`] where it has none.
pub(super) type Numbered<D> = (D, i64);

/// What a row is written as.
pub(super) type OfRow<D, K> = (D, DecayedRow<K>);

/// A key's sums in order of time, and the moment of the newest number in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Settled {
    pub(super) running: Running,
    newest: Option<EventTime>,
}

impl Settled {
    /// Whether there are no numbers.
    pub(super) fn is_empty(&self) -> bool {
        self.newest.is_none()
    }

    /// Adds copies of a row's number, where it has one.
    pub(super) fn add<L: Lane>(
        &mut self,
        lives: &HalfLives,
        at: EventTime,
        lane: i64,
        copies: Diff,
    ) {
        if lane != NULL {
            self.running.add(lives.sums::<L>(at, lane, copies));
            self.newest = self.newest.max(Some(at));
        }
    }

    /// Takes all rows of one moment and writes one for each, as of that moment; where it lies behind the newest number,
    /// which only rows from behind the watermark do, as of that one.
    pub(super) fn settle<'a, D: Data, K: Data, L: Lane>(
        &mut self,
        lives: &HalfLives,
        (key, at): (&K, EventTime),
        rows: impl Iterator<Item = (&'a Numbered<D>, Diff)> + Clone,
        out: &mut Emitter<'_, OfRow<D, K>>,
    ) {
        for ((_, lane), copies) in rows.clone() {
            self.add::<L>(lives, at, *lane, copies);
        }
        let at = self.newest.map_or(at, |newest| newest.max(at));
        let (count, sum) = self.running.read::<L>(lives, at);
        for ((row, _), copies) in rows {
            let key = key.clone();
            let faded = DecayedRow {
                key,
                at,
                count,
                sum,
            };
            out.emit((row.clone(), faded), copies);
        }
    }
}
