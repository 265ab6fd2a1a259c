//! What holds a component together where an edge of its tree is cut: another edge, or nothing.
//!
//! ```text
//!        ● above                 1  an edge of the node below to a lesser level: hung there, done
//!       ╱ ╲                      2  the edges of whoever hangs below it, until one leads out: to a lesser level, or, if
//!      ●   ✂                        none is near, to a node that does not hang below, as climbing from it tells
//!      │   ● below the cut       3  meanwhile the side above is walked too: whichever is walked through first and has
//!      ●   │ ╲                      no edge that leads out of it splits off
//!      └ ─ ● ─ ●
//! ```
//!
//! In a random graph of two edges per node six cuts in ten end at 1, and the others below two or three nodes, whatever
//! its size. The walks in turn bound what is left: a chain, or a side that no edge leads out of.

use crate::graph::sink::Sinking;
use crate::graph::tree::Trees;
use crate::graph::walk::{Step, Walk};

/// The marks of the two walks.
const BELOW: u8 = 1;
const ABOVE: u8 = 2;

/// Steps below the cut before the side above is walked too: most searches end before.
const HEAD_START: usize = 64;

/// Steps below the cut before any climbing: an edge to a lesser level is worth some steps, as for it less has to sink,
/// and if all is walked through by then, the marks tell what climbing would.
const FOR_A_LESSER: usize = 32;

/// Steps of climbing per step of the walk, so that climbing far adds no more than its share.
const CLIMBS_PER_STEP: usize = 4;

/// What became of a component whose tree was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mended {
    /// It holds.
    Holds,
    /// It holds, and the node below the cut is its root.
    HoldsFromBelow,
    /// What was below the cut is another, with the node below the cut as its root.
    BelowFell,
    /// What was above the cut is another, and the node below the cut is the root of what it fell from.
    AboveFell,
}

/// What is walked over to mend a cut; kept for its memory.
#[derive(Default)]
pub(super) struct Mender {
    pub(super) below: Walk,
    pub(super) above: Walk,
    /// Halves that may lead out.
    unsure: Vec<u32>,
    sinking: Sinking,
    turned: Vec<u32>,
}

impl Mender {
    /// Mends the cut between a node, cut off already, and the one that it hung on.
    pub(super) fn mend(&mut self, trees: &mut Trees, node: u32, above: u32) -> Mended {
        if let Some(half) = trees.to_lesser(node) {
            trees.hang_instead(half);
            return Mended::Holds;
        }
        self.below.begin(trees, node, BELOW);
        self.above.begin(trees, above, ABOVE);
        let mended = self.search(trees, node);
        self.below.end(trees);
        self.above.end(trees);
        mended
    }

    fn search(&mut self, trees: &mut Trees, node: u32) -> Mended {
        self.unsure.clear();
        let level = trees.at(node).level;
        let (mut steps, mut climbed_from, mut climbs_left) = (0, 0, 0);
        loop {
            steps += 1;
            climbs_left += CLIMBS_PER_STEP;
            match self.below.step(trees, true) {
                Step::Through => break,
                Step::Followed => {}
                Step::Rest(half) => {
                    let there = trees.at(trees.graph.across(half));
                    if there.level < level {
                        return self.hang(trees, half);
                    }
                    if there.walked_by != BELOW {
                        self.unsure.push(half);
                    }
                }
            }
            if steps > FOR_A_LESSER
                && let Some(half) = self.unsure.get(climbed_from).copied()
            {
                climbed_from += 1;
                if self.is_out(trees, half, level, &mut climbs_left) {
                    return self.hang(trees, half);
                }
            }
            if steps > HEAD_START && self.above.is_through(trees) {
                return self.mend_above(trees);
            }
        }
        let there = |half: &u32| trees.at(trees.graph.across(*half));
        let unsure = self.unsure.iter().copied();
        let out = unsure.filter(|half| there(half).walked_by != BELOW);
        match out.min_by_key(|half| there(half).level) {
            Some(half) => self.hang(trees, half),
            None => Mended::BelowFell,
        }
    }

    /// Whether a half leads out of what is below the cut, for certain: climbs until it comes to where a walk was, as
    /// the node at the cut itself, or to no greater level than that has; or as far as it may.
    fn is_out(&self, trees: &Trees, half: u32, level: u64, climbs_left: &mut usize) -> bool {
        let mut place = trees.at(trees.graph.across(half));
        while place.walked_by == 0 && place.level > level {
            if *climbs_left == 0 {
                return false;
            }
            *climbs_left -= 1;
            place = trees.at(place.parent);
        }
        place.walked_by != BELOW
    }

    /// Hangs the side below by a half that leads out of it, or the side above by the same, if that is less to do.
    fn hang(&mut self, trees: &mut Trees, half: u32) -> Mended {
        trees.graph.plant(half);
        let (above, mut steps) = (&mut self.above, 0);
        let is_hung = self.sinking.hang(trees, half, |trees| {
            steps += 1;
            steps > HEAD_START && above.is_through(trees)
        });
        if !is_hung {
            self.hang_above(trees, half ^ 1);
            return Mended::HoldsFromBelow;
        }
        Mended::Holds
    }

    /// Mends the cut from above, where all was walked through.
    fn mend_above(&mut self, trees: &mut Trees) -> Mended {
        let Some(half) = self.above.leading_out(trees) else {
            return Mended::AboveFell;
        };
        trees.graph.plant(half);
        self.hang_above(trees, half);
        Mended::HoldsFromBelow
    }

    /// Hangs the whole side above by a half that leads out of it, so that the side below has the root.
    fn hang_above(&mut self, trees: &mut Trees, half: u32) {
        trees.hang(half);
        trees.turn(trees.graph.node_of(half), &mut self.turned);
    }
}
