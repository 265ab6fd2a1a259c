//! What has arrived for epochs that are not complete yet, each with the right to emit at it.

use std::collections::BTreeMap;

use timely::dataflow::operators::Capability;

use crate::time::Epoch;
use crate::watermark::Risen;

/// One epoch: its rows, and how the watermark rose in it.
pub(super) struct Stashed<R> {
    pub(super) capability: Capability<Epoch>,
    pub(super) rows: R,
    pub(super) risen: Vec<Risen>,
}

/// The epochs that are not complete, in order.
pub(super) struct Stash<R>(BTreeMap<Epoch, Stashed<R>>);

impl<R: Default> Stash<R> {
    pub(super) fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// The epoch of a capability; without one nothing came.
    pub(super) fn at(&mut self, capability: Option<Capability<Epoch>>) -> Option<&mut Stashed<R>> {
        let capability = capability?;
        let stashed = self.0.entry(*capability.time()).or_insert_with(|| Stashed {
            capability,
            rows: R::default(),
            risen: Vec::new(),
        });
        Some(stashed)
    }

    /// Whether something holds of the rows of every epoch that waits.
    pub(super) fn all(&self, holds: impl Fn(&R) -> bool) -> bool {
        self.0.values().all(|stashed| holds(&stashed.rows))
    }

    /// Takes out the first epoch, unless more may come for it.
    pub(super) fn complete(&mut self, may_come: impl Fn(&Epoch) -> bool) -> Option<Stashed<R>> {
        let first = self.0.first_entry()?;
        (!may_come(first.key())).then(|| first.remove())
    }
}
