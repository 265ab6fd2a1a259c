//! Part of a tree hung elsewhere, deeper than it was: who has to sink for it, and who finds something else to hang on.
//!
//! ```text
//! level 1  ●─✂─●              ●     ●
//!       2  │   ├─●      ─▶    │    ╱│     the path from the bridge up to the cut is turned about, and sinks
//!       3  ●   ●              ●─● ╱ │
//!       4   (bridge)            │╱  │     what hangs on that sinks too, if it must; one with an edge to a lesser level
//!       5                       ●   ●     hangs by that from now on, and stays where it is
//! ```
//!
//! # Invariants
//! 1. Where all have sunk, every level is greater than that above it again.
//! 2. Of a node that is still to sink nothing below has sunk, so that an edge to a lesser level leads out of it.

use crate::graph::adjacency::{List, NONE};
use crate::graph::tree::{Place, Trees};

/// How far ahead of its use a node's edge is asked for, in nodes.
const AHEAD: usize = 2;

/// What is turned about and what sinks for it; kept for its memory.
#[derive(Default)]
pub(super) struct Sinking {
    queue: Vec<u32>,
    /// Whatever was hung elsewhere or sank, as it was.
    before: Vec<(u32, Place)>,
}

impl Sinking {
    /// Hangs what is cut off from above and holds the node of a half, one of the forest by now, by that half, which
    /// leads out of it. If there `is_less` to do otherwise, which is asked after each step, all is as it was before,
    /// and it returns false.
    pub(super) fn hang(
        &mut self,
        trees: &mut Trees,
        half: u32,
        mut is_less: impl FnMut(&mut Trees) -> bool,
    ) -> bool {
        self.turn_about(trees, half);
        let mut at = 0;
        while let Some(node) = self.queue.get(at).copied() {
            at += 1;
            if let Some(far) = self.queue.get(at + 2 * AHEAD) {
                trees.graph.prefetch_first(*far, List::Rest);
            }
            if let Some(near) = self.queue.get(at + AHEAD) {
                trees.prefetch_over_first(*near);
            }
            self.sink(trees, node);
            if is_less(trees) {
                self.undo(trees);
                return false;
            }
        }
        true
    }

    /// Turns the path above the node of a half about, and queues what hangs on those who sank.
    fn turn_about(&mut self, trees: &mut Trees, half: u32) {
        self.queue.clear();
        self.before.clear();
        let (mut node, mut up) = (trees.graph.node_of(half), half);
        loop {
            let before = *trees.at(node);
            self.before.push((node, before));
            trees.hang(up);
            if trees.at(node).level > before.level {
                // The next of the path is among them: it hangs on this one by then, and at a greater level.
                trees.append_below(node, &mut self.queue);
            }
            if before.parent == NONE {
                return;
            }
            (node, up) = (before.parent, before.up ^ 1);
        }
    }

    /// Lets a node sink below what it hangs on, or hangs it elsewhere, if it must.
    fn sink(&mut self, trees: &mut Trees, node: u32) {
        let before = *trees.at(node);
        let above = trees.at(before.parent).level;
        if above < before.level {
            return;
        }
        self.before.push((node, before));
        if let Some(half) = trees.to_lesser(node) {
            trees.hang_instead(half);
        } else {
            trees.at_mut(node).level = above + 1;
            trees.append_below(node, &mut self.queue);
        }
    }

    fn undo(&mut self, trees: &mut Trees) {
        for (node, before) in self.before.drain(..).rev() {
            let place = trees.at_mut(node);
            let up = std::mem::replace(&mut place.up, before.up);
            (place.parent, place.level) = (before.parent, before.level);
            // On the path nothing but the direction of its edges changed.
            if before.up != NONE && trees.graph.list(before.up) == List::Rest {
                trees.graph.uproot(up);
                trees.graph.plant(before.up);
            }
        }
    }
}
