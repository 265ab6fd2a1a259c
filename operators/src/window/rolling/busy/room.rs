//! Where the rings and stacks of all busy keys lie.

use thalweg_engine::state::Blocks;

use crate::window::rolling::extremes::StackRoom;
use crate::window::rolling::form::{Form, Stored};

/// The blocks of all rings, and those of all stacks.
#[derive(Debug)]
pub(in crate::window::rolling) struct Room<F: Form, const N: usize> {
    pub(super) rings: Blocks<Stored<F, N>>,
    pub(super) stacks: StackRoom<F>,
}

impl<F: Form, const N: usize> Room<F, N> {
    pub(in crate::window::rolling) fn new() -> Self {
        Self {
            rings: Blocks::new(),
            stacks: Blocks::new(),
        }
    }

    /// Bytes held.
    pub(in crate::window::rolling) fn bytes(&self) -> usize {
        self.rings.bytes() + self.stacks.bytes()
    }
}
