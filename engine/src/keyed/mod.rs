//! The one stateful operator: state by key, an epoch at a time, with timers on the watermark.
//!
//! ```text
//! (row, epoch, ±n) ── by key group ──▶ stash by epoch ─┐
//! (epoch, watermark) ─────────────────▶ stash by epoch ─┴─ both frontiers passed ─▶ KeyedState::epoch ─▶ net (row, epoch, ±n)
//! ```
//!
//! Whoever writes an operator implements [`KeyedState`], or [`PairedState`] over two tables, and never touches a
//! capability.

mod clock;
mod emitter;
mod operator;
mod paired;
mod stash;

pub use emitter::{Emitter, Place};
pub use paired::PairedState;

use crate::key::KEY_GROUPS;
use crate::time::{Epoch, EventTime, WATERMARK_END, WATERMARK_NONE};
use crate::update::{Data, Updates};

/// The times that hold while an epoch is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochTime {
    /// The epoch being applied.
    pub epoch: Epoch,
    /// The global watermark as of the epoch before.
    pub watermark_before: EventTime,
    /// The global watermark as of this epoch: no row below it comes later.
    pub watermark: EventTime,
    /// The moment that the data has come to: the watermark, and once every source has ended the greatest that any
    /// partition's watermark was before its end. It does not depend on which partition ended first.
    pub as_of: EventTime,
}

impl EpochTime {
    /// Whether the watermark has risen in this epoch.
    #[must_use]
    pub fn has_risen(&self) -> bool {
        self.watermark > self.watermark_before
    }

    /// Whether every source has ended.
    #[must_use]
    pub fn is_end(&self) -> bool {
        self.watermark == WATERMARK_END
    }
}

impl Default for EpochTime {
    fn default() -> Self {
        Self {
            epoch: 0,
            watermark_before: WATERMARK_NONE,
            watermark: WATERMARK_NONE,
            as_of: WATERMARK_NONE,
        }
    }
}

/// State by key behind the keyed operator.
///
/// # Laws
/// 1. State depends on the multiset of updates, never on their order within or across epochs.
/// 2. What is emitted are net differences: summed over all epochs, the output is that of brute force over all input.
/// 3. Timers fire in [`KeyedState::epoch`], from `time.watermark_before` (exclusive) to `time.watermark`.
/// 4. `load` of everything that `save` wrote, on any dealing of key groups, continues as if never interrupted.
pub trait KeyedState: 'static {
    /// What comes in.
    type In: Data;
    /// What goes out.
    type Out: Data;
    /// The version of what [`KeyedState::save`] writes.
    const FORMAT: u32;

    /// Applies the whole epoch, in any order, then lets time pass to `time.watermark`.
    ///
    /// `rows` may be empty: only time passes.
    fn epoch(
        &mut self,
        time: &EpochTime,
        rows: Updates<Self::In>,
        out: &mut Emitter<'_, Self::Out>,
    );

    /// Appends the state of the keys in one key group.
    ///
    /// # Errors
    /// [`StateError`] when it cannot be encoded.
    fn save(&self, group: KeyGroup, into: &mut Vec<u8>) -> Result<(), StateError>;

    /// Takes over what [`KeyedState::save`] wrote for a key group.
    ///
    /// # Errors
    /// [`StateError`] when the bytes are not such a state.
    fn load(&mut self, bytes: &[u8]) -> Result<(), StateError>;

    /// What the state holds now.
    fn size(&self) -> StateSize;
}

/// One of the 128 groups that keys are dealt in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyGroup(usize);

impl KeyGroup {
    /// All groups, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..KEY_GROUPS).map(Self)
    }

    /// Whether a key with this tag belongs to the group.
    #[must_use]
    pub fn holds(self, tag: u64) -> bool {
        crate::key::key_group(tag) == self.0
    }
}

/// What a state holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StateSize {
    /// Keys.
    pub keys: usize,
    /// Events, or entries of any other kind.
    pub events: usize,
    /// Bytes, capacity included, but not room that was only reserved and takes no memory.
    pub bytes: usize,
}

/// Why state could not be saved or loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// The state could not be encoded.
    #[error("could not encode state: {0}")]
    Encode(String),
    /// The bytes are not a state of this operator.
    #[error("could not decode state: {0}")]
    Decode(String),
}
